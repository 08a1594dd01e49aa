"""Sections and buttons that an area adds to another's page, so that no page imports what stands above its area."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Model
from django.http import HttpRequest

from apps.core.admin import formats
from apps.core.admin.operations import Operation


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a change page below the fields: a table, or a template of its own with `context`.

    Cells are text or safe HTML. `more` is a link to the whole list: its text and its address.
    """

    title: str
    headers: tuple[str, ...] = ()
    rows: Iterable[Iterable[object]] = ()
    empty: str = "Nothing yet."
    more: tuple[str, str] | None = None
    note: str = ""
    template: str = "podium/section_table.html"
    context: dict[str, Any] = field(default_factory=dict)


Maker = Callable[[HttpRequest, Any], Section | None]

_sections: dict[str, list[Maker]] = {}


def section_of(model: str) -> Callable[[Maker], Maker]:
    """Add a function's section to the page of a model, named `app.model` in lower case. None leaves it out."""

    def register(maker: Maker) -> Maker:
        _sections.setdefault(model, []).append(maker)
        return maker

    return register


def contributed(request: HttpRequest, row: Model) -> list[Section]:
    """Return the sections that areas add to this row's page."""
    made = (maker(request, row) for maker in _sections.get(row._meta.label_lower, ()))  # noqa: SLF001 - documented
    return [one for one in made if one is not None]


_operations: dict[str, list[Operation]] = {}


def add_operation(model: str, operation: Operation) -> None:
    """Add a button to the page of a model, named `app.model` in lower case."""
    _operations.setdefault(model, []).append(operation)


def added_operations(model: str) -> tuple[Operation, ...]:
    """Return the buttons that areas add to a model's page."""
    return tuple(_operations.get(model, ()))


Owing = Callable[[Any], list[str] | None]
_owing: list[Owing] = []


def owing(finder: Owing) -> Owing:
    """Register who tells which competitions still owe something, as subjects a person sees; None for too many to list.

    The ledger has no index by a payout's state, because paying must not touch one: lists of what is unpaid go through
    the plans of these competitions instead.
    """
    _owing.append(finder)
    return finder


def owing_subjects(user: Any) -> list[str] | None:
    """Return the subjects of all competitions that still owe something; None if they are too many to list."""
    found: list[str] = []
    for finder in _owing:
        some = finder(user)
        if some is None:
            return None
        found += some
    return found


# How many changes of a row its page shows.
SHOWN_CHANGES = 20


def changes(row: Any) -> Section:
    """Return what was changed of a row, newest first, from its django-simple-history."""
    records = list(
        row.history.select_related("history_user").order_by("-history_date", "-history_id")[: SHOWN_CHANGES + 1]
    )
    rows = []
    for index, record in enumerate(records[:SHOWN_CHANGES]):
        before = records[index + 1] if index + 1 < len(records) else None
        who = record.history_change_reason or record.history_user or ""
        rows.append((formats.moment(record.history_date), _changed(record, before), who))
    return Section("Changes", ("When", "What", "By and why"), rows, empty="Never changed since it was made.")


def _changed(record: Any, before: Any) -> object:
    if before is None:
        return {"+": "Created", "~": "Changed", "-": "Removed"}[record.history_type]
    found = record.diff_against(before, foreign_keys_are_objs=False).changes
    return formats.lines([f"{change.field}: {change.old} → {change.new}" for change in found])
