"""A room's story: its facts as they happened, in a person's words."""

from collections.abc import Callable, Mapping
from typing import Any

from apps.core.admin import Section, formats
from apps.events.models import Fact
from apps.rooms.models import Room

SHOWN = 60


def _names(data: Mapping[str, Any]) -> str:
    return ", ".join(map(str, data.get("plyrIds", ())))


def _amounts(lines: Any) -> str:
    return ", ".join(f"{line['plyrId']} {line['amount']} {line['token']}" for line in lines) or "nothing"


def _why(data: Mapping[str, Any]) -> str:
    return f" ({data['reason']})" if data.get("reason") else ""


TELLERS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "room.created": lambda data: f"Created; expires {data.get('expiresAt')}",
    "room.joined": lambda data: f"Joined: {_names(data)}",
    "room.paid": lambda data: f"Paid: {_amounts(data.get('payments', ()))}",
    "room.earned": lambda data: f"Earned: {_amounts(data.get('distributions', ()))}",
    "room.left": lambda data: f"Left: {_names(data)}{_why(data)}",
    "room.ended": lambda _: "Ended",
    "room.expired": lambda data: (
        "Expired; holds "
        + (", ".join(f"{amount} {code}" for code, amount in data.get("balances", {}).items()) or "nothing")
    ),
    "room.refunded": lambda data: f"Refunded{_why(data)}: {_amounts(data.get('distributions', ()))}",
    "room.closed": lambda data: f"Closed{_why(data)}: {_amounts(data.get('distributions', ()))}",
}


def told(room: Room) -> Section:
    """Return the newest lines of the story, the latest first."""
    facts = Fact.objects.for_operator(room.operator_id).filter(subject=room.subject).order_by("-pk")[:SHOWN]
    rows = [
        (
            formats.moment(fact.occurred_at, seconds=True),
            TELLERS[fact.type](fact.data) if fact.type in TELLERS else fact.type,
            fact.actor,
            formats.link(formats.change_url("events.fact", fact.pk), "fact"),
        )
        for fact in facts
    ]
    more = ("All facts", formats.list_url("events.fact", subject=room.subject))
    return Section("Story", ("When", "What", "By", ""), rows, empty="Nothing has happened yet.", more=more)
