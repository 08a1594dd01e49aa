"""`/api/webhooks/…`: endpoints, and what was sent to them (podium.md 6)."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core import clock
from apps.core.api.paging import page_of, whole
from apps.core.api.schema import PAGE_PARAMETERS, PaginationOut
from apps.core.errors import Invalid, NotFound
from apps.events.api import webhook_shapes as shapes
from apps.events.models import OWNED, Delivery, Endpoint, Format
from apps.events.services import deliveries, endpoints
from apps.operators.api.access import OperatorView, actor_of, credential_of
from apps.operators.scopes import Scope

BIGGEST_ID = 2**63 - 1
# The newest of a delivery's tries that its log shows.
LOG = 100

EndpointsOut = inline_serializer(
    "WebhookEndpoints", {"endpoints": shapes.EndpointOut(many=True), "pagination": PaginationOut()}
)
DeliveriesOut = inline_serializer(
    "WebhookDeliveries",
    {"deliveries": shapes.DeliveryOut(many=True), "nextCursor": serializers.CharField(allow_null=True)},
)


def mine(operator_id: int) -> QuerySet[Endpoint]:
    """The endpoints that an operator sees: its own, none that belongs to something else or was removed."""
    rows: QuerySet[Endpoint] = Endpoint.objects.for_operator(operator_id).filter(removed_at=None)
    return rows.exclude(format__in=OWNED)


def readable(operator_id: int) -> QuerySet[Delivery]:
    """The deliveries to those endpoints, with all that is shown of them."""
    rows: QuerySet[Delivery] = Delivery.objects.for_operator(operator_id).filter(endpoint__removed_at=None)
    return rows.exclude(endpoint__format__in=OWNED).select_related("endpoint__operator", "fact")


def _endpoint(request: Request, endpoint_id: str) -> Endpoint:
    found: Endpoint | None = mine(credential_of(request).operator_id).filter(public_id=endpoint_id).first()
    if found is None:
        raise NotFound("There is no such endpoint.")
    return found


def _written(body: dict[str, Any]) -> dict[str, Any]:
    """The formats are in capitals inside."""
    return body | ({"format": Format(body["format"].upper())} if "format" in body else {})


def _who(request: Request) -> dict[str, Any]:
    return {"operator_id": credential_of(request).operator_id, "actor": actor_of(request), "at": clock.now()}


@extend_schema(tags=["Webhooks"])
class EndpointsView(OperatorView):
    """The operator's webhook endpoints."""

    scopes = {"get": Scope.WEBHOOKS_READ, "post": Scope.WEBHOOKS_WRITE}
    seals_answers = True

    @extend_schema(operation_id="webhooks_list", parameters=PAGE_PARAMETERS, responses={200: EndpointsOut})
    def get(self, request: Request) -> Response:
        """List the endpoints, newest first."""
        page = page_of(request.query_params)
        found = mine(credential_of(request).operator_id)
        rows = found.order_by("-pk")[page.offset : page.offset + page.limit]
        return Response(
            {"endpoints": [shapes.endpoint_json(row) for row in rows], "pagination": page.pagination(found.count())}
        )

    @extend_schema(operation_id="webhooks_create", request=shapes.EndpointIn, responses={201: shapes.NewEndpointOut})
    def post(self, request: Request) -> Response:
        """Make an endpoint; its secret is shown this once. It gets what happens from now on; `replay` the rest."""
        made = endpoints.create_endpoint(**_written(shapes.EndpointIn.read(request)), **_who(request))
        return Response(shapes.endpoint_json(made.endpoint) | {"secret": made.secret}, status=201)


@extend_schema(tags=["Webhooks"])
class EndpointView(OperatorView):
    """One endpoint."""

    scopes = {"get": Scope.WEBHOOKS_READ, "patch": Scope.WEBHOOKS_WRITE, "delete": Scope.WEBHOOKS_WRITE}

    @extend_schema(operation_id="webhooks_get", responses={200: shapes.EndpointOut})
    def get(self, request: Request, endpoint_id: str) -> Response:
        """Show an endpoint and how it fares."""
        return Response(shapes.endpoint_json(_endpoint(request, endpoint_id)))

    @extend_schema(operation_id="webhooks_change", request=shapes.EndpointPatch, responses={200: shapes.EndpointOut})
    def patch(self, request: Request, endpoint_id: str) -> Response:
        """Change an endpoint. What is queued goes where it points now; `enabled: true` lets a disabled one go on."""
        changed = endpoints.change_endpoint(
            _endpoint(request, endpoint_id).pk,
            changes=endpoints.EndpointChanges(**_written(shapes.EndpointPatch.read(request))),
            **_who(request),
        )
        return Response(shapes.endpoint_json(changed))

    @extend_schema(operation_id="webhooks_remove", request=None, responses={204: None})
    def delete(self, request: Request, endpoint_id: str) -> Response:
        """Remove an endpoint. Nothing is sent to it any more, whatever was queued."""
        endpoints.remove_endpoint(_endpoint(request, endpoint_id).pk, **_who(request))
        return Response(status=204)


