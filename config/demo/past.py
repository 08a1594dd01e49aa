"""Rooms and webhook endpoints as staff would find them on an ordinary day."""

from datetime import datetime, timedelta

from apps.core.actors import Actor
from apps.events.models import Format
from apps.events.services import endpoints
from apps.ledger.services import transfers
from apps.operators.models import Operator, Player
from apps.rooms import operations
from apps.rooms.operations import Entry, Game, Operation
from apps.rooms.services import approvals, tasks
from config.demo.keys import Keys

ASSET = "UPX"
STAKE = 250
NOWHERE = "http://127.0.0.1:8998/crm"


def endpoints_of(operator: Operator, keys: Keys, *, actor: Actor, at: datetime) -> None:
    """Make an endpoint that works, as soon as the demo's receiver has told its address, and one that never will."""
    made = endpoints.create_endpoint(
        operator.pk, url=NOWHERE, events=["*"], description="Player app back end", actor=actor, at=at
    )
    keys.webhook_secrets[made.endpoint.public_id] = made.secret
    endpoints.create_endpoint(
        operator.pk,
        url=NOWHERE,
        events=["player.*"],
        description="Old CRM (gone)",
        format=Format.CASINO,
        actor=actor,
        at=at,
    )


def rooms_of(operator: Operator, *, actor: Actor, at: datetime) -> None:
    """Open rooms of every sort: busy, paid out and ended, empty, and expired with money in it."""
    players = list(Player.objects.for_operator(operator.pk).order_by("pk")[:6])
    for player in players:
        transfers.deposit(
            player.pk, asset_code=ASSET, amount=20 * STAKE, reference=f"tokens-{player.pk}", actor=actor, at=at
        )
        grants = approvals.grants_of(operator.pk, [ASSET], [10 * STAKE])
        approvals.grant(player, game_id=operator.slug, grants=grants, seconds=90 * 86_400, actor=actor, at=at)
    game = Game(operator.pk, operator.slug, {player.pk: player.handle or player.external_id for player in players})

    def do(operation: Operation, moment: datetime) -> int:
        task = tasks.submit(operation, params={"gameId": game.game_id}, sync=True, actor=actor, at=moment)
        return int(task.result["roomId"])

    def paying(some: list[Player]) -> list[Entry]:
        return [Entry(player.pk, ASSET, STAKE) for player in some]

    do(operations.create_join_pay(game, paying(players[:4]), lifetime=30 * 86_400), at - timedelta(minutes=12))
    do(operations.create(game, max_players=2), at - timedelta(minutes=3))
    do(operations.create_join_pay(game, paying(players[2:5]), lifetime=3600), at - timedelta(hours=5))
    ended = do(operations.create_join_pay(game, paying(players[:2])), at - timedelta(hours=8))
    winners = [Entry(players[0].pk, ASSET, 2 * STAKE), Entry(players[1].pk, ASSET, 0)]
    do(operations.earn_leave_end(game, ended, winners), at - timedelta(hours=7))
