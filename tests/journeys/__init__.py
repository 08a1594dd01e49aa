"""Journeys through the admin and the pages, driven in Chromium."""
