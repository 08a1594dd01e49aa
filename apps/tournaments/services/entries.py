"""Enter, rebuy, leave: what a player's place in a tournament costs and gives back."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Literal

from django.db import IntegrityError, transaction

from apps.core.actors import Actor
from apps.core.errors import DomainError, Invalid, NotFound
from apps.events import services as events
from apps.ledger import money
from apps.ledger.models import Account
from apps.ledger.services import accounts, journals
from apps.operators.models import Player
from apps.operators.services import admission
from apps.tournaments import board, facts
from apps.tournaments.lifecycle import UPCOMING, EntryStatus, TournamentStatus
from apps.tournaments.models import Entry, EntryMode, Funding, StartMode, Tournament
from apps.tournaments.services import running, tally
from apps.tournaments.services.states import InvalidState

RemovalReason = Literal["voluntary_exit", "elimination"]


class TournamentNotFound(NotFound):
    """There is no such tournament."""

    code = "TOURNAMENT_NOT_FOUND"


class PlayerNotFound(NotFound):
    """The player is not in this tournament."""

    code = "PLAYER_NOT_FOUND"


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


class BuyInMismatch(Invalid):
    """The buy-in differs from the entry fee."""

    code = "BUY_IN_MISMATCH"


class RebuyNotAllowed(DomainError):
    """The tournament takes no rebuys now."""

    code = "REBUY_NOT_ALLOWED"


class RebuyLimitReached(DomainError):
    """The player would have more entries than allowed."""

    code = "REBUY_LIMIT_REACHED"


class RebuyDeadlinePassed(DomainError):
    """Rebuys have ended."""

    code = "REBUY_DEADLINE_PASSED"


class PlayerNotActive(DomainError):
    """The player has left the tournament or is out of it."""

    code = "PLAYER_NOT_ACTIVE"


@dataclass(frozen=True, slots=True)
class Removal:
    """A player who was taken out, and what they got back, in base units."""

    entry: Entry
    refund_units: int
    remaining_players: int


@transaction.atomic
def register(
    tournament_id: int,
    *,
    user_id: str,
    display_name: str,
    buy_in: Decimal | None = None,
    payment_id: str = "",
    brand_id: str | None = None,
    actor: Actor,
    at: datetime,
) -> Entry:
    """Enter a player, take the fee into escrow and report it (operators.md 3.8).

    The player is created if the operator has not named them before. `buy_in` in major units must equal the fee.
    Raises RegistrationClosed, TournamentFull, DuplicateRegistration, PlayerBlocked, BuyInMismatch, InsufficientFunds.
    """
    tournament: Tournament = Tournament.objects.hold_for_entry(tournament_id)
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
    admission.refuse_blocked(player, at)
    attempt = _next_attempt(tournament, player)
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
    if not tally.take_seat(tournament.pk, fee_units=fee):
        raise TournamentFull(max_players=tournament.max_players)
    _collect(tournament, entry, units=fee, act="entry", actor=actor, at=at)
    hop_on = tournament.start_mode == StartMode.AT_COUNT
    counted = None if tally.is_hot(tournament.max_players) and not hop_on else tally.totals(tournament.pk).players
    events.record_many(
        [facts.registered(tournament, entry, current_players=counted)],
        operator_id=tournament.operator_id,
        actor=actor,
        at=at,
    )
    transaction.on_commit(partial(board.push, tournament.pk, [entry]))
    if hop_on and counted is not None and counted >= tournament.min_players:
        running.begin_if_waiting(tournament, actor=actor, at=at)
    return entry


def _check_open(tournament: Tournament, at: datetime) -> None:
    """Raise RegistrationClosed unless a player may enter now (operators.md 4.2, 4.6)."""
    if tournament.entry_mode == EntryMode.INVITED:
        raise NotInvited
    if tournament.status == TournamentStatus.REGISTERING:
        opens = tournament.registration_opens_at
        if opens is not None and at < opens:
            raise RegistrationClosed("Registration has not begun.")
        if not _due(tournament, at):
            return
    if tournament.status in (TournamentStatus.REGISTERING, TournamentStatus.RUNNING):
        late = tournament.late_registration or tournament.started_immediately
        deadline = tournament.rebuy_deadline
        if late and (deadline is None or at <= deadline) and not _over(tournament, at):
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


def _over(tournament: Tournament, at: datetime) -> bool:
    """Tell whether its end time has passed, though the beat has not ended it yet."""
    return tournament.ends_at is not None and at >= tournament.ends_at


def _next_attempt(tournament: Tournament, player: Player) -> int:
    """Return the number of this registration; the caller holds the player. Raises DuplicateRegistration."""
    earlier = list(
        Entry.objects.filter(tournament=tournament, player=player).values_list("attempt", "status").order_by("attempt")
    )
    if any(status != EntryStatus.WITHDRAWN for _, status in earlier):
        raise DuplicateRegistration(player_id=str(player.pk))
    return earlier[-1][0] + 1 if earlier else 1


def source_of(tournament: Tournament, player_id: int) -> Account:
    """Return the account an entry is paid from, which is where its refund goes."""
    if tournament.funding == Funding.WALLET:
        return accounts.wallet(player_id, tournament.asset)
    return accounts.clearing(tournament.asset)


def _collect(tournament: Tournament, entry: Entry, *, units: int, act: str, actor: Actor, at: datetime) -> None:
    """Move a fee into escrow. Raises InsufficientFunds when it comes from a wallet that lacks it."""
    if units == 0:
        return
    source = source_of(tournament, entry.player_id)
    journal = journals.NewJournal(
        kind="tournament.entry",
        key=f"{tournament.subject}:{act}:{entry.pk}",
        legs={source.pk: -units, tournament.escrow_id: units},
        subject=tournament.subject,
    )
    journals.post(journal, operator_id=tournament.operator_id, actor=actor, at=at)


def _hold_entry(entry_id: int, *, alone: bool) -> tuple[Tournament, Entry]:
    """Hold the entry's tournament, then lock the entry. Raises PlayerNotFound."""
    tournament_id = Entry.objects.filter(pk=entry_id).values_list("tournament_id", flat=True).first()
    if tournament_id is None:
        raise PlayerNotFound
    hold = Tournament.objects.hold if alone else Tournament.objects.hold_shared
    tournament: Tournament = hold(tournament_id)
    entry: Entry = Entry.objects.locked_for_update().select_related("player").get(pk=entry_id)
    entry.tournament = tournament
    return tournament, entry


