"""A tournament's story: its facts in the order they happened, in a person's words, with the money and work they moved."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from django.utils.safestring import SafeString

from apps.core.admin import formats
from apps.events.models import Fact
from apps.jobs.models import Job
from apps.ledger.models import Journal
from apps.tournaments.models import Tournament

# A story begins with its first lines and ends with its last; what lies between in a big one is a link away.
FIRST, LAST = 15, 60
# This many of a kind in a row are told as one.
RUN = 4


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened, or several of a kind in a row."""

    at: datetime
    when: SafeString
    text: str
    actor: str
    major: bool
    links: tuple[SafeString, ...] = ()
    gap: bool = False


def _amount(data: Mapping[str, Any], name: str, code: str) -> str:
    value = data.get(name)
    return f"{value} {code}" if value is not None else ""


def _registered(data: Mapping[str, Any], code: str) -> str:
    paid = _amount(data, "totalPaid", code) if data.get("totalPaid") else ""
    return f"{data.get('displayName') or data.get('userId')} registered" + (f" and paid {paid}" if paid else "")


def _cancelled(data: Mapping[str, Any], code: str) -> str:
    refunds = data.get("refunds", {})
    number = refunds.get("playersRefunded", 0)
    back = f"{refunds.get('totalRefunded', 0)} {code} goes back to {number} players" if number else "nobody had paid"
    return f"Cancelled: {data.get('reason')}. {back[:1].upper()}{back[1:]}."


def _updated(data: Mapping[str, Any], code: str) -> str:  # noqa: ARG001 - every teller is told the currency
    changes = data.get("changes", {})
    return "Changed: " + ", ".join(f"{name} to {value}" for name, value in changes.items())


def _removed(data: Mapping[str, Any], code: str) -> str:
    back = f", {_amount(data, 'refundAmount', code)} returned" if data.get("refundAmount") else ""
    why = f" ({data['details']})" if data.get("details") else ""
    return f"Player {data.get('userId')} left: {str(data.get('reason', '')).replace('_', ' ')}{why}{back}"


Teller = Callable[[Mapping[str, Any], str], str]

TELLERS: dict[str, Teller] = {
    "tournament.created": lambda data, code: "Created",
    "tournament.updated": _updated,
    "tournament.registration_closed": lambda data, code: "Registration closed",
    "tournament.started": lambda data, code: f"Started with {data.get('initialPlayerCount')} players",
    "tournament.completed": lambda data, code: f"Completed: results of {data.get('totalPlayers')} players are fixed",
    "tournament.results": lambda data, code: "Results published",
    "tournament.cancelled": _cancelled,
    "tournament.settled": lambda data, code: "Settled: everyone is paid and the escrow is empty",
    "tournament.refunded": lambda data, code: "Refunded: everyone has their money back and the escrow is empty",
    "payouts.approved": lambda data, code: f"{data.get('payouts')} payouts approved",
    "payout.rejected": lambda data, code: f"Payout of {_amount(data, 'amount', code)} rejected: {data.get('reason')}",
    "payout.retried": lambda data, code: f"Payout of {_amount(data, 'amount', code)} put back in the queue",
    "payout.settled_outside": lambda data, code: f"Payout of {_amount(data, 'amount', code)} paid outside: {data.get('note')}",
    "player.registered": _registered,
    "player.rebuy": lambda data, code: f"Player {data.get('userId')} bought in again, entry {data.get('newEntryCount')}",
    "player.eliminated": lambda data, code: f"{data.get('displayName')} eliminated in place {data.get('finalPosition')}",
    "player.removed": _removed,
    "player.score.adjusted": lambda data, code: (
        f"Score of player {data.get('userId')} set from {data.get('before')} to {data.get('after')}: {data.get('reason')}"
    ),
    "player.refunded": lambda data, code: f"{_amount(data, 'refundAmount', code)} returned to player {data.get('userId')}",
    "prize.distributed": lambda data, code: (
        f"Prize of {_amount(data, 'prizeAmount', code)} paid to player {data.get('userId')}, place {data.get('position')}"
    ),
    "system.alert": lambda data, code: f"Needs attention: {data.get('message')}",
}
MANY = {
    "player.registered": "players registered",
    "player.rebuy": "rebuys",
    "player.eliminated": "players eliminated",
    "player.removed": "players left",
    "player.score.adjusted": "scores set by hand",
    "player.refunded": "refunds paid",
    "prize.distributed": "prizes paid",
}
MAJOR = ("tournament.", "payouts.", "payout.", "system.")
# The kinds of facts whose work a job carries out, and the end of that job's key.
JOBS = {"tournament.completed": ":settlement", "payouts.approved": ":settlement", "tournament.cancelled": ":refund"}


