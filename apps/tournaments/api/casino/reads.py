"""What the casino dialect looks up. Everything is narrowed to the operator of the key; drafts are nobody's to see."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Avg, Case, Count, IntegerField, Min, OuterRef, Q, Subquery, Sum, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce

from apps.ledger.models import Payout, Purpose
from apps.operators.models import Player
from apps.tournaments.api.casino import words
from apps.tournaments.api.casino.queries import Page, TournamentFilter
from apps.tournaments.lifecycle import FINISHED, EntryStatus, TournamentStatus
from apps.tournaments.models import BuyIn, Entry, Tournament
from apps.tournaments.querysets import LEVEL, NEVER_ELIMINATED
from apps.tournaments.scoring import TieBreak
from apps.tournaments.services import lookup, results, viewing
from apps.tournaments.services.entries import PlayerNotFound, TournamentNotFound
from apps.tournaments.services.tally import Totals
from apps.tournaments.services.tokens import parse_internal_id

# Ids are bigints; a longer number is nobody's.
LONGEST_ID = 18


def row_id(text: str) -> int | None:
    """Return the number of an id as we write it: digits, no sign, no leading zero."""
    digits = text.isascii() and text.isdecimal() and len(text) <= LONGEST_ID
    return int(text) if digits and not text.startswith("0") else None


def visible(operator_id: int) -> Any:
    """Return the operator's tournaments that are no drafts, with what every answer shows of them."""
    return (
        Tournament.objects.for_operator(operator_id)
        .exclude(status=TournamentStatus.DRAFT)
        .select_related("operator", "game", "asset")
    )


def tournament(operator_id: int, ref: str) -> Tournament:
    """Return one tournament, shared and only to be read. Raises TournamentNotFound, for other operators' too."""
    return standing(operator_id, ref)[0]


def standing(operator_id: int, ref: str) -> tuple[Tournament, Totals]:
    """Return the same with its running counts."""
    pk = row_id(ref)
    found = lookup.standing(operator_id, pk) if pk else None
    if found is None:
        raise TournamentNotFound
    return found


def tournaments(operator_id: int, wanted: TournamentFilter, *, at: datetime) -> tuple[list[Tournament], int]:
    """Return a page of tournaments in the order of their start, and how many there are."""
    found = visible(operator_id)
    if wanted.statuses is not None:
        found = found.filter(words.having_status(wanted.statuses, at))
    if wanted.game_slug is not None:
        found = found.filter(game__slug=wanted.game_slug)
    if wanted.starts_after is not None:
        found = found.filter(starts_at__gt=wanted.starts_after)
    if wanted.starts_before is not None:
        found = found.filter(starts_at__lt=wanted.starts_before)
    if wanted.external_id is not None:
        found = found.filter(external_id=wanted.external_id)
    if wanted.viewer is not None:
        found = found.filter(viewing.seen(operator_id, wanted.viewer))
    page = wanted.page
    return list(found.order_by("starts_at", "pk")[page.offset : page.stop]), found.count()


def entry(subject: Tournament, ref: str) -> Entry:
    """Return a player's entry by internal id, by player id, or by the operator's user id, in this order.

    Of several registrations of one player it is the latest. Raises PlayerNotFound.
    """
    entries = Entry.objects.filter(tournament=subject).select_related("player").order_by("-attempt", "pk")
    named = parse_internal_id(ref)
    if named is not None and named[0] == subject.pk:
        found = entries.filter(player_id=named[1], attempt=min(named[2], 32767)).first()
    else:
        pk = row_id(ref)
        found = entries.filter(player_id=pk).first() if pk else None
    if found is None:
        # Two brands may each have a player of that id; whoever registered first is meant.
        found = entries.filter(player__operator_id=subject.operator_id, player__external_id=ref).first()
    if found is None:
        raise PlayerNotFound
    mine: Entry = found
    mine.tournament = subject
    return mine


def buy_in(subject: Tournament, ref: str) -> BuyIn | None:
    """Return the newest buy-in of a player who is not in, by player id or the operator's user id."""
    if not subject.debit_url:
        return None
    mine = BuyIn.objects.filter(tournament=subject).select_related("player").order_by("-pk")
    pk = row_id(ref)
    found: BuyIn | None = (mine.filter(player_id=pk).first() if pk else None) or mine.filter(
        player__external_id=ref
    ).first()
    return found


