"""A tournament's story: its facts as they happened, in a person's words, with the money and work that they moved."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from django.utils.safestring import SafeString

from apps.core.admin import formats
from apps.events.formats import TOO_FREQUENT
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


class _Said(dict[str, Any]):
    """What a fact says; what it does not say is a dash."""

    def __missing__(self, name: str) -> str:
        return "–"  # noqa: RUF001 - what the admin writes for nothing


def _registered(data: Mapping[str, Any], code: str) -> str:
    paid = f" and paid {data['totalPaid']} {code}" if data.get("totalPaid") else ""
    return f"{data.get('displayName') or data.get('userId')} registered{paid}"


def _cancelled(data: Mapping[str, Any], code: str) -> str:
    refunds = data.get("refunds", {})
    number = refunds.get("playersRefunded", 0)
    back = f"{refunds.get('totalRefunded', 0)} {code} goes back to {number} players" if number else "Nobody had paid"
    return f"Cancelled: {data.get('reason')}. {back}."


def _updated(data: Mapping[str, Any], _: str) -> str:
    return "Changed: " + ", ".join(f"{name} to {value}" for name, value in data.get("changes", {}).items())


def _removed(data: Mapping[str, Any], code: str) -> str:
    back = f", {data['refundAmount']} {code} returned" if data.get("refundAmount") else ""
    why = f" ({data['details']})" if data.get("details") else ""
    return f"Player {data.get('userId')} left: {str(data.get('reason', '')).replace('_', ' ')}{why}{back}"


def _prized(data: Mapping[str, Any], code: str) -> str:
    free = data.get("freeRounds")
    what = (
        f"{free.get('count')} free rounds of {free.get('gameId')}"
        if free
        else f"Prize of {data.get('prizeAmount')} {code}"
    )
    return f"{what} paid to player {data.get('userId')}, place {data.get('position')}"


# A fact's words: a text that its data fills in, with `code` for the currency, or a function where that is too simple.
TELLERS: dict[str, str | Callable[[Mapping[str, Any], str], str]] = {
    "tournament.created": "Created",
    "tournament.updated": _updated,
    "tournament.registration_closed": "Registration closed",
    "tournament.started": "Started with {initialPlayerCount} players",
    "tournament.completed": "Completed: results of {totalPlayers} players are fixed",
    "tournament.results": "Results published",
    "tournament.players_invited": "{players} players put on the list",
    "tournament.players_uninvited": "{players} players taken off the list",
    "tournament.cancelled": _cancelled,
    "tournament.settled": "Settled: everyone is paid and the escrow is empty",
    "tournament.refunded": "Refunded: everyone has their money back and the escrow is empty",
    "payouts.approved": "{payouts} payouts approved",
    "payout.failed": "Payout of {amount} {code} failed: {reason}",
    "payout.rejected": "Payout of {amount} {code} rejected: {reason}",
    "payout.retried": "Payout of {amount} {code} put back in the queue",
    "payout.settled_outside": "Payout of {amount} {code} paid outside: {note}",
    "player.registered": _registered,
    "player.buy_in.asked": "The operator is asked for {amount} {currency} of player {userId}",
    "player.buy_in.refused": "Buy-in of player {userId} refused: {reason}",
    "player.buy_in.returned": "Buy-in of player {userId} given back: {reason}",
    "player.rebuy": "Player {userId} bought in again, entry {newEntryCount}",
    "player.eliminated": "{displayName} eliminated in place {finalPosition}",
    "player.removed": _removed,
    "player.score.adjusted": "Score of player {userId} set from {before} to {after}: {reason}",
    "player.refunded": "{refundAmount} {code} returned to player {userId}",
    "prize.distributed": _prized,
    "system.alert": "Needs attention: {message}",
}
MANY = {
    "player.registered": "players registered",
    "player.buy_in.asked": "buy-ins asked for",
    "player.buy_in.refused": "buy-ins refused",
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
    facts = facts.besides_types(TOO_FREQUENT)  # one a second for every player would be all there is to read
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
    told = [fact for fact in facts if not _is_shadow(fact)]
    for (kind, actor), group in groupby(told, key=lambda fact: (fact.type, fact.actor)):
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


def _is_shadow(fact: Fact) -> bool:
    """Tell whether a fact only repeats the one before it: who is eliminated is also reported as removed."""
    return fact.type == "player.removed" and fact.data.get("reason") == "elimination" and not fact.data.get("details")


def _run(tournament: Tournament, kind: str, actor: str, run: list[Fact]) -> Line:
    query = {"subject": tournament.subject, "type": kind}
    links = (formats.link(formats.list_url("events.fact", **query), "facts"),)
    text = f"{len(run)} {MANY[kind]}"
    return Line(run[0].occurred_at, formats.moment(run[0].occurred_at, seconds=True), text, actor, False, links)


def _text(fact: Fact, code: str) -> str:
    teller = TELLERS.get(fact.type)
    if teller is None:
        return fact.type.replace(".", " ").replace("_", " ").capitalize()
    return teller.format_map(_Said(fact.data, code=code)) if isinstance(teller, str) else teller(fact.data, code)


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
