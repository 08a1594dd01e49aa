"""Bodies of webhook endpoints and deliveries (podium.md 6), in and out."""

from datetime import UTC, datetime
from typing import Any

from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from apps.core.api.camel import CamelSerializer
from apps.core.clock import iso
from apps.events.api.serializers import LARGEST_SEQUENCE
from apps.events.formats import told_by_test
from apps.events.lifecycle import DeliveryStatus
from apps.events.models import Attempt, Delivery, Endpoint
from apps.events.services.endpoints import LONGEST_OVERLAP, LONGEST_PATTERN, MAX_PATTERNS

FORMATS = ["standard", "casino"]
STATES = [status.lower() for status in DeliveryStatus.values]
DAY = 86_400


def _patterns(**more: Any) -> serializers.ListField:
    return serializers.ListField(
        child=serializers.CharField(max_length=LONGEST_PATTERN), min_length=1, max_length=MAX_PATTERNS, **more
    )


@extend_schema_serializer(component_name="WebhookEndpointToMake")
class EndpointIn(CamelSerializer):
    """An endpoint to make."""

    url = serializers.CharField(max_length=2000, help_text="https://…, a public address.")
    events = _patterns(required=False, default=["*"], help_text="Names, prefixes such as `tournament.*`, or `*`.")
    description = serializers.CharField(max_length=200, required=False, default="", allow_blank=True)
    format = serializers.ChoiceField(choices=FORMATS, required=False, default="standard")
    ordered = serializers.BooleanField(
        required=False, default=False, help_text="Strictly one at a time; one that fails holds back what follows."
    )
    enabled = serializers.BooleanField(required=False, default=True)
    token = serializers.CharField(
        max_length=500,
        required=False,
        default="",
        allow_blank=True,
        help_text="A bearer token of your own to send as `Authorization`. Never shown again.",
    )


@extend_schema_serializer(component_name="WebhookEndpointChanges")
class EndpointPatch(CamelSerializer):
    """What to change; what is absent stays."""

    url = serializers.CharField(max_length=2000, required=False)
    events = _patterns(required=False)
    description = serializers.CharField(max_length=200, required=False, allow_blank=True)
    format = serializers.ChoiceField(choices=FORMATS, required=False)
    ordered = serializers.BooleanField(required=False)
    enabled = serializers.BooleanField(required=False)
    token = serializers.CharField(
        max_length=500, required=False, allow_blank=True, help_text="Empty: send none any more."
    )


@extend_schema_serializer(component_name="WebhookEndpoint")
class EndpointOut(CamelSerializer):
    """An endpoint, and how it fares."""

    id = serializers.CharField()
    url = serializers.CharField()
    description = serializers.CharField(allow_blank=True)
    events = serializers.ListField(child=serializers.CharField())
    format = serializers.ChoiceField(choices=FORMATS)
    ordered = serializers.BooleanField()
    enabled = serializers.BooleanField()
    has_token = serializers.BooleanField()
    created_at = serializers.DateTimeField()
    disabled_at = serializers.DateTimeField(allow_null=True)
    disabled_reason = serializers.CharField(allow_null=True)
    failing_since = serializers.DateTimeField(allow_null=True, help_text="Nothing but failures since then.")
    last_success_at = serializers.DateTimeField(allow_null=True)
    last_failure_at = serializers.DateTimeField(allow_null=True)
    last_error = serializers.CharField(allow_null=True)
    previous_secret_until = serializers.DateTimeField(
        allow_null=True, help_text="Until then the secret before this one signs too."
    )


@extend_schema_serializer(component_name="NewWebhookEndpoint")
class NewEndpointOut(EndpointOut):
    """An endpoint with its secret, shown this once."""

    secret = serializers.CharField(help_text="whsec_…")


@extend_schema_serializer(component_name="WebhookSecretRotation")
class RotationIn(CamelSerializer):
    """How the secret is replaced."""

    overlap_seconds = serializers.IntegerField(
        required=False,
        default=DAY,
        min_value=0,
        max_value=int(LONGEST_OVERLAP.total_seconds()),
        help_text="For so long the old secret signs too.",
    )


@extend_schema_field(
    {
        "oneOf": [
            {"type": "integer", "minimum": 0, "maximum": LARGEST_SEQUENCE},
            {"type": "string", "format": "date-time"},
        ]
    }
)
class PointField(serializers.Field[Any, Any, Any, Any]):
    """A place in the stream: a sequence number, or a moment."""

    default_error_messages = {"point": "A sequence number, or a moment such as 2026-03-01T12:00:00Z."}

    def to_internal_value(self, data: Any) -> int | datetime:
        """Return the number or the moment (UTC unless it says otherwise)."""
        if isinstance(data, int) and not isinstance(data, bool) and 0 <= data <= LARGEST_SEQUENCE:
            return data
        if isinstance(data, str):
            try:
                moment = datetime.fromisoformat(data)
                return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
            except (ValueError, OverflowError):
                pass
        raise serializers.ValidationError(self.error_messages["point"])

    def to_representation(self, value: Any) -> Any:
        """Return it as it is; nothing shows one."""
        return value


