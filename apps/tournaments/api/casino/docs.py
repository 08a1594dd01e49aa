"""How each call is described in the API description: words, shapes, statuses, examples."""

from collections.abc import Callable
from typing import Any, TypeVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers

from apps.tournaments.api.casino import inputs, queries, schemas

F = TypeVar("F", bound=Callable[..., Any])

TOURNAMENT_ID = OpenApiParameter("id", OpenApiTypes.STR, OpenApiParameter.PATH, description="The tournament's id.")
PLAYER_ID = OpenApiParameter(
    "player",
    OpenApiTypes.STR,
    OpenApiParameter.PATH,
    description="The player's id, the internal player id (`TP_…`), or the operator's own user id.",
)
USER_ID = OpenApiParameter("userId", OpenApiTypes.STR, OpenApiParameter.PATH, description="The operator's user id.")
USER_TO_BE = OpenApiParameter(
    "player",
    OpenApiTypes.STR,
    OpenApiParameter.PATH,
    description="The operator's own user id of the player, who need not have played before.",
)
REASON = OpenApiParameter(
    "reason", OpenApiTypes.STR, description="For clients that can't send a body with DELETE: the reason, here instead."
)
DETAILS = OpenApiParameter("details", OpenApiTypes.STR, description="Likewise.")


def _call(
    operation_id: str,
    summary: str,
    answer: type[serializers.Serializer[Any]],
    *,
    tag: str,
    status: int = 200,
    request: type[serializers.Serializer[Any]] | None = None,
    parameters: tuple[Any, ...] = (),
    conflict: type[serializers.Serializer[Any]] | None = None,
    accepted: type[serializers.Serializer[Any]] | None = None,
    sends: dict[str, Any] | None = None,
    gets: dict[str, Any] | None = None,
) -> Callable[[F], F]:
    """Describe a call. `sends` and `gets` are an example of its body and of its answer.

    The errors that every call may answer with are added for all of them, in `apps.core.api.schema`.
    """
    responses: dict[int, Any] = {status: OpenApiResponse(answer, description="Done")}
    if accepted is not None:
        responses[202] = OpenApiResponse(accepted, description="Being seen to")
    if conflict is not None:
        responses[409] = OpenApiResponse(conflict, description="Conflict")
    examples = []
    if sends is not None:
        examples.append(OpenApiExample("Request", value=sends, request_only=True))
    if gets is not None:
        examples.append(OpenApiExample("Answer", value=gets, response_only=True, status_codes=[str(status)]))
    described: Callable[[F], F] = extend_schema(
        operation_id=operation_id,
        summary=summary,
        tags=[tag],
        request=request,
        parameters=list(parameters),
        responses=responses,
        examples=examples,
    )
    return described


