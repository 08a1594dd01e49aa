"""What the operator is told about one payout (rounds.md 3.5). Pure: the same order makes the same bytes."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

import msgspec

from apps.core.numbers import number


@dataclass(frozen=True, slots=True)
class Order:
    """A payout in the operator's words. `amount` is exact: a whole prize, or the worth of one free round.

    `url` is the competition's own address; empty means the operator's.
    """

    brand_id: str
    player_id: str
    amount: Decimal
    currency: str
    promo_name: str
    promo_ref: UUID
    last_game: str
    url: str = ""
    type: Literal["CASH", "FREEROUND"] = "CASH"
    rounds: int = 0
    game: str = ""
    valid_hours: int = 0

    def body(self, *, payout_id: int, ref: UUID) -> str:
        """Return the JSON text that is sent, today and with every retry."""
        fields: dict[str, Any] = {
            "payoutId": str(payout_id),
            "payoutRef": str(ref),
            "brandId": self.brand_id,
            "playerId": self.player_id,
            "amount": exact(self.amount),
            "currency": self.currency,
            "type": self.type,
        }
        if self.type == "FREEROUND":
            fields |= {
                "numberOfRounds": self.rounds,
                "freeroundGameId": self.game,
                "validHours": self.valid_hours,
            }
        fields |= {
            "promoName": self.promo_name,
            "promoRef": str(self.promo_ref),
            "metadata": {"lastGameId": self.last_game},
        }
        return msgspec.json.encode(fields).decode()


def exact(amount: Decimal) -> msgspec.Raw:
    """Return a JSON number with every digit and no exponent."""
    return msgspec.Raw(plain(amount).encode())


def plain(amount: Decimal) -> str:
    """Return an amount as plain decimal text, without zeros that say nothing."""
    return format(number(amount), "f" if isinstance(number(amount), Decimal) else "d")
