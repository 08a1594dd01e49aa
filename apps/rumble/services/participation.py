"""Who takes part, and what their payment makes of them (rumble.md 3.8, 3.14, 3.15, 4.3)."""

from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from apps.core.actors import Actor
from apps.core.errors import DomainError, Invalid, NotFound
from apps.events.services.recording import NewFact
from apps.ledger.lifecycle import ChainStatus
from apps.ledger.models import ChainTransaction
from apps.ledger.services import accounts, rail
from apps.ledger.services.journals import InsufficientFunds
from apps.operators.services import admission
from apps.operators.uuids import number_behind
from apps.rumble import facts, words
from apps.rumble.lifecycle import ParticipantStatus
from apps.rumble.models import Deposit, Participant, RumbleTournament, Signing
from apps.rumble.services import stopping
from apps.rumble.services.ground import (
    AREA,
    BalanceTooLow,
    WrongState,
    hold,
    record,
    refuse_stopped,
    unsettled,
)
from apps.tournaments import board
from apps.tournaments import facts as engine_facts
from apps.tournaments.lifecycle import TournamentStatus
from apps.tournaments.models import Entry
from apps.tournaments.services import running, tally

ENTRY = "entry"
# What becomes of a participant, and what is told of the payment, when the payment ends without money.
LOST = {ChainStatus.FAILED: "Failure", ChainStatus.EXPIRED: "Expired", ChainStatus.REJECTED: "Rejected"}


class AlreadyIn(DomainError):
    """The player is already a participant."""

    code = "ALREADY_JOINED"


class TournamentFull(DomainError):
    """The tournament is full."""

    code = "TOURNAMENT_FULL"


class ParticipantNotFound(NotFound):
    """Participant not found."""

    code = "PARTICIPANT_NOT_FOUND"


def join(tournament_id: int, *, player_id: int, actor: Actor, at: datetime) -> Participant:
    """Give a player a seat and ask them for the fee; a free tournament takes them at once (3.8).

    Where the application signs for its players the payment is signed here; else the player has ten minutes. Raises
    WrongState, ContainerStopped, AlreadyIn, TournamentFull, PlayerBlocked, BalanceTooLow, ChainMissing.
    """
    try:
        return _join(tournament_id, player_id=player_id, actor=actor, at=at)
    except InsufficientFunds as problem:
        raise BalanceTooLow from problem


@transaction.atomic
def _join(tournament_id: int, *, player_id: int, actor: Actor, at: datetime) -> Participant:
    rumble = hold(tournament_id)
    tournament = rumble.tournament
    if tournament.status != TournamentStatus.REGISTERING:
        raise WrongState(f"Tournament is {words.status(rumble)}", status=words.status(rumble))
    refuse_stopped(rumble.container, at)
    player = admission.lock(player_id)
    admission.refuse_blocked(player, at)
    seated = Participant.objects.filter(rumble=rumble).exclude(status=ParticipantStatus.REMOVED)
    if seated.filter(player=player).exists():
        raise AlreadyIn
    if tournament.max_players is not None and seated.count() >= tournament.max_players:
        raise TournamentFull(f"The tournament is full ({tournament.max_players} participants)")
    fee = int(tournament.fee_units)
    seat = Participant(
        operator_id=rumble.operator_id,
        rumble=rumble,
        player=player,
        eos_id=words.eos_of(player),
        created_at=at,
        updated_at=at,
    )
    if fee == 0:
        _take_in(seat, actor=actor, at=at)
        record(rumble.application, [facts.participant_added(seat)], actor=actor, at=at)
        return seat
    if accounts.balance(accounts.wallet(player.pk, tournament.asset).pk) < fee:
        raise BalanceTooLow
    _ask_for_fee(seat, fee, actor=actor, at=at)
    if rumble.application.signing == Signing.AUTO and seat.transaction_id is not None:
        rail.sign(seat.transaction_id, actor=actor, at=at)
        return _whole().get(pk=seat.pk)
    return seat


def _ask_for_fee(seat: Participant, fee: int, *, actor: Actor, at: datetime) -> None:
    """Store the seat and its payment, which waits to be signed."""
    rumble, asset = seat.rumble, seat.rumble.tournament.asset
    seat.save(force_insert=True)
    paying = rail.request(
        rail.Errand(AREA, ENTRY, rumble.tournament.subject, f"rumble:participant:{seat.pk}"),
        rail.Leg(
            source_id=accounts.held(seat.player_id, asset).pk,
            target_id=rumble.tournament.escrow_id,
            units=fee,
            address=seat.eos_id,
        ),
        player_id=seat.player_id,
        asset=asset,
        until=at + timedelta(seconds=settings.SIGNING_SECONDS),
        actor=actor,
        at=at,
    )
    Deposit.objects.create(
        container=rumble.container, transaction=paying, player=seat.player, owner_eos_id=seat.eos_id, units=fee
    )
    seat.transaction = paying
    seat.save(update_fields=["transaction"])
    told = [
        facts.participant_added(seat),
        facts.to_escrow("Created", rumble.container, paying, owner=seat.eos_id),
    ]
    record(rumble.application, told, actor=actor, at=at)


