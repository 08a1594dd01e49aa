"""How each call is described in the API description."""

from collections.abc import Callable
from typing import Any, TypeVar

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers

from apps.tournaments.api.casino import queries
from apps.tournaments.api.casino.docs import PLAYER_ID, REASON, TOURNAMENT_ID
from apps.tournaments.api.internal import inputs, schemas

F = TypeVar("F", bound=Callable[..., Any])


def _call(
    operation_id: str,
    summary: str,
    answer: type[serializers.Serializer[Any]],
    *,
    statuses: tuple[int, ...] = (200,),
    request: Any = None,
    parameters: tuple[Any, ...] = (),
    sends: Any = None,
) -> Callable[[F], F]:
    """Describe a call; the errors that every call may answer with are added for all of them."""
    described: Callable[[F], F] = extend_schema(
        operation_id=operation_id,
        summary=summary,
        tags=["game platform"],
        request=request,
        parameters=list(parameters),
        responses={status: OpenApiResponse(answer, description="Done") for status in statuses},
        examples=[] if sends is None else [OpenApiExample("Request", value=sends, request_only=True)],
    )
    return described


EVENT_SENT = {
    "eventType": "player.score.updated",
    "eventId": "evt_1935512467_q8w2xc",
    "timestamp": "2031-05-02T18:39:51Z",
    "data": {"playerId": "TP_50017_803_1", "score": 640, "round": 2},
}

validate_token: Callable[[F], F] = _call(
    "validate_token",
    "Judge a player token",
    schemas.TokenVerdictOut,
    request=inputs.TokenIn,
    sends={"token": "<jwt>"},
)
open_lobby: Callable[[F], F] = _call(
    "open_lobby",
    "Open a hop-on/off tournament, or get the one that waits",
    schemas.LobbyOut,
    statuses=(200, 201),
    request=inputs.LobbyIn,
    sends={"operator_id": "op_77", "game": "crash-classic", "min_players": 4, "entry_fee": 7.5},
)
get_config: Callable[[F], F] = _call(
    "get_tournament_config", "Read how a tournament is played", schemas.ConfigOut, parameters=(TOURNAMENT_ID,)
)
get_status: Callable[[F], F] = _call(
    "get_tournament_status_for_game_platform",
    "Read where a tournament stands",
    schemas.PlatformStatusOut,
    parameters=(TOURNAMENT_ID,),
)
list_players: Callable[[F], F] = _call(
    "list_players_for_game_platform",
    "List the players of a tournament",
    schemas.PlatformPlayersOut,
    parameters=(TOURNAMENT_ID, queries.PlayerQuery),
)
refund_player: Callable[[F], F] = _call(
    "remove_player_with_refund",
    "Take a player out before the start and refund them",
    schemas.RefundedOut,
    request=inputs.ReasonIn,
    parameters=(TOURNAMENT_ID, PLAYER_ID, REASON),
    sends={"reason": "left the lobby"},
)
report_events: Callable[[F], F] = _call(
    "report_events",
    "Report what happened in the game",
    schemas.OutcomesOut,
    statuses=(202,),
    request=schemas.EVENTS_IN,
    parameters=(TOURNAMENT_ID,),
    sends=EVENT_SENT,
)
set_room: Callable[[F], F] = _call(
    "set_room",
    "Note where a tournament is played",
    schemas.RoomOut,
    request=inputs.RoomIn,
    parameters=(TOURNAMENT_ID,),
    sends={"roomId": "room_50017_1935512467", "roomUrl": "https://play.example/rooms/50017"},
)
