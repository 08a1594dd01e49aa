"""What the operator is told about the payouts of a tournament on its rail (rounds.md 3.5, 5.5)."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Context, Decimal
from uuid import NAMESPACE_URL, UUID, uuid5

from apps.core.exact import dumps
from apps.ledger.models import Rail
from apps.ledger.money import to_amount
from apps.ledger.services import rates
from apps.ledger.services.orders import plain
from apps.ledger.services.plans import Order
from apps.operators.models import Player
from apps.tournaments import engines
from apps.tournaments.models import Tournament
from apps.tournaments.services.planning import PreviewLine

# Wide enough for the product of any amount and any rate that is stored; nothing that is paid is rounded.
EXACT = Context(prec=200)


def promo_ref(tournament: Tournament) -> UUID:
    """Return the tournament's reference in the words of rounds.md: the same for ever, and nobody else's."""
    return uuid5(NAMESPACE_URL, f"podium:{tournament.operator.public_id}:{tournament.subject}")


def orders(tournament: Tournament, lines: Sequence[PreviewLine], *, at: datetime) -> dict[str, Order]:
    """Return what the operator will be told of each line on its rail, by key.

    Prizes are converted to the currency that the player used last in the tournament, at the rate of this moment; where
    no such rate is known they stay in the tournament's own.
    """
    told = [line for line in lines if line.rail == Rail.OPERATOR and line.player_id is not None]
    if not told:
        return {}
    players = _players({line.player_id for line in told if line.player_id is not None})
    played = engines.of(tournament).last_played(tournament, {line.entry_id for line in told if line.entry_id})
    base, known = tournament.asset.code, Rates(tournament.operator_id, tournament.asset.code, at)
    reference, found = promo_ref(tournament), {}
    for line in told:
        last = played.get(line.entry_id or 0)
        brand_id, player_id = players[line.player_id or 0]
        currency = base
        if line.free is not None:
            amount = line.free.value
        elif line.debited is not None:
            amount, currency = Decimal(line.debited[0]), line.debited[1]
        else:
            amount, currency = known.convert(
                to_amount(line.units, tournament.asset.scale), last.currency if last else base
            )
        found[line.key] = Order(
            brand_id=brand_id,
            player_id=player_id,
            amount=amount,
            currency=currency,
            promo_name=tournament.name,
            promo_ref=reference,
            last_game=last.game if last else tournament.game.slug,
            url=tournament.payout_url,
            type="FREEROUND" if line.free else "CASH",
            rounds=line.free.count if line.free else 0,
            game=line.free.game if line.free else "",
            valid_hours=line.free.valid_hours if line.free else 0,
        )
    return found


def award(line: PreviewLine) -> str:
    """Return what is given where it is no cash, as it is kept with the payout."""
    if line.free is None:
        return ""
    free = line.free
    told = {"count": free.count, "gameId": free.game, "value": plain(free.value), "validHours": free.valid_hours}
    return dumps({"type": "FREEROUND", **told})


class Rates:
    """The rates of one moment, each looked up once."""

    def __init__(self, operator_id: int, base: str, at: datetime) -> None:
        """Convert from `base`."""
        self.operator_id, self.base, self.at = operator_id, base, at
        self._known: dict[str, Decimal | None] = {}

    def convert(self, amount: Decimal, currency: str) -> tuple[Decimal, str]:
        """Return the same in another currency, or as it is where its rate is not known."""
        rate = self.rate(currency)
        if rate is None or not currency:
            return amount, self.base
        return EXACT.multiply(amount, rate), currency.upper()

    def rate(self, currency: str) -> Decimal | None:
        """Return how much of a currency one of the base is worth; None where that is not known."""
        if currency not in self._known:
            try:
                found = rates.rate_at(self.operator_id, base=self.base, quote=currency or self.base, at=self.at)
            except rates.RateUnknown:
                self._known[currency] = None
            else:
                self._known[currency] = found
        return self._known[currency]


def _players(ids: Iterable[int]) -> dict[int, tuple[str, str]]:
    """Return brand and own id of players."""
    rows = Player.objects.filter(pk__in=ids).values_list("pk", "brand__external_id", "external_id")
    return {pk: (brand_id, player_id) for pk, brand_id, player_id in rows}
