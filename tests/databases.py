"""Test databases are copies of one that was migrated once, which takes a tenth of the time of migrating each.

Between tests that commit they are emptied row by row: a test leaves a few rows in a few tables. Django's flush would
truncate every table, build every index and write all permissions anew.
"""

import fcntl
import hashlib
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction
from psycopg import sql

PREFIX = "migrated_"

# What migrating leaves there, and no test changes.
KEPT = ["django_migrations", "django_content_type", "auth_permission"]
USED = """
    SELECT relname FROM pg_class
     WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' AND relname <> ALL (%s)
       AND pg_relation_size(oid) > 0
"""


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


def empty() -> bool:
    """Delete every row that tests may have committed, or return False where only a superuser could."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('is_superuser')")
        if cursor.fetchone() != ("on",):
            return False
        cursor.execute("SET LOCAL session_replication_role = replica")  # no triggers: what is protected goes too
        cursor.execute(USED, [KEPT])
        for (table,) in cursor.fetchall():
            cursor.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
    return True
