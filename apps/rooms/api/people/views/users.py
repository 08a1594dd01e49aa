"""Players, their balances, pictures and logs, and tokens (rooms.md 3.31 and 3.32)."""

from datetime import datetime
from typing import Any

from django.http import HttpResponse
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core import clock
from apps.core.api.paging import whole
from apps.ledger.models import Asset
from apps.operators import handles
from apps.operators.models import Player
from apps.rooms import pictures
from apps.rooms.api.base import GameView, PublicView
from apps.rooms.api.people import answers, inputs
from apps.rooms.api.people.docs import users as docs
from apps.rooms.errors import InvalidParams, RoomError
from apps.rooms.models import Activity, Chip
from apps.rooms.services import profiles, tokens

LOG_LINES, MOST_LOG_LINES = 25, 200
MOST_OFFSET = 1_000_000
MOST_AVATARS = 500


class TokenNameInvalid(RoomError):
    """Invalid tokenName"""  # noqa: D400, D415 - word for word (rooms.md 3.31)

    kind = "unauthenticated"
    code = "TOKEN_INVALID"
    hint = "Use an apiId from /tokenlist."


class TokenListView(PublicView):
    """The tokens of the operator whose key calls; without a key, what every operator begins with."""

    http_method_names = ["get", "head"]

    @docs.TOKEN_LIST
    def get(self, request: Request) -> Response:
        """List tokens."""
        at = clock.now()
        return Response(answers.token_list(self.tokens(at), at))

    def tokens(self, at: datetime) -> list[dict[str, Any]]:
        """Return those whom the caller may see."""
        if not self.request.auth:
            return answers.standard_tokens(at)
        assets = Asset.objects.for_operator(self.operator_id).filter(enabled=True).order_by("pk")
        chips = {chip.asset_id: chip for chip in Chip.objects.for_operator(self.operator_id)}
        return [answers.token(asset, chips.get(asset.pk), at) for asset in assets]


class TokenOfListView(TokenListView):
    """One of them, in the same list."""

    @docs.TOKEN_OF_LIST
    def get(self, request: Request, apiId: str) -> Response:  # type: ignore[override]  # noqa: N803 - the wire's spelling
        """List the token that is named."""
        at = clock.now()
        listed = [token for token in self.tokens(at) if token["apiId"] == apiId.lower()]
        if not listed:
            raise NotFound("Token not found")
        return Response(answers.token_list(listed, at))


class BalanceView(GameView):
    """What a player can spend."""

    http_method_names = ["get", "head"]

    @docs.BALANCE
    def get(self, request: Request, identifier: str) -> Response:
        """Return a player's balances as decimal text, at the top and under `balances`."""
        found = self.balances(identifier)
        return Response({**found, "balances": found})

    def balances(self, identifier: str) -> dict[str, str]:
        """Return them by token id."""
        player = profiles.identified(self.operator_id, identifier)
        return {code.lower(): amount for code, amount in profiles.balances(player).items()}


class BalanceOfTokenView(BalanceView):
    """The same of one token."""

    @docs.BALANCE_OF_TOKEN
    def get(self, request: Request, identifier: str, tokenName: str) -> Response:  # type: ignore[override]  # noqa: N803
        """Return a player's balance of a token, likewise."""
        held = self.balances(identifier)
        try:
            (token,) = tokens.resolve(self.operator_id, [tokenName])
        except RoomError as unknown:
            raise TokenNameInvalid("Invalid tokenName") from unknown
        found = {token.code.lower(): held.get(token.code.lower(), "0")}
        return Response({**found, "balances": found})


class BalanceOfAddressView(BalanceView):
    """The same by address, as observed."""

    @docs.BALANCE_OF_ADDRESS
    def get(self, request: Request, address: str) -> Response:
        """Return the balances of the player whose address it is."""
        return super().get(request, address)


