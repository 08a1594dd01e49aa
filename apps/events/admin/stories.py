"""The story of a competition: its facts as they happened, in a person's words."""

from collections.abc import Callable, Mapping
from typing import Any

from apps.core.admin import Section, formats
from apps.events.models import Fact

# How each type of fact is told, from its data.
Tellers = Mapping[str, Callable[[Mapping[str, Any]], str]]

SHOWN = 60


def told(operator_id: int, subject: str, tellers: Tellers) -> Section:
    """Return the newest lines of the story, the latest first; a type that nobody tells is named."""
    facts = Fact.objects.for_operator(operator_id).filter(subject=subject).order_by("-pk")[:SHOWN]
    rows = [
        (
            formats.moment(fact.occurred_at, seconds=True),
            tellers[fact.type](fact.data) if fact.type in tellers else fact.type,
            fact.actor,
            formats.link(formats.change_url("events.fact", fact.pk), "fact"),
        )
        for fact in facts
    ]
    more = ("All facts", formats.list_url("events.fact", subject=subject))
    return Section("Story", ("When", "What", "By", ""), rows, empty="Nothing has happened yet.", more=more)