def save_ranked(entry: Entry, *fields: str, at: datetime) -> None:
    """Save a change that may move the entry on the board, and tell the board once it has committed."""
    entry.score_version += 1
    entry.changed_at = at
    entry.save(update_fields=[*fields, "score_version", "changed_at"])
    transaction.on_commit(partial(board.push, entry.tournament_id, [entry]))


@transaction.atomic
def rebuy(entry_id: int, *, additional_entries: int = 1, payment_id: str = "", actor: Actor, at: datetime) -> Entry:
    """Sell more entries to a player; an eliminated one comes back with their points (operators.md 3.12, 4.5).

    Raises RebuyNotAllowed, RebuyDeadlinePassed, RebuyLimitReached, PlayerNotActive, PlayerBlocked, InsufficientFunds.
    """
    tournament, entry = _hold_entry(entry_id, alone=False)
    if entry.status == EntryStatus.WITHDRAWN:
        raise PlayerNotActive
    if not tournament.rebuy_enabled or tournament.status not in (
        TournamentStatus.REGISTERING,
        TournamentStatus.REGISTRATION_CLOSED,
        TournamentStatus.RUNNING,
    ):
        raise RebuyNotAllowed(status=tournament.status)
    deadline = tournament.rebuy_deadline
    if (deadline is not None and at > deadline) or _over(tournament, at):
        raise RebuyDeadlinePassed
    if entry.entry_count + additional_entries > tournament.max_entries:
        raise RebuyLimitReached(entry_count=entry.entry_count, max_entries=tournament.max_entries)
    admission.refuse_blocked(admission.lock(entry.player_id), at)
    units = int(tournament.rebuy_fee_units) * additional_entries
    entry.entry_count += additional_entries
    entry.paid_units = int(entry.paid_units) + units
    returns = entry.status == EntryStatus.OUT
    if returns:
        entry.come_back()
    if payment_id:
        entry.payment_id = payment_id
    save_ranked(entry, "status", "entry_count", "paid_units", "payment_id", "elimination_round", "eliminated_at", at=at)
    # The stripe before the balances, as a registration takes them: the other way round the two wait in a circle.
    tally.move(tournament.pk, active=int(returns), entries=additional_entries, rebuy_units=units)
    _collect(tournament, entry, units=units, act=f"rebuy:{entry.entry_count}", actor=actor, at=at)
    events.record_many(
        [facts.rebought(tournament, entry, additional=additional_entries)],
        operator_id=tournament.operator_id,
        actor=actor,
        at=at,
    )
    return entry