create_tournament: Callable[[F], F] = _call(
    "create_tournament",
    "Create a tournament",
    schemas.CreatedOut,
    tag="tournaments",
    status=201,
    request=inputs.TournamentIn,
    sends={
        "name": "Friday Sprint",
        "game": "crash-classic",
        "scheduled_start": "2031-05-02T18:30:00Z",
        "max_players": 40,
        "min_players": 4,
        "entry_fee": 7.5,
        "prize_pool": {"type": "percentage", "distribution": [60, 40]},
        "rebuy_enabled": True,
        "rebuy_fee": 7.5,
        "max_entries_per_player": 2,
    },
)
list_tournaments: Callable[[F], F] = _call(
    "list_tournaments",
    "List tournaments",
    schemas.TournamentsOut,
    tag="tournaments",
    parameters=(queries.TournamentQuery,),
)
get_tournament: Callable[[F], F] = _call(
    "get_tournament",
    "Read a tournament",
    schemas.DetailsOut,
    tag="tournaments",
    parameters=(TOURNAMENT_ID, queries.ViewerQuery),
)
update_tournament: Callable[[F], F] = _call(
    "update_tournament",
    "Change a tournament before its start",
    schemas.ChangedOut,
    tag="tournaments",
    request=inputs.ChangesIn,
    parameters=(TOURNAMENT_ID,),
    sends={"name": "Friday Sprint II", "max_players": 60},
)
cancel_tournament: Callable[[F], F] = _call(
    "cancel_tournament",
    "Cancel a tournament and refund everyone",
    schemas.CancelledOut,
    tag="tournaments",
    request=inputs.CancellationIn,
    parameters=(TOURNAMENT_ID, REASON),
    sends={"reason": "venue outage"},
    gets={
        "cancelled": True,
        "reason": "venue outage",
        "refunds": {"totalRefunded": 97.5, "playersRefunded": 12},
    },
)
start_tournament: Callable[[F], F] = _call(
    "start_tournament",
    "Start a tournament now",
    schemas.StartedOut,
    tag="tournaments",
    parameters=(TOURNAMENT_ID,),
)
get_status: Callable[[F], F] = _call(
    "get_tournament_status",
    "Read where a tournament stands",
    schemas.StatusOut,
    tag="tournaments",
    parameters=(TOURNAMENT_ID, queries.ViewerQuery),
    gets={
        "tournament_id": "50017",
        "tournamentId": "50017",
        "status": "in_progress",
        "current_phase": "round_2",
        "currentPhase": "round_2",
        "player_counts": {"total_registered": 12, "active_players": 9, "eliminated_players": 3},
        "active_games": [{"slug": "crash-classic", "status": "active", "room_id": "tournament_50017_crash-classic"}],
    },
)
register_player: Callable[[F], F] = _call(
    "register_player",
    "Register a player",
    schemas.RegisteredOut,
    tag="players",
    status=201,
    accepted=schemas.BuyInOut,
    request=inputs.RegistrationIn,
    parameters=(TOURNAMENT_ID,),
    sends={"user_id": "u-9", "display_name": "Mara", "buy_in_amount": 7.5},
    gets={
        "player_id": "803",
        "playerId": "803",
        "internal_player_id": "TP_50017_803_1",
        "internalPlayerId": "TP_50017_803_1",
        "tournament_id": "50017",
        "tournamentId": "50017",
        "status": "registered",
        "crash-classic": {"jwt": "<jwt>", "game_url": "https://play.example/crash-classic?jwt=<jwt>"},
        "jwt": "<jwt>",
        "gameUrl": "https://play.example/crash-classic?jwt=<jwt>",
        "game_url": "https://play.example/crash-classic?jwt=<jwt>",
        "message": "registered",
    },
)
fee: Callable[[F], F] = _call(
    "get_player_fee",
    "Read what a player would be debited, before they confirm",
    schemas.FeeOut,
    tag="players",
    parameters=(TOURNAMENT_ID, USER_TO_BE, queries.FeeQuery),
    gets={
        "tournamentId": "50017",
        "userId": "u-9",
        "amount": 56,
        "currency": "SEK",
        "rate": 11.2,
        "rateAt": "2031-05-02T18:20:05Z",
        "fee": 5,
        "feeCurrency": "EUR",
        "asked": False,
    },
)
list_players: Callable[[F], F] = _call(
    "list_players",
    "List the players of a tournament",
    schemas.PlayersOut,
    tag="players",
    parameters=(TOURNAMENT_ID, queries.PlayerQuery, queries.ViewerQuery),
)
get_player: Callable[[F], F] = _call(
    "get_player_status",
    "Read where a player stands",
    schemas.StandingOut,
    tag="players",
    accepted=schemas.BuyInOut,
    parameters=(TOURNAMENT_ID, PLAYER_ID),
)
remove_player: Callable[[F], F] = _call(
    "remove_player",
    "Take a player out",
    schemas.RemovedOut,
    tag="players",
    request=inputs.RemovalIn,
    parameters=(TOURNAMENT_ID, PLAYER_ID, REASON, DETAILS),
    sends={"reason": "voluntary_exit", "details": "asked to leave"},
)
rebuy: Callable[[F], F] = _call(
    "rebuy",
    "Sell a player more entries",
    schemas.RebuyOut,
    tag="players",
    request=inputs.RebuyIn,
    parameters=(TOURNAMENT_ID, PLAYER_ID),
    conflict=schemas.RebuyErrorOut,
    sends={"additional_entries": 1},
)
score: Callable[[F], F] = _call(
    "get_player_score",
    "Read what a player's points are made of",
    schemas.ScoreOut,
    tag="results",
    parameters=(TOURNAMENT_ID, PLAYER_ID, queries.PageQuery),
)
reset_score: Callable[[F], F] = _call(
    "reset_player_score",
    "Let a player begin anew, where the tournament allows it",
    schemas.StandingOut,
    tag="players",
    request=inputs.ResetIn,
    parameters=(TOURNAMENT_ID, PLAYER_ID),
)
leaderboard: Callable[[F], F] = _call(
    "get_leaderboard",
    "Read the leaderboard",
    schemas.BoardOut,
    tag="results",
    parameters=(TOURNAMENT_ID, queries.BoardQuery, queries.ViewerQuery),
)
results: Callable[[F], F] = _call(
    "get_results",
    "Read the final results",
    schemas.ResultsOut,
    tag="results",
    parameters=(TOURNAMENT_ID, queries.ViewerQuery),
)
prize_pool: Callable[[F], F] = _call(
    "get_prize_pool",
    "Read how the prize pool comes about",
    schemas.PrizePoolReportOut,
    tag="results",
    parameters=(TOURNAMENT_ID, queries.ViewerQuery),
)
events: Callable[[F], F] = _call(
    "list_tournament_events",
    "Read what happened in a tournament",
    schemas.TournamentEventsOut,
    tag="results",
    parameters=(TOURNAMENT_ID, queries.EventQuery, queries.ViewerQuery),
)
history: Callable[[F], F] = _call(
    "get_player_history",
    "Read a player's tournaments",
    schemas.HistoryOut,
    tag="results",
    parameters=(USER_ID, queries.HistoryQuery),
)
