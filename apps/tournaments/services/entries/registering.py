"""Enter a player (operators.md 3.8)."""

from datetime import datetime
from decimal import Decimal
from functools import partial

from django.db import IntegrityError, transaction

from apps.core.actors import Actor
from apps.core.errors import DomainError, Invalid
from apps.events.services import recording as events
from apps.ledger import money
from apps.operators.models import Player
from apps.operators.services import admission
from apps.tournaments import board, engines, facts, keepers
from apps.tournaments.lifecycle import EntryStatus, TournamentStatus
from apps.tournaments.models import Entry, EntryMode, ScoringSource, StartMode, Tournament
from apps.tournaments.services import quoting, running, tally, terms
from apps.tournaments.services.entries.ground import collect, is_over
from apps.tournaments.services.quoting import Quote


class DuplicateRegistration(DomainError):
    """The player is registered already."""

    code = "DUPLICATE_REGISTRATION"


class TournamentFull(DomainError):
    """Every seat is taken."""

    code = "TOURNAMENT_FULL"


class RegistrationClosed(DomainError):
    """The tournament takes no registrations now."""

    code = "REGISTRATION_CLOSED"


class NotInvited(DomainError):
    """Only invited players may enter."""

    kind = "forbidden"
    code = "NOT_INVITED"


class BuyInNeeded(DomainError):
    """The operator collects this buy-in itself, when it is asked; nobody is in before it has answered."""

    code = "BUY_IN_NEEDED"


class BuyInMismatch(Invalid):
    """The buy-in differs from the entry fee."""

    code = "BUY_IN_MISMATCH"


@transaction.atomic
def register(
    tournament_id: int,
    *,
    user_id: str,
    display_name: str,
    buy_in: Decimal | None = None,
    payment_id: str = "",
    brand_id: str | None = None,
    quote: Quote | None = None,
    actor: Actor,
    at: datetime,
) -> Entry:
    """Enter a player, take the fee into escrow and report it (operators.md 3.8).

    The player is created if the operator has not named them before. `buy_in` in major units must equal the fee.
    Raises RegistrationClosed, TournamentFull, DuplicateRegistration, PlayerBlocked, BuyInMismatch, InsufficientFunds,
    NotInvited, FeeChanged where the player was shown another `quote`, and BuyInNeeded where `services.buyins` enters
    players.
    """
    tournament: Tournament = Tournament.objects.hold_for_entry(tournament_id)
    if tournament.debit_url:
        raise BuyInNeeded
    player, attempt = admit(
        tournament, user_id=user_id, display_name=display_name, buy_in=buy_in, brand_id=brand_id, at=at
    )
    quoting.fee_of(tournament, player, at=at).hold_to(quote)
    return enter(
        tournament,
        player,
        attempt=attempt,
        display_name=display_name,
        payment_id=payment_id,
        fee=int(tournament.fee_units),
        has_seat=False,
        actor=actor,
        at=at,
    )


def admit(
    tournament: Tournament,
    *,
    user_id: str,
    display_name: str,
    buy_in: Decimal | None,
    brand_id: str | None,
    at: datetime,
) -> tuple[Player, int]:
    """Return the player, locked, and the number of the registration that may be made; the caller holds the tournament.

    Raises as `register` does, but for seats and money.
    """
    keepers.of(tournament).by_hand(tournament)
    try:
        _check_open(tournament, at)
    except RegistrationClosed:
        _refuse_twice(tournament, user_id, brand_id)
        raise
    fee = int(tournament.fee_units)
    if buy_in is not None and money.to_units(buy_in, tournament.asset.scale) != fee:
        raise BuyInMismatch(entry_fee=facts.amount(tournament, fee))
    player = admission.ensure_locked(
        tournament.operator_id, user_id=user_id, display_name=display_name, brand_id=brand_id, at=at
    )
    if tournament.entry_mode == EntryMode.INVITED:
        one = (player.brand.external_id, player.external_id)
        if not terms.invited_among(tournament, [one]):
            raise NotInvited
    admission.refuse_blocked(player, at)
    return player, next_attempt(tournament, player)


