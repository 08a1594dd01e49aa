"""The shapes of the answers, for the API description. `outputs` makes the answers; a test holds the two together."""
# ruff: noqa: N815 - the names are those on the wire

from rest_framework import serializers

from apps.tournaments.api.casino import words
from apps.tournaments.api.casino.schemas import (
    ActiveGameOut,
    Anything,
    CountsOut,
    CreatedOut,
    EntryStatisticsOut,
    ListedPlayerOut,
    Number,
    RebuyConfigOut,
    Shape,
)
from apps.tournaments.api.internal.inputs import START_CONDITION
from apps.tournaments.services.intake import shapes

STATUSES = (words.SCHEDULED, words.OPEN, words.ACTIVE, words.COMPLETED, words.CANCELLED)
PERMISSIONS = ("play", "spectate", "rebuy")
OUTCOMES = ("accepted", "duplicate", "ignored", "stale", "rejected")


class OwnedShape(Shape):
    """Whose tournament an answer is about."""

    tournament_id = serializers.CharField()
    tournamentId = serializers.CharField()
    operator_id = serializers.CharField()
    operatorId = serializers.CharField()


class TimingOut(Shape):
    """Planned and real times."""

    scheduled_start = serializers.DateTimeField(allow_null=True)
    actual_start = serializers.DateTimeField(allow_null=True)
    scheduled_end = serializers.DateTimeField(allow_null=True)
    completed_at = serializers.DateTimeField(allow_null=True)


class TournamentContextOut(Shape):
    """What a room needs of the tournament."""

    name = serializers.CharField()
    status = serializers.ChoiceField(STATUSES)
    game_config = Anything()
    current_round = serializers.IntegerField()


class PlayerContextOut(Shape):
    """What a room needs of the player."""

    entry_count = serializers.IntegerField()
    total_paid = Number()
    points = Number()
    status = serializers.ChoiceField(words.ENTRY_FILTERS)


class PrizesOut(Shape):
    """Amounts in major units, percentages first place first."""

    type = serializers.ChoiceField(["percentage"])
    totalAmount = Number()
    currency = serializers.CharField()
    guaranteedPrize = Number()
    distribution = serializers.ListField(child=Number())


class EntrySettingsOut(Shape):
    """How often a player may enter."""

    max_entries_per_player = serializers.IntegerField()
    rebuy_enabled = serializers.BooleanField()
    rebuy_fee = Number()


class BrandingOut(Shape):
    """How the operator looks."""

    primaryColor = serializers.CharField(allow_null=True)
    logoUrl = serializers.CharField(allow_null=True)


class FeaturesOut(Shape):
    """Switches of the tournament client."""

    allowLateRegistration = serializers.BooleanField()
    showTimer = serializers.BooleanField()
    showLeaderboard = serializers.BooleanField()


class OperatorConfigOut(Shape):
    """What the operator wants shown."""

    operatorId = serializers.CharField()
    branding = BrandingOut()
    features = FeaturesOut()


class TokenVerdictOut(Shape):
    """Whether a player token opens the door. All but `valid` and `error` are there only when it does."""

    valid = serializers.BooleanField()
    error = serializers.CharField(
        allow_null=True,
        help_text="token_expired, invalid_signature, malformed, player_removed or tournament_cancelled.",
    )
    tournament_id = serializers.CharField(required=False)
    tournamentId = serializers.CharField(required=False)
    internal_player_id = serializers.CharField(required=False)
    internalPlayerId = serializers.CharField(required=False)
    player_id = serializers.CharField(required=False)
    playerId = serializers.CharField(required=False)
    display_name = serializers.CharField(required=False)
    displayName = serializers.CharField(required=False)
    external_user_id = serializers.CharField(required=False)
    externalUserId = serializers.CharField(required=False)
    operator_id = serializers.CharField(required=False)
    operatorId = serializers.CharField(required=False)
    permissions = serializers.ListField(child=serializers.ChoiceField(PERMISSIONS), required=False)
    room_assignment = serializers.CharField(required=False)
    roomAssignment = serializers.CharField(required=False)
    room_id = serializers.CharField(required=False)
    roomId = serializers.CharField(required=False)
    game_slug = serializers.CharField(required=False)
    gameSlug = serializers.CharField(required=False)
    tournament_context = TournamentContextOut(required=False)
    player_context = PlayerContextOut(required=False)
    token_expires_at = serializers.DateTimeField(required=False)
    tokenExpiresAt = serializers.DateTimeField(required=False)


