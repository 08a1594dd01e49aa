"""The running counts of a tournament, kept in stripes so that writers seldom meet."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection

from apps.tournaments.models import Tally

STRIPES = 16
# Up to this many seats one stripe is enough: the seats are gone before anyone queues for long.
SMALL_FIELD = 64


@dataclass(frozen=True, slots=True)
class Totals:
    """Counts over all stripes. Money in base units; who withdrew counts in nothing."""

    players: int = 0
    active: int = 0
    entries: int = 0
    first_fee_units: int = 0
    rebuy_units: int = 0

    @property
    def collected(self) -> int:
        """Everything paid and not refunded."""
        return self.first_fee_units + self.rebuy_units


def is_hot(max_players: int | None) -> bool:
    """Tell whether a field is large enough to need stripes."""
    return max_players is None or max_players > SMALL_FIELD


def open_stripes(tournament_id: int, max_players: int | None) -> None:
    """Create the stripes of a new tournament, its seats dealt evenly."""
    number = STRIPES if is_hot(max_players) else 1
    Tally.objects.bulk_create(
        Tally(tournament_id=tournament_id, slot=slot, seats_free=seats)
        for slot, seats in enumerate(_deal(max_players, number))
    )


def _deal(seats: int | None, stripes: int) -> list[int | None]:
    if seats is None:
        return [None] * stripes
    each, odd = divmod(seats, stripes)
    return [each + (slot < odd) for slot in range(stripes)]


def reseat(tournament_id: int, max_players: int | None, *, held: int = 0) -> None:
    """Deal the free seats anew after a change of `max_players`; `held` are kept for players who are about to pay.

    The caller holds the tournament alone.
    """
    rows = list(Tally.objects.filter(tournament_id=tournament_id).order_by("slot"))
    free = None if max_players is None else max_players - held - sum(row.players for row in rows)
    for row, seats in zip(rows, _deal(free, len(rows)), strict=True):
        row.seats_free = seats
    Tally.objects.bulk_update(rows, ["seats_free"])


_TAKE = """
    UPDATE tournaments_tally
       SET seats_free = seats_free - 1, players = players + 1, active = active + 1, entries = entries + 1,
           first_fee_units = first_fee_units + %s
     WHERE id = (SELECT id FROM tournaments_tally
                  WHERE tournament_id = %s AND (seats_free IS NULL OR seats_free > 0)
                  ORDER BY {order} LIMIT 1 FOR NO KEY UPDATE {patience})
"""
_OWN_STRIPE_FIRST = "(slot = pg_backend_pid() %% 16) DESC, slot"


def take_seat(tournament_id: int, *, fee_units: int) -> bool:
    """Count one more player, if there is a seat; tell whether there was.

    Exact: only when every stripe that nobody else holds is empty does it wait for the others, and only when those are
    empty too is the tournament full.
    """
    with connection.cursor() as cursor:
        # Who waits keeps the rows that turned out empty locked: everybody who waits does so in one order.
        for order, patience in ((_OWN_STRIPE_FIRST, "SKIP LOCKED"), ("slot", "")):
            cursor.execute(_TAKE.format(order=order, patience=patience), [fee_units, tournament_id])
            if cursor.rowcount:
                return True
    return False


def hold_seat(tournament_id: int) -> bool:
    """Keep a seat free for somebody who is about to pay, if there is one; tell whether there was."""
    if not take_seat(tournament_id, fee_units=0):
        return False
    move(tournament_id, players=-1, active=-1, entries=-1)
    return True


def fill_seat(tournament_id: int, *, fee_units: int) -> None:
    """Count one more player, on the seat that was kept for them."""
    move(tournament_id, players=1, active=1, entries=1, first_fee_units=fee_units)


_TAKE_MANY = """
    UPDATE tournaments_tally
       SET players = players + %(seats)s, active = active + %(seats)s, entries = entries + %(seats)s
     WHERE id = (SELECT id FROM tournaments_tally WHERE tournament_id = %(tournament)s
                  ORDER BY (slot = pg_backend_pid() %% 16) DESC, slot LIMIT 1)
"""


def take_seats(tournament_id: int, seats: int, *, limited: bool) -> int:
    """Count up to so many players more, who pay nothing; return for how many there were seats."""
    if limited:
        taken = 0
        while taken < seats and take_seat(tournament_id, fee_units=0):
            taken += 1
        return taken
    with connection.cursor() as cursor:
        cursor.execute(_TAKE_MANY, {"seats": seats, "tournament": tournament_id})
    return seats


_MOVE = """
    UPDATE tournaments_tally
       SET players = players + %(players)s, active = active + %(active)s, entries = entries + %(entries)s,
           first_fee_units = first_fee_units + %(first_fee_units)s, rebuy_units = rebuy_units + %(rebuy_units)s,
           seats_free = seats_free + %(seats)s
     WHERE id = (SELECT id FROM tournaments_tally WHERE tournament_id = %(tournament)s
                  ORDER BY (slot = pg_backend_pid() %% 16) DESC, slot LIMIT 1)
"""


def move(
    tournament_id: int,
    *,
    players: int = 0,
    active: int = 0,
    entries: int = 0,
    first_fee_units: int = 0,
    rebuy_units: int = 0,
    seats: int = 0,
) -> None:
    """Add to the counts of this connection's stripe; negative numbers take away."""
    counts = {
        "players": players,
        "active": active,
        "entries": entries,
        "first_fee_units": first_fee_units,
        "rebuy_units": rebuy_units,
        "seats": seats,
    }
    with connection.cursor() as cursor:
        cursor.execute(_MOVE, {**counts, "tournament": tournament_id})


_TOTALS = """
    SELECT tournament_id, sum(players), sum(active), sum(entries), sum(first_fee_units), sum(rebuy_units)
      FROM tournaments_tally WHERE tournament_id = ANY(%s) GROUP BY tournament_id
"""


def totals_of(tournament_ids: Iterable[int]) -> dict[int, Totals]:
    """Return the totals of several tournaments with one query; every id asked for is in the answer."""
    wanted = list(tournament_ids)
    # Asked with every answer about a tournament: Django would take ten times as long to write this as to run it.
    with connection.cursor() as cursor:
        cursor.execute(_TOTALS, [wanted])
        found = {row[0]: Totals(*(int(value) for value in row[1:])) for row in cursor.fetchall()}
    return {tournament_id: found.get(tournament_id, Totals()) for tournament_id in wanted}


def totals(tournament_id: int) -> Totals:
    """Return the totals of one tournament."""
    return totals_of([tournament_id])[tournament_id]
