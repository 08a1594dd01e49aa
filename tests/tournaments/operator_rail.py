"""An operator that is asked and told by its own API."""

from decimal import Decimal

from apps.ledger.models import Payout, Rail
from apps.ledger.services import rates, remitting
from apps.operators.services.tenants import GameChanges, put_game
from apps.tournaments.models import Tournament
from tests.tournaments import world

SPINS = "ACME_LUCKY_FOX"


def table(*rows):
    """Rows of (first, last, prizes)."""
    return [{"rankFrom": first, "rankTo": last, "prizes": list(prizes)} for first, last, prizes in rows]


def cash(amount):
    return {"type": "CASH", "amount": Decimal(amount)}


def share(percent):
    return {"type": "POOL_SHARE", "percent": Decimal(percent)}


def spins(count=40, value="0.25", hours=48, game=SPINS):
    return {"type": "FREEROUND", "count": count, "gameId": game, "value": Decimal(value), "validHours": hours}


def with_spins(operator):
    """Let an operator give free rounds."""
    changes = GameChanges(display_name="Lucky Fox", is_freeround_supported=True)
    put_game(operator.pk, SPINS, changes, actor=world.STAFF, at=world.AT)


def put_rate(operator, base="USD", **quotes):
    rates.put_rates(
        operator.pk,
        base=base,
        valid_from=world.AT,
        rates={quote: Decimal(rate) for quote, rate in quotes.items()},
        actor=world.STAFF,
        at=world.AT,
    )


def paid_by_api(url, **wishes):
    """Wishes of a tournament whose prizes go by the payout API."""
    return {"rail": Rail.OPERATOR, "payout_url": url} | wishes


def payouts(tournament: Tournament) -> list[tuple]:
    """What is owed: purpose, place, units, rail, status."""
    rows = Payout.objects.filter(plan__subject=tournament.subject).order_by("pk")
    return list(rows.values_list("purpose", "position", "units", "rail", "status"))


def remit(operator, at=world.START):
    """Send everything that is due."""
    sent = 0
    while tried := remitting.remit(operator.pk, at=at)[0]:
        sent += tried
    return sent
