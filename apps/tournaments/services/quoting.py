"""What entering costs a player, in their own currency: told before they confirm, and held to (rounds.md 3.6).

A quote fixes nothing: the rate is frozen when the player confirms. Who confirms a quote is refused if the fee has moved
since, so nobody is ever debited another amount than they were shown.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Context, Decimal

from apps.core.errors import DomainError
from apps.core.numbers import number
from apps.ledger.money import to_amount
from apps.ledger.services import rates
from apps.operators.models import Player
from apps.tournaments import engines
from apps.tournaments.lifecycle import UNDECIDED
from apps.tournaments.models import BuyIn, Tournament
from apps.tournaments.services.ordering import EXACT

# Clients that count in floats send back what they were told to so many digits.
_TOLD = Context(prec=12)


class FeeChanged(DomainError):
    """The fee is another one than the player was shown."""

    code = "FEE_CHANGED"
    hint = "Nothing was taken. Show the player the fee as it is now, and register them when they confirm that."


@dataclass(frozen=True, slots=True)
class Quote:
    """A fee that a player was shown and confirms, in major units."""

    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Fee:
    """What a player is debited, in major units: `base_amount` of the tournament's currency at `rate` is `amount`.

    `rate_at` is the moment of the rate. `asked` says that the operator is being asked for just this.
    """

    amount: Decimal
    currency: str
    rate: Decimal
    rate_at: datetime
    base_amount: Decimal
    base: str
    asked: bool = False

    def hold_to(self, quote: Quote | None) -> None:
        """Raise FeeChanged unless this is what the player was shown, to twelve digits; None was shown nothing."""
        if quote is None:
            return
        same = _TOLD.plus(quote.amount) == _TOLD.plus(self.amount)
        if not same or quote.currency.upper() != self.currency:
            raise FeeChanged(amount=number(self.amount), currency=self.currency)


def fee_of(tournament: Tournament, player: Player | None, *, currency: str | None = None, at: datetime) -> Fee:
    """Return the fee at the rate of this moment; one that the operator is being asked for is what it was then.

    Where the operator debits the player it is in the currency that was named, else in the one they used last if that
    has a rate, else in the tournament's; everywhere else it is in the tournament's. Raises RateUnknown for a currency
    that was named and has none.
    """
    amount, base = to_amount(int(tournament.fee_units), tournament.asset.scale), tournament.asset.code
    plain = Fee(amount, base, Decimal(1), at, amount, base)
    if not tournament.debit_url:
        return plain
    if player is not None:
        asked = BuyIn.objects.filter(tournament=tournament, player=player, status__in=UNDECIDED).first()
        if asked is not None:
            return asked_for(asked, tournament)
    last = "" if player is None else engines.of(tournament).currency_of(tournament, player)
    wanted = (currency or last or base).upper()
    try:
        rate = rates.rate_at(tournament.operator_id, base=base, quote=wanted, at=at)
    except rates.RateUnknown:
        if currency:
            raise
        return plain
    return Fee(EXACT.multiply(amount, rate), wanted, rate, at, amount, base)


def asked_for(asked: BuyIn, tournament: Tournament) -> Fee:
    """Return what the operator is being asked for."""
    amount = to_amount(int(asked.units), tournament.asset.scale)
    return Fee(
        Decimal(asked.amount), asked.currency, Decimal(asked.rate), asked.asked_at, amount, tournament.asset.code,
        asked=True,
    )  # fmt: skip
