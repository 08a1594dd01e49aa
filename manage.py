#!/usr/bin/env python3
"""Podium's command line."""

import os
import sys

from django.core.management import execute_from_command_line

# Commands that touch neither PostgreSQL nor Redis, and so need not start them.
WITHOUT_SERVICES = {"--help", "-h", "--version", "help", "version", "check", "collectstatic", "startapp"}


def main() -> None:
    """Run one command, on the embedded services where the environment names no others."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")
    if sys.argv[1:] and not WITHOUT_SERVICES.intersection(sys.argv[1:]):
        from config import embedded  # noqa: PLC0415 - only now: it reads the settings named above

        embedded.start()
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
