"""The operator's calls: create, confirm, read, launch, forfeit, cancel, dispute; and how a client works."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core import clock
from apps.core.api.paging import page_of
from apps.core.api.schema import PAGE_PARAMETERS, PaginationOut
from apps.core.errors import Invalid
from apps.matches.api.operator.serializers import (
    ORDERS,
    ClientIn,
    ClientOut,
    DisputeIn,
    DisputeOut,
    ForfeitIn,
    LaunchIn,
    LaunchOut,
    MatchIn,
    MatchOut,
    ParticipantIn,
    ReasonIn,
    client_json,
    launch_json,
    match_json,
    registered_json,
)
from apps.matches.api.words import STATES
from apps.matches.models import Client, Delivery, Match
from apps.matches.services import clients, creation, disputing, launching, lookup, staff
from apps.matches.services.creation import NewMatch, NewSeat, NewTeam
from apps.operators.api.access import OperatorView, actor_of, credential_of
from apps.operators.scopes import Scope

MatchesOut = inline_serializer("Matches", {"matches": MatchOut(many=True), "pagination": PaginationOut()})
ClientsOut = inline_serializer("MatchClients", {"clients": ClientOut(many=True)})


class _MatchView(OperatorView):
    scopes = {"get": Scope.MATCHES_READ, "post": Scope.MATCHES_WRITE}

    def match(self, match_id: str) -> Match:
        """Return the caller's match; another operator's is as good as missing."""
        return lookup.of_operator(credential_of(self.request).operator_id, match_id)

    def told(self, match: Match, *, status: int = 200) -> Response:
        """Answer with a match as it is now."""
        found = lookup.of_operator(match.operator_id, match.public_id)
        return Response(match_json(lookup.whole(found)), status=status)


def _chosen(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was chosen, in the domain's words."""
    found = {name: body[name].upper() for name in ("mode", "tie_policy") if name in body}
    if "score_order" in body:
        found["score_order"] = ORDERS[body["score_order"]]
    return found | {name: body[name] for name in ("fee_bps", "hold_minutes") if name in body}


@extend_schema(tags=["Matches"])
class MatchesView(_MatchView):
    """The operator's matches."""

    @extend_schema(operation_id="matches_create", request=MatchIn, responses={201: MatchOut})
    def post(self, request: Request) -> Response:
        """Create a match. With `confirmed` its stakes go into escrow at once and it starts."""
        body, operator = MatchIn.read(request), credential_of(request).operator
        new = NewMatch(
            client_id=body["client_id"],
            teams=[
                NewTeam(team["id"], [NewSeat(s["id"], s["stake"], s["linked_id"]) for s in team["participants"]])
                for team in body["teams"]
            ],
            entry_fee=body["entry_fee"],
            currency=body.get("currency") or operator.currency,
            submissions=body["submissions"],
            deadline=body["deadline"],
            confirmed=body["confirmed"],
            **_chosen(body),
        )
        held = creation.create(new, operator_id=operator.pk, actor=actor_of(request), at=clock.now())
        return self.told(held.match, status=201)

    @extend_schema(
        operation_id="matches_list",
        parameters=[
            *PAGE_PARAMETERS,
            OpenApiParameter("state", str, enum=STATES),
            OpenApiParameter("clientId", str),
        ],
        responses={200: MatchesOut},
    )
    def get(self, request: Request) -> Response:
        """List matches, newest first."""
        page = page_of(request.query_params)
        rows = Match.objects.for_operator(credential_of(request).operator_id)
        if state := request.query_params.get("state"):
            if state not in STATES:
                raise Invalid("Invalid query.", fields={"state": [f"One of {', '.join(STATES)}."]})
            rows = rows.filter(status=state.upper())
        if client_id := request.query_params.get("clientId"):
            rows = rows.filter(client__client_id=client_id)
        wanted = rows.select_related("asset", "client", "rematch_of").prefetch_related("teams", "participants")
        found = list(wanted.order_by("-pk")[page.offset : page.offset + page.limit])
        return Response(
            {
                "matches": [match_json(lookup.prefetched(match)) for match in found],
                "pagination": page.pagination(rows.count()),
            }
        )


@extend_schema(tags=["Matches"])
class MatchView(_MatchView):
    """One match."""

    @extend_schema(operation_id="matches_get", responses={200: MatchOut})
    def get(self, request: Request, match_id: str) -> Response:
        """Return its state, teams, result and money."""
        return Response(match_json(lookup.whole(self.match(match_id))))


@extend_schema(tags=["Matches"])
class ConfirmView(_MatchView):
    """Confirmations."""

    @extend_schema(operation_id="matches_confirm", request=ParticipantIn, responses={200: MatchOut})
    def post(self, request: Request, match_id: str) -> Response:
        """A participant is in; the last one's confirmation takes the stakes into escrow and starts the match."""
        body, match = ParticipantIn.read(request), self.match(match_id)
        creation.confirm(match.pk, **body, actor=actor_of(request), at=clock.now())
        return self.told(match)


