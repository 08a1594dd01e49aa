"""Rebuy, leave, be taken out, have a score set: what happens to an entry after it was made."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from django.db import transaction

from apps.core.actors import Actor
from apps.core.errors import DomainError, Invalid
from apps.events.services import recording as events
from apps.ledger.services import journals
from apps.operators.services import admission
from apps.tournaments import engines, facts, keepers
from apps.tournaments.lifecycle import UPCOMING, EntryStatus, TournamentStatus
from apps.tournaments.models import BuyIn, Entry, ScoringSource, Tournament
from apps.tournaments.services import returning, running, tally
from apps.tournaments.services.entries.ground import (
    PlayerNotFound,
    collect,
    hold_entry,
    is_over,
    save_ranked,
    source_of,
)
from apps.tournaments.services.states import InvalidState

RemovalReason = Literal["voluntary_exit", "elimination"]


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
def rebuy(entry_id: int, *, additional_entries: int = 1, payment_id: str = "", actor: Actor, at: datetime) -> Entry:
    """Sell more entries to a player; an eliminated one comes back with their points (operators.md 3.12, 4.5).

    Raises RebuyNotAllowed, RebuyDeadlinePassed, RebuyLimitReached, PlayerNotActive, PlayerBlocked, InsufficientFunds.
    """
    tournament, entry = hold_entry(entry_id, alone=False)
    keepers.of(tournament).by_hand(tournament)
    if entry.status == EntryStatus.WITHDRAWN:
        raise PlayerNotActive
    if not tournament.rebuy_enabled or tournament.status not in (
        TournamentStatus.REGISTERING,
        TournamentStatus.REGISTRATION_CLOSED,
        TournamentStatus.RUNNING,
    ):
        raise RebuyNotAllowed(status=tournament.status)
    deadline = tournament.rebuy_deadline
    if (deadline is not None and at > deadline) or is_over(tournament, at):
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
    if returns:
        engines.of(tournament).moved(tournament, entry, at=at)
    # The stripe before the balances, as a registration takes them: the other way round the two wait in a circle.
    tally.move(tournament.pk, active=int(returns), entries=additional_entries, rebuy_units=units)
    collect(tournament, entry, units=units, act=f"rebuy:{entry.entry_count}", actor=actor, at=at)
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
    tournament, entry = hold_entry(entry_id, alone=True)
    keepers.of(tournament).by_hand(tournament)
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
    tournament, entry = hold_entry(entry_id, alone=True)
    keepers.of(tournament).by_hand(tournament)
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
    engines.of(tournament).moved(tournament, entry, at=at)
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
    engines.of(tournament).moved(tournament, entry, at=at)
    units = int(entry.paid_units)
    first = int(tournament.fee_units) if entry.entry_count else 0
    at_once = units
    bought = BuyIn.objects.filter(entry=entry).first() if tournament.debit_url else None
    if bought is not None:
        # The operator took it, so the operator gives it back, and says when it has.
        returning.give_back_withdrawn(tournament, bought, actor=actor, at=at)
        at_once -= int(bought.units)
    if at_once:
        journal = journals.NewJournal(
            kind="tournament.withdrawal",
            key=f"{tournament.subject}:withdrawal:{entry.pk}",
            legs={tournament.escrow_id: -at_once, source_of(tournament, entry.player_id).pk: at_once},
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
    tournament, entry = hold_entry(entry_id, alone=False)
    if tournament.status != TournamentStatus.RUNNING:
        raise InvalidState(status=tournament.status)
    if tournament.scoring_source != ScoringSource.REPORTED:
        raise InvalidState("Points that are made of rounds follow from them: void a round, or reset the score.")
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


def reset_score(entry_id: int, *, reason: str, actor: Actor, at: datetime) -> Entry:
    """Let a player begin anew on the word of staff, in a tournament that is scored by rounds.

    Raises PlayerNotFound, NothingToReset, InvalidState, PlayerNotActive.
    """
    entry: Entry | None = Entry.objects.select_related("tournament").filter(pk=entry_id).first()
    if entry is None:
        raise PlayerNotFound
    return engines.of(entry.tournament).reset(entry, reason=reason, by_staff=True, actor=actor, at=at)
