"""Enter players by the thousand: those who join a tournament by playing (rounds.md 5.3)."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

import msgspec
from django.db import connection, transaction

from apps.core.actors import SYSTEM
from apps.events.services import recording as events
from apps.operators.models import Brand
from apps.operators.services import admission
from apps.tournaments import board, engines, facts
from apps.tournaments.models import Entry, EntryMode, Tournament
from apps.tournaments.services import tally, terms

# Who was entered before, even if they have left, does not come back by playing.
_ENTER = """
    INSERT INTO tournaments_entry
           (operator_id, tournament_id, player_id, attempt, status, display_name, payment_id, entry_count, paid_units,
            points, scored_at, score_version, current_group, registered_at, changed_at)
    SELECT %(operator)s, %(tournament)s, n.player, 1, 'IN', n.name, '', 1, 0, 0, %(at)s, 0, '', %(at)s, %(at)s
      FROM jsonb_to_recordset(%(players)s::jsonb) AS n(place integer, player bigint, name text)
     WHERE NOT EXISTS (SELECT FROM tournaments_entry e
                        WHERE e.tournament_id = %(tournament)s AND e.player_id = n.player)
     ORDER BY n.place
    ON CONFLICT DO NOTHING
    RETURNING id
"""


def enter_many(tournament: Tournament, players: Sequence[tuple[int, str]], *, at: datetime) -> list[Entry]:
    """Enter players by brand and the brand's id of them, for nothing, as far as there are seats; return who came in.

    Players are created if need be. Who is blocked, or has been in before, is left out. The caller holds the tournament.
    """
    if tournament.entry_mode == EntryMode.INVITED:
        players = _invited(tournament, players)
    free = [
        one for one in admission.ensure_many_locked(tournament.operator_id, players, at=at) if not one.is_blocked(at)
    ]
    known = set(
        Entry.objects.filter(tournament=tournament, player__in=[one.pk for one in free]).values_list(
            "player_id", flat=True
        )
    )
    fresh = [one for one in free if one.pk not in known]
    seats = tally.take_seats(tournament.pk, len(fresh), limited=tournament.max_players is not None)
    rows = [
        {"place": place, "player": one.pk, "name": (one.display_name or one.external_id)[:64]}
        for place, one in enumerate(fresh[:seats])
    ]
    if not rows:
        return []
    given: dict[str, Any] = {"operator": tournament.operator_id, "tournament": tournament.pk, "at": at}
    with connection.cursor() as cursor:
        cursor.execute(_ENTER, given | {"players": msgspec.json.encode(rows).decode()})
        made = [entry_id for (entry_id,) in cursor.fetchall()]
    missed = len(rows) - len(made)
    if missed:
        tally.move(tournament.pk, players=-missed, active=-missed, entries=-missed, seats=missed)
    entered = list(Entry.objects.filter(pk__in=made).select_related("player").order_by("pk"))
    counted = tally.totals(tournament.pk).players - len(entered)
    for entry in entered:
        entry.tournament = tournament
    engines.of(tournament).entered_many(tournament, entered, at=at)
    events.record_many(
        [facts.registered(tournament, entry, current_players=counted + k) for k, entry in enumerate(entered, start=1)],
        operator_id=tournament.operator_id,
        actor=SYSTEM,
        at=at,
    )
    transaction.on_commit(partial(board.push, tournament.pk, entered), robust=True)
    return entered


def _invited(tournament: Tournament, players: Sequence[tuple[int, str]]) -> list[tuple[int, str]]:
    """Return those who are on the list of a tournament of invited players."""
    refs = dict(Brand.objects.filter(pk__in={brand for brand, _ in players}).values_list("pk", "external_id"))
    listed = terms.invited_among(tournament, [(refs[brand], player) for brand, player in players if brand in refs])
    return [(brand, player) for brand, player in players if (refs.get(brand, ""), player) in listed]
