"""Buy-ins that the operator collects with its debit API (rounds.md 3.6): ask, send outside any transaction, note.

A seat is kept while the outcome is open, and the player joins only after a 2xx. The row is the queue: the next try is
booked before the call, and all tries carry the same `debitRef`. What nobody can find out is left to a person, because
there is no call that takes a debit back.

Locks: tournament, player, buy-in, then as in a registration.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import msgspec
import structlog
from django.conf import settings
from django.db import connection, transaction

from apps.core import clock, doorbell
from apps.core.actors import SYSTEM, Actor
from apps.core.errors import DomainError
from apps.events.services import recording as events
from apps.ledger.models import CallbackKind
from apps.ledger.services import calling
from apps.ledger.services.calling import Call, Heard
from apps.ledger.services.orders import exact, plain
from apps.operators.models import Player
from apps.operators.services import admission
from apps.tournaments import facts
from apps.tournaments.lifecycle import CANCELLABLE, UNDECIDED, BuyInStatus, TournamentStatus
from apps.tournaments.models import BuyIn, Tournament
from apps.tournaments.services import quoting, returning, tally
from apps.tournaments.services.entries import registering
from apps.tournaments.services.quoting import Quote

log = structlog.get_logger(__name__)

# The bell of one buy-in.
ASK = "tournaments.ask_debit"
MANY = 200
CUT_OFF = "The last try was cut off, so nobody knows whether the fee was taken."
TOO_LATE = "The fee was taken when nobody could join any more."


class BuyInRefused(DomainError):
    """The operator did not take the buy-in; the player is not in."""

    code = "BUY_IN_REFUSED"
    hint = "Nothing was taken. The player may register again, which asks the operator anew."


class BuyInDecided(DomainError):
    """What became of the buy-in is known already."""

    code = "INVALID_STATE"


def collects(tournament: Tournament) -> bool:
    """Tell whether the operator collects the fee of this tournament itself, when it is asked."""
    return bool(tournament.debit_url)


def enter(
    tournament_id: int,
    *,
    user_id: str,
    display_name: str,
    buy_in: Decimal | None = None,
    payment_id: str = "",
    brand_id: str | None = None,
    currency: str | None = None,
    quote: Quote | None = None,
    actor: Actor,
    at: datetime,
) -> BuyIn:
    """Ask the operator for a player's fee and return what is known of it: JOINED, or PENDING while nobody knows.

    Inside a caller's transaction nothing is sent; a worker does it right after. Asking again while one is open returns
    that one. Raises as a registration does, RateUnknown for a `currency` without a rate, FeeChanged where the player
    was shown another `quote`, and BuyInRefused.
    """
    asked = ask(
        tournament_id,
        user_id=user_id,
        display_name=display_name,
        buy_in=buy_in,
        payment_id=payment_id,
        brand_id=brand_id,
        currency=currency,
        quote=quote,
        actor=actor,
        at=at,
    )
    if connection.in_atomic_block:
        doorbell.ring(ASK, buy_in_id=asked.pk)
        return asked
    attempt(asked.pk, at=at)
    known: BuyIn = BuyIn.objects.select_related(
        "entry__player", "entry__tournament__game", "entry__tournament__operator", "player"
    ).get(pk=asked.pk)
    raise_if_over(known)
    return known


def raise_if_over(asked: BuyIn) -> None:
    """Raise BuyInRefused for a buy-in that has ended without the player being in."""
    if asked.status in (BuyInStatus.REFUSED, BuyInStatus.RETURNED):
        raise BuyInRefused(asked.error, debit_ref=str(asked.ref), status=asked.status.lower())


@transaction.atomic
def ask(
    tournament_id: int,
    *,
    user_id: str,
    display_name: str,
    buy_in: Decimal | None,
    payment_id: str,
    brand_id: str | None,
    currency: str | None,
    quote: Quote | None = None,
    actor: Actor,
    at: datetime,
) -> BuyIn:
    """Keep a seat, fix what will be asked for, and queue it. Sends nothing."""
    tournament: Tournament = Tournament.objects.hold_for_entry(tournament_id)
    player, _ = registering.admit(
        tournament, user_id=user_id, display_name=display_name, buy_in=buy_in, brand_id=brand_id, at=at
    )
    open_one: BuyIn | None = BuyIn.objects.filter(tournament=tournament, player=player, status__in=UNDECIDED).first()
    if open_one is not None:
        quoting.asked_for(open_one, tournament).hold_to(quote)
        return open_one
    fee = quoting.fee_of(tournament, player, currency=quote.currency if quote else currency, at=at)
    fee.hold_to(quote)
    if not tally.hold_seat(tournament.pk):
        raise registering.TournamentFull(max_players=tournament.max_players)
    ref = uuid4()
    asked = BuyIn.objects.create(
        operator_id=tournament.operator_id,
        tournament=tournament,
        player=player,
        ref=ref,
        display_name=display_name,
        payment_id=payment_id,
        units=tournament.fee_units,
        amount=plain(fee.amount),
        currency=fee.currency,
        rate=plain(fee.rate)[:60],
        body=_body(ref, player, fee.amount, fee.currency),
        next_try_at=at,
        asked_at=at,
    )
    _tell(asked, "player.buy_in.asked", {}, actor=actor, at=at)
    return asked


def _body(ref: Any, player: Player, amount: Decimal, currency: str) -> str:
    """Return the JSON text that is sent with every try."""
    fields = {
        "debitRef": str(ref),
        "brandId": player.brand.external_id,
        "playerId": player.external_id,
        "amount": exact(amount),
        "currency": currency,
        "type": "BUYIN",
    }
    return msgspec.json.encode(fields).decode()


def due(at: datetime) -> list[int]:
    """Return the buy-ins whose next try has come."""
    waiting = BuyIn.objects.filter(status=BuyInStatus.PENDING, next_try_at__lte=at).order_by("next_try_at")
    return list(waiting.values_list("pk", flat=True)[:MANY])


def attempt(buy_in_id: int, *, at: datetime) -> bool:
    """Ask the operator once, if it is time and nobody else is at it; tell whether it was. Safe to run twice."""
    call = lease(buy_in_id, at=at)
    if call is None:
        return False
    heard = calling.send(call)
    note(buy_in_id, call, heard, at=max(at, clock.now()))
    return True


@transaction.atomic
def lease(buy_in_id: int, *, at: datetime) -> Call | None:
    """Take a due buy-in for one try, and book the next one in case this worker dies in the middle of it."""
    waiting = BuyIn.objects.filter(pk=buy_in_id, status=BuyInStatus.PENDING, next_try_at__lte=at)
    found = waiting.select_for_update(of=("self",), no_key=True, skip_locked=True).select_related("tournament").first()
    if found is None:
        return None
    if found.tries > len(settings.DEBIT_RETRY_SECONDS):
        _leave_to_people(found, CUT_OFF, at=at)
        return None
    found.attempts += 1
    found.tries += 1
    found.next_try_at = at + calling.lease()
    found.save(update_fields=["attempts", "tries", "next_try_at"])
    call = Call(
        operator_id=found.operator_id,
        kind=CallbackKind.DEBIT,
        ref=found.ref,
        number=found.attempts,
        url=found.tournament.debit_url,
        body=found.body,
        key=calling.key_of(found.operator_id, CallbackKind.DEBIT, at=at),
        started_at=at,
    )
    calling.book([call])
    return call


@transaction.atomic
def note(buy_in_id: int, call: Call, heard: Heard, *, at: datetime) -> None:
    """Write down what came of a try, and what follows: in, not in, asked again, or left to a person.

    An answer that comes after another try has been made counts only if it confirms.
    """
    tournament, found = _held(buy_in_id)
    calling.note(call, heard, at=at)
    if found.status not in UNDECIDED:
        if heard.ok and found.status == BuyInStatus.REFUSED:
            _alert(found, "The operator confirms a buy-in that was decided as not paid.", at=at)
        return
    if heard.ok:
        found.transaction_id = heard.transaction_id
        _let_in(tournament, found, actor=SYSTEM, at=at)
    elif found.attempts != call.number or found.status != BuyInStatus.PENDING:
        return
    elif heard.refused or _is_no(heard):
        _turn_away(found, heard.told[:300], actor=SYSTEM, at=at)
    elif found.tries <= len(settings.DEBIT_RETRY_SECONDS):
        pause = timedelta(seconds=settings.DEBIT_RETRY_SECONDS[found.tries - 1])
        found.next_try_at, found.error = call.started_at + pause, heard.told[:300]
        found.save(update_fields=["next_try_at", "error"])
    else:
        _leave_to_people(found, heard.told[:300], at=at)


def _is_no(heard: Heard) -> bool:
    """Tell whether it was any 4xx: of a debit even 408 and 429 are answers, and nothing was taken."""
    return heard.status is not None and 400 <= heard.status < 500  # noqa: PLR2004 - what 4xx means


@transaction.atomic
def decide_joined(buy_in_id: int, *, reason: str, actor: Actor, at: datetime) -> BuyIn:
    """Let a player in whose fee was taken, as a person has found out; too late, give it back. Raises BuyInDecided."""
    tournament, found = _undecided(buy_in_id)
    found.note = reason[:300]
    _let_in(tournament, found, actor=actor, at=at)
    return found


@transaction.atomic
def decide_not_joined(buy_in_id: int, *, reason: str, actor: Actor, at: datetime) -> BuyIn:
    """Give the seat free again: nothing was taken, as a person has found out. Raises BuyInDecided."""
    _, found = _undecided(buy_in_id)
    found.note = reason[:300]
    _turn_away(found, found.error, actor=actor, at=at)
    return found


@transaction.atomic
def ask_again(buy_in_id: int, *, actor: Actor, at: datetime) -> BuyIn:
    """Ask the operator once more, with the same reference and all tries. Raises BuyInDecided."""
    _, found = _undecided(buy_in_id)
    found.ask_again(at=at)
    found.save(update_fields=["status", "next_try_at", "tries"])
    _tell(found, "player.buy_in.asked", {}, actor=actor, at=at)
    doorbell.ring(ASK, buy_in_id=found.pk)
    return found


def _undecided(buy_in_id: int) -> tuple[Tournament, BuyIn]:
    tournament, found = _held(buy_in_id)
    if found.status != BuyInStatus.UNKNOWN:
        raise BuyInDecided(f"The buy-in is {found.get_status_display().lower()}.", status=found.status)
    return tournament, found


def _held(buy_in_id: int) -> tuple[Tournament, BuyIn]:
    """Hold the tournament, lock the player, then the buy-in."""
    tournament_id, player_id = BuyIn.objects.values_list("tournament_id", "player_id").get(pk=buy_in_id)
    tournament: Tournament = Tournament.objects.hold_for_entry(tournament_id)
    player = admission.lock(player_id)
    found: BuyIn = BuyIn.objects.select_for_update(of=("self",), no_key=True).get(pk=buy_in_id)
    found.tournament, found.player = tournament, player
    return tournament, found


def _let_in(tournament: Tournament, found: BuyIn, *, actor: Actor, at: datetime) -> None:
    """Enter the player on the seat that was kept, or give the fee back when that can't be any more."""
    blocked = found.player.is_blocked(at)
    if tournament.status not in CANCELLABLE or tournament.status == TournamentStatus.DRAFT or blocked:
        found.give_back(error="The player is blocked." if blocked else TOO_LATE, at=at)
        found.save(update_fields=["status", "ended_at", "next_try_at", "error", "transaction_id", "note"])
        tally.move(tournament.pk, seats=1)
        returning.give_back_late(tournament, found, actor=actor, at=at)
        _tell(found, "player.buy_in.returned", {"reason": found.error}, actor=actor, at=at)
        return
    entry = registering.enter(
        tournament,
        found.player,
        attempt=registering.next_attempt(tournament, found.player),
        display_name=found.display_name,
        payment_id=found.payment_id or found.transaction_id[:128],
        fee=int(found.units),
        has_seat=True,
        actor=actor,
        at=at,
    )
    found.join(at=at)
    found.entry = entry
    found.save(update_fields=["status", "ended_at", "next_try_at", "error", "transaction_id", "note", "entry"])


