"""Calls to operators about money: every try that was made, and the keys that go with them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.core import clock, exact
from apps.core.actors import Actor
from apps.core.admin import ChoicesDropdownFilter, Operation, OperationForm, Section, TenantAdmin, display, formats
from apps.core.admin.formats import Tone
from apps.ledger.models import CallbackAttempt, CallbackKind, OutboundKey, Payout, Remittance
from apps.ledger.services import calling, remitting
from apps.operators.models import Operator

KIND_TONES: dict[str, Tone] = {CallbackKind.PAYOUT: "violet", CallbackKind.DEBIT: "blue"}
SHOWN = 30


def outcome(row: CallbackAttempt) -> str:
    """Write what came of a try."""
    if row.status is not None:
        good = 200 <= row.status < 300  # noqa: PLR2004 - what 2xx means
        later = row.status in {calling.TIMED_OUT, calling.TOO_MANY} or row.status >= calling.SERVER_ERROR
        return formats.badge(row.status, "green" if good else "amber" if later else "red")
    if row.ended_at is not None:
        return formats.badge("No answer", "amber")
    under_way = row.started_at + calling.lease() > clock.now()
    return formats.badge("Under way", "blue") if under_way else formats.badge("Cut off, unknown", "red")


def took(row: CallbackAttempt) -> str:
    """Write how long it took."""
    return formats.NOTHING if row.milliseconds is None else f"{formats.number(row.milliseconds)} ms"


def attempts_of(ref: UUID) -> Section:
    """Return every try of a payout or a debit, the newest first."""
    tries = CallbackAttempt.objects.filter(ref=ref).order_by("-number")[:SHOWN]
    rows = [
        (
            formats.link(formats.change_url("ledger.callbackattempt", row.pk), f"Try {row.number}"),
            formats.moment(row.started_at, seconds=True),
            outcome(row),
            took(row),
            row.error or row.answer[:120] or formats.NOTHING,
        )
        for row in tries
    ]
    return Section("Tries", ("Try", "When", "Answer", "Took", "Said"), rows, empty="Nothing has been sent.")


def remittance_of(payout: Payout) -> list[Section]:
    """Return what the operator is told about a payout on its rail, and every try; nothing for other rails."""
    told = Remittance.objects.filter(payout=payout).first()
    if told is None:
        return []
    usual = payout.operator.settings.payout_url
    most = 1 + remitting.allowed_retries(told)
    rows: list[tuple[object, ...]] = [
        ("payoutId", formats.code(payout.pk)),
        ("payoutRef", formats.code(told.ref)),
        ("Sent to", told.url or usual or "no address is set"),
        ("Tries", f"{told.tries} of {most}" + ("" if told.automatic else ", none by itself: staff approve these")),
        ("The operator's own id", formats.code(told.transaction_id)),
        ("Body, with every try", formats.pretty_json(exact.decoded(told.body))),
    ]
    return [Section("What the operator is told", ("", ""), rows), attempts_of(told.ref)]


@admin.register(CallbackAttempt)
class CallbackAttemptAdmin(TenantAdmin):
    """One try of one call, as it was made and answered."""

    list_display = ("when", "operator", "shown_kind", "shown_ref", "number", "shown_outcome", "shown_took", "trouble")
    list_select_related = ("operator",)
    list_filter = (("kind", ChoicesDropdownFilter),)
    search_fields = ("ref",)
    search_help_text = "A payoutRef or debitRef"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("shown_kind", "shown_outcome"),
                    ("shown_ref", "number"),
                    ("when", "shown_took"),
                    ("url", "operator"),
                    "shown_body",
                    "shown_answer",
                    "trouble",
                )
            },
        ),
    )

    def find(
        self,
        request: HttpRequest,
        rows: QuerySet[CallbackAttempt],
        term: str,
    ) -> QuerySet[CallbackAttempt]:
        """By reference."""
        try:
            return rows.filter(ref=UUID(term))
        except ValueError:
            return rows.none()

    @display(description="when", ordering="pk")
    def when(self, row: CallbackAttempt) -> str:
        """When it was made."""
        return formats.moment(row.started_at, seconds=True)

    @display(description="call")
    def shown_kind(self, row: CallbackAttempt) -> str:
        """Payout or debit."""
        return formats.badge(row.get_kind_display(), formats.tone_of(KIND_TONES, row.kind))

    @display(description="reference")
    def shown_ref(self, row: CallbackAttempt) -> str:
        """The payoutRef or debitRef."""
        return formats.code(row.ref)

    @display(description="answer")
    def shown_outcome(self, row: CallbackAttempt) -> str:
        """What came of it."""
        return outcome(row)

    @display(description="took")
    def shown_took(self, row: CallbackAttempt) -> str:
        """How long."""
        return took(row)

    @display(description="trouble")
    def trouble(self, row: CallbackAttempt) -> str:
        """What went wrong."""
        return row.error or formats.NOTHING

    @display(description="body")
    def shown_body(self, row: CallbackAttempt) -> str:
        """What was sent."""
        return formats.pretty_json(exact.decoded(row.body))

    @display(description="first of the answer")
    def shown_answer(self, row: CallbackAttempt) -> str:
        """What came back."""
        return formats.code(row.answer)


class KeyForm(OperationForm):
    """Which key, and what it is to be."""

    operator = forms.ModelChoiceField(Operator.objects.none())
    kind = forms.ChoiceField(choices=CallbackKind.choices)
    key = forms.CharField(
        max_length=calling.MAX_KEY,
        required=False,
        help_text="Empty: a fresh one is made. Give one only if the operator insists on its own.",
    )

    def told(self) -> dict[str, str]:
        """The history never holds the key."""
        return {name: value for name, value in super().told().items() if name != "key"}


def set_key(*, operator: Operator, kind: str, key: str, actor: Actor, at: datetime) -> OutboundKey:
    """Set a key and return its row, with the key to be shown once."""
    made = calling.put_key(operator.pk, kind=CallbackKind(kind), key=key, actor=actor, at=at)
    row: OutboundKey = OutboundKey.objects.get(operator=operator, kind=kind)
    row.revealed = made  # type: ignore[attr-defined]
    return row


@admin.register(OutboundKey)
class OutboundKeyAdmin(TenantAdmin):
    """The keys that we send with payouts and debits. Shown once, stored encrypted."""

    indexed = None
    creation = Operation(
        name="set",
        label="Set a key",
        icon="key",
        run=set_key,
        form=KeyForm,
        permission="ledger.add_outboundkey",
        explain="The operator's server sees it as X-API-Key. The one before stops being sent at once.",
        reveal="podium/outbound_key.html",
    )
    list_display = ("shown_kind", "operator", "changed", "changed_by")
    list_select_related = ("operator",)
    list_filter = (("kind", ChoicesDropdownFilter),)
    fieldsets = ((None, {"fields": (("shown_kind", "operator"), ("changed", "changed_by"))}),)

    def sections(self, request: HttpRequest, row: OutboundKey) -> Iterable[Section]:
        """The newest calls that it went with."""
        tries: Any = CallbackAttempt.objects.filter(operator_id=row.operator_id, kind=row.kind).order_by("-pk")[:SHOWN]
        rows = [(formats.moment(one.started_at, seconds=True), outcome(one), formats.code(one.ref)) for one in tries]
        return (Section("Newest calls", ("When", "Answer", "Reference"), rows, empty="None yet."),)

    @display(description="goes with")
    def shown_kind(self, row: OutboundKey) -> str:
        """Payouts or debits."""
        return formats.badge(row.get_kind_display(), formats.tone_of(KIND_TONES, row.kind))

    @display(description="changed")
    def changed(self, row: OutboundKey) -> str:
        """When."""
        return formats.moment(row.changed_at)
