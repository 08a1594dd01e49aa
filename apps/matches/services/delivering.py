"""Call the game's webhook: lease a notice, send outside any transaction, note what came of it (matches.md 3.3, 5)."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import structlog
from django.db import transaction

from apps.core import clock, egress
from apps.core.actors import SYSTEM
from apps.core.exact import dumps
from apps.matches import facts
from apps.matches.lifecycle import MatchStatus, NoticeStatus
from apps.matches.models import Match, Notice, NoticeKind
from apps.matches.services import access, ending, notices
from apps.matches.services.starting import go_live
from apps.matches.services.states import Held, hold, report

log = structlog.get_logger(__name__)

MAX_ANSWER = 64 * 1024
MANY = 200


@dataclass(frozen=True, slots=True)
class Call:
    """A leased try: everything that sending needs, so that nothing is read while the network is waited for."""

    notice_id: int
    attempt: int
    method: str
    url: str
    body: bytes
    token: str


@dataclass(frozen=True, slots=True)
class Heard:
    """What came back: a status, or none and what went wrong."""

    status: int | None
    problem: str = ""
    final: bool = False


def due(at: datetime) -> list[int]:
    """Return the notices whose next try has come."""
    return list(Notice.objects.due(at).values_list("pk", flat=True)[:MANY])


def deliver(notice_id: int, *, at: datetime) -> bool:
    """Try a notice once, if it is due and nobody else is at it. Safe to call at any time and twice.

    Returns whether it was tried.
    """
    call = lease(notice_id, at=at)
    if call is None:
        return False
    heard = send(call)
    note(call, heard, at=max(at, clock.now()))
    return True


@transaction.atomic
def lease(notice_id: int, *, at: datetime) -> Call | None:
    """Take a due notice for one try and book the next one, in case this worker dies in the middle of it."""
    found = Notice.objects.due(at).filter(pk=notice_id)
    notice = found.select_for_update(of=("self",), no_key=True, skip_locked=True).first()
    if notice is None:
        return None
    match = Match.objects.select_related("client__operator").get(pk=notice.match_id)
    notice.attempts += 1
    notice.leased_until = notice.next_try_at = at + notices.LEASE
    notice.save(update_fields=["attempts", "leased_until", "next_try_at"])
    url, method = match.client.webhook_url, "PUT"
    if notice.kind == NoticeKind.DELETE:
        url, method = _with_query(url, match_id=match.public_id), "DELETE"
    token = access.webhook_token(match.client, at=at)
    return Call(notice.pk, notice.attempts, method, url, dumps(notices.stub(match)).encode(), token)


def send(call: Call) -> Heard:
    """Make the call. No transaction is open, and nothing of this process waits for it."""
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {call.token}"}
    try:
        answer = egress.send(
            call.method, call.url, headers=headers, body=call.body, timeout=notices.TRY_SECONDS, max_bytes=MAX_ANSWER
        )
    except egress.Refused as problem:
        return Heard(None, str(problem)[:300], final=True)
    except egress.Failed as problem:
        return Heard(None, str(problem)[:300] or type(problem).__name__)
    return Heard(answer.status)


@transaction.atomic
def note(call: Call, heard: Heard, *, at: datetime) -> None:
    """Write down what came of a try, and do what follows from it: live, once more, or aborted.

    The match is locked before the notice, as everywhere.
    """
    match_id = Notice.objects.values_list("match_id", flat=True).get(pk=call.notice_id)
    held = hold(match_id)
    match = held.match
    notice = Notice.objects.select_for_update(of=("self",), no_key=True).get(pk=call.notice_id)
    client = match.client
    refused_before = any(line["status"] in {401, 403} for line in notice.log)
    notice.log = [*notice.log, {"at": clock.iso(at), "status": heard.status, "problem": heard.problem}]
    notice.last_status, notice.last_problem, notice.leased_until = heard.status, heard.problem, None
    accepted = heard.status is not None and notices.is_accepted(
        heard.status, kind=notice.kind, strict=client.strict_200
    )
    if notice.status == NoticeStatus.PENDING:
        again = not heard.final and notices.is_worth_another(
            heard.status, kind=notice.kind, refused_before=refused_before
        )
        if accepted:
            notice.deliver(at=at)
        elif again and not _is_last(notice, once=client.aborts_on_first_failure, at=at):
            tries = notices.tries_of(notice.kind)
            notice.next_try_at = max(at, notice.created_at + tries[notice.attempts])
        else:
            notice.give_up(at=at)
        notice.ended_at = at if notice.status != NoticeStatus.PENDING else None
    notice.save()
    if notice.status != NoticeStatus.PENDING:
        report(match, [facts.told(match, notice)], actor=SYSTEM, at=at)
    if notice.kind == NoticeKind.START:
        _follow(held, notice, accepted=accepted, at=at)


def _follow(held: Held, notice: Notice, *, accepted: bool, at: datetime) -> None:
    match = held.match
    if match.status == MatchStatus.NOTIFYING and accepted:
        go_live(held, actor=SYSTEM, at=at)
    elif match.status == MatchStatus.NOTIFYING and notice.status == NoticeStatus.FAILED:
        ending.abort(held, reason=_why(notice), code="not_notified", actor=SYSTEM, at=at)
    elif accepted and match.status == MatchStatus.ABORTED:
        # Aborted while the call was in flight: the game holds a match that is none any more.
        notices.book(match, NoticeKind.DELETE, at=at)


def _why(notice: Notice) -> str:
    answered = f"answered {notice.last_status}" if notice.last_status else notice.last_problem or "did not answer"
    return f"The game's webhook {answered}."


def _is_last(notice: Notice, *, once: bool, at: datetime) -> bool:
    tries = notices.tries_of(notice.kind)
    if notice.kind == NoticeKind.DELETE:
        return notice.attempts >= len(tries)
    return once or notice.attempts >= len(tries) or at >= notice.created_at + notices.WINDOW


def _with_query(url: str, **more: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(query=urlencode([*parse_qsl(parts.query, keep_blank_values=True), *more.items()])))