@extend_schema(tags=["Webhooks"])
class RotateSecretView(OperatorView):
    """The endpoint's next secret."""

    scopes = {"post": Scope.WEBHOOKS_WRITE}
    seals_answers = True

    @extend_schema(
        operation_id="webhooks_rotate_secret", request=shapes.RotationIn, responses={200: shapes.NewEndpointOut}
    )
    def post(self, request: Request, endpoint_id: str) -> Response:
        """Replace the secret, shown this once; the old one signs too for `overlapSeconds` (a day by default)."""
        body = shapes.RotationIn.read(request)
        made = endpoints.rotate_secret(_endpoint(request, endpoint_id).pk, **body, **_who(request))
        return Response(shapes.endpoint_json(made.endpoint) | {"secret": made.secret})


@extend_schema(tags=["Webhooks"])
class TestView(OperatorView):
    """A test of one endpoint."""

    scopes = {"post": Scope.WEBHOOKS_WRITE}

    @extend_schema(operation_id="webhooks_test", request=None, responses={202: shapes.DeliveryOut})
    def post(self, request: Request, endpoint_id: str) -> Response:
        """Send `webhook.test` to this endpoint alone, once; the delivery shows what came of it. It is no event."""
        delivery = deliveries.send_test(_endpoint(request, endpoint_id).pk, **_who(request))
        return Response(shapes.delivery_json(delivery), status=202)


@extend_schema(tags=["Webhooks"])
class ReplayView(OperatorView):
    """Older events for one endpoint."""

    scopes = {"post": Scope.WEBHOOKS_WRITE}

    @extend_schema(operation_id="webhooks_replay", request=shapes.ReplayIn, responses={202: shapes.ReplayedOut})
    def post(self, request: Request, endpoint_id: str) -> Response:
        """Queue the events between two points (again), under their own ids: receivers that know them drop them.

        Looks at 10,000 events a call.
        """
        body = shapes.ReplayIn.read(request)
        done = deliveries.replay(_endpoint(request, endpoint_id).pk, **body, **_who(request))
        return Response({"queued": done.queued, "lastSequence": done.last_sequence, "hasMore": done.more}, status=202)


@extend_schema(tags=["Webhooks"])
class DeliveriesView(OperatorView):
    """What was sent to one endpoint."""

    scopes = {"get": Scope.WEBHOOKS_READ}

    @extend_schema(
        operation_id="webhooks_deliveries",
        parameters=[
            OpenApiParameter("state", str, enum=shapes.STATES, description="`exhausted` are the dead letters."),
            OpenApiParameter("cursor", str, description="`nextCursor` of the page before."),
            OpenApiParameter("limit", int, description="1 to 200, 50 by default."),
        ],
        responses={200: DeliveriesOut},
    )
    def get(self, request: Request, endpoint_id: str) -> Response:
        """List deliveries, newest first."""
        query = request.query_params
        limit = whole(query, "limit", default=50, least=1, most=200)
        before = whole(query, "cursor", default=BIGGEST_ID, least=1, most=BIGGEST_ID)
        state = query.get("state", "").lower()
        if state and state not in shapes.STATES:
            raise Invalid("Invalid query.", fields={"state": [f"One of {', '.join(shapes.STATES)}."]})
        endpoint = _endpoint(request, endpoint_id)
        rows = readable(endpoint.operator_id).filter(endpoint=endpoint, pk__lt=before)
        if state:
            rows = rows.filter(status=state.upper())
        found = list(rows.order_by("-pk")[: limit + 1])
        return Response(
            {
                "deliveries": [shapes.delivery_json(row) for row in found[:limit]],
                "nextCursor": str(found[limit - 1].pk) if len(found) > limit else None,
            }
        )


@extend_schema(tags=["Webhooks"])
class DeliveryView(OperatorView):
    """One delivery."""

    scopes = {"get": Scope.WEBHOOKS_READ}

    @extend_schema(operation_id="webhooks_delivery", responses={200: shapes.DeliveryLogOut})
    def get(self, request: Request, delivery_id: str) -> Response:
        """Show a delivery and its newest 100 tries."""
        found = _delivery(request, int(delivery_id))
        log = found.tried.order_by("-number", "-pk")[:LOG]
        return Response(shapes.delivery_json(found) | {"log": [shapes.attempt_json(row) for row in log]})


@extend_schema(tags=["Webhooks"])
class RetryView(OperatorView):
    """Another try of a delivery."""

    scopes = {"post": Scope.WEBHOOKS_WRITE}

    @extend_schema(operation_id="webhooks_retry", request=None, responses={202: shapes.DeliveryOut})
    def post(self, request: Request, delivery_id: str) -> Response:
        """Try a delivery now, whatever became of it, from the beginning of its schedule."""
        pk = _delivery(request, int(delivery_id)).pk
        deliveries.retry(pk, **_who(request))
        return Response(shapes.delivery_json(_delivery(request, pk)), status=202)


def _delivery(request: Request, delivery_id: int) -> Delivery:
    found: Delivery | None = readable(credential_of(request).operator_id).filter(pk=delivery_id).first()
    if found is None:
        raise NotFound("There is no such delivery.")
    return found
