"""An operator at work: something of everything that the admin shows."""

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from apps.core.actors import Actor
from apps.ledger.models import Asset
from apps.ledger.services import holds, rates, transfers
from apps.matches.services import disputing
from apps.operators.models import Operator, Player, Role, User
from apps.rooms import operations
from apps.rooms.services import chips
from apps.rounds.models import ChannelKind, IntakeMinute, SetAsideRecount, SetAsideRound
from apps.rounds.services import channels
from apps.tournaments.models import GameEvent, Tournament
from apps.tournaments.services import buyins, inviting, running
from tests import factories
from tests.admin import telling
from tests.factories import OperatorFactory
from tests.matches import world as matches
from tests.rooms import floor
from tests.rumble import world as rumble
from tests.tournaments import world

STAFF = Actor("staff", "ada@podium.example")
AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

# Who plays the matches.
DUEL = {"t-red": ["mia"], "t-blue": ["noa"]}

# Whom the pages are tried with, besides the platform's administrator.
ROLES = tuple(str(role) for role in Role)


class Scene:
    """An operator with a tournament in every state, a player with money, and staff of every role."""

    def __init__(self, name: str) -> None:
        self.operator: Operator = OperatorFactory(name=name)
        self.staff: dict[str, User] = {role: factories.staff(self.operator, role) for role in ROLES}
        self.draft = world.make(self.operator, name=f"{name} draft", draft=True)
        self.upcoming = world.make(self.operator, name=f"{name} upcoming", rebuy_enabled=True, rebuy_fee=Decimal(5))
        self.entries = world.enter(self.upcoming, "ann", "bob", "cid")
        self.running = world.played(operator=self.operator, name=f"{name} running", rebuy_enabled=True)
        self.waiting = world.played(operator=self.operator, name=f"{name} waiting", needs_approval=True)
        running.complete(self.waiting.pk, actor=STAFF, at=world.START)
        self.closed = world.played(operator=self.operator, name=f"{name} closed", rake_percent=Decimal(10))
        running.complete(self.closed.pk, actor=STAFF, at=world.START)
        world.pay(self.closed)
        self.player: Player = Player.objects.get(operator=self.operator, external_id="ann")
        self.transfer = transfers.deposit(
            self.player.pk, asset_code="USD", amount="125.50", reference=f"{name}-1", actor=STAFF, at=AT
        )
        usd = Asset.objects.get(operator=self.operator, code="USD")
        self.hold = holds.place(self.player.pk, usd, units=1000, key=f"{name}:hold", actor=STAFF, at=AT)
        rates.put_rates(self.operator.pk, base="EUR", valid_from=AT, rates={"SEK": "11.2"}, actor=STAFF, at=AT)
        self.told = telling.Told(self.operator, self.upcoming.subject)
        self.key = factories.issue(self.operator, name=f"{name} key", scopes=["tournaments.read"])
        self.game_event = GameEvent.objects.create(
            tournament=self.running,
            event_id=f"{name}-event",
            type="player.score.updated",
            payload={"score": 7},
            outcome="applied",
            occurred_at=AT,
            received_at=AT,
        )
        self.floor = floor.Floor(self.operator)
        self.floor.player("rae", funds=50)
        self.floor.settings(earn_fee_percent=2)
        self.room = self.floor.room(rae=20)
        self.task = self.floor.submit(operations.pay(self.floor.game, self.room.pk, self.floor.entries(rae=5)))
        self.chip, _ = chips.create(
            self.operator.pk, game_id=self.floor.game_id, name="Gold", symbol="GOLD", image="", actor=STAFF, at=AT
        )
        self.add_rounds(name)

        self.game = matches.client(self.operator, f"{self.operator.slug}-kart", hold_minutes=30)
        self.match = matches.make(self.game, DUEL).match
        self.held = matches.make(self.game, DUEL).match
        matches.result(self.held)
        self.disputed = matches.make(self.game, DUEL).match
        matches.result(self.disputed)
        disputing.open_dispute(self.disputed.pk, participant_id="noa", note="he cheated", actor=STAFF, at=AT)
        self.paid = matches.make(self.game, DUEL, hold_minutes=0).match
        matches.result(self.paid)
        self.invited = matches.make(self.game, DUEL, confirmed=False).match

        self.cup = world.make(
            self.operator, name=f"{name} cup", entry_mode="BUY_IN", debit_url="https://debit.example/x", max_players=9
        )
        self.buy_in = buyins.ask(
            self.cup.pk, user_id="ann", display_name="Ann", buy_in=None, payment_id="", brand_id=None, currency=None,
            actor=STAFF, at=world.AT,
        )  # fmt: skip
        buyins.lease(self.buy_in.pk, at=world.AT)
        self.buy_in = fresh(self.buy_in)
        self.buy_in.give_up(error="No whole answer within 10 seconds.")
        self.buy_in.save()
        self.vips = world.make(self.operator, name=f"{name} vips", entry_mode="INVITED")
        inviting.invite(self.vips.pk, [(self.operator.slug, "ann")], actor=STAFF, at=AT)

        self.application = rumble.application(self.operator)
        self.rumble = rumble.make(self.application)
        rumble.join(self.rumble, "racera")

    def add_rounds(self, name: str) -> None:
        """What came in, by which channel, and what of it could not be counted."""
        IntakeMinute.objects.create(operator=self.operator, integration=name, minute=AT, calls=2, rounds=150, fresh=149)
        self.channel = channels.add(
            self.operator.pk, name=f"{name}-kafka", integration=name, kind=ChannelKind.KAFKA,
            configuration={"servers": "kafka.example:9093"}, mapping={}, actor=STAFF, at=AT,
        )  # fmt: skip

        error = "DataError: division by zero"
        self.aside = SetAsideRound.objects.create(
            number=self.operator.pk, received_at=AT, operator=self.operator, error=error, set_aside_at=AT
        )
        self.recount_aside = SetAsideRecount.objects.create(
            entry=self.entries[0], operator=self.operator, error=error, set_aside_at=AT
        )

    def rows(self, model: type[Model]) -> Iterable[Any]:
        """This operator's rows of a model, by the path that the admin itself goes."""
        path = admin.site._registry[model].tenant or "memberships__operator_id"
        return model.objects.filter(**{path: self.operator.pk}).order_by("pk")


MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)


def signed_in(user: User) -> Client:
    """A browser in which somebody has signed in."""
    client = Client()
    client.force_login(user)
    return client


def url(model: type[Model] | Model, page: str, *args: object) -> str:
    """The address of an admin page."""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def change(row: Model) -> str:
    """The address of a row's page."""
    return url(row, "change", row.pk)


def operation(row: Model, name: str) -> str:
    """The address of an operation on a row."""
    return url(row, "operation", row.pk, name)


def text(response: HttpResponse) -> str:
    """What a page says."""
    return response.content.decode()


def press(client: Client, address: str, **said: Any) -> HttpResponse:
    """Open a form, fill it in and send it, as a person does."""
    form = client.get(address).context["form"]
    filled = {field.name: field.value() for field in form if field.value() is not None}
    return client.post(address, {**filled, **said})


def fresh(row: Any) -> Any:
    """The row as the database has it."""
    return type(row).objects.get(pk=row.pk)


def status(tournament: Tournament) -> str:
    """The state of a tournament as the database has it."""
    return str(fresh(tournament).status)
