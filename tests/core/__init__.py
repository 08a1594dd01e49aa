"""Tests of apps/core."""
