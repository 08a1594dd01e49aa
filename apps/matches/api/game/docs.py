"""The shapes of the game's dialect, for the description. What is really taken is wider: see `folding` and `said`."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, inline_serializer
from rest_framework import serializers

from apps.matches.api.words import DISPUTE_STATES, WIRE_STATUSES
from apps.matches.models import DisputeType, GameEventType

ErrorOut = inline_serializer(
    "GameError",
    {
        "error": inline_serializer(
            "GameErrorBody", {"code": serializers.CharField(), "message": serializers.CharField()}
        )
    },
)
WORDS = {
    400: "Malformed, or it contradicts itself",
    401: "No valid access token",
    403: "The token lacks the scope, or the operator is suspended",
    404: "Not found, or another game's",
    405: "Method not allowed",
    409: "The match does not allow this (yet)",
    413: "Too large",
    415: "Not JSON",
    422: "Well formed, but it does not fit the match",
    429: "Asked too often; see Retry-After",
    500: "Server error",
    503: "The match is being announced; see Retry-After",
}
ERRORS = {status: OpenApiResponse(ErrorOut, words) for status, words in WORDS.items()}


def answers(status: int, shape: Any) -> dict[int, Any]:
    """Return a call's answers: its own, and the errors that any call may end in."""
    return {status: shape, **ERRORS}


STATUS = serializers.ChoiceField(choices=WIRE_STATUSES)
StubTeam = inline_serializer(
    "GameTeam", {"id": serializers.CharField(), "forfeit?": serializers.BooleanField(required=False)}
)
StubParticipant = inline_serializer(
    "GameParticipant", {"id": serializers.CharField(), "team_id": serializers.CharField()}
)
PlayerScore = inline_serializer(
    "GamePlayerScore",
    {
        "id": serializers.CharField(),
        "score": serializers.IntegerField(required=False, min_value=0),
        "submission_id": serializers.CharField(required=False),
    },
)
TeamResult = inline_serializer(
    "GameTeamResult",
    {
        "id": serializers.CharField(),
        "score": serializers.IntegerField(required=False, min_value=0),
        "ranking": serializers.IntegerField(required=False, min_value=1, max_value=255),
        "forfeit?": serializers.BooleanField(required=False),
    },
)
ErrorSaid = inline_serializer(
    "GameAbortReason",
    {
        "reason": serializers.CharField(required=False, allow_blank=True),
        "code": serializers.CharField(required=False),
        "afk": serializers.ListField(child=serializers.CharField(), required=False),
    },
    required=False,
)
FinishIn = inline_serializer(
    "GameReport",
    {
        "match_id": serializers.CharField(),
        "participants": serializers.ListField(child=PlayerScore, required=False),
        "teams": serializers.ListField(child=TeamResult, required=False),
        "games": serializers.ListField(child=serializers.DictField(), required=False),
        "error": ErrorSaid,
    },
)
FinishOut = inline_serializer(
    "GameReportAnswer",
    {
        "match_id": serializers.CharField(),
        "match_status": STATUS,
        "accepted": serializers.BooleanField(),
        "duplicate": serializers.BooleanField(),
        "submissions_left": serializers.IntegerField(required=False),
        "participants": serializers.ListField(child=serializers.DictField(), required=False),
    },
)
TokenInfoIn = inline_serializer("GameTokenToCheck", {"token": serializers.CharField()})
TokenInfoOut = inline_serializer(
    "GameTokenInfo",
    {
        "match_id": serializers.CharField(),
        "user_id": serializers.CharField(),
        "match_status": STATUS,
        "submissions_total": serializers.IntegerField(),
        "submissions_left": serializers.IntegerField(),
    },
)
Listed = inline_serializer(
    "GameListedMatch",
    {
        "match_id": serializers.CharField(),
        "match_status": STATUS,
        "participants": serializers.ListField(child=StubParticipant),
        "teams": serializers.ListField(child=StubTeam),
    },
)
ListOut = inline_serializer(
    "GameMatches",
    {"matches": serializers.ListField(child=Listed), "next_cursor": serializers.CharField(allow_null=True)},
)
MatchOut = inline_serializer(
    "GameMatch",
    {
        "match_id": serializers.CharField(),
        "match_status": STATUS,
        "participants": serializers.ListField(child=serializers.DictField()),
        "teams": serializers.ListField(child=serializers.DictField()),
        "result": serializers.DictField(allow_null=True),
        "reported": serializers.DictField(allow_null=True),
        "error": serializers.DictField(allow_null=True),
    },
)
EventIn = inline_serializer(
    "GameEventToTell",
    {
        "match_id": serializers.CharField(),
        "event_type": serializers.ChoiceField(choices=GameEventType.values),
        "event_id": serializers.CharField(required=False, max_length=128),
        "timestamp": serializers.DateTimeField(required=False),
        "data": serializers.DictField(required=False),
    },
)
EventOut = inline_serializer(
    "GameEventTaken",
    {
        "match_id": serializers.CharField(),
        "match_status": STATUS,
        "accepted": serializers.BooleanField(),
        "duplicate": serializers.BooleanField(),
    },
)
DisputeIn = inline_serializer(
    "GameDisputeToOpen",
    {
        "participant_id": serializers.CharField(),
        "type": serializers.ChoiceField(choices=DisputeType.values, required=False),
        "note": serializers.CharField(required=False, allow_blank=True, max_length=2000),
        "evidence": serializers.ListField(child=serializers.JSONField(), required=False, max_length=20),
    },
)
DisputeOut = inline_serializer(
    "GameDispute",
    {
        "dispute_id": serializers.CharField(),
        "participant_id": serializers.CharField(),
        "type": serializers.ChoiceField(choices=DisputeType.values),
        "state": serializers.ChoiceField(choices=DISPUTE_STATES),
        "note": serializers.CharField(allow_blank=True),
        "evidence": serializers.ListField(child=serializers.JSONField()),
        "opened_at": serializers.DateTimeField(),
        "decided_at": serializers.DateTimeField(allow_null=True),
        "decision": serializers.CharField(allow_null=True),
    },
)
DisputesOut = inline_serializer("GameDisputes", {"disputes": serializers.ListField(child=DisputeOut)})
POLL_PARAMETERS = [
    OpenApiParameter("status", str, description="`live`, `pending`, or both with a comma; `live` by default."),
    OpenApiParameter("user_id", str, description="Only matches of this participant."),
    OpenApiParameter(
        "updated_since", str, description="RFC 3339. Only what changed since then; ends are shown for 24 hours."
    ),
    OpenApiParameter("limit", {"type": "integer", "minimum": 1, "maximum": 200, "default": 100}),
    OpenApiParameter("cursor", str, description="`next_cursor` of the page before."),
]
