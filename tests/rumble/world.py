"""An application with players who have UPX, and tournaments and containers made through the services."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from apps.core.actors import SYSTEM, Actor
from apps.events.models import Fact
from apps.ledger.models import AccountKind, Balance, ChainTransaction
from apps.ledger.reconcile import CHECKS as BOOKS
from apps.ledger.services import chain_control, rail, transfers
from apps.operators.models import Operator, Player
from apps.rumble import words
from apps.rumble.models import Application, Participant, RumbleTournament
from apps.rumble.reconcile import CHECKS
from apps.rumble.services import participation, stopping, templates, tournaments
from apps.rumble.services.templates import NewSettings, Rule
from apps.tournaments.reconcile import CHECKS as TOURNAMENTS
from apps.tournaments.services import settlement
from tests.factories import OperatorFactory, PlayerFactory

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
# When what was submitted at AT is final.
THEN = AT + timedelta(seconds=3)
APP = Actor("key", "4021")
ADA = Actor("staff", "ada@podium.example")
RICH = 1000
TWO_RULES = ((4, (70, 30)), (8, (50, 25, 15, 10)))


def application(operator: Operator | None = None, **more: Any) -> Application:
    """An application whose payments are signed at once and whose platform fee is 5 %, unless told otherwise."""
    operator = operator or OperatorFactory()
    wishes = {"app_id": 4000 + operator.pk, "name": "Drag Races", "developer_eos_id": "devfarm12345", "created_at": AT}
    return Application.objects.create(operator=operator, **(wishes | more))


def player(app: Application, name: str, *, units: int = RICH) -> Player:
    """A player with UPX, the same one for the same name."""
    found = Player.objects.filter(operator=app.operator, external_id=name).first()
    if found is None:
        found = PlayerFactory(operator=app.operator, external_id=name, eos_id=name)
        if units:
            transfers.deposit(found.pk, asset_code="UPX", amount=units, reference=f"first-{found.pk}", actor=ADA, at=AT)
    return found


def settings(app: Application, rules: Iterable[tuple[int, Iterable[Any]]] = TWO_RULES, **more: Any) -> Any:
    """Settings of 100 UPX for 4 to 12 players, 5 % for the developer, unless told otherwise."""
    wishes: dict[str, Any] = {
        "name": "Friday Drag Rumble",
        "description": "One lap",
        "min_participants": 2,
        "max_participants": 12,
        "fee": 100,
        "rules": [Rule(least, [Decimal(str(share)) for share in shares]) for least, shares in rules],
        "developer_percentage": Decimal(5),
    }
    return templates.create_settings(app, NewSettings(**(wishes | more)), actor=APP, at=AT)


def make(
    app: Application, *, fee: int | None = None, stakeholder: str = "", at: datetime = AT, **more: Any
) -> RumbleTournament:
    """A tournament that waits for participants."""
    return tournaments.create_tournament(
        app, settings_public_id=settings(app, **more).public_id, fee=fee, stakeholder_eos_id=stakeholder,
        actor=APP, at=at,
    )  # fmt: skip


def join(rumble: RumbleTournament, *names: str, at: datetime = AT) -> list[Participant]:
    """Have players join; their payments are where signing leaves them."""
    return [
        participation.join(rumble.pk, player_id=player(rumble.application, name).pk, actor=APP, at=at) for name in names
    ]


def names(count: int) -> list[str]:
    """So many names, a to z."""
    return [f"racer{chr(97 + number)}" for number in range(count)]


def chain(at: datetime = THEN) -> None:
    """Let the chain and the workers do all that is due at a moment, until nothing is."""
    for _ in range(10):
        due = rail.due(at)
        for transaction_id in due:
            rail.advance(transaction_id, at=at)
        if not due:
            return


def settle(at: datetime = THEN) -> None:
    """Submit what is signed and let it become final or fail."""
    chain(at - timedelta(seconds=3))
    chain(at)


def running(app: Application, count: int, **more: Any) -> RumbleTournament:
    """A tournament in progress with so many active participants."""
    rumble = make(app, **more)
    join(rumble, *names(count))
    settle()
    tournaments.start(rumble.pk, actor=APP, at=THEN)
    return fresh(rumble)


def score(rumble: RumbleTournament, *, at: datetime = THEN, **values: Any) -> None:
    """Record scores by name."""
    tournaments.record_scores(
        rumble.pk,
        [tournaments.Score(user(rumble, name), Decimal(str(value))) for name, value in values.items()],
        actor=APP,
        at=at,
    )


def score_all(rumble: RumbleTournament, count: int) -> None:
    """The first name reaches the most, and so on."""
    score(rumble, **{name: 1000 - place for place, name in enumerate(names(count))})


def user(rumble: RumbleTournament, name: str) -> str:
    """A player's id on the wire."""
    return words.user_id(Player.objects.get(operator_id=rumble.operator_id, external_id=name).pk)


def fresh(rumble: RumbleTournament) -> RumbleTournament:
    """As the database has it."""
    return tournaments.find_tournament(rumble.application_id, rumble.public_id)


def status(rumble: RumbleTournament) -> str:
    """Its status on the wire."""
    return words.status(fresh(rumble))


def seats(rumble: RumbleTournament) -> dict[str, str]:
    """Each player's newest status."""
    return {one.player.external_id: one.status for one in rumble.participants.select_related("player").order_by("pk")}


def wallets(operator: Operator) -> dict[str, int]:
    """Every player's UPX by name, what is held as name:held, and what else is anywhere; zeros and clearing left out."""
    known = dict(Player.objects.filter(operator=operator).values_list("pk", "external_id"))
    found: dict[str, int] = {}
    for kind, subject, units in Balance.objects.filter(
        account__operator=operator, account__asset__code="UPX"
    ).values_list("account__kind", "account__subject", "units"):
        name = f"{kind}:{subject}".rstrip(":")
        if kind in {AccountKind.PLAYER, AccountKind.HELD}:
            name = known[int(subject.removeprefix("player:"))] + (":held" if kind == AccountKind.HELD else "")
        elif kind == AccountKind.ESCROW:
            name = subject
        if kind != AccountKind.CLEARING:
            found[name] = found.get(name, 0) + int(units)
    return {name: units for name, units in found.items() if units}


def told(rumble_or_subject: Any) -> list[str]:
    """The webhooks that are owed, in order: type, and status where there is one."""
    subject = rumble_or_subject if isinstance(rumble_or_subject, str) else rumble_or_subject.tournament.subject
    facts = Fact.objects.filter(subject=subject, type__startswith="rumble.").order_by("pk")
    return [" ".join(filter(None, (fact.type.removeprefix("rumble."), fact.data.get("status")))) for fact in facts]


def newest(rumble: RumbleTournament) -> ChainTransaction:
    """The newest transaction of a tournament."""
    return ChainTransaction.objects.filter(subject=rumble.tournament.subject).latest("pk")


def control(app: Application, **more: Any) -> None:
    """Make the simulated chain slow, fail or wait."""
    chain_control.control(app.operator_id, actor=SYSTEM, at=AT, **more)


def pay(rumble: RumbleTournament, at: datetime = THEN) -> None:
    """What the beat's bell does for a tournament that pays."""
    settlement.pay_on(rumble.pk, at=at)


def beat(at: datetime) -> None:
    """What the beat does for containers."""
    stopping.tick(at=at)


def drift(app: Application) -> list[Any]:
    """What reconcile would find."""
    return [one for check in (*BOOKS, *TOURNAMENTS, *CHECKS) for one in check(app.operator_id)]
