"""What a player's own pages show of their tournaments: where they take part, and who leads."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Max, QuerySet

from apps.ledger.lifecycle import ChainStatus
from apps.operators.uuids import number_behind
from apps.rumble.lifecycle import ParticipantStatus
from apps.rumble.models import Deposit, Participant, RumbleTournament
from apps.rumble.services import boards
from apps.rumble.services.boards import NoScoreboard
from apps.rumble.services.ground import TournamentNotFound
from apps.tournaments.models import Entry
from apps.tournaments.services import tally

# Rows of a board, and of a list.
SHOWN = 50
ON_THE_WAY = (ChainStatus.SIGNED, ChainStatus.SUBMITTED)


@dataclass(frozen=True, slots=True)
class Row:
    """A place on the board. `score` is None before the first one, `prize` in whole UPX and 0 where there is none."""

    place: int
    player_id: int
    name: str
    score: Decimal | None
    prize: int


@dataclass(frozen=True, slots=True)
class Standing:
    """The first rows of a board, the player's own among them, and how much there is to win."""

    rows: Sequence[Row]
    participants: int
    pool: int
    ranked: bool


def moving(player_id: int) -> QuerySet[Deposit]:
    """Return the player's payments that are signed and not yet final."""
    rows = Deposit.objects.filter(player_id=player_id, transaction__status__in=ON_THE_WAY)
    return rows.select_related("container__application", "container__rumble__tournament", "transaction").order_by("pk")


def participations(player_id: int) -> list[Participant]:
    """Return the newest participation of a player in each of their last tournaments, newest first."""
    newest = Participant.objects.filter(player_id=player_id).values("rumble").annotate(newest=Max("pk"))
    wanted = [row["newest"] for row in newest.order_by("-newest")[:SHOWN]]
    rows = Participant.objects.filter(pk__in=wanted).select_related("rumble__tournament", "rumble__application")
    return list(rows.order_by("-pk"))


def participation(player_id: int, public_id: str) -> Participant:
    """Return a player's newest participation in a tournament. Raises TournamentNotFound where they never joined."""
    rumble_id = number_behind("rumble-tournament", public_id)
    rows = Participant.objects.filter(player_id=player_id, rumble_id=rumble_id or 0)
    loaded = rows.select_related("rumble__tournament__asset", "rumble__application", "rumble__container")
    found: Participant | None = loaded.order_by("-pk").first()
    if found is None:
        raise TournamentNotFound
    return found


def board_of(rumble: RumbleTournament, player_id: int) -> Standing:
    """Return who leads: by points from the start on, before it in the order in which they came."""
    totals = tally.totals(rumble.pk)
    prizes: dict[int, int] = {}
    try:
        board = boards.scoreboard(rumble)
    except NoScoreboard:
        pool, ranked = sum(units for _, units in boards.distribution(rumble).prizes), False
        if rumble.tournament.cancelled_at is not None:
            pool = 0
    else:
        pool, ranked = int(board.pool_units), True
        prizes = {prize.place: int(prize.units) for prize in board.prizes}
    entries = Entry.objects.filter(tournament_id=rumble.pk)
    entries = entries.ranked() if ranked else entries.filter(participant__status=ParticipantStatus.ACTIVE)
    entries = entries if ranked else entries.order_by("registered_at", "pk")
    rows = [
        Row(
            place=place,
            player_id=entry.player_id,
            name=entry.display_name,
            score=entry.points if entry.score_reported_at is not None else None,
            prize=prizes.get(place, 0),
        )
        for place, entry in enumerate(entries[: SHOWN * 20], start=1)
    ]
    shown = [row for row in rows if row.place <= SHOWN or row.player_id == player_id]
    return Standing(shown, totals.players, pool, ranked)