def prizes(subject: Tournament, entry_ids: Collection[int] | None = None) -> dict[int, int]:
    """Return the prizes that were fixed, in base units by entry: of some entries, or of all."""
    if subject.status not in FINISHED or subject.cancelled_at is not None or entry_ids == []:
        return {}
    payouts = results.prize_payouts(subject)
    if entry_ids is not None:
        payouts = payouts.filter(entry_ref__in=entry_ids)
    if subject.prize_table:
        return {entry_id: int(units) for entry_id, _, units in results.prizes_by_entry(payouts)}
    return {entry_id: int(units) for entry_id, units in payouts.values_list("entry_ref", "units")}


def prizes_by_place(subject: Tournament) -> list[int] | None:
    """Return the prizes that were fixed, best place first; None before completion.

    A place is unique: those who share a rank stand on the places from it on.
    """
    if subject.status not in FINISHED or subject.cancelled_at is not None:
        return None
    if subject.prize_table:
        fixed: dict[int, int] = {}
        place = 0
        for _, rank, units in results.prizes_by_entry(results.prize_payouts(subject)):
            place = max(rank, place + 1)
            fixed[place] = int(units)
        return [fixed.get(place, 0) for place in range(1, max(fixed, default=0) + 1)]
    return [int(units) for units in results.prize_payouts(subject).values_list("units", flat=True)]


# --- the player list --------------------------------------------------------------------------------------------------


class Listed(NamedTuple):
    """What the player list shows of an entry; tuples, because there may be a hundred thousand of them."""

    position: int | None
    entry_id: int
    player_id: int
    user_id: str
    attempt: int
    display_name: str
    status: str
    registered_at: datetime
    entry_count: int
    paid_units: Decimal
    points: Decimal
    eliminated_at: datetime | None


# The window is over the whole board, so a filtered list shows true positions; its order is that of the index
# tournaments_ranking, so that a page of an unfiltered list reads no further than its end. Who withdrew has no position.
_RANKED = """
    SELECT id, row_number() OVER (ranking) AS place, {position} AS position FROM tournaments_entry
     WHERE tournament_id = %(tournament)s AND status <> 'WITHDRAWN'
    WINDOW level AS (ORDER BY points DESC, COALESCE(elimination_round, 2147483647) DESC),
           ranking AS (ORDER BY points DESC, COALESCE(elimination_round, 2147483647) DESC, tie_break, scored_at,
                                entry_count, registered_at, player_id)
     {page}
"""
_OWN, _SHARED = "row_number() OVER (ranking)", "rank() OVER (level)"
_GONE = """
    SELECT id, NULL::bigint AS place, NULL::bigint AS position
      FROM tournaments_entry WHERE tournament_id = %(tournament)s AND status = 'WITHDRAWN'
"""
_LIST = """
    SELECT r.position, e.id, e.player_id, p.external_id, e.attempt, e.display_name, e.status, e.registered_at,
           e.entry_count, e.paid_units, e.points, e.eliminated_at
      FROM ({places}) r
      JOIN tournaments_entry e ON e.id = r.id
      JOIN operators_player p ON p.id = e.player_id
     WHERE {condition}
     ORDER BY r.place, e.id
     {page}
"""
_PAGE = "LIMIT %(limit)s OFFSET %(offset)s"
CHUNK = 1000


def _having_word(subject: Tournament, word: str | None, winners: Collection[int]) -> tuple[Q, str] | None:
    """Return the condition for a player status word, for the ORM and for `_LIST`; None if nobody can have it now."""
    won_q, won_sql = Q(pk__in=winners), "e.id = ANY(%(winners)s)"
    if word == words.WITHDRAWN:
        return Q(status=EntryStatus.WITHDRAWN), "TRUE"
    if word is None:
        return ~Q(status=EntryStatus.WITHDRAWN), "TRUE"
    if word == words.WINNER:
        return won_q, won_sql
    if word == words.ELIMINATED:
        return Q(status=EntryStatus.OUT) & ~won_q, f"e.status = 'OUT' AND NOT {won_sql}"
    if (word == words.ACTIVE) != (subject.started_at is not None):
        return None
    return Q(status=EntryStatus.IN) & ~won_q, f"e.status = 'IN' AND NOT {won_sql}"


