"""Players: make them known, list them, keep them out."""

from datetime import datetime
from typing import Any

from django.db.models import Q
from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core import clock
from apps.core.api.paging import page_of
from apps.core.api.schema import PAGE_PARAMETERS, PaginationOut
from apps.operators.api.access import OperatorView, actor_of, credential_of
from apps.operators.api.serializers import (
    PlayerIn,
    PlayerOut,
    ReasonIn,
    SelfExclusionIn,
    SuspensionIn,
    TotpIn,
    TotpOut,
    player_json,
)
from apps.operators.models import Player
from apps.operators.scopes import Scope
from apps.operators.services import otp, players

MAX_SEARCH = 128

PlayersOut = inline_serializer("OperatorPlayers", {"players": PlayerOut(many=True), "pagination": PaginationOut()})


@extend_schema(tags=["Players"])
class PlayersView(OperatorView):
    """All players of the operator."""

    scopes = {"get": Scope.PLAYERS_READ, "post": Scope.PLAYERS_WRITE}

    @extend_schema(
        operation_id="players_list",
        parameters=[*PAGE_PARAMETERS, OpenApiParameter("search", str, description="Part of a user id or a name.")],
        responses={200: PlayersOut},
    )
    def get(self, request: Request) -> Response:
        """List players in the order of their arrival."""
        page = page_of(request.query_params)
        found = Player.objects.for_operator(credential_of(request).operator_id)
        search = request.query_params.get("search", "")[:MAX_SEARCH]
        if search:
            found = found.filter(Q(external_id__icontains=search) | Q(display_name__icontains=search))
        rows = found.select_related("brand").order_by("pk")[page.offset : page.offset + page.limit]
        at = clock.now()
        return Response(
            {"players": [player_json(player, at) for player in rows], "pagination": page.pagination(found.count())}
        )

    @extend_schema(operation_id="players_create", request=PlayerIn, responses={201: PlayerOut})
    def post(self, request: Request) -> Response:
        """Make a player known; 409 PLAYER_EXISTS if they are."""
        body, at = PlayerIn.read(request), clock.now()
        player = players.create_player(credential_of(request).operator_id, **body, actor=actor_of(request), at=at)
        return Response(player_json(player, at), status=201)


@extend_schema(tags=["Players"])
class PlayerView(OperatorView):
    """One player, by the operator's own id of them or their plyrId."""

    scopes = {"get": Scope.PLAYERS_READ}

    @extend_schema(operation_id="players_get", responses={200: PlayerOut})
    def get(self, request: Request, user_id: str) -> Response:
        """Show a player and whether they may play."""
        player = players.resolve_player(credential_of(request).operator_id, user_id)
        return Response(player_json(player, clock.now()))


@extend_schema(tags=["Players"])
class TotpView(OperatorView):
    """The codes that a player logs in with (rooms.md 3.20)."""

    scopes = {"post": Scope.PLAYERS_WRITE, "delete": Scope.PLAYERS_WRITE}
    seals_answers = True

    @extend_schema(operation_id="players_totp_enrol", request=TotpIn, responses={201: TotpOut})
    def post(self, request: Request, user_id: str) -> Response:
        """Set up one-time codes, and a plyrId if the player has none; 409 TOTP_ENROLLED if they are set up."""
        player = players.resolve_player(credential_of(request).operator_id, user_id)
        body = TotpIn.read(request)
        made = otp.enrol(player.pk, handle=body["plyr_id"], actor=actor_of(request), at=clock.now())
        shown = {"plyrId": made.player.handle, "secret": made.secret, "otpauthUrl": made.otpauth_url}
        return Response(shown, status=201)

    @extend_schema(operation_id="players_totp_remove", request=None, responses={200: PlayerOut})
    def delete(self, request: Request, user_id: str) -> Response:
        """Remove the one-time codes; the player can't log in until they are set up again."""
        at = clock.now()
        player = players.resolve_player(credential_of(request).operator_id, user_id)
        return Response(player_json(otp.remove(player.pk, actor=actor_of(request), at=at), at))


class _BlockView(OperatorView):
    """What the three verbs on a player's block share."""

    scopes = {"post": Scope.PLAYERS_WRITE}

    def _do(self, request: Request, user_id: str, body: dict[str, Any], verb: Any) -> Response:
        at: datetime = clock.now()
        player = players.resolve_player(credential_of(request).operator_id, user_id)
        changed = verb(player.pk, **body, actor=actor_of(request), at=at)
        return Response(player_json(changed, at))


@extend_schema(tags=["Players"])
class SuspendView(_BlockView):
    """Keep a player out."""

    @extend_schema(operation_id="players_suspend", request=SuspensionIn, responses={200: PlayerOut})
    def post(self, request: Request, user_id: str) -> Response:
        """Suspend: nothing takes their money or enters them; what they are owed is still paid."""
        return self._do(request, user_id, SuspensionIn.read(request), players.suspend)


@extend_schema(tags=["Players"])
class SelfExcludeView(_BlockView):
    """Keep a player out at their own wish."""

    @extend_schema(operation_id="players_self_exclude", request=SelfExclusionIn, responses={200: PlayerOut})
    def post(self, request: Request, user_id: str) -> Response:
        """Self-exclude: with `until`, nobody can lift it before."""
        return self._do(request, user_id, SelfExclusionIn.read(request), players.self_exclude)


@extend_schema(tags=["Players"])
class ReinstateView(_BlockView):
    """Let a player in again."""

    @extend_schema(operation_id="players_reinstate", request=ReasonIn, responses={200: PlayerOut})
    def post(self, request: Request, user_id: str) -> Response:
        """Reinstate; 409 SELF_EXCLUSION_HOLDS before the end of a self-exclusion."""
        return self._do(request, user_id, ReasonIn.read(request), players.reinstate)