class InfoView(GameView):
    """Who a player is."""

    http_method_names = ["get", "head"]

    @docs.INFO
    def get(self, request: Request, identifier: str) -> Response:
        """Return a player by PLYR[ID] or address."""
        is_address = identifier.lower().startswith("0x")
        if not is_address and not handles.is_handle(handles.normal(identifier)):
            raise InvalidParams("Invalid PLYR[ID]")
        return Response(answers.info(profiles.profile_of(profiles.identified(self.operator_id, identifier))))


class AvatarView(GameView):
    """One picture."""

    http_method_names = ["get", "head"]

    @docs.AVATAR
    def get(self, request: Request, plyrId: str) -> Response:  # noqa: N803
        """Return the address of a player's picture."""
        player = profiles.called(self.operator_id, plyrId)
        return Response({"avatar": profiles.avatar_url(str(player.handle))})


class AvatarsView(PublicView):
    """Pictures of several. They belong to names, whoever goes by them, so this tells nobody who is a player here."""

    http_method_names = ["post"]

    @docs.AVATARS
    def post(self, request: Request) -> Response:
        """Return the address of each picture, at the top and under `avatars`; what can be no PLYR[ID] is left out."""
        found = self.pictures(request)
        return Response({**found, "avatars": found})

    def pictures(self, request: Request) -> dict[str, str]:
        """Return the addresses by name."""
        given = inputs.fields_of(request).get("plyrIds")
        if not isinstance(given, list) or len(given) > MOST_AVATARS:
            raise InvalidParams("plyrIds must be an array")
        named = dict.fromkeys(handles.normal(one) for one in given if isinstance(one, str))
        return {name: profiles.avatar_url(name) for name in named if handles.is_handle(name)}


class AvatarLinesView(AvatarsView):
    """The same as observed."""

    @docs.AVATAR_LINES
    def post(self, request: Request) -> Response:
        """Return the address of each picture in a list."""
        return Response({"avatars": [{"plyrId": name, "avatar": url} for name, url in self.pictures(request).items()]})


class PictureView(PublicView):
    """The picture itself."""

    http_method_names = ["get", "head"]

    @docs.PICTURE
    def get(self, request: Request, plyrId: str) -> HttpResponse:  # noqa: N803
        """Draw the picture that belongs to a PLYR[ID]."""
        name = handles.normal(plyrId)
        if not handles.is_handle(name):
            raise NotFound
        return HttpResponse(
            pictures.avatar(name),
            content_type="image/svg+xml",
            headers={"Cache-Control": "public, max-age=86400", "Content-Security-Policy": "default-src 'none'"},
        )


class LogsView(GameView):
    """A player's log as documented."""

    http_method_names = ["get", "head"]

    @docs.LOGS
    def get(self, request: Request, plyrId: str) -> Response:  # noqa: N803
        """Return what a player did in games, newest first."""
        player = profiles.called(self.operator_id, plyrId)
        rows = Activity.objects.filter(player=player)
        since, until = inputs.moment(request.GET, "startTime"), inputs.moment(request.GET, "endTime")
        if since is not None:
            rows = rows.filter(occurred_at__gte=since)
        if until is not None:
            rows = rows.filter(occurred_at__lte=until)
        return Response({"logs": [answers.log_line(line) for line in rows.order_by("-pk")[: _limit(request)]]})


class ActionsView(GameView):
    """A player's log as observed."""

    http_method_names = ["get", "head"]

    @docs.ACTIONS
    def get(self, request: Request, plyrId: str) -> Response:  # noqa: N803
        """Return what a player did in games, newest first."""
        player: Player = profiles.called(self.operator_id, plyrId)
        first = whole(request.GET, "offset", default=0, least=0, most=MOST_OFFSET)
        rows = Activity.objects.filter(player=player).order_by("-pk")[first : first + _limit(request)]
        return Response([answers.action_line(line, str(player.handle)) for line in rows])


def _limit(request: Request) -> int:
    return whole(request.GET, "limit", default=LOG_LINES, least=1, most=MOST_LOG_LINES)