@extend_schema_serializer(component_name="WebhookReplay")
class ReplayIn(CamelSerializer):
    """Which facts to send (again)."""

    since = PointField(help_text="From here: a sequence number (included) or a moment.")
    until = PointField(required=False, allow_null=True, default=None, help_text="Up to here; a number is included.")
    events = _patterns(required=False, allow_null=True, default=None, help_text="Only these; as in an endpoint.")


@extend_schema_serializer(component_name="WebhookReplayed")
class ReplayedOut(CamelSerializer):
    """What a replay did."""

    queued = serializers.IntegerField(min_value=0)
    last_sequence = serializers.IntegerField(min_value=0, help_text="Facts were looked at up to here.")
    has_more = serializers.BooleanField(help_text="Ask again with since = lastSequence + 1.")


@extend_schema_serializer(component_name="WebhookDelivery")
class DeliveryOut(CamelSerializer):
    """One event on its way to one endpoint."""

    id = serializers.CharField()
    endpoint_id = serializers.CharField()
    event_id = serializers.CharField(help_text="The `webhook-id`, the same at every attempt.")
    event_type = serializers.CharField()
    sequence = serializers.IntegerField(min_value=0, help_text="0 for a test.")
    state = serializers.ChoiceField(choices=STATES, help_text="`exhausted` are the dead letters.")
    attempts = serializers.IntegerField(min_value=0)
    last_status = serializers.IntegerField(allow_null=True)
    last_error = serializers.CharField(allow_null=True)
    next_attempt_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


@extend_schema_serializer(component_name="WebhookAttempt")
class AttemptOut(CamelSerializer):
    """One try."""

    id = serializers.CharField()
    number = serializers.IntegerField(min_value=1)
    started_at = serializers.DateTimeField()
    milliseconds = serializers.IntegerField(min_value=0)
    status = serializers.IntegerField(allow_null=True, help_text="null: nothing came back.")
    error = serializers.CharField(allow_null=True)
    answer = serializers.CharField(allow_blank=True, help_text="The beginning of what came back.")


@extend_schema_serializer(component_name="WebhookDeliveryLog")
class DeliveryLogOut(DeliveryOut):
    """A delivery with its tries."""

    log = AttemptOut(many=True)


def endpoint_json(endpoint: Endpoint) -> dict[str, Any]:
    """Return an endpoint as the API shows it: without its secrets."""
    return {
        "id": endpoint.public_id,
        "url": endpoint.url,
        "description": endpoint.description,
        "events": endpoint.events,
        "format": endpoint.format.lower(),
        "ordered": endpoint.ordered,
        "enabled": endpoint.enabled,
        "hasToken": bool(endpoint.token),
        "createdAt": iso(endpoint.created_at),
        "disabledAt": iso(endpoint.disabled_at),
        "disabledReason": endpoint.disabled_reason or None,
        "failingSince": iso(endpoint.failing_since),
        "lastSuccessAt": iso(endpoint.last_success_at),
        "lastFailureAt": iso(endpoint.last_failure_at),
        "lastError": endpoint.last_error or None,
        "previousSecretUntil": iso(endpoint.previous_secret_until),
    }


def delivery_json(delivery: Delivery) -> dict[str, Any]:
    """Return a delivery; it needs its endpoint with the operator, and its fact."""
    told = delivery.fact or told_by_test(delivery.pk, delivery.created_at, delivery.endpoint.public_id, "")
    return {
        "id": str(delivery.pk),
        "endpointId": delivery.endpoint.public_id,
        "eventId": told.public_id,
        "eventType": told.type,
        "sequence": delivery.sequence,
        "state": delivery.status.lower(),
        "attempts": delivery.attempts,
        "lastStatus": delivery.last_status,
        "lastError": delivery.last_error or None,
        "nextAttemptAt": iso(delivery.next_attempt_at),
        "createdAt": iso(delivery.created_at),
        "finishedAt": iso(delivery.finished_at),
    }


def attempt_json(attempt: Attempt) -> dict[str, Any]:
    """Return one try."""
    return {
        "id": str(attempt.uuid),
        "number": attempt.number,
        "startedAt": iso(attempt.started_at),
        "milliseconds": attempt.milliseconds,
        "status": attempt.status,
        "error": attempt.error or None,
        "answer": attempt.answer,
    }
