"""Who makes the points of a tournament: the one seam through which tournaments ask an area that stands above them.

An area that scores registers its engine in its AppConfig, under the source of the points. Tournaments whose points are
reported need nobody: every question has an answer for them.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from apps.core.actors import Actor
from apps.core.errors import DomainError
from apps.operators.models import Player
from apps.tournaments.models import Entry, ScoringSource, Tournament


class LastPlay(NamedTuple):
    """What a player used last in a tournament: the currency of the bets, and the game's id."""

    currency: str
    game: str


class AccountedRound(NamedTuple):
    """One round in an account of points: what it is worth, and why it does not count (None: it does)."""

    round_id: str
    occurred_at: datetime
    bet: Decimal
    win: Decimal
    currency: str
    points: Decimal | None
    reason: str | None


class Account(NamedTuple):
    """What somebody's points are made of, by which method, in which version of its reckoning."""

    method: str
    version: int
    rounds: Sequence[AccountedRound]


class NothingToReset(DomainError):
    """Only points that are made of rounds can be reset."""

    code = "INVALID_STATE"


class Engine:
    """What tournaments ask, with the answers for those whose points are reported.

    Everything but `due` is called in the transaction of the verb, with the tournament held.
    """

    def created(self, tournament: Tournament, *, at: datetime) -> None:
        """Make ready what stands beside a tournament that was just stored, drafts included. Raises Invalid."""

    def opened(self, tournament: Tournament, *, at: datetime) -> None:
        """Begin to listen: the tournament was published."""

    def changed(self, tournament: Tournament, *, at: datetime) -> None:
        """Take note that its times may be others now; it has not started."""

    def started(self, tournament: Tournament, *, at: datetime) -> None:
        """Take note that it has started, whenever that was planned."""

    def entered_many(self, tournament: Tournament, entries: Sequence[Entry], *, at: datetime) -> None:
        """Score these entries from now on."""

    def moved(self, tournament: Tournament, entry: Entry, *, at: datetime) -> None:
        """Take note that an entry is out, has come back or was withdrawn."""

    def due(self, *, at: datetime) -> Collection[int]:
        """Return the running tournaments of this source that are to be completed now."""
        return Tournament.objects.due_to_end(at, ScoringSource.REPORTED)

    def closed(self, tournament: Tournament, *, at: datetime) -> bool:
        """Tell whether nothing can change the points any more, though its end time has passed."""
        return True

    def drained(self, tournament: Tournament, *, at: datetime) -> bool:
        """Tell whether all that has come in is in the points; only then somebody may end it by hand."""
        return True

    def last_played(self, tournament: Tournament, entry_ids: Collection[int]) -> Mapping[int, LastPlay]:
        """Return the currency and game that entries used last, of those where that is known."""
        return {}

    def currency_of(self, tournament: Tournament, player: Player) -> str:
        """Return the currency that a player used last, before they are in; empty where that is not known."""
        return ""

    def unfit(self, tournament: Tournament, entry_ids: Collection[int]) -> Mapping[int, str]:
        """Return why entries get no prize whatever their rank, of those that get none."""
        return {}

    def account(self, tournament: Tournament, entry: Entry, *, limit: int, offset: int) -> Account:
        """Return what an entry's points are made of, newest first."""
        return Account(method="REPORTED", version=1, rounds=())

    def rounds_left(self, tournament: Tournament, entry_ids: Collection[int]) -> Mapping[int, int]:
        """Return how many rounds may still count for entries, where that is limited."""
        return {}

    def reset(self, entry: Entry, *, reason: str, by_staff: bool, actor: Actor, at: datetime) -> Entry:
        """Let a player begin anew, in a transaction of its own. Raises DomainError where that can't be."""
        raise NothingToReset

    def ended(self, tournament: Tournament, *, at: datetime) -> None:
        """Listen no more: it was completed or cancelled."""


_engines: dict[str, Engine] = {ScoringSource.REPORTED.value: Engine()}


def register(source: ScoringSource, engine: Engine) -> None:
    """Let an area answer for the tournaments of a source."""
    _engines[source.value] = engine


def of(tournament: Tournament) -> Engine:
    """Return who makes the points of a tournament."""
    return _engines[tournament.scoring_source]


def every() -> Collection[Engine]:
    """Return all there are."""
    return _engines.values()
