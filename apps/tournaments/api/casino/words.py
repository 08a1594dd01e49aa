"""The casino dialect's words for where a tournament and an entry stand (design.md 3, operators.md 4.2)."""

from collections.abc import Iterable
from datetime import datetime
from functools import reduce
from operator import or_

from django.db.models import Q

from apps.tournaments.lifecycle import BuyInStatus, EntryStatus, TournamentStatus
from apps.tournaments.models import Entry, Tournament

SCHEDULED = "scheduled"
OPEN = "open"
IN_PROGRESS = "in_progress"
COMPLETED = "completed"
CANCELLED = "cancelled"
# Some pages write `active` for a running tournament, so filters take it too.
ACTIVE = "active"
TOURNAMENT_WORDS = (SCHEDULED, OPEN, IN_PROGRESS, COMPLETED, CANCELLED)
TOURNAMENT_FILTERS = (*TOURNAMENT_WORDS, ACTIVE)

REGISTERED = "registered"
ELIMINATED = "eliminated"
WINNER = "winner"
WITHDRAWN = "withdrawn"
ENTRY_FILTERS = (REGISTERED, ACTIVE, ELIMINATED, WINNER, WITHDRAWN)

S = TournamentStatus
_FIXED = {
    S.AWAITING_PAYMENTS: OPEN,
    S.REGISTRATION_CLOSED: SCHEDULED,
    S.RUNNING: IN_PROGRESS,
    S.SETTLING: COMPLETED,
    S.CLOSED: COMPLETED,
    S.REFUNDING: CANCELLED,
    S.CANCELED: CANCELLED,
}


def status_of(tournament: Tournament, at: datetime) -> str:
    """Return the status word. A failed one is told by how it ended; registration is `open` only in its window."""
    if tournament.status == S.FAILED:
        return CANCELLED if tournament.cancelled_at is not None else COMPLETED
    if tournament.status == S.REGISTERING:
        opens = tournament.registration_opens_at
        return OPEN if opens is not None and opens <= at else SCHEDULED
    return _FIXED[TournamentStatus(tournament.status)]


def having_status(named: Iterable[str], at: datetime) -> Q:
    """Return the condition for tournaments whose status word is among those named; the reverse of `status_of`."""
    window = Q(status=S.REGISTERING, registration_opens_at__lte=at)
    failed = Q(status=S.FAILED)
    conditions = {
        SCHEDULED: (Q(status=S.REGISTERING) & ~Q(registration_opens_at__lte=at, registration_opens_at__isnull=False))
        | Q(status=S.REGISTRATION_CLOSED),
        OPEN: window | Q(status=S.AWAITING_PAYMENTS),
        IN_PROGRESS: Q(status=S.RUNNING),
        ACTIVE: Q(status=S.RUNNING),
        COMPLETED: Q(status__in=(S.SETTLING, S.CLOSED)) | (failed & Q(cancelled_at=None)),
        CANCELLED: Q(status__in=(S.REFUNDING, S.CANCELED)) | (failed & Q(cancelled_at__isnull=False)),
    }
    return reduce(or_, (conditions[word] for word in named))


def phase_of(tournament: Tournament, at: datetime) -> str:
    """Return `current_phase` (operators.md 3.7): registration, waiting, round_<n>, finished or cancelled."""
    word = status_of(tournament, at)
    if word in (COMPLETED, CANCELLED):
        return "finished" if word == COMPLETED else CANCELLED
    if word == IN_PROGRESS:
        return f"round_{tournament.current_round}" if tournament.current_round else "waiting"
    opens = tournament.registration_opens_at
    taking = tournament.status in (S.REGISTERING, S.AWAITING_PAYMENTS) and (opens is None or opens <= at)
    return "registration" if taking else "waiting"


def entry_status_of(entry: Entry, tournament: Tournament, *, won: bool) -> str:
    """Return the player's status word; `won` tells whether a prize was fixed for the entry."""
    return entry_word(entry.status, started=tournament.started_at is not None, won=won)


def entry_word(status: str, *, started: bool, won: bool) -> str:
    """Return the status word from its parts."""
    if won:
        return WINNER
    if status == EntryStatus.WITHDRAWN:
        return WITHDRAWN
    if status == EntryStatus.OUT:
        return ELIMINATED
    return ACTIVE if started else REGISTERED


# A buy-in that the operator collects itself, while the player is not in.
PENDING = "pending"
BUY_IN_MESSAGES = {
    BuyInStatus.PENDING: "The operator is being asked for the buy-in.",
    BuyInStatus.UNKNOWN: "Nobody knows yet whether the buy-in was paid; staff are looking.",
}
