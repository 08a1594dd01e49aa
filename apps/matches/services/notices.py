"""Webhook calls that are owed to a game: what they say, when they are tried, what an answer means (matches.md 3.3, 5).

The row is the queue. Sending is `delivering`'s; nothing here leaves the process.
"""

from datetime import datetime, timedelta
from typing import Any

from apps.core import doorbell
from apps.matches.lifecycle import NoticeStatus
from apps.matches.models import Delivery, Match, Notice, NoticeKind, Participant, Team

DELIVER = "matches.deliver"

# When a call is tried, counted from when it was booked.
PUT_TRIES = tuple(timedelta(seconds=seconds) for seconds in (0, 2, 6, 14, 30))
DELETE_TRIES = (
    timedelta(0),
    timedelta(minutes=1),
    timedelta(minutes=10),
    timedelta(hours=1),
    timedelta(hours=6),
    timedelta(hours=24),
)
WINDOW = timedelta(seconds=60)
# One try, and how long its worker may take to note the outcome before another believes it dead.
TRY_SECONDS = 10.0
CONNECT_SECONDS = 3.0
LEASE = timedelta(seconds=TRY_SECONDS + 5)
# A match that nobody told the game about by then is aborted by the clock, whatever became of the notice.
LATEST = WINDOW + LEASE

OK, UNAUTHORIZED, FORBIDDEN = 200, 401, 403
PASSING = frozenset({408, 425, 429})
DELETE_ENDS = frozenset({200, 202, 204, 404, 405, 410, 501})


def tries_of(kind: str) -> tuple[timedelta, ...]:
    """Return when a call of that kind is tried."""
    return DELETE_TRIES if kind == NoticeKind.DELETE else PUT_TRIES


def book(match: Match, kind: NoticeKind, *, at: datetime) -> None:
    """Owe the game a call and ring for it: nothing where the game polls, no DELETE unless its client wants that."""
    client = match.client
    if match.delivery != Delivery.PUSH or not client.webhook_url:
        return
    if kind == NoticeKind.DELETE and not client.send_delete:
        return
    notice = Notice.objects.create(match=match, kind=kind, next_try_at=at, created_at=at)
    doorbell.ring(DELIVER, notice_id=notice.pk)


def give_up_start(match: Match, *, at: datetime) -> None:
    """Stop telling the game that a match starts which has ended; what is in flight notes its outcome by itself."""
    waiting = Notice.objects.filter(match=match, status=NoticeStatus.PENDING).exclude(kind=NoticeKind.DELETE)
    for notice in waiting.select_for_update(of=("self",), no_key=True).order_by("pk"):
        notice.give_up(at=at)
        notice.save(update_fields=["status", "ended_at"])


def stub(match: Match) -> dict[str, Any]:
    """Return the match as the game knows it: exactly the documented keys, `forfeit?` where a team has (3.3, 3.10)."""
    teams = list(Team.objects.filter(match=match).order_by("pk"))
    participants = Participant.objects.filter(match=match).order_by("pk")
    return stub_of(match, teams, list(participants))


def stub_of(match: Match, teams: list[Team], participants: list[Participant]) -> dict[str, Any]:
    """Return the stub of a match whose rows are at hand."""
    names = {team.pk: team.wire_id for team in teams}
    return {
        "match_id": match.public_id,
        "participants": [{"id": one.wire_id, "team_id": names[one.team_id]} for one in participants],
        "teams": [
            {"id": team.wire_id} | ({"forfeit?": True} if team.forfeited_at is not None else {}) for team in teams
        ],
    }


def is_accepted(status: int, *, kind: str, strict: bool) -> bool:
    """Tell whether the game took the call."""
    if kind == NoticeKind.DELETE:
        return status in DELETE_ENDS
    return status == OK if strict else OK <= status < 300  # noqa: PLR2004 - any 2xx


def is_worth_another(status: int | None, *, kind: str, refused_before: bool) -> bool:
    """Tell whether to try again: after no answer, 408, 425, 429 and 5xx, and once after 401 or 403 (a stale key)."""
    if status is None or status in PASSING or status >= 500 or kind == NoticeKind.DELETE:  # noqa: PLR2004 - 5xx
        return True
    return status in {UNAUTHORIZED, FORBIDDEN} and not refused_before
