"""Who keeps the money of a tournament: the seam through which tournaments on another rail than the books ask an area.

An area registers its keeper in its AppConfig, for a rail. It can refuse what does not fit the money that is on its way,
moves the settlement itself, and is told of every change of state. Tournaments on the books' own rails need nobody:
every question has an answer for them.

Everything is called in the transaction of the verb, with the tournament held alone; `by_hand` with it held.
"""

from datetime import datetime

from apps.core.actors import Actor
from apps.ledger.models import Account, Rail, SettlementPlan
from apps.ledger.services import accounts
from apps.tournaments.models import Tournament


class Keeper:
    """What tournaments ask, with the answers for those whose money moves in the books at once."""

    pays_itself = False

    def by_hand(self, tournament: Tournament) -> None:
        """Refuse that players are entered or taken out, or terms changed, past the keeper. Raises a DomainError."""

    def closing(self, tournament: Tournament, *, at: datetime) -> bool:
        """Tell whether all who may still come are paid for; else payments are awaited. Raises a DomainError."""
        return True

    def starting(self, tournament: Tournament, *, actor: Actor, at: datetime) -> None:
        """Make ready for the start, or refuse it. Raises a DomainError."""

    def completing(self, tournament: Tournament) -> None:
        """Refuse an end that comes too early. Raises a DomainError."""

    def cancelling(self, tournament: Tournament, *, actor: Actor, at: datetime) -> None:
        """Make ready for refunds, or refuse them. Raises a DomainError."""

    def changed(self, tournament: Tournament, *, actor: Actor, at: datetime) -> None:
        """Take note of a new state; of one that pays only once it is over (`pay` comes with those)."""

    def fee_account(self, tournament: Tournament, party: str) -> Account:
        """Return where a fee goes."""
        return accounts.fee_account(party, tournament.asset)

    def pay(self, tournament: Tournament, plan: SettlementPlan, *, actor: Actor, at: datetime) -> None:
        """Set a frozen plan going, if it is not already; asked again until it has ended. Only with `pays_itself`."""


_BOOKS = Keeper()
_keepers: dict[str, Keeper] = {}


def register(rail: Rail, keeper: Keeper) -> None:
    """Let an area keep the money of the tournaments on a rail."""
    _keepers[rail.value] = keeper


def of(tournament: Tournament) -> Keeper:
    """Return who keeps the money of a tournament."""
    return _keepers.get(tournament.rail, _BOOKS)