class ConfigOut(OwnedShape):
    """Both documented shapes of a configuration."""

    name = serializers.CharField()
    game_slug = serializers.CharField()
    gameSlug = serializers.CharField()
    tournament_type = serializers.CharField()
    tournamentType = serializers.CharField()
    status = serializers.ChoiceField(STATUSES)
    max_players = serializers.IntegerField(allow_null=True)
    maxPlayers = serializers.IntegerField(allow_null=True)
    min_players = serializers.IntegerField()
    minPlayers = serializers.IntegerField()
    current_players = serializers.IntegerField()
    currentPlayers = serializers.IntegerField()
    scheduled_start = serializers.DateTimeField(allow_null=True)
    scheduledStart = serializers.DateTimeField(allow_null=True)
    start_time = serializers.DateTimeField(allow_null=True)
    startTime = serializers.DateTimeField(allow_null=True)
    entry_fee = Number()
    entryFee = Number()
    currency = serializers.CharField()
    room_id = serializers.CharField()
    roomId = serializers.CharField()
    room_url = serializers.CharField(allow_null=True)
    roomUrl = serializers.CharField(allow_null=True)
    prize_pool_config = PrizesOut()
    prizePool = PrizesOut()
    game_config = Anything()
    gameConfig = Anything()
    timing = TimingOut()
    entry_settings = EntrySettingsOut()
    rebuyConfig = RebuyConfigOut()
    operatorConfig = OperatorConfigOut()


class PlatformStatusOut(OwnedShape):
    """Where a tournament stands."""

    status = serializers.ChoiceField(STATUSES)
    current_phase = serializers.CharField()
    currentPhase = serializers.CharField()
    player_counts = CountsOut()
    entry_statistics = EntryStatisticsOut()
    timing = TimingOut()
    active_games = ActiveGameOut(many=True)


class PlatformPlayerOut(ListedPlayerOut):
    """A player, and what they may do in the room."""

    internal_player_id = serializers.CharField()
    external_user_id = serializers.CharField()
    permissions = serializers.ListField(child=serializers.ChoiceField(PERMISSIONS))


class PlatformPlayersOut(OwnedShape):
    """The players of a tournament."""

    totalCount = serializers.IntegerField()
    players = PlatformPlayerOut(many=True)


class LobbyOut(CreatedOut):
    """A hop-on/off tournament."""

    operator_id = serializers.CharField()
    operatorId = serializers.CharField()
    startCondition = serializers.ChoiceField([START_CONDITION])
    start_condition = serializers.ChoiceField([START_CONDITION])


class RefundedOut(OwnedShape):
    """A player who was taken out, and what they got back."""

    player_id = serializers.CharField()
    internal_player_id = serializers.CharField()
    status = serializers.CharField()
    reason = serializers.CharField()
    refunded = serializers.BooleanField()
    refund_amount = Number()
    remaining_players = serializers.IntegerField()


class RoomOut(OwnedShape):
    """The room of a tournament."""

    room_id = serializers.CharField()
    roomId = serializers.CharField()
    room_url = serializers.CharField(allow_null=True)
    roomUrl = serializers.CharField(allow_null=True)


class OutcomeOut(Shape):
    """What became of one event."""

    eventId = serializers.CharField()
    outcome = serializers.ChoiceField(OUTCOMES)
    note = serializers.CharField(allow_null=True)


class OutcomesOut(OwnedShape):
    """What became of the events of a call, in their order."""

    accepted = serializers.IntegerField()
    results = OutcomeOut(many=True)


_EVENT = {
    "type": "object",
    "required": ["eventType", "eventId", "timestamp"],
    "description": "Known types need the data that the contract names; others are stored and acknowledged.",
    "properties": {
        "eventType": {"type": "string", "minLength": 1, "maxLength": 60, "description": ", ".join(shapes.SHAPES)},
        "eventId": {"type": "string", "minLength": 1, "maxLength": 128},
        "timestamp": {"type": "string", "format": "date-time", "description": "By the game's clock, with an offset."},
        "tournamentId": {"type": "string", "nullable": True},
        "operatorId": {"type": "string", "nullable": True},
        "data": {"type": "object", "additionalProperties": True, "nullable": True},
    },
}
EVENTS_IN = {
    "application/json": {
        "oneOf": [_EVENT, {"type": "array", "minItems": 1, "maxItems": shapes.MAX_EVENTS, "items": _EVENT}]
    }
}
