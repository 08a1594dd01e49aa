"""A game with players who have money and have let it take some, made the way the product makes them."""

import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Sum

from apps.core.actors import Actor
from apps.events.models import Fact
from apps.ledger.models import Asset, Balance, Journal
from apps.ledger.money import to_units
from apps.ledger.services import transfers
from apps.operators.models import Operator, Player
from apps.rooms import operations
from apps.rooms.models import Activity, Allowance, GameSettings, Member, Room, Task
from apps.rooms.operations import Entry, Game, Operation
from apps.rooms.services import performing, tasks
from tests.factories import OperatorFactory, PlayerFactory

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LATER = AT + timedelta(days=365)
GAME = Actor("game", "ludo", "req_test")
_numbers = itertools.count(1)


@dataclass
class Floor:
    """`floor.pay(room, ana=3)` is a payment of 3 UPX by the player whom the game calls ana."""

    operator: Operator = field(default_factory=OperatorFactory)
    game_id: str = "ludo"
    people: dict[str, Player] = field(default_factory=dict)

    def player(self, name: str, *, funds: Any = 100, approved: Any = 100, asset: str = "UPX") -> Player:
        """A player with money, of which the game may take some; None: nothing was ever approved."""
        player = self.people.get(name) or PlayerFactory(operator=self.operator, external_id=name)
        self.people[name] = player
        if funds:
            transfers.deposit(
                player.pk, asset_code=asset, amount=str(funds), reference=f"d{next(_numbers)}", actor=GAME, at=AT
            )
        if approved is not None:
            self.approve(name, approved, asset=asset)
        return player

    def players(self, *names: str, **terms: Any) -> None:
        for name in names:
            self.player(name, **terms)

    def asset(self, code: str = "UPX") -> Asset:
        return Asset.objects.get(operator=self.operator, code=code)

    def approve(self, name: str, amount: Any, *, asset: str = "UPX", until: datetime = LATER) -> Allowance:
        it = self.asset(asset)
        units = to_units(str(amount), it.scale)
        terms = {"units": units, "granted_units": units, "granted_at": AT, "expires_at": until}
        return Allowance.objects.update_or_create(
            player=self.people[name],
            asset=it,
            game_id=self.game_id,
            defaults=terms,
            create_defaults={**terms, "operator": self.operator},
        )[0]

    @property
    def game(self) -> Game:
        return Game(self.operator.pk, self.game_id, {player.pk: name for name, player in self.people.items()})

    def settings(self, **more: Any) -> GameSettings:
        return GameSettings.objects.update_or_create(operator=self.operator, game_id=self.game_id, defaults=more)[0]

    def entries(self, asset: str = "UPX", /, **amounts: int) -> list[Entry]:
        """Lines in whole units of the asset; `house` is the game itself."""
        return [
            Entry(None if name == "house" else self.people[name].pk, asset, units) for name, units in amounts.items()
        ]

    def ids(self, *names: str) -> list[int]:
        return [self.people[name].pk for name in names]

    def do(self, operation: Operation, *, at: datetime = AT) -> dict[str, Any]:
        return performing.perform(operation, actor=GAME, at=at)

    def submit(
        self, operation: Operation, *, sync: bool = True, key: str | None = None, at: datetime = AT, **params: Any
    ) -> Task:
        return tasks.submit(operation, params=params, sync=sync, key=key, actor=GAME, at=at)

    def room(self, *, at: datetime = AT, **paid: int) -> Room:
        """A room; everybody who is named has joined and paid."""
        operation = (
            operations.create_join_pay(self.game, self.entries(**paid)) if paid else operations.create(self.game)
        )
        return Room.objects.get(pk=self.do(operation, at=at)["roomId"])

    def wallet(self, name: str, asset: str = "UPX") -> int:
        return self.balance("PLAYER", f"player:{self.people[name].pk}", asset)

    def held(self, room: Room, asset: str = "UPX") -> int:
        return self.balance("ESCROW", room.subject, asset)

    def house(self, asset: str = "UPX") -> int:
        return self.balance("REVENUE", f"game:{self.game_id}", asset)

    def fees(self, asset: str = "UPX") -> int:
        return self.balance("PLATFORM", "", asset)

    def balance(self, kind: str, subject: str, asset: str) -> int:
        slots = Balance.objects.filter(
            account__operator=self.operator, account__kind=kind, account__subject=subject, account__asset__code=asset
        )
        return int(slots.aggregate(units=Sum("units"))["units"] or 0)

    def allowance(self, name: str, asset: str = "UPX") -> int:
        return int(Allowance.objects.get(player=self.people[name], asset__code=asset, game_id=self.game_id).units)

    def inside(self, room: Room) -> list[str]:
        return list(
            Member.objects.filter(room=room, left_at=None).order_by("pk").values_list("player__external_id", flat=True)
        )

    def facts(self, room: Room) -> list[str]:
        return list(Fact.objects.filter(subject=room.subject).order_by("pk").values_list("type", flat=True))

    def everything(self) -> tuple[Any, ...]:
        """All that an operation could move: equal before and after, nothing moved."""
        mine = Balance.objects.filter(account__operator=self.operator)
        return (
            Fact.objects.count(),
            Journal.objects.count(),
            Activity.objects.count(),
            sorted(mine.values_list("account_id", "slot", "units")),
            sorted(Allowance.objects.values_list("pk", "units")),
            sorted(Member.objects.values_list("pk", "left_at")),
            sorted(Room.objects.values_list("pk", "status")),
        )