def enter(
    tournament: Tournament,
    player: Player,
    *,
    attempt: int,
    display_name: str,
    payment_id: str,
    fee: int,
    has_seat: bool,
    actor: Actor,
    at: datetime,
) -> Entry:
    """Enter a player whom `admit` has let in, on a seat that was kept for them or on a free one."""
    entry = Entry(
        operator_id=tournament.operator_id,
        tournament=tournament,
        player=player,
        attempt=attempt,
        display_name=display_name,
        payment_id=payment_id,
        paid_units=fee,
        scored_at=at,
        registered_at=at,
        changed_at=at,
    )
    try:
        entry.save(force_insert=True)
    except IntegrityError as problem:
        raise DuplicateRegistration(player_id=str(player.pk)) from problem
    if has_seat:
        tally.fill_seat(tournament.pk, fee_units=fee)
    elif not tally.take_seat(tournament.pk, fee_units=fee):
        raise TournamentFull(max_players=tournament.max_players)
    collect(tournament, entry, units=fee, act="entry", actor=actor, at=at)
    engines.of(tournament).entered_many(tournament, [entry], at=at)
    counted = tally.totals(tournament.pk).players
    events.record_many(
        [facts.registered(tournament, entry, current_players=counted)],
        operator_id=tournament.operator_id,
        actor=actor,
        at=at,
    )
    transaction.on_commit(partial(board.push, tournament.pk, [entry]))
    if tournament.start_mode == StartMode.AT_COUNT and counted >= tournament.min_players:
        running.begin_if_waiting(tournament, actor=actor, at=at)
    return entry


def _check_open(tournament: Tournament, at: datetime) -> None:
    """Raise RegistrationClosed unless a player may enter now (operators.md 4.2, 4.6)."""
    if tournament.status == TournamentStatus.REGISTERING:
        opens = tournament.registration_opens_at
        if opens is not None and at < opens:
            raise RegistrationClosed("Registration has not begun.")
        if not _due(tournament, at):
            return
    if tournament.status in (TournamentStatus.REGISTERING, TournamentStatus.RUNNING):
        late = tournament.late_registration or tournament.started_immediately
        deadline = tournament.rebuy_deadline
        if tournament.scoring_source == ScoringSource.ROUNDS:
            # Rounds count from the moment a player joins, whenever that is.
            late, deadline = True, None
        if late and (deadline is None or at <= deadline) and not is_over(tournament, at):
            return
    raise RegistrationClosed(status=tournament.status)


def _refuse_twice(tournament: Tournament, user_id: str, brand_id: str | None) -> None:
    """Raise DuplicateRegistration for who is in: a client that retries must learn that the first try went through."""
    live = Entry.objects.filter(tournament=tournament, player__external_id=user_id).exclude(
        status=EntryStatus.WITHDRAWN
    )
    if brand_id is not None:
        live = live.filter(player__brand__external_id=brand_id)
    player_id = live.values_list("player_id", flat=True).first()
    if player_id is not None:
        raise DuplicateRegistration(player_id=str(player_id))


def _due(tournament: Tournament, at: datetime) -> bool:
    """Tell whether its start time has come, though the beat has not started it yet."""
    start = tournament.starts_at
    return tournament.start_mode == StartMode.AT_TIME and start is not None and at >= start


def next_attempt(tournament: Tournament, player: Player) -> int:
    """Return the number of this registration; the caller holds the player. Raises DuplicateRegistration."""
    earlier = list(
        Entry.objects.filter(tournament=tournament, player=player).values_list("attempt", "status").order_by("attempt")
    )
    if any(status != EntryStatus.WITHDRAWN for _, status in earlier):
        raise DuplicateRegistration(player_id=str(player.pk))
    return earlier[-1][0] + 1 if earlier else 1
