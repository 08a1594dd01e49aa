"""The operator's own endpoints (podium.md 2), by what they are about."""

from apps.operators.api import schema as schema