def _turn_away(found: BuyIn, error: str, *, actor: Actor, at: datetime) -> None:
    found.refuse(error=error, at=at)
    found.save(update_fields=["status", "ended_at", "next_try_at", "error", "note"])
    tally.move(found.tournament_id, seats=1)
    _tell(found, "player.buy_in.refused", {"reason": error}, actor=actor, at=at)


def _leave_to_people(found: BuyIn, error: str, *, at: datetime) -> None:
    found.give_up(error=error)
    found.save(update_fields=["status", "next_try_at", "error"])
    _alert(found, "Nobody knows whether a buy-in was paid.", at=at)


def _alert(found: BuyIn, message: str, *, at: datetime) -> None:
    told = {"status": "needs_attention", "message": message, "severity": "error", "debitRef": str(found.ref)}
    events.record(
        operator_id=found.operator_id,
        type="system.alert",
        subject=found.tournament.subject,
        data=told,
        actor=SYSTEM,
        at=at,
    )


def _tell(found: BuyIn, name: str, more: dict[str, Any], *, actor: Actor, at: datetime) -> None:
    data = {
        "playerId": str(found.player_id),
        "userId": found.player.external_id,
        "debitRef": str(found.ref),
        "amount": Decimal(found.amount),
        "currency": found.currency,
        "buyIn": facts.amount(found.tournament, found.units),
        **more,
    }
    events.record(
        operator_id=found.operator_id, type=name, subject=found.tournament.subject, data=data, actor=actor, at=at
    )
