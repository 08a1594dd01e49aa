"""Tests, mirroring apps/."""
