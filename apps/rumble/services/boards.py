"""Who gets what: as it stands now, or as it was fixed (rumble.md 3.12, 3.16, 3.17)."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from apps.core.errors import DomainError
from apps.ledger.models import Payout, PlanKind, Purpose
from apps.rumble import words
from apps.rumble.models import Participant, RumbleTournament
from apps.tournaments.lifecycle import TournamentStatus
from apps.tournaments.models import Entry, Tournament
from apps.tournaments.services import pools, tally

PLAYED = (TournamentStatus.SETTLING, TournamentStatus.CLOSED, TournamentStatus.FAILED)


class NoScoreboard(DomainError):
    """There is a scoreboard from the start of a tournament on, and none of a canceled one."""

    code = "NO_SCOREBOARD"


@dataclass(frozen=True, slots=True)
class Prize:
    """One paid place. `user_id` and `eos_id` as on the wire, base units."""

    place: int
    user_id: str
    eos_id: str
    score: Decimal
    units: int


@dataclass(frozen=True, slots=True)
class Scoreboard:
    """The result, or what it would be. `stakeholder_units` is None without a stakeholder."""

    participants: int
    pool_units: int
    developer_units: int
    stakeholder_units: int | None
    prizes: Sequence[Prize]


@dataclass(frozen=True, slots=True)
class Distribution:
    """What would be paid, by place, in base units."""

    developer_units: int
    stakeholder_units: int
    prizes: Sequence[tuple[int, int]]


def scoreboard(rumble: RumbleTournament) -> Scoreboard:
    """Return the scoreboard: over the scores so far while it runs, from its end on what was fixed then.

    Raises NoScoreboard.
    """
    tournament = rumble.tournament
    played = tournament.status in PLAYED and tournament.cancelled_at is None
    if not played and tournament.status != TournamentStatus.RUNNING:
        raise NoScoreboard(status=words.status(rumble))
    totals = tally.totals(tournament.pk)
    pool = pools.pool_of(tournament, totals)
    amounts = pools.prizes_by_place(tournament, pool.total, totals.players) or _nothing_to_win(rumble, totals.players)
    paid = _fixed(tournament) if played else {}
    ranked = list(Entry.objects.filter(tournament=tournament).ranked()[: len(amounts)])
    names = dict(Participant.objects.filter(entry__in=ranked).values_list("entry_id", "eos_id"))
    return Scoreboard(
        participants=totals.players,
        pool_units=pool.total,
        developer_units=pool.fees.get("developer", 0),
        stakeholder_units=pool.fees.get("stakeholder", 0) if rumble.stakeholder_eos_id else None,
        prizes=[
            Prize(
                place=place,
                user_id=words.user_id(entry.player_id),
                eos_id=names.get(entry.pk, ""),
                score=entry.points,
                units=paid.get(entry.pk, 0) if played else units,
            )
            for place, (entry, units) in enumerate(zip(ranked, amounts, strict=False), start=1)
        ],
    )


def distribution(rumble: RumbleTournament) -> Distribution:
    """Return what would be paid with the participants who are active now; no prizes before a rule is reached."""
    tournament = rumble.tournament
    totals = tally.totals(tournament.pk)
    pool = pools.pool_of(tournament, totals)
    smallest = min(rule["minPlayers"] for rule in tournament.prize_rules)
    amounts = pools.prizes_by_place(tournament, pool.total, totals.players) if totals.players >= smallest else []
    if totals.players >= smallest and not amounts:
        amounts = _nothing_to_win(rumble, totals.players)
    return Distribution(
        developer_units=pool.fees.get("developer", 0),
        stakeholder_units=pool.fees.get("stakeholder", 0),
        prizes=list(enumerate(amounts, start=1)),
    )


def _nothing_to_win(rumble: RumbleTournament, players: int) -> list[int]:
    """A free tournament has places all the same, worth nothing (rumble.md 5.2)."""
    fitting = [rule for rule in rumble.tournament.prize_rules if rule["minPlayers"] <= players]
    places = len(fitting[-1]["percentages"]) if fitting else 0
    return [0] * min(places, players)


def _fixed(tournament: Tournament) -> dict[int, int]:
    """Return the prizes of the frozen plan by entry."""
    prizes = Payout.objects.filter(
        plan__operator_id=tournament.operator_id,
        plan__subject=tournament.subject,
        plan__kind=PlanKind.SETTLEMENT,
        purpose=Purpose.PRIZE,
    )
    return {entry_id: int(units) for entry_id, units in prizes.values_list("entry_ref", "units")}
