"""A cursor for statements with long values."""

from typing import Any

from django.db import connection
from django.db.backends.postgresql.base import ServerBindingCursor
from django.db.backends.utils import CursorWrapper


def binding_cursor() -> CursorWrapper:
    """Return a cursor whose values travel beside the statement.

    Django's own write them into its text, and the server reads them out of it again: for a value of many thousand
    characters that takes longer than all else about it. Without Django's time zone: a moment that is read is in the
    server's.
    """
    ours: Any = connection
    ours.close_if_health_check_failed()
    ours.ensure_connection()
    with ours.wrap_database_errors:
        cursor: CursorWrapper = ours._prepare_cursor(ServerBindingCursor(ours.connection))  # type: ignore[call-arg]  # noqa: SLF001
        return cursor