def tell(tournament: Tournament, jobs: Iterable[Job]) -> list[Line]:
    """Return the story, oldest first, with at most three queries however long it is."""
    facts = Fact.objects.for_operator(tournament.operator_id).filter(subject=tournament.subject)
    last = list(facts.order_by("-pk")[: LAST + 1])[::-1]
    if len(last) <= LAST:
        return _lines(tournament, last, jobs)
    first = list(facts.order_by("pk").filter(pk__lt=last[1].pk)[:FIRST])
    gap = Line(last[1].occurred_at, formats.NOTHING, "", "", major=False, gap=True)
    middle = [gap] if len(first) == FIRST else []
    return [*_lines(tournament, first, jobs), *middle, *_lines(tournament, last[1:], jobs)]


def _lines(tournament: Tournament, facts: list[Fact], jobs: Iterable[Job]) -> list[Line]:
    journals = _journals(tournament, facts)
    by_end = {job.key[len(tournament.subject) :]: job for job in jobs}
    lines: list[Line] = []
    for (kind, actor), group in groupby(facts, key=lambda fact: (fact.type, fact.actor)):
        run = list(group)
        if kind in MANY and len(run) >= RUN:
            lines.append(_run(tournament, kind, actor, run))
            continue
        for fact in run:
            links = [formats.link(formats.change_url("events.fact", fact.pk), "fact")]
            money = journals.get((fact.occurred_at, fact.request_id, fact.actor))
            if money is not None:
                links.append(formats.link(formats.change_url("ledger.journal", money), "journal"))
            job = by_end.get(JOBS.get(kind, "-"))
            if job is not None:
                links.append(formats.row_link(job, "job"))
            lines.append(
                Line(
                    fact.occurred_at,
                    formats.moment(fact.occurred_at, seconds=True),
                    _text(fact, tournament.asset.code),
                    fact.actor,
                    kind.startswith(MAJOR),
                    tuple(links),
                )
            )
    return lines


def _run(tournament: Tournament, kind: str, actor: str, run: list[Fact]) -> Line:
    query = {"subject": tournament.subject, "type": kind}
    links = (formats.link(formats.list_url("events.fact", **query), "facts"),)
    text = f"{len(run)} {MANY[kind]}"
    return Line(run[0].occurred_at, formats.moment(run[0].occurred_at, seconds=True), text, actor, False, links)


def _text(fact: Fact, code: str) -> str:
    teller = TELLERS.get(fact.type)
    return teller(fact.data, code) if teller else fact.type.replace(".", " ").replace("_", " ").capitalize()


def _journals(tournament: Tournament, facts: list[Fact]) -> dict[tuple[datetime, str, str], int]:
    """Return the one journal of each fact that moved money: same moment, same request, same actor. Two are none."""
    if not facts:
        return {}
    rows = (
        Journal.objects.for_operator(tournament.operator_id)
        .filter(subject=tournament.subject, occurred_at__in={fact.occurred_at for fact in facts})
        .order_by("pk")
        .values_list("occurred_at", "request_id", "actor", "pk")
    )
    found: dict[tuple[datetime, str, str], list[int]] = {}
    for at, request_id, actor, pk in rows[:1000]:
        found.setdefault((at, request_id, actor), []).append(pk)
    return {key: pks[0] for key, pks in found.items() if len(pks) == 1}