@extend_schema(tags=["Matches"])
class LaunchView(_MatchView):
    """Launch links."""

    seals_answers = True

    @extend_schema(operation_id="matches_launch", request=LaunchIn, responses={200: LaunchOut})
    def post(self, request: Request, match_id: str) -> Response:
        """Make a launch link for a participant of a live match; this opens an attempt."""
        body, match = LaunchIn.read(request), self.match(match_id)
        return Response(launch_json(launching.launch(match.pk, **body, actor=actor_of(request), at=clock.now())))


@extend_schema(tags=["Matches"])
class ForfeitView(_MatchView):
    """Forfeits on the platform."""

    @extend_schema(operation_id="matches_forfeit", request=ForfeitIn, responses={200: MatchOut})
    def post(self, request: Request, match_id: str) -> Response:
        """A team gives up while the match is live; the game is told, and the last team left wins."""
        body, match = ForfeitIn.read(request), self.match(match_id)
        staff.forfeit(match.pk, **body, actor=actor_of(request), at=clock.now())
        return self.told(match)


@extend_schema(tags=["Matches"])
class CancelView(_MatchView):
    """Calling it off."""

    @extend_schema(operation_id="matches_cancel", request=ReasonIn, responses={200: MatchOut})
    def post(self, request: Request, match_id: str) -> Response:
        """Cancel before the escrow; reserves are released. Later: 409 INVALID_STATE."""
        body, match = ReasonIn.read(request), self.match(match_id)
        creation.cancel(match.pk, **body, actor=actor_of(request), at=clock.now())
        return self.told(match)


@extend_schema(tags=["Matches"])
class DisputesView(_MatchView):
    """Disputes of a held result."""

    @extend_schema(operation_id="matches_dispute", request=DisputeIn, responses={201: DisputeOut})
    def post(self, request: Request, match_id: str) -> Response:
        """Contest a result for a participant while it is held; the escrow stays put until staff decide."""
        body, match = DisputeIn.read(request), self.match(match_id)
        dispute = disputing.open_dispute(match.pk, **body, actor=actor_of(request), at=clock.now())
        return Response({"disputeId": str(dispute.pk), "state": dispute.status.lower()}, status=201)


@extend_schema(tags=["Match clients"])
class ClientsView(OperatorView):
    """The operator's match clients."""

    scopes = {"get": Scope.SETTINGS_READ}

    @extend_schema(operation_id="match_clients_list", responses={200: ClientsOut})
    def get(self, request: Request) -> Response:
        """List the clients and how they work."""
        found = Client.objects.for_operator(credential_of(request).operator_id).order_by("client_id")[:200]
        return Response({"clients": [client_json(client) for client in found]})


@extend_schema(tags=["Match clients"])
class ClientView(OperatorView):
    """One match client."""

    scopes = {"get": Scope.SETTINGS_READ, "put": Scope.SETTINGS_WRITE}
    seals_answers = True

    @extend_schema(operation_id="match_clients_get", responses={200: ClientOut})
    def get(self, request: Request, client_id: str) -> Response:
        """Tell how a client works."""
        return Response(client_json(clients.find(credential_of(request).operator_id, client_id, at=clock.now())))

    @extend_schema(operation_id="match_clients_put", request=ClientIn, responses={200: ClientOut, 201: ClientOut})
    def put(self, request: Request, client_id: str) -> Response:
        """Change how a client works, or register it: then 201 with its developer-config, whose secret is shown once."""
        body = ClientIn.read(request)
        registered = clients.put(
            credential_of(request).operator_id, client_id, _changes(body), actor=actor_of(request), at=clock.now()
        )
        return Response(registered_json(registered), status=201 if registered.new else 200)


PLAIN = (
    "name",
    "launch_urls",
    "send_delete",
    "aborts_on_first_failure",
    "confirm_hours",
    "result_hours",
    "gone_minutes",
)


def _changes(body: Mapping[str, Any]) -> clients.ClientChanges:
    found = _chosen(body) | {name: body[name] for name in PLAIN if name in body}
    if "strict200" in body:
        found["strict_200"] = body["strict200"]
    if "webhook_url" in body:
        found["webhook_url"] = body["webhook_url"] or ""
    if "poll" in body:
        found["delivery"] = Delivery.POLL if body["poll"] else Delivery.PUSH
    if "launch_templates" in body:
        found["launch_urls"] = {**body["launch_templates"], **found.get("launch_urls", {})}
    if "launch_url" in body:
        found["launch_urls"] = {"browser": body["launch_url"]} | found.get("launch_urls", {})
    return clients.ClientChanges(**found)
