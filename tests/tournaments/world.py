"""A tournament with players and points, made through the services."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction

from apps.core.actors import Actor
from apps.ledger.models import AccountKind, Balance
from apps.ledger.services import accounts, journals
from apps.operators.models import Operator
from apps.tournaments.models import Entry, Tournament
from apps.tournaments.services import creation, entries, running, settlement
from tests.factories import GAME, OperatorFactory

AT = datetime(2031, 5, 1, 12, 0, tzinfo=UTC)
START = AT + timedelta(days=1)
STAFF = Actor("staff", "ada@podium.example")


def make(operator: Operator | None = None, **wishes: Any) -> Tournament:
    """A tournament of ten dollars that starts tomorrow, unless told otherwise."""
    plan = {"name": "Friday Sprint", "game_slug": GAME, "starts_at": START, "entry_fee": Decimal(10)} | wishes
    return creation.create_tournament(
        creation.NewTournament(**plan), operator=operator or OperatorFactory(), actor=STAFF, at=AT
    )


def enter(tournament: Tournament, *names: str, at: datetime = AT) -> list[Entry]:
    """Register players, in this order."""
    return [
        entries.register(tournament.pk, user_id=name, display_name=name.title(), actor=STAFF, at=at) for name in names
    ]


def score(tournament: Tournament, **points: Any) -> None:
    """Set points by user id."""
    for name, value in points.items():
        entry = Entry.objects.exclude(status="WITHDRAWN").get(tournament=tournament, player__external_id=name)
        entries.adjust_score(entry.pk, points=Decimal(str(value)), reason="test", actor=STAFF, at=START)


def played(*, at: datetime = START, points: dict[str, Any] | None = None, **wishes: Any) -> Tournament:
    """A running tournament whose players have their points."""
    tournament = make(**wishes)
    points = points if points is not None else {"ann": 30, "bob": 20, "cid": 10}
    enter(tournament, *points)
    running.start(tournament.pk, actor=STAFF, at=at)
    score(tournament, **points)
    return Tournament.objects.get(pk=tournament.pk)


def collect(tournament: Tournament, units: int) -> None:
    """Put units into the escrow as so many entries would have."""
    legs = {accounts.clearing(tournament.asset).pk: -units, tournament.escrow_id: units}
    with transaction.atomic():
        journals.post(
            journals.NewJournal("test", f"{tournament.subject}:crowd", legs),
            operator_id=tournament.operator_id,
            actor=STAFF,
            at=AT,
        )


def pay(tournament: Tournament, at: datetime = START) -> int:
    """What the worker does."""
    return settlement.pay_on(tournament.pk, at=at)


def money(operator: Operator) -> dict[str, int]:
    """Units by kind of account, wallets by player; accounts at zero are left out."""
    found: dict[str, int] = {}
    for row in Balance.objects.filter(account__operator=operator).select_related("account"):
        wallet = row.account.kind == AccountKind.PLAYER
        name = row.account.subject if wallet else row.account.kind
        found[name] = found.get(name, 0) + int(row.units)
    return {name: units for name, units in found.items() if units}


def escrow(tournament: Tournament) -> int:
    """Units in the tournament's escrow."""
    return sum(int(row.units) for row in Balance.objects.filter(account_id=tournament.escrow_id))


def state(tournament: Tournament) -> str:
    """The tournament's state as the database has it."""
    return Tournament.objects.values_list("status", flat=True).get(pk=tournament.pk)
