"""A match's story: its facts as they happened, in a person's words."""

from collections.abc import Mapping
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.html import format_html

from apps.core.admin import Section, formats
from apps.events.admin import stories
from apps.matches.models import Match


def moment(text: str | None, *, seconds: bool = False) -> str:
    """Write a moment that a fact or a log line tells of."""
    return formats.moment(parse_datetime(text) if text else None, seconds=seconds)


def _leaders(data: Mapping[str, Any]) -> str:
    return " and ".join(data.get("leaders", ())) or "nobody"


def _paid(data: Mapping[str, Any]) -> str:
    code = data.get("currency", "")
    paid = [f"{line['userId']} {line['amount']} {code}" for line in data.get("paid", ()) if line["amount"].strip("0.")]
    return f"paid {', '.join(paid)}" if paid else "nothing to pay"


def _why(data: Mapping[str, Any]) -> str:
    return f": {data['reason']}" if data.get("reason") else ""


TELLERS: stories.Tellers = {
    "match.created": lambda data: f"Created; entry fee {data.get('entryFee')} {data.get('currency')}",
    "match.confirmed": lambda data: f"{data.get('userId')} confirmed",
    "match.escrowed": lambda data: f"{data.get('pot')} {data.get('currency')} taken into escrow",
    "match.live": lambda data: format_html("Live; a result is waited for until {}", moment(data.get("resultBy"))),
    "match.scored": lambda data: f"{data.get('userId')} scored {data.get('score')}",
    "match.forfeited": lambda data: f"{data.get('teamId')} forfeited (by {data.get('by')})",
    "match.held": lambda data: format_html(
        "Decided: first {}; held until {}", _leaders(data), moment(data.get("heldUntil"))
    ),
    "match.finished": lambda data: f"Finished: {_leaders(data)} won; fee {data.get('fee')}, {_paid(data)}",
    "match.tied": lambda data: f"Tied between {_leaders(data)}; {_paid(data)}",
    "match.aborted": lambda data: f"Aborted{_why(data)}; {_paid(data)}",
    "match.cancelled": lambda data: f"Cancelled{_why(data)}",
    "match.corrected": lambda data: f"Corrected, was {data.get('was')}: first {_leaders(data)}; {_paid(data)}",
    "match.report.conflict": lambda data: f"A {data.get('kind')} came that did not count",
    "match.disputed": lambda data: f"{data.get('userId')} disputes the result: {data.get('note') or 'no words'}",
    "match.dispute.decided": lambda data: f"Dispute {data.get('decision')}{_why(data)}",
    "match.hand_result.proposed": lambda _: "A result was entered by hand; a second person must enter the same",
    "match.hand_result.agreed": lambda _: "Two people entered the same result",
    "match.hand_result.disagreed": lambda _: "Two people entered different results; neither counts",
    "match.notice.delivered": lambda data: f"The game was told ({data.get('kind')}, try {data.get('attempts')})",
    "match.notice.failed": lambda data: (
        f"The game could not be told ({data.get('kind')}): {data.get('problem') or data.get('status')}"
    ),
    "match.game_event": lambda data: f"The game says {data.get('eventType')}",
    "journal.reversed": lambda data: f"Journal {data.get('key')} reversed{_why(data)}",
    "system.alert": lambda data: f"Needs attention: {data.get('message')}",
}


def told(match: Match) -> Section:
    """Return the newest lines of the story, the latest first."""
    return stories.told(match.operator_id, match.subject, TELLERS)
