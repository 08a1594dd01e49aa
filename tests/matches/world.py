"""A match client with players who have money, and matches made through the services."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from apps.core.actors import Actor
from apps.events.models import Fact
from apps.ledger.models import AccountKind, Balance
from apps.ledger.services import transfers
from apps.matches.models import Client, Match, Participant
from apps.matches.services import clients, creation, finishing, said
from apps.matches.services.creation import NewMatch, NewSeat, NewTeam
from apps.matches.services.states import Held
from apps.operators.models import Operator, Player
from tests.factories import OperatorFactory, PlayerFactory

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
KEY = Actor("key", "sk_live_test")
GAME = Actor("game", "kart-duel")
ADA = Actor("staff", "ada@podium.example")
BOB = Actor("staff", "bob@podium.example")
# What everybody starts with, in cents.
RICH = 10_000


def client(operator: Operator | None = None, client_id: str = "", **settings: Any) -> Client:
    """A registered client of 10 % that polls, unless told otherwise."""
    operator = operator or OperatorFactory()
    wishes = {"fee_bps": 1000} | settings
    changes = clients.ClientChanges(**wishes)
    return clients.put(operator.pk, client_id or operator.slug, changes, actor=ADA, at=AT).client


def rich(operator: Operator, *names: str, units: int = RICH) -> list[Player]:
    """Players with money."""
    found = []
    for name in names:
        player = Player.objects.filter(operator=operator, external_id=name).first()
        if player is None:
            player = PlayerFactory(operator=operator, external_id=name)
            if units:
                transfers.deposit(
                    player.pk, asset_code="USD", amount=f"{units // 100}.{units % 100:02d}",
                    reference=f"first-{player.pk}", actor=ADA, at=AT,
                )  # fmt: skip
        found.append(player)
    return found


def make(
    game: Client, teams: dict[str, Iterable[str]] | None = None, *, stakes: dict[str, Any] | None = None, **wishes: Any
) -> Held:
    """A confirmed match of ann against bob for ten dollars each, unless told otherwise."""
    teams = teams or {"t-red": ["ann"], "t-blue": ["bob"]}
    rich(game.operator, *[name for names in teams.values() for name in names])
    plan = {"entry_fee": 10, "currency": "USD", "confirmed": True} | wishes
    seats = stakes or {}
    new = NewMatch(
        client_id=game.client_id,
        teams=[NewTeam(team, [NewSeat(name, seats.get(name)) for name in names]) for team, names in teams.items()],
        **plan,
    )
    return creation.create(new, operator_id=game.operator_id, actor=KEY, at=plan.pop("at", AT))


def result(match: Match, *, at: datetime = AT, ranks: dict[str, int] | None = None, **scores: int) -> finishing.Told:
    """Report a sync result: scores by player, ranks by team (the first team wins unless told otherwise)."""
    held = Held.of(match)
    names = [team.wire_id for team in Match.objects.get(pk=match.pk).teams.order_by("pk")]
    ranks = ranks or {name: place for place, name in enumerate(names, start=1)}
    body = {
        "match_id": match.public_id,
        "participants": [{"id": one.wire_id, "score": scores.get(one.wire_id, 0)} for one in held.participants],
        "teams": [{"id": name, "score": 0, "ranking": rank} for name, rank in ranks.items()],
    }
    return tell(match, body, at=at)


def score(match: Match, *, at: datetime = AT, **scores: int) -> finishing.Told:
    """Report async scores."""
    lines = [{"id": name, "score": points} for name, points in scores.items()]
    return tell(match, {"match_id": match.public_id, "participants": lines}, at=at)


def tell(match: Match, body: dict[str, Any], *, at: datetime = AT) -> finishing.Told:
    """Report anything."""
    return finishing.finish(match.client_id, said.read(body), actor=GAME, at=at)


def wallets(operator: Operator) -> dict[str, int]:
    """What every player has, by their user id, and what else is not empty, by kind of account."""
    found: dict[str, int] = {}
    names = {f"player:{pk}": name for pk, name in Player.objects.values_list("pk", "external_id")}
    for row in Balance.objects.filter(account__operator=operator, account__asset__code="USD").select_related("account"):
        kind = row.account.kind
        name = names[row.account.subject] if kind == AccountKind.PLAYER else str(kind)
        if kind != AccountKind.CLEARING:
            found[name] = found.get(name, 0) + int(row.units)
    return {name: units for name, units in found.items() if units}


def fresh(match: Match) -> Match:
    """The match as the database has it."""
    return Match.objects.get(pk=match.pk)


def facts(match: Match) -> list[str]:
    """What was reported of a match, in order."""
    return list(Fact.objects.filter(subject=match.subject).order_by("pk").values_list("type", flat=True))


def everything(operator: Operator) -> tuple[Any, ...]:
    """All that a refused act must leave alone."""
    return (
        wallets(operator),
        sorted(Match.objects.filter(operator=operator).values_list("pk", "status")),
        sorted(Participant.objects.filter(match__operator=operator).values_list("pk", "score", "confirmed_at")),
        Fact.objects.filter(operator=operator).count(),
    )
