"""Test databases are copies of one that was migrated once, which takes a tenth of the time of migrating each."""

import fcntl
import hashlib
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from psycopg import sql

PREFIX = "migrated_"


def template() -> str:
    """Return the name of a database at the newest migration; made at most once for each state of the migrations."""
    name = PREFIX + _state_of_the_migrations()
    with (settings.DATA_DIR / "template").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # xdist workers want it at the same time
        with connection._nodb_cursor() as cursor:
            cursor.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", [f"{PREFIX}%"])
            stored = {row[0] for row in cursor.fetchall()}
            if name not in stored:
                for old in stored:
                    cursor.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(old)))
                _make(name, cursor)
    return name


def _make(name: str, cursor) -> None:
    # Under another name until it is whole: a run that is interrupted here leaves no half-migrated template.
    draft = f"{PREFIX}draft"
    cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(draft)))
    usual = connection.settings_dict["NAME"]
    connection.settings_dict["NAME"] = draft
    try:
        call_command("migrate", interactive=False, verbosity=0)
    finally:
        connection.close()
        connection.settings_dict["NAME"] = usual
    cursor.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(draft), sql.Identifier(name)))


def _state_of_the_migrations() -> str:
    apps = settings.BASE_DIR / "apps"
    places = [*apps.glob("*/migrations/*.py"), *apps.glob("*/sql/*.sql"), settings.BASE_DIR / "requirements.txt"]
    return hashlib.sha256(b"".join(_signed(place) for place in sorted(places))).hexdigest()[:16]


def _signed(place: Path) -> bytes:
    return f"{place.name} {place.stat().st_size}\n".encode() + place.read_bytes()