def _take_in(seat: Participant, *, actor: Actor, at: datetime) -> None:
    """Make a participant active: from now on they are an entry of the engine's. The caller holds the tournament."""
    tournament, payment = seat.rumble.tournament, seat.transaction
    fee = int(payment.units) if payment is not None else 0
    entry: Entry = Entry.objects.create(
        operator_id=seat.operator_id,
        tournament=tournament,
        player=seat.player,
        display_name=(seat.player.display_name or seat.eos_id)[:64],
        payment_id=str(payment.public_id) if payment is not None else "",
        paid_units=fee,
        # Who has no score stands behind all who have one, a score of 0 included (rumble.md 5.2).
        tie_break=1,
        scored_at=at,
        registered_at=at,
        changed_at=at,
    )
    if not tally.take_seat(tournament.pk, fee_units=fee):
        message = "a participant without a seat"  # seats are counted as they are given
        raise RuntimeError(message)
    seat.entry = entry
    seat.activate(at=at)
    seat.updated_at = at
    seat.save()
    counted = tally.totals(tournament.pk).players
    told = [engine_facts.registered(tournament, entry, current_players=counted)]
    record(seat.rumble.application, told, actor=actor, at=at)
    transaction.on_commit(partial(board.push, tournament.pk, [entry]))


def payment_changed(paying: ChainTransaction, *, actor: Actor, at: datetime) -> None:
    """Do what follows from what became of an entry's payment; the tournament is held (4.3)."""
    seat = (
        Participant.objects.select_related("player", "transaction")
        .select_for_update(of=("self",), no_key=True)
        .get(transaction=paying)
    )
    seat.rumble, seat.transaction = hold(seat.rumble_id), paying
    rumble = seat.rumble
    told: list[NewFact] = []
    tell = partial(facts.to_escrow, container=rumble.container, paying=paying, owner=seat.eos_id)
    if paying.status == ChainStatus.SIGNED:
        seat.process()
        told.append(tell("Signed"))
    elif paying.status == ChainStatus.FINAL:
        _take_in(seat, actor=actor, at=at)
        told.append(tell("Final"))
    else:
        seat.remove()
        if (word := LOST.get(ChainStatus(paying.status))) is not None:
            told.append(tell(word))
    seat.updated_at = at
    seat.save()
    record(rumble.application, [*told, facts.participant_updated(seat)], actor=actor, at=at)
    if paying.status in (ChainStatus.FINAL, *LOST):
        payment_ended(rumble, actor=actor, at=at)


def payment_ended(rumble: RumbleTournament, *, actor: Actor, at: datetime) -> None:
    """Go on with what waited for a payment to end: giving everything back, or closing registration."""
    if rumble.container.stop:
        stopping.carry_on(rumble.container_id, at=at)
    elif rumble.tournament.status == TournamentStatus.AWAITING_PAYMENTS and not unsettled(rumble.container):
        running.shut(rumble.tournament, actor=actor, at=at)


@transaction.atomic
def withdraw_unsigned(application_id: int, player_id: int, *, actor: Actor, at: datetime) -> int:
    """Withdraw what a player has not signed of an application's requests; return how many. What is signed stays."""
    waiting = ChainTransaction.objects.unsigned().filter(
        player_id=player_id, deposit__container__application_id=application_id
    )
    withdrawn = 0
    # In one order for everybody, because each holds its tournament until the end.
    for pk, tournament_id in waiting.order_by("subject", "pk").values_list("pk", "deposit__container__rumble"):
        try:
            rail.withdraw(pk, actor=actor, at=at)
        except rail.PaymentNotWaiting:
            continue  # signed or lapsed a moment ago
        withdrawn += 1
        if tournament_id is not None:
            payment_ended(hold(tournament_id), actor=actor, at=at)
    return withdrawn


def _whole() -> QuerySet[Participant]:
    rows: QuerySet[Participant] = Participant.objects.select_related("entry", "transaction", "player")
    return rows


def participants(tournament_id: int, *, status: str | None = None) -> QuerySet[Participant]:
    """Return who takes part or did, newest first, with entry, payment and player. Raises Invalid for no status."""
    if status is not None and status not in ParticipantStatus.values:
        raise Invalid(f"status must be one of {', '.join(ParticipantStatus.values)}", fields={"status": ["Unknown."]})
    found: QuerySet[Participant] = _whole().filter(rumble_id=tournament_id)
    if status is not None:
        found = found.filter(status=status)
    return found.order_by("-created_at", "pk")


def participant(tournament_id: int, *, user_id: str) -> Participant:
    """Return the newest record of a player in a tournament; `user_id` as on the wire. Raises ParticipantNotFound."""
    player_id = number_behind("player", user_id)
    if player_id is None:
        raise ParticipantNotFound
    mine = _whole().filter(rumble_id=tournament_id, player_id=player_id)
    found: Participant | None = mine.order_by("-pk").first()
    if found is None:
        raise ParticipantNotFound
    return found
