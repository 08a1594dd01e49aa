"""`GET /api/events`."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.events import streams
from apps.events.api.serializers import EventQuery, EventsOut
from apps.events.facts import envelope
from apps.operators.api.access import OperatorView, credential_of
from apps.operators.scopes import Scope


class EventsView(OperatorView):
    """The facts themselves, in the order of their numbers (podium.md 6)."""

    scopes = {"get": Scope.EVENTS_READ}
    rate_class = "results"

    @extend_schema(
        operation_id="read_events",
        summary="Read the event stream",
        tags=["events"],
        parameters=[EventQuery],
        responses=EventsOut,
    )
    def get(self, request: Request, **_: Any) -> Response:
        """Return the operator's events after a sequence number, gap-free and in order.

        Store `lastSequence` and ask again with it as `after`: nothing is skipped and nothing comes twice. Needs the
        scope `events.read`.
        """
        query = EventQuery(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        operator = credential_of(request).operator
        asked = query.validated_data
        page = streams.read(operator.pk, after=asked["after"], types=asked.get("types", []), limit=asked["limit"])
        events = [envelope(fact, operator.public_id) | {"sequence": fact.sequence} for fact in page.facts]
        return Response({"events": events, "lastSequence": page.last_sequence, "hasMore": page.more})
