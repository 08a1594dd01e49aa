"""What was sent to the application's webhook (rumble.md 3.28)."""

from datetime import UTC, datetime, time
from typing import Any

from django.utils.dateparse import parse_date, parse_datetime
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core import clock
from apps.core.api.paging import whole
from apps.core.errors import Invalid
from apps.events.formats.rumble import FIELDS
from apps.rumble.api.dialect.base import ApplicationView, given, moment
from apps.rumble.api.dialect.docs import USERS, describe, several
from apps.rumble.api.dialect.paging import PARAMETERS, page, page_shape
from apps.rumble.services import webhook_calls
from apps.rumble.services.webhook_calls import Call

CallPageOut = page_shape(
    "WebhookCallPage",
    several(
        "WebhookCall",
        notificationType=serializers.ChoiceField(list(FIELDS)),
        attemptNumber=serializers.IntegerField(),
        attemptedAt=serializers.DateTimeField(),
        isSuccess=serializers.BooleanField(),
        request=serializers.DictField(),
        response=serializers.DictField(),
        containerId=serializers.IntegerField(required=False),
    ),
)
TRUTH = {"true": True, "1": True, "false": False, "0": False}


def _moment(query: Any, name: str, *, end: bool) -> datetime | None:
    text = query.get(name)
    if not text:
        return None
    try:
        found = parse_datetime(text.replace(" ", "+")) if len(text) > 10 else None  # noqa: PLR2004 - a plain day
        if found is not None:
            return found if found.tzinfo else found.replace(tzinfo=UTC)
        day = parse_date(text)
    except ValueError:
        day = None
    if day is None:
        raise Invalid("Invalid query.", fields={name: ["A date, or a date and a time in ISO 8601."]})
    return datetime.combine(day, time.max if end else time.min, UTC)


def call_json(call: Call) -> dict[str, Any]:
    """Write one attempt."""
    return given(
        notificationType=call.type,
        attemptNumber=call.attempt,
        attemptedAt=moment(call.at),
        isSuccess=call.succeeded,
        request=call.request,
        response=call.response,
        containerId=call.container_id,
    )


class WebhookCallsView(ApplicationView):
    """The history."""

    @describe(
        "AppUsageController_getWebhookCalls",
        "List webhook calls of the last three months",
        {200: CallPageOut},
        tag=USERS,
        parameters=[
            *PARAMETERS,
            OpenApiParameter("startDate", str, description="A date, or a date and a time."),
            OpenApiParameter("endDate", str, description="Likewise; a plain date includes its day."),
            OpenApiParameter("notificationType", str, enum=list(FIELDS)),
            OpenApiParameter("isSuccess", bool),
            OpenApiParameter("containerId", {"type": "integer", "minimum": 1}),
        ],
    )
    def get(self, request: Request) -> Response:
        """List every attempt, newest first. Without dates, the last three months."""
        query, now = request.query_params, clock.now()
        kind, success = query.get("notificationType") or None, query.get("isSuccess") or None
        if kind is not None and kind not in FIELDS:
            raise Invalid("Invalid query.", fields={"notificationType": ["One of the eighteen types."]})
        if success is not None and success.lower() not in TRUTH:
            raise Invalid("Invalid query.", fields={"isSuccess": ["true or false."]})
        container = None
        if "containerId" in query:
            container = whole(query, "containerId", default=1, least=1, most=2**63 - 1)
        wanted = webhook_calls.Wanted(
            since=_moment(query, "startDate", end=False),
            until=_moment(query, "endDate", end=True),
            type=kind,
            succeeded=None if success is None else TRUTH[success.lower()],
            container_id=container,
        )
        rows = webhook_calls.calls(self.application, wanted, at=now)
        return Response(page(request, rows, lambda row: call_json(webhook_calls.told(row))))
