"""How the calls of rooms and tasks are described in the API description."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, PolymorphicProxySerializer, extend_schema_field
from rest_framework import serializers

from apps.rooms.api import values
from apps.rooms.api.schema import describe, error_shape, shape

TASK_WORDS = ("PENDING", "SUCCESS", "FAILED")


@extend_schema_field({"oneOf": [{"type": "string"}, {"type": "integer"}]})
class _RoomId(serializers.CharField):
    """Decimal text; a number will do."""


@extend_schema_field({"oneOf": [{"type": "number", "minimum": 0}, {"type": "string"}]})
class _Amount(serializers.CharField):
    """Whole tokens; shown as text where a number would lose digits."""


@extend_schema_field({"type": "object", "additionalProperties": {}})
class _Params(serializers.DictField):
    """What was asked for."""


def _text(about: str = "", **more: Any) -> serializers.CharField:
    return serializers.CharField(help_text=about, **more)


def _texts(about: str = "", **more: Any) -> serializers.ListField:
    return serializers.ListField(child=serializers.CharField(), help_text=about, **more)


def _list(child: Any, about: str = "", **more: Any) -> serializers.ListField:
    return serializers.ListField(child=child, help_text=about, **more)


def _optional(field: Any) -> Any:
    """Return a field that need not be there."""
    return type(field)(*field._args, **(field._kwargs | {"required": False}))  # noqa: SLF001 - as REST framework copies


# --- bodies -----------------------------------------------------------------------------------------------------------

_SYNC = {"sync": serializers.BooleanField(required=False, help_text="Answer when it is done, within 25 seconds.")}
_GAME = {"gameId": _text("Optional: the id of the key's own game.", required=False)}
_ROOM = {"roomId": _RoomId(help_text="As create or createJoinPay answered.")}
_TERMS = {
    "expiresIn": serializers.IntegerField(
        required=False, min_value=1, max_value=values.LONGEST_SECONDS, help_text="Lifetime in seconds, else 86400."
    ),
    "maxPlayers": serializers.IntegerField(required=False, min_value=0, help_text="Capacity; 0 is unlimited."),
}
_JWTS = {"sessionJwts": _texts("A session JWT per entry; repeat a player's for a second token.")}
_MONEY = {
    "tokens": _texts("A token's apiId or address per entry."),
    "amounts": _list(_Amount(), "Whole tokens, one amount per entry."),
}
_PAID = {**_JWTS, **_MONEY}
_EARNED = {"plyrIds": _texts("A PLYR[ID] per entry, or the game's own id."), **_MONEY}

# --- answers ----------------------------------------------------------------------------------------------------------

_LINE = {"plyrId": _text(), "token": _text(), "amount": _Amount()}
_PAYMENT = shape("RoomPayment", **_LINE)
_DISTRIBUTION = shape("RoomDistribution", **_LINE, fee=_Amount(help_text="Kept back."), net=_Amount())
_DONE = {
    "roomId": _text(),
    "roomAddress": _text(),
    "plyrIds": _texts(required=False),
    "payments": _list(_PAYMENT, required=False),
    "distributions": _list(_DISTRIBUTION, required=False),
}
_RESULT = shape("RoomTaskResult", gameId=_text(), **_DONE)
_DATA = shape(
    "RoomTaskData",
    **{"0": _text("The operation."), "1": _Params(help_text="What was asked for.")},
    method=_text("As 0."),
    body=_Params(help_text="As 1."),
    result=type(_RESULT)(required=False, help_text="Once it has succeeded."),
)
_RECORD = {
    "taskId": _text(),
    "taskData": _DATA,
    "hash": _text("0x and 64 digits; null if it failed.", allow_null=True),
    "completedAt": serializers.DateTimeField(),
}
_FAILURE = {"errorMessage": _text("Why it failed.")}
_OPTIONAL = {name: _optional(field) for name, field in (_RECORD | _FAILURE).items()}

_QUEUED = shape(
    "RoomTaskQueued",
    task=shape("RoomTaskRef", id=_text(), status=serializers.ChoiceField(TASK_WORDS)),
    message=_text("Where there was nothing to do.", required=False),
)
_WAITED = shape("RoomOperationDone", **_DONE, **_RECORD, status=serializers.ChoiceField(["SUCCESS"]), result=_RESULT)
_ANSWER = PolymorphicProxySerializer("RoomOperationAnswer", [_QUEUED, _WAITED], resource_type_field_name=None)
_TASK = shape(
    "RoomTask",
    **_OPTIONAL | {"taskId": _text(), "taskData": _DATA},
    status=serializers.ChoiceField(TASK_WORDS),
    result=_optional(_RESULT),
    error=_text("Why it failed, as the next four.", required=False),
    code=_text(required=False),
    hint=_text(required=False),
)
_REFUSED = error_shape("RoomOperationRefused", status=_text("FAILED, if a task failed.", required=False), **_OPTIONAL)
_LATE = error_shape("RoomOperationLate", taskId=_text(), status=serializers.ChoiceField(["TIMEOUT"]), **_FAILURE)
_NO_TASK = error_shape("RoomTaskNotFound", status=serializers.ChoiceField(["NOT_FOUND"], required=False))
_BAD_SESSIONS = error_shape(
    "RoomSessionsInvalid",
    invalidPlyrIds=serializers.DictField(
        child=serializers.CharField(), required=False, help_text="The reason by PLYR[ID], or by `unknown`."
    ),
)
_JOINED = serializers.BooleanField()

# --- the calls --------------------------------------------------------------------------------------------------------


def _operation(name: str, summary: str, fields: dict[str, Any], sends: dict[str, Any], gets: dict[str, Any]) -> Any:
    words = name[:1].upper() + name[1:]
    return describe(
        f"rooms_{name}",
        summary,
        _ANSWER,
        request=shape(f"Room{words}", **_GAME, **fields, **_SYNC),
        errors={
            400: OpenApiResponse(_REFUSED, description="Refused, or done and failed (synchronous answers)"),
            401: OpenApiResponse(_BAD_SESSIONS, description="Not authenticated, or a player did not consent"),
            504: OpenApiResponse(_LATE, description="Not done within 25 seconds; it may still succeed"),
        },
        sends=sends,
        gets=gets,
    )


_STARTED = {"task": {"id": "1735689601234-0", "status": "PENDING"}}
_ANA, _BO = "<jwt of ana-11>", "<jwt of bo-2222>"
_STAKES = {"sessionJwts": [_ANA, _BO], "tokens": ["gamr", "gamr"], "amounts": [3, 3]}
_PRIZES = {"plyrIds": ["ana-11", "bo-2222"], "tokens": ["gamr", "gamr"], "amounts": [6, 0]}
_SEVEN = {"roomId": "7"}

CREATE = _operation("create", "Create a room", _TERMS, {"expiresIn": 3600}, _STARTED)
JOIN = _operation(
    "join", "Let players into a room", {**_ROOM, **_JWTS}, {**_SEVEN, "sessionJwts": [_ANA, _BO]}, _STARTED
)
PAY = _operation("pay", "Take payments into a room", {**_ROOM, **_PAID}, {**_SEVEN, **_STAKES}, _STARTED)
EARN = _operation("earn", "Pay players out of a room", {**_ROOM, **_EARNED}, {**_SEVEN, **_PRIZES}, _STARTED)
LEAVE = _operation("leave", "Let players out of a room", {**_ROOM, **_JWTS}, {**_SEVEN, "sessionJwts": [_BO]}, _STARTED)
END = _operation("end", "End an empty room", _ROOM, _SEVEN, _STARTED)
JOIN_PAY = _operation(
    "joinPay", "Let players in and take their payments", {**_ROOM, **_PAID}, {**_SEVEN, **_STAKES}, _STARTED
)
EARN_LEAVE = _operation(
    "earnLeave", "Pay players out and let them out", {**_ROOM, **_EARNED}, {**_SEVEN, **_PRIZES}, _STARTED
)
CREATE_JOIN_PAY = _operation(
    "createJoinPay", "Create a room, let players in and take their payments", {**_PAID, **_TERMS}, _STAKES, _STARTED
)
EARN_LEAVE_END = _operation(
    "earnLeaveEnd", "Pay out all of a room, let the players out and end it", {**_ROOM, **_EARNED},
    {**_SEVEN, **_PRIZES}, _STARTED,
)  # fmt: skip

CLOSE = _operation("close", "End an expired room and take what it still holds", _ROOM, _SEVEN, _STARTED)

IS_JOINED = describe(
    "rooms_isJoined",
    "Tell whether a player is in a room",
    shape("RoomIsJoined", isJoined=_JOINED, data=shape("RoomIsJoinedData", isJoined=_JOINED)),
    parameters=(
        OpenApiParameter("roomId", OpenApiTypes.STR, required=True),
        OpenApiParameter("plyrId", OpenApiTypes.STR, required=True),
    ),
    gets={"isJoined": True, "data": {"isJoined": True}},
)
ROOM = describe(
    "rooms_show",
    "Show a room",
    shape(
        "RoomShown",
        roomId=_text(),
        roomAddress=_text(),
        status=serializers.ChoiceField(["created", "ended"]),
        expiresAt=serializers.DateTimeField(),
        maxPlayers=serializers.IntegerField(help_text="0 is unlimited."),
        plyrIds=_texts("Who is in it."),
        balances=serializers.DictField(child=serializers.CharField(), help_text="Whole tokens, as decimal text."),
    ),
    parameters=(OpenApiParameter("roomId", OpenApiTypes.STR, OpenApiParameter.PATH),),
    gets={
        "roomId": "7",
        "roomAddress": "0x5b0c0f2b6f6f6f9f4f7f1a2b3c4d5e6f70819203",
        "status": "created",
        "expiresAt": "2025-01-01T01:00:00.000Z",
        "maxPlayers": 0,
        "plyrIds": ["ana-11", "bo-2222"],
        "balances": {"gamr": "6"},
    },
)
TASK = describe(
    "rooms_task",
    "Show what became of an operation",
    _TASK,
    parameters=(OpenApiParameter("taskId", OpenApiTypes.STR, OpenApiParameter.PATH),),
    errors={404: OpenApiResponse(_NO_TASK, description="The game has no such task")},
    gets={
        "taskId": "1735689601234-0",
        "status": "PENDING",
        "taskData": {"0": "endGameRoom", "1": {"gameId": "mygame", "roomId": "7"}, "method": "endGameRoom",
                     "body": {"gameId": "mygame", "roomId": "7"}},
    },
)  # fmt: skip
