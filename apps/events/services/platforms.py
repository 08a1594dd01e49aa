"""The game platform's endpoint of each operator (operators.md 11.7). Nobody creates it: `GAME_PLATFORM_URL` does."""

from django.conf import settings
from django.db import connection

from apps.core import ids
from apps.events.models import Endpoint, Format

EVENTS = ["tournament.started", "tournament.cancelled"]
PATH = "/internal/tournament/events"

ENSURE = """
    INSERT INTO events_endpoint AS known
           (operator_id, public_id, url, description, events, format, ordered, enabled, secret, previous_secret, token,
            created_at, last_error, disabled_reason)
    VALUES (%(operator)s, %(public_id)s, %(url)s, 'Game platform', %(events)s, %(format)s, false, true, '', '', '',
            statement_timestamp(), '', '')
    ON CONFLICT (operator_id) WHERE format = 'PLATFORM' AND removed_at IS NULL
    DO UPDATE SET url = excluded.url WHERE known.url <> excluded.url
"""


def ensure(operator_id: int) -> None:
    """Have the operator's endpoint for the game platform, at the address that the settings name now.

    Staff may disable it; it stays disabled.
    """
    url = settings.GAME_PLATFORM_URL.rstrip("/") + PATH
    if Endpoint.objects.for_operator(operator_id).filter(format=Format.PLATFORM, removed_at=None, url=url).exists():
        return
    with connection.cursor() as cursor:
        cursor.execute(
            ENSURE,
            {
                "operator": operator_id,
                "public_id": ids.public_id("ep"),
                "url": url,
                "events": EVENTS,
                "format": str(Format.PLATFORM),
            },
        )
