"""Sending again: a stretch of the stream, or all dead letters. Both tell first how much it would be."""

from datetime import datetime
from typing import Any

from django import forms
from django.db import transaction

from apps.core.actors import Actor
from apps.core.admin import Operation, OperationForm, Preview, ReasonForm, formats
from apps.events.admin.patterns import PatternsField
from apps.events.models import Endpoint
from apps.events.services import dead_letters, deliveries
from apps.events.services.deliveries import Replayed


class ReplayForm(OperationForm):
    """Which stretch of the stream. A dry run unless told otherwise."""

    since = forms.DateTimeField(required=False, label="From", help_text="UTC. Or a number below.")
    until = forms.DateTimeField(required=False, label="Until", help_text="UTC. Empty: now.")
    first = forms.IntegerField(required=False, min_value=1, label="From number", help_text="In the stream.")
    last = forms.IntegerField(required=False, min_value=1, label="To number", help_text="Empty: the newest.")
    events = PatternsField(required=False, help_text="Of what the endpoint wants. Empty: all of it.")
    dry_run = forms.BooleanField(required=False, initial=True, help_text="Only tell how many deliveries it would be.")

    def clean(self) -> dict[str, Any]:
        """Either by time or by number."""
        said = super().clean() or {}
        by_time, by_number = (any(said.get(name) for name in pair) for pair in (("since", "until"), ("first", "last")))
        if by_time and by_number:
            raise forms.ValidationError("Say the stretch by time or by number, not both.")
        if not said.get("since") and not said.get("first"):
            self.add_error("since", "Say where to begin, by time or by number.")
        return said

    def arguments(self) -> dict[str, Any]:
        """Return what the service takes."""
        said = super().arguments()
        return {
            "since": said["since"] or said["first"],
            "until": said["until"] or said["last"],
            "events": said["events"] or None,
            "dry_run": said["dry_run"],
        }


class Rehearsed(Replayed):
    """What a replay would have done."""


def replay(endpoint_id: int, *, dry_run: bool, actor: Actor, at: datetime, **said: Any) -> Replayed:
    """Send a stretch of the stream again; a dry run does the same and takes it back."""
    operator_id = int(Endpoint.objects.values_list("operator_id", flat=True).get(pk=endpoint_id))
    with transaction.atomic():
        done = deliveries.replay(endpoint_id, operator_id=operator_id, actor=actor, at=at, **said)
        if dry_run:
            transaction.set_rollback(True)
    return Rehearsed(done.queued, done.last_sequence, done.more) if dry_run else done


def told(done: Replayed) -> str:
    """Say how much it was, or would be."""
    rehearsed = isinstance(done, Rehearsed)
    text = f"{formats.number(done.queued)} deliveries {'would be' if rehearsed else 'are'} queued"
    if done.more:
        text += f", up to number {formats.number(done.last_sequence)}. There are more: go on from the next number"
    return f"Dry run: {text}. Nothing was." if rehearsed else f"{text}."


def retry_dead_letters(endpoint_id: int, *, actor: Actor, at: datetime) -> int:
    """Put every dead letter back."""
    operator_id = int(Endpoint.objects.values_list("operator_id", flat=True).get(pk=endpoint_id))
    return dead_letters.retry_all(endpoint_id, operator_id=operator_id, actor=actor, at=at)


def dead_letters_of(endpoint: Endpoint, at: datetime) -> Preview:  # noqa: ARG001 - every preview is told the moment
    """Tell how many there are."""
    found = dead_letters.count(endpoint.pk)
    shown = f"more than {formats.number(dead_letters.MOST)}" if found > dead_letters.MOST else formats.number(found)
    note = f"One go puts {formats.number(dead_letters.MOST)} back." if found > dead_letters.MOST else ""
    return Preview((), (), 0, facts=[("Dead letters", shown)], note=note)


def is_on(endpoint: Endpoint) -> bool:
    """Tell whether anything can be sent."""
    return endpoint.enabled


OPERATIONS = (
    Operation(
        name="replay",
        label="Replay",
        icon="replay",
        run=replay,
        form=ReplayForm,
        permission="events.replay_endpoint",
        offered=is_on,
        explain="Sends facts again under the ids they always had, in their order. Receivers that keep ids skip what "
        "they have.",
        done=told,
    ),
    Operation(
        name="retry-dead-letters",
        label="Retry dead letters",
        icon="forward_to_inbox",
        run=retry_dead_letters,
        form=ReasonForm,
        log_only=("reason",),
        preview=dead_letters_of,
        permission="events.retry_delivery",
        offered=is_on,
        explain="Everything that was given up is tried again, from the beginning of the schedule.",
        done=lambda queued: f"{formats.number(queued)} dead letters are queued again.",
    ),
)