@transaction.atomic
def remove(entry_id: int, *, reason: RemovalReason, details: str = "", actor: Actor, at: datetime) -> Removal:
    """Take a player out (operators.md 3.11).

    A voluntary exit before the start withdraws and refunds in full; after it, and for an elimination, the player is
    out, still ranked, not refunded. Raises PlayerNotActive when already out, InvalidState in the wrong state.
    """
    tournament, entry = _hold_entry(entry_id, alone=True)
    if entry.status != EntryStatus.IN:
        raise PlayerNotActive(status=entry.status)
    if tournament.status == TournamentStatus.RUNNING:
        return _eliminate(tournament, entry, reason=reason, details=details, actor=actor, at=at)
    if reason == "elimination" or tournament.status not in UPCOMING:
        raise InvalidState(status=tournament.status)
    return _withdraw(tournament, entry, reason=reason, details=details, actor=actor, at=at)


@transaction.atomic
def remove_with_refund(entry_id: int, *, reason: str, actor: Actor, at: datetime) -> Removal:
    """Withdraw a player before the start and refund them in full (operators.md 11.6). Raises InvalidState after it."""
    tournament, entry = _hold_entry(entry_id, alone=True)
    if tournament.status not in UPCOMING:
        raise InvalidState(status=tournament.status)
    if entry.status != EntryStatus.IN:
        raise PlayerNotActive(status=entry.status)
    return _withdraw(tournament, entry, reason=reason, details="", actor=actor, at=at)


def _eliminate(
    tournament: Tournament, entry: Entry, *, reason: str, details: str, actor: Actor, at: datetime
) -> Removal:
    # Without rounds it is round 0, as the game's own reports have it: none at all would rank with those still in.
    entry.eliminate(round_number=tournament.current_round, at=at)
    save_ranked(entry, "status", "elimination_round", "eliminated_at", at=at)
    tally.move(tournament.pk, active=-1)
    active = tally.totals(tournament.pk).active
    events.record_many(
        [
            facts.eliminated(tournament, entry, final_position=active + 1, at=at),
            facts.removed(tournament, entry, reason=reason, details=details, refund_units=0),
        ],
        operator_id=tournament.operator_id,
        actor=actor,
        at=at,
    )
    running.complete_if_decided(tournament, active=active, actor=actor, at=at)
    return Removal(entry, 0, active)


def _withdraw(
    tournament: Tournament, entry: Entry, *, reason: str, details: str, actor: Actor, at: datetime
) -> Removal:
    entry.withdraw(at=at)
    save_ranked(entry, "status", "withdrawn_at", at=at)
    units = int(entry.paid_units)
    first = int(tournament.fee_units) if entry.entry_count else 0
    if units:
        journal = journals.NewJournal(
            kind="tournament.withdrawal",
            key=f"{tournament.subject}:withdrawal:{entry.pk}",
            legs={tournament.escrow_id: -units, source_of(tournament, entry.player_id).pk: units},
            subject=tournament.subject,
            memo=(details or reason)[:200],
        )
        journals.post(journal, operator_id=tournament.operator_id, actor=actor, at=at)
    tally.move(
        tournament.pk,
        players=-1,
        active=-1,
        entries=-entry.entry_count,
        first_fee_units=-first,
        rebuy_units=first - units,
        seats=1,
    )
    events.record_many(
        [facts.removed(tournament, entry, reason=reason, details=details, refund_units=units)],
        operator_id=tournament.operator_id,
        actor=actor,
        at=at,
    )
    return Removal(entry, units, tally.totals(tournament.pk).active)


@transaction.atomic
def adjust_score(entry_id: int, *, points: Decimal, reason: str, actor: Actor, at: datetime) -> Entry:
    """Set a player's points by hand while the tournament runs. Raises InvalidState, PlayerNotActive, Invalid."""
    if not points.is_finite() or abs(points) >= Decimal(10) ** 17 or points != round(points, 6):
        raise Invalid("Points carry up to six decimals.", fields={"points": ["Out of range."]})
    tournament, entry = _hold_entry(entry_id, alone=False)
    if tournament.status != TournamentStatus.RUNNING:
        raise InvalidState(status=tournament.status)
    if entry.status == EntryStatus.WITHDRAWN:
        raise PlayerNotActive
    before, entry.points, entry.scored_at = entry.points, points, at
    # A report of the game from before this moment that comes in later must not undo it.
    entry.score_reported_at = max(at, entry.score_reported_at or at)
    save_ranked(entry, "points", "scored_at", "score_reported_at", at=at)
    events.record_many(
        [facts.score_adjusted(tournament, entry, before=before, reason=reason)],
        operator_id=tournament.operator_id,
        actor=actor,
        at=at,
    )
    return entry
