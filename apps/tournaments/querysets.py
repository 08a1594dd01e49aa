"""Reads and locks of tournaments: the tenant filter, the ranking order, the two ways to hold a tournament."""

from datetime import datetime
from typing import Any, Self

from django.db import connection
from django.db.models import F, Value
from django.db.models.functions import Coalesce

from apps.operators.models.tenants import OwnedQuerySet

# Stands for "still in" where a higher elimination round ranks first.
NEVER_ELIMINATED = 2**31 - 1

# operators.md 4.6: points, then later elimination, then what the policy says of ties, then who got there first, then
# fewer entries, then who registered first, then the player id. `board` packs the same order into the members of a Redis
# sorted set.
RANKING = (
    F("points").desc(),
    Coalesce("elimination_round", Value(NEVER_ELIMINATED)).desc(),
    "tie_break",
    "scored_at",
    "entry_count",
    "registered_at",
    "player_id",
)

# Those who are equal in these share a rank where a tournament says so; the rest of the ranking only orders them.
LEVEL = RANKING[:2]

# Of a kind in one tick; the next one is a second away.
MANY = 500

# One namespace of advisory locks; never renumbered.
TOURNAMENT_LOCKS = 1 << 48


class TournamentQuerySet(OwnedQuerySet):
    """Tournaments.

    Entering a tournament takes its lock shared, changing its state takes it exclusively: ten thousand players may
    enter side by side, and none slips in after the state has changed. The lock is a transaction-level advisory lock,
    because a row lock in share mode would let a stream of players starve the one who wants to cancel.
    """

    def due_to_end(self, at: datetime, source: str) -> list[int]:
        """Return some running ones of a source of points whose end time has come, the oldest first."""
        over = self.filter(status="RUNNING", ends_at__lte=at, scoring_source=source).order_by("ends_at")
        return list(over.values_list("id", flat=True)[:MANY])

    def hold_shared(self, tournament_id: int) -> Any:
        """Return the tournament, whose state can't change until this transaction ends. Raises DoesNotExist."""
        return self._held("pg_advisory_xact_lock_shared(%(lock)s)", tournament_id)

    def hold(self, tournament_id: int) -> Any:
        """Return the tournament for this transaction alone. Raises DoesNotExist."""
        return self._held("pg_advisory_xact_lock(%(lock)s)", tournament_id)

    def hold_for_entry(self, tournament_id: int) -> Any:
        """Hold shared, but a hop-on lobby alone, because the last one in starts it. Raises DoesNotExist.

        One look decides, before anything is held: upgrading a shared lock would make two players wait for each other.
        """
        return self._held(
            "CASE start_mode WHEN 'AT_COUNT' THEN pg_advisory_xact_lock(%(lock)s)"
            " ELSE pg_advisory_xact_lock_shared(%(lock)s) END FROM tournaments_tournament WHERE id = %(id)s",
            tournament_id,
        )

    def _held(self, lock: str, tournament_id: int) -> Any:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {lock}", {"lock": TOURNAMENT_LOCKS | tournament_id, "id": tournament_id})
        return self.select_related("operator", "asset", "game").get(pk=tournament_id)


class EntryQuerySet(OwnedQuerySet):
    """Entries."""

    def ranked(self) -> Self:
        """Everyone who is on the board, best first."""
        return self.on_board().order_by(*RANKING)

    def on_board(self) -> Self:
        """Leave out who withdrew."""
        return self.exclude(status="WITHDRAWN")

    def locked_for_update(self) -> Self:
        """Row locks in primary-key order, so that two workers can never deadlock."""
        return self.order_by("pk").select_for_update(of=("self",), no_key=True)
