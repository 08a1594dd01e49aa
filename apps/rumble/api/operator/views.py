"""What an operator does for its players and applications; and the simulated chain's controls (podium.md 5)."""

from django.conf import settings
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core import clock
from apps.core.clock import iso
from apps.ledger.services import chain_control
from apps.operators.api.access import InternalView, OperatorView, actor_of, credential_of
from apps.operators.models import Player
from apps.operators.scopes import Scope
from apps.operators.services import players
from apps.rumble import words
from apps.rumble.api.operator import serializers as shapes
from apps.rumble.services import applications, browsers, connections, payments
from apps.rumble.services.applications import ApplicationChanges

MAX_LISTED = 200

ApplicationsOut = inline_serializer("Applications", {"applications": shapes.ApplicationOut(many=True)})
ConnectionsOut = inline_serializer("Connections", {"connections": shapes.ConnectionOut(many=True)})
PaymentsOut = inline_serializer("WaitingPayments", {"payments": shapes.PaymentOut(many=True)})


class _PlayerView(OperatorView):
    """A call about one player."""

    def player(self, user_id: str) -> Player:
        """Return the operator's player by any id they have. Raises PlayerNotFound."""
        return players.resolve_player(credential_of(self.request).operator_id, user_id)


@extend_schema(tags=["Applications"])
class ApplicationsView(OperatorView):
    """The operator's rumble applications."""

    scopes = {"get": Scope.SETTINGS_READ}

    @extend_schema(operation_id="applications_list", responses={200: ApplicationsOut})
    def get(self, request: Request) -> Response:
        """List them, newest first."""
        found = applications.of_operator(credential_of(request).operator_id, at=clock.now())[:MAX_LISTED]
        return Response({"applications": [shapes.application_json(one) for one in found]})


@extend_schema(tags=["Applications"])
class ApplicationView(OperatorView):
    """One application."""

    scopes = {"get": Scope.SETTINGS_READ, "put": Scope.SETTINGS_WRITE}

    @extend_schema(operation_id="applications_get", responses={200: shapes.ApplicationOut})
    def get(self, request: Request, app_id: str) -> Response:
        """Tell how it works."""
        found = applications.find(credential_of(request).operator_id, app_id, at=clock.now())
        return Response(shapes.application_json(found))

    @extend_schema(
        operation_id="applications_put", request=shapes.ApplicationIn, responses={200: shapes.ApplicationOut}
    )
    def put(self, request: Request, app_id: str) -> Response:
        """Change what is given. Tournaments that exist keep the terms they were made with."""
        at = clock.now()
        found = applications.find(credential_of(request).operator_id, app_id, at=at)
        body = shapes.ApplicationIn.read(request)
        for name in ("webhook_url", "webhook_token"):
            if name in body:
                body[name] = body[name] or ""
        changed = applications.change(found.pk, ApplicationChanges(**body), actor=actor_of(request), at=at)
        return Response(shapes.application_json(changed))


@extend_schema(tags=["Connections"])
class ConnectionsView(_PlayerView):
    """The applications that may act for a player."""

    scopes = {"get": Scope.PLAYERS_READ, "post": Scope.PLAYERS_WRITE}

    @extend_schema(operation_id="players_connections", responses={200: ConnectionsOut})
    def get(self, request: Request, user_id: str) -> Response:
        """List them, newest first."""
        player = self.player(user_id)
        found = connections.connections_of(player.pk)[:MAX_LISTED]
        eos_id = words.eos_of(player)
        return Response({"connections": [shapes.connection_json(one, eos_id=eos_id) for one in found]})

    @extend_schema(operation_id="players_connect", request=shapes.CodeIn, responses={201: shapes.ConnectionOut})
    def post(self, request: Request, user_id: str) -> Response:
        """Enter a connection code for a player; the application gets its token by webhook."""
        player, body = self.player(user_id), shapes.CodeIn.read(request)
        made = connections.connect(player.pk, body["code"], actor=actor_of(request), at=clock.now())
        return Response(shapes.connection_json(made, eos_id=words.eos_of(made.player)), status=201)


@extend_schema(tags=["Connections"])
class ConnectionView(_PlayerView):
    """One of them."""

    scopes = {"delete": Scope.PLAYERS_WRITE}

    @extend_schema(operation_id="players_disconnect", responses={204: None})
    def delete(self, request: Request, user_id: str, app_id: str) -> Response:
        """End a connection; what the player has paid for stays theirs."""
        at, operator_id = clock.now(), credential_of(request).operator_id
        player, application = self.player(user_id), applications.find(operator_id, app_id, at=at)
        connections.disconnect(player.pk, application.pk, actor=actor_of(request), at=at)
        return Response(status=204)


@extend_schema(tags=["Payments on the chain"])
class PaymentsView(_PlayerView):
    """Payments that wait for a player's word."""

    scopes = {"get": Scope.PLAYERS_READ}

    @extend_schema(operation_id="players_payments", responses={200: PaymentsOut})
    def get(self, request: Request, user_id: str) -> Response:
        """List them, what lapses first first."""
        found = payments.waiting(self.player(user_id).pk)[:MAX_LISTED]
        return Response({"payments": [shapes.payment_json(one) for one in found]})


@extend_schema(tags=["Payments on the chain"])
class SignView(_PlayerView):
    """Yes."""

    scopes = {"post": Scope.PLAYERS_WRITE}

    @extend_schema(operation_id="players_payment_sign", request=None, responses={200: shapes.TransactionOut})
    def post(self, request: Request, user_id: str, transaction_id: str) -> Response:
        """Sign a payment for a player; it is done when the chain says that it is final."""
        player = self.player(user_id)
        signed = payments.sign(transaction_id, player_id=player.pk, actor=actor_of(request), at=clock.now())
        return Response(shapes.transaction_json(signed))


@extend_schema(tags=["Payments on the chain"])
class RejectView(_PlayerView):
    """No."""

    scopes = {"post": Scope.PLAYERS_WRITE}

    @extend_schema(operation_id="players_payment_reject", request=None, responses={200: shapes.TransactionOut})
    def post(self, request: Request, user_id: str, transaction_id: str) -> Response:
        """Refuse a payment for a player."""
        player = self.player(user_id)
        refused = payments.reject(transaction_id, player_id=player.pk, actor=actor_of(request), at=clock.now())
        return Response(shapes.transaction_json(refused))


@extend_schema(tags=["Connections"])
class SigninLinkView(_PlayerView):
    """The way to a player's own pages."""

    scopes = {"post": Scope.PLAYERS_WRITE}
    seals_answers = True

    @extend_schema(operation_id="players_signin_link", request=None, responses={201: shapes.LinkOut})
    def post(self, request: Request, user_id: str) -> Response:
        """Make a link that signs the player in once, within a quarter of an hour."""
        made = browsers.issue_link(self.player(user_id).pk, actor=actor_of(request), at=clock.now())
        url = f"{settings.PUBLIC_URL}/play/enter/{made.token}"
        return Response({"url": url, "expiresAt": iso(made.expires_at)}, status=201)


@extend_schema(tags=["Payments on the chain"])
class ChainView(InternalView):
    """The simulated chain."""

    @extend_schema(operation_id="chain_control", request=shapes.ChainIn, responses={200: shapes.ChainOut})
    def put(self, request: Request) -> Response:
        """Make the simulated chain slow, fail or wait, for the key's operator. Never in production."""
        body = shapes.ChainIn.read(request)
        control = chain_control.control(
            credential_of(request).operator_id, **body, actor=actor_of(request), at=clock.now()
        )
        return Response(shapes.chain_json(control))
