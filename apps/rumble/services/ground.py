"""What every verb of the area stands on: its refusals, finding and holding things, whose account is whose."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import QuerySet

from apps.core.actors import Actor
from apps.core.errors import DomainError, Invalid, NotFound
from apps.events.services import recording as events
from apps.events.services.recording import NewFact
from apps.ledger.models import Account, Asset, ChainTransaction
from apps.ledger.models.chain import ChainQuerySet
from apps.ledger.services import accounts, assets
from apps.operators.models import Player
from apps.operators.uuids import number_behind
from apps.rumble.lifecycle import OPEN
from apps.rumble.models import Application, Container, Deposit, RumbleTournament
from apps.tournaments.models import Entry, Tournament

# The one currency of the dialect. How many digits stand behind its point is the asset's own affair.
UPX = "UPX"
# How transactions of the chain find their way back here.
AREA = "rumble"


class TournamentNotFound(NotFound):
    """Tournament not found."""

    code = "TOURNAMENT_NOT_FOUND"


class ContainerNotFound(NotFound):
    """Container not found."""

    code = "CONTAINER_NOT_FOUND"


class WrongState(DomainError):
    """The tournament's status does not allow this."""

    code = "INVALID_STATE"


class TooFewParticipants(DomainError):
    """Too few participants are active."""

    code = "TOO_FEW_PARTICIPANTS"


class PaymentInProgress(DomainError):
    """A payment is in progress on the blockchain. Try again when it has ended."""

    code = "PAYMENT_IN_PROGRESS"


class BalanceTooLow(Invalid):
    """The player's UPX balance is too low."""

    code = "INSUFFICIENT_BALANCE"


class ScoresMissing(Invalid):
    """Some participants have no score."""

    code = "SCORES_MISSING"


class ContainerStopped(DomainError):
    """The container is being given back: its lifetime is over or its application was inactivated."""

    code = "CONTAINER_STOPPED"


def upx(operator_id: int) -> Asset:
    """Return the operator's UPX. Raises UnknownAsset."""
    return assets.get_asset(operator_id, UPX)


def find_tournament(application_id: int, public_id: str) -> RumbleTournament:
    """Return an application's tournament by its id on the wire. Raises TournamentNotFound."""
    number = number_behind("rumble-tournament", public_id)
    mine = RumbleTournament.objects.filter(pk=number, application_id=application_id)
    found: RumbleTournament | None = with_all(mine).first()
    if found is None:
        raise TournamentNotFound
    return found


def rumble_of(tournament: Tournament) -> RumbleTournament:
    """Return the rumble side of a tournament that the caller holds."""
    rumble: RumbleTournament = with_all(RumbleTournament.objects.filter(pk=tournament.pk)).get()
    rumble.tournament = tournament
    return rumble


def hold(tournament_id: int) -> RumbleTournament:
    """Hold a tournament alone and return its rumble side."""
    return rumble_of(Tournament.objects.hold(tournament_id))


def with_all(found: QuerySet[RumbleTournament]) -> QuerySet[RumbleTournament]:
    """Read what goes with tournaments in one query."""
    return found.select_related(
        "tournament__asset", "tournament__game", "tournament__operator", "container__asset", "application", "resolution"
    )


def refuse_stopped(container: Container, at: datetime) -> None:
    """Raise ContainerStopped for one whose time is over, also where the beat has not come yet."""
    if container.stop or (container.status in OPEN and container.expires_at <= at):
        raise ContainerStopped


def in_flight(container: Container) -> bool:
    """Tell whether a payment into a container is signed and neither final nor failed."""
    return _payments(container).in_flight().exists()


def unsettled(container: Container) -> bool:
    """Tell whether a payment into a container has not ended, signed or not."""
    payments = _payments(container)
    return bool(payments.unsigned().exists() or payments.in_flight().exists())


def unsigned(container: Container) -> list[ChainTransaction]:
    """Return the payments into a container that wait for a signature."""
    return list(_payments(container).unsigned().order_by("pk"))


def _payments(container: Container) -> ChainQuerySet:
    return ChainTransaction.objects.filter(deposit__container=container)


def account_of(eos_id: str, asset: Asset) -> Account:
    """Return where UPX for a name on the chain go: that player's wallet, or an account of the name."""
    player_id = (
        Player.objects.for_operator(asset.operator_id)
        .filter(eos_id=eos_id)
        .order_by("pk")
        .values_list("pk", flat=True)
        .first()
    )
    if player_id is not None:
        return accounts.wallet(player_id, asset)
    # As long a name as the subject of an account holds; no chain has one that is longer.
    return accounts.fee_account(f"eos:{eos_id}"[:64], asset)


def deposits_inside(container: Container) -> Sequence[Deposit]:
    """Return what is really in a container, in the order in which it was asked for."""
    inside = Deposit.objects.filter(container=container, transaction__status="FINAL", refunded_at=None)
    return list(inside.select_related("player", "transaction").order_by("pk"))


def record(application: Application, facts: Sequence[NewFact], *, actor: Actor, at: datetime) -> None:
    """Report what has happened in the running transaction."""
    events.record_many(facts, operator_id=application.operator_id, actor=actor, at=at)


def too_few(needed: int, players: int, what: str) -> TooFewParticipants:
    """Return the refusal below the minimum, with its numbers."""
    return TooFewParticipants(
        f"Tournament needs at least {needed} active participants to {what} ({players} now)",
        needed=needed,
        participants=players,
    )


def refuse_unscored(tournament: Tournament, *, force: bool) -> None:
    """Raise ScoresMissing where participants have no score; with `force` only where none has."""
    on_board = Entry.objects.filter(tournament=tournament).on_board()
    missing = on_board.filter(score_reported_at=None).count()
    if missing and not force:
        raise ScoresMissing(f"{missing} participants have no score", missing=missing)
    if missing and missing == on_board.count():
        raise ScoresMissing("No participant has a score; cancel the tournament instead", missing=missing)