def players(
    subject: Tournament, word: str | None, page: Page, *, won: Mapping[int, int]
) -> tuple[int, Iterator[list[Listed]]]:
    """Return how many players have a status word, and a stretch of them in chunks; `won` as `prizes` tells it.

    The query has run when this returns; the rows are read as they are asked for.
    """
    condition = _having_word(subject, word, list(won))
    if condition is None:
        return 0, iter(())
    total = Entry.objects.filter(tournament=subject).filter(condition[0]).count()
    inside = word is None
    position = _SHARED if subject.shares_ranks else _OWN
    places = _GONE if word == words.WITHDRAWN else _RANKED.format(page=_PAGE if inside else "", position=position)
    cursor = connection.cursor()
    cursor.execute(
        _LIST.format(places=places, condition=condition[1], page="" if inside else _PAGE),
        {"tournament": subject.pk, "winners": list(won), "limit": page.limit, "offset": page.offset},
    )
    return total, _chunks(cursor)


def _chunks(cursor: Any) -> Iterator[list[Listed]]:
    with cursor:
        while rows := cursor.fetchmany(CHUNK):
            yield [Listed(*row) for row in rows]


# --- a player's history -----------------------------------------------------------------------------------------------


def _final_position() -> Case:
    """How many stand before the entry, and one: the ranking of querysets.RANKING, spelled out as a comparison.

    Only its first two keys where ranks are shared (`querysets.LEVEL`).
    """
    shared = Q(tournament__scoring__tieBreak=TieBreak.SHARE_RANK.value)
    return Case(
        When(_COMPLETED & shared, then=_position(len(LEVEL))),
        When(_COMPLETED, then=_position()),
        default=None,
        output_field=IntegerField(),
    )


def _position(keys: int | None = None) -> Combinable:
    """One more than those who stand before the entry as far as so many keys of the ranking tell."""
    out_round = Coalesce("elimination_round", Value(NEVER_ELIMINATED))
    own_round = Coalesce(OuterRef("elimination_round"), Value(NEVER_ELIMINATED))
    level, before = Q(), Q(points__gt=OuterRef("points"))
    ranking = (
        ("points", OuterRef("points"), None),
        ("out_round", own_round, "gt"),
        ("tie_break", OuterRef("tie_break"), "lt"),
        ("scored_at", OuterRef("scored_at"), "lt"),
        ("entry_count", OuterRef("entry_count"), "lt"),
        ("registered_at", OuterRef("registered_at"), "lt"),
        ("player_id", OuterRef("player_id"), "lt"),
    )
    for name, own, ahead in ranking[:keys]:
        if ahead:
            before |= level & Q(**{f"{name}__{ahead}": own})
        level &= Q(**{name: own})
    ahead_of_it = (
        Entry.objects.filter(tournament_id=OuterRef("tournament_id"), points__gte=OuterRef("points"))
        .on_board()
        .alias(out_round=out_round)
        .filter(before)
        .order_by()
        .values("tournament_id")
        .annotate(many=Count("pk"))
        .values("many")
    )
    return Coalesce(Subquery(ahead_of_it, output_field=IntegerField()), Value(0)) + 1


_COMPLETED = Q(tournament__status__in=FINISHED, tournament__cancelled_at=None)


def history(subject: Player, *, page: int, per_page: int) -> tuple[list[Entry], dict[str, Any]]:
    """Return a page of a player's entries, newest tournament first, with `final_position`, and statistics over all.

    Entries that were withdrawn are left out: the player did not take part.
    """
    entries = (
        Entry.objects.filter(player=subject)
        .on_board()
        .exclude(tournament__status=TournamentStatus.DRAFT)
        .annotate(final_position=_final_position())
    )
    statistics = entries.aggregate(
        total_tournaments=Count("pk"),
        completed_tournaments=Count("pk", filter=_COMPLETED),
        average_position=Avg("final_position"),
        best_position=Min("final_position"),
        total_points_earned=Sum("points"),
    )
    found = entries.select_related("tournament").order_by("-tournament_id")
    return list(found[(page - 1) * per_page : page * per_page]), statistics


def prizes_of_player(subject: Player, entry_ids: Sequence[int]) -> set[int]:
    """Return which of a player's entries won a prize."""
    won = Payout.objects.filter(player=subject, purpose=Purpose.PRIZE, entry_ref__in=entry_ids, position__isnull=False)
    return {entry_id for entry_id in won.values_list("entry_ref", flat=True) if entry_id is not None}
