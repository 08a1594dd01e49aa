"""What staff can do to a row: a button, a form with a reason, a dry run, one service call.

The graph decides what is offered, a permission decides to whom. GET never acts. A form carries a ticket that works
once, so pressing twice is pressing once.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import django_fsm
from django import forms
from django.core.cache import cache
from django.db.models import Model
from django.http import HttpRequest

from apps.core import ids
from apps.core.actors import Actor
from apps.core.admin.theme import dress

# A dry run shows this many lines and says how many more there are.
SHOWN_LINES = 200
# How long a submitted form is remembered; a page left open longer than this was loaded again.
TICKET_SECONDS = 24 * 3600
# The most rows that one bulk operation takes.
BULK_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Preview:
    """A dry run: the lines that the real run would write, and their totals. Cells are text or safe HTML.

    `count` is how many lines there are; `rows` may be fewer. `facts` are pairs of a name and a value above the table.
    """

    headers: Sequence[str]
    rows: Sequence[Sequence[object]]
    count: int
    facts: Sequence[tuple[str, object]] = ()
    note: str = ""

    @property
    def shown(self) -> Sequence[Sequence[object]]:
        """The first lines."""
        return self.rows[:SHOWN_LINES]

    @property
    def more(self) -> int:
        """How many lines are not shown."""
        return self.count - len(self.shown)


class OperationForm(forms.Form):
    """What an operation needs to know. A field named `operator` offers only those where the person may do this."""

    ticket = forms.CharField(widget=forms.HiddenInput, max_length=40)

    # How a long form is laid out: (heading, names of fields). Empty: one after the other.
    groups: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def __init__(self, *args: Any, request: HttpRequest, row: Model | None, **kwargs: Any) -> None:
        """Keep who asks and about which row, for fields that depend on them."""
        super().__init__(*args, **kwargs)
        self.request = request
        self.row = row
        self.fields["ticket"].initial = ids.token(20)
        self.prepare()
        dress(self)

    def prepare(self) -> None:
        """Adjust the fields to `self.row` and `self.request`; for subclasses."""

    def laid_out(self) -> list[tuple[str, list[forms.BoundField]]]:
        """Return the visible fields under their headings."""
        groups = self.groups or (("", tuple(field.name for field in self.visible_fields())),)
        shown = {field.name: field for field in self.visible_fields()}
        return [(title, [shown[name] for name in names if name in shown]) for title, names in groups]

    def arguments(self) -> dict[str, Any]:
        """Return what the service is called with."""
        return {name: value for name, value in self.cleaned_data.items() if name != "ticket"}

    def told(self) -> dict[str, str]:
        """Return what was said, for the history: of a long form only what was changed, and never a password."""
        said: dict[str, str] = {}
        for field in self.visible_fields():
            value = self.cleaned_data.get(field.name)
            if value in (None, "", [], False) or field.name == "password":
                continue
            if not self.groups or field.name in self.changed_data:
                several = isinstance(value, list | tuple)
                said[str(field.label).lower()] = ", ".join(map(str, value)) if several else str(value)
        return said


class ReasonForm(OperationForm):
    """For whatever moves money, results or states: why."""

    reason = forms.CharField(
        max_length=200, widget=forms.Textarea(attrs={"rows": 2}), help_text="Kept with the record. Others will read it."
    )


def always(row: Any) -> bool:  # noqa: ARG001 - answers for every row
    """Offer an operation whatever the row's state."""
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One button: who may press it, when it shows, what it asks and what it runs.

    `run` is called as `run(pk, actor=, at=, **form.arguments())`; without a row (`creation`) the pk is left out.
    `offered` is the name of a transition of the row's graph, or several, or a question about the row.
    `submit` is the text of the form's button where the label does not say it.
    `done` is what is said afterwards: text, or a function of the service's answer. `reveal` names a template that shows
    the answer once instead, for secrets. `removes`: the row is gone afterwards. `log_only` names what is
    asked for the history and means nothing to the service.
    """

    name: str
    label: str
    run: Callable[..., Any]
    permission: str
    form: type[OperationForm] = OperationForm
    offered: str | tuple[str, ...] | Callable[[Any], bool] = always
    explain: str = ""
    preview: Callable[[Any, datetime], Preview] | None = None
    done: str | Callable[[Any], str] = ""
    danger: bool = False
    submit: str = ""
    icon: str = "play_arrow"
    bulk: bool = False
    reveal: str = ""
    removes: bool = False
    log_only: tuple[str, ...] = ()

    def is_offered(self, row: Any) -> bool:
        """Tell whether the row's state allows this now."""
        if callable(self.offered):
            return self.offered(row)
        names = (self.offered,) if isinstance(self.offered, str) else self.offered
        return bool(set(names) & available_transitions(row))

    @property
    def verb(self) -> str:
        """The text of the form's button."""
        return self.submit or self.label

    def passed(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the service is told."""
        return {name: value for name, value in arguments.items() if name not in self.log_only}

    def said(self, answer: Any) -> str:
        """Return what the person reads afterwards."""
        if callable(self.done):
            return self.done(answer)
        return self.done or f"{self.label}: done."


def available_transitions(row: Any) -> set[str]:
    """Return the names of the transitions that the row's state and their conditions allow."""
    found: set[str] = set()
    for model_field in row._meta.concrete_fields:  # noqa: SLF001 - documented
        if isinstance(model_field, django_fsm.FSMField):
            transitions = getattr(row, f"get_available_{model_field.name}_transitions")
            found.update(transition.name for transition in transitions())
    return found


def actor_of(request: HttpRequest) -> Actor:
    """Return who acts: the signed-in member of staff, in this request."""
    return Actor("staff", str(request.user), request.META.get("HTTP_X_REQUEST_ID", ""))


def take_ticket(request: HttpRequest, ticket: str) -> bool:
    """Use up a form's ticket; tell whether it was still good. Of two submissions at once only one gets it."""
    return bool(cache.add(_ticket_key(request, ticket), 1, timeout=TICKET_SECONDS))


def is_spent(request: HttpRequest, ticket: str) -> bool:
    """Tell whether a form was submitted before."""
    return bool(ticket) and cache.get(_ticket_key(request, ticket)) is not None


def give_back_ticket(request: HttpRequest, ticket: str) -> None:
    """Let a form be submitted again, because nothing was done."""
    cache.delete(_ticket_key(request, ticket))


def _ticket_key(request: HttpRequest, ticket: str) -> str:
    return f"admin:ticket:{request.user.pk}:{ticket}"


def log_text(operation: Operation, form: OperationForm) -> str:
    """Return the line of the history: what was done and what was said about it, the reason last."""
    told = form.told()
    reason = told.pop("reason", "")
    parts = [operation.label, *(f"{name}: {value}" for name, value in told.items())]
    return "; ".join([*parts, f"reason: {reason}"] if reason else parts)
