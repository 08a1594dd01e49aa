"""The shapes of the answers, for the API description. `outputs` makes the answers; a test holds the two together."""
# ruff: noqa: N815 - the names are those on the wire

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.core.api.schema import PaginationOut
from apps.tournaments.api.casino import words
from apps.tournaments.models import TournamentType


@extend_schema_field({"type": "number"})
class Number(serializers.Field[Any, Any, Any, Any]):
    """A JSON number, exact."""


@extend_schema_field({"type": "object", "additionalProperties": {"type": "number"}})
class Numbers(serializers.Field[Any, Any, Any, Any]):
    """An object of numbers."""


@extend_schema_field({"type": "object", "additionalProperties": {}})
class Anything(serializers.Field[Any, Any, Any, Any]):
    """Any object."""


class Shape(serializers.Serializer[Any]):
    """An answer. Everything in it is always there unless it says otherwise."""


class RefusalOut(Shape):
    """What was refused, and why."""

    code = serializers.CharField()
    message = serializers.CharField()
    details = Anything()


class RebuyErrorOut(Shape):
    """The body of every error, and in the words of a rebuy."""

    success = serializers.BooleanField()
    error = RefusalOut()
    message = serializers.CharField()
    code = serializers.CharField()
    request_id = serializers.CharField()
    rebuy_approved = serializers.BooleanField()


class PrizePoolOut(Shape):
    """Amounts in major units; `distribution` maps ranks to percentages."""

    totalAmount = Number()
    currency = serializers.CharField()
    guaranteedPrize = Number()
    distribution = Numbers()


class PlayedGameOut(Shape):
    """The game a tournament is played in."""

    slug = serializers.CharField()
    config = Anything()
    status = serializers.CharField()


class RebuyConfigOut(Shape):
    """Whether, how often and until when a player may buy in again."""

    enabled = serializers.BooleanField()
    fee = Number()
    maxEntriesPerPlayer = serializers.IntegerField()
    deadline = serializers.DateTimeField(allow_null=True)


class TournamentOut(Shape):
    """A tournament."""

    tournamentId = serializers.CharField()
    id = serializers.CharField()
    operator_id = serializers.CharField()
    external_id = serializers.CharField(allow_null=True)
    name = serializers.CharField()
    gameSlug = serializers.CharField()
    status = serializers.ChoiceField(words.TOURNAMENT_WORDS)
    scheduledStart = serializers.DateTimeField(allow_null=True)
    scheduledEnd = serializers.DateTimeField(allow_null=True)
    actualStartTime = serializers.DateTimeField(allow_null=True)
    completedAt = serializers.DateTimeField(allow_null=True)
    cancelledAt = serializers.DateTimeField(allow_null=True)
    maxPlayers = serializers.IntegerField(allow_null=True)
    minPlayers = serializers.IntegerField()
    min_players = serializers.IntegerField()
    currentPlayers = serializers.IntegerField()
    entryFee = Number()
    currency = serializers.CharField()
    prizePool = PrizePoolOut()
    gameConfig = Anything()
    games = PlayedGameOut(many=True)
    tournamentType = serializers.ChoiceField(TournamentType.values)
    startCondition = serializers.CharField(allow_null=True)
    registrationOpensAt = serializers.DateTimeField(allow_null=True)
    allowLateRegistration = serializers.BooleanField()
    rebuyEnabled = serializers.BooleanField()
    rebuyFee = Number()
    maxEntriesPerPlayer = serializers.IntegerField()
    rebuyConfig = RebuyConfigOut()
    createdAt = serializers.DateTimeField()


class CreatedOut(Shape):
    """A tournament that was just created."""

    tournament_id = serializers.CharField()
    tournamentId = serializers.CharField()
    status = serializers.ChoiceField(words.TOURNAMENT_WORDS)
    scheduledStart = serializers.DateTimeField(allow_null=True)
    scheduled_start = serializers.DateTimeField(allow_null=True)
    estimated_prize_pool = Number()
    estimatedPrizePool = Number()
    roomId = serializers.CharField(allow_null=True)
    room_id = serializers.CharField(allow_null=True)
    gameUrl = serializers.CharField(allow_null=True)
    game_url = serializers.CharField(allow_null=True)
    tournament = TournamentOut()


class ChangedOut(Shape):
    """A tournament as it is now."""

    tournament = TournamentOut()


class TournamentsOut(Shape):
    """A page of tournaments."""

    tournaments = TournamentOut(many=True)
    pagination = PaginationOut()
    totalCount = serializers.IntegerField()


class PreviewRowOut(Shape):
    """One of the first ten places; points are text here."""

    position = serializers.IntegerField()
    player_id = serializers.CharField()
    display_name = serializers.CharField()
    points = serializers.CharField()
    status = serializers.ChoiceField(words.ENTRY_FILTERS)
    userId = serializers.CharField()


class EntryStatisticsOut(Shape):
    """How many players and entries there are."""

    total_players = serializers.IntegerField()
    total_entries = serializers.IntegerField()
    average_entries_per_player = Number()


class ParticipationOut(EntryStatisticsOut):
    """How many are still in."""

    active_players = serializers.IntegerField()
    eliminated_players = serializers.IntegerField()


class DetailsOut(Shape):
    """A tournament with its first places."""

    tournament = TournamentOut()
    player_count = serializers.IntegerField()
    prize_pool = PrizePoolOut()
    leaderboard_preview = PreviewRowOut(many=True)
    participation_stats = ParticipationOut()


class RefundsOut(Shape):
    """What goes back."""

    totalRefunded = Number()
    playersRefunded = serializers.IntegerField()


class CancelledOut(Shape):
    """A cancellation."""

    cancelled = serializers.BooleanField()
    reason = serializers.CharField()
    refunds = RefundsOut()


class StartedOut(Shape):
    """A start by hand."""

    tournament = TournamentOut()
    actual_start_time = serializers.DateTimeField()
    final_player_count = serializers.IntegerField()
    final_prize_pool = Number()
    message = serializers.CharField()


class CountsOut(Shape):
    """How many players there are and how many are still in."""

    total_registered = serializers.IntegerField()
    active_players = serializers.IntegerField()
    eliminated_players = serializers.IntegerField()


class ActiveGameOut(Shape):
    """A game that is being played."""

    slug = serializers.CharField()
    status = serializers.CharField()
    room_id = serializers.CharField()


class StatusOut(Shape):
    """Where a tournament stands."""

    tournament_id = serializers.CharField()
    tournamentId = serializers.CharField()
    status = serializers.ChoiceField(words.TOURNAMENT_WORDS)
    current_phase = serializers.CharField()
    currentPhase = serializers.CharField()
    player_counts = CountsOut()
    active_games = ActiveGameOut(many=True)


class RegisteredOut(Shape):
    """A registration. A further field, named like the game's slug, holds `jwt` and `game_url` again."""

    player_id = serializers.CharField()
    playerId = serializers.CharField()
    internal_player_id = serializers.CharField()
    internalPlayerId = serializers.CharField()
    tournament_id = serializers.CharField()
    tournamentId = serializers.CharField()
    status = serializers.CharField()
    jwt = serializers.CharField()
    gameUrl = serializers.CharField()
    game_url = serializers.CharField()
    message = serializers.CharField()


class ListedPlayerOut(Shape):
    """A player of a tournament; null for what is not yet."""

    playerId = serializers.CharField()
    userId = serializers.CharField()
    internalPlayerId = serializers.CharField()
    displayName = serializers.CharField()
    status = serializers.ChoiceField(words.ENTRY_FILTERS)
    registeredAt = serializers.DateTimeField()
    entryCount = serializers.IntegerField()
    totalPaid = Number()
    currentPosition = serializers.IntegerField(allow_null=True)
    currentScore = Number()
    eliminatedAt = serializers.DateTimeField(allow_null=True)
    prizeAmount = Number(allow_null=True)


class PlayersOut(Shape):
    """Players by position."""

    players = ListedPlayerOut(many=True)
    totalCount = serializers.IntegerField()


class StandingOut(Shape):
    """Where a player stands; points are text here."""

    player_id = serializers.CharField()
    internal_player_id = serializers.CharField()
    display_name = serializers.CharField()
    tournament_id = serializers.CharField()
    status = serializers.ChoiceField(words.ENTRY_FILTERS)
    points = serializers.CharField()
    position = serializers.IntegerField(allow_null=True)
    current_round = serializers.CharField(allow_null=True)
    current_group = serializers.CharField(allow_null=True)
    elimination_round = serializers.IntegerField(allow_null=True)
    user_id = serializers.CharField()


class RemovedOut(Shape):
    """A removal."""

    player_id = serializers.CharField()
    tournament_id = serializers.CharField()
    status = serializers.CharField()
    reason = serializers.CharField()
    remaining_players = serializers.IntegerField()
    message = serializers.CharField()


class RebuyOut(Shape):
    """A rebuy."""

    rebuy_approved = serializers.BooleanField()
    new_entry_count = serializers.IntegerField()
    total_paid = Number()
    additional_entries = serializers.IntegerField()
    entry_statistics = EntryStatisticsOut()
    message = serializers.CharField()


class BoardRowOut(Shape):
    """A place on the board."""

    position = serializers.IntegerField()
    playerId = serializers.CharField()
    userId = serializers.CharField()
    displayName = serializers.CharField()
    points = Number()
    status = serializers.ChoiceField(words.ENTRY_FILTERS)
    entryCount = serializers.IntegerField()
    totalPaid = Number()
    currentRound = serializers.IntegerField()
    lastActivity = serializers.DateTimeField()


class BoardPrizesOut(Shape):
    """What there is to win: amounts keyed 1st, 2nd, 3rd, …."""

    totalAmount = Number()
    distribution = Numbers()


class BoardOut(Shape):
    """A page of the ranking."""

    tournamentId = serializers.CharField()
    status = serializers.ChoiceField(words.TOURNAMENT_WORDS)
    currentRound = serializers.IntegerField()
    totalRounds = serializers.IntegerField(allow_null=True)
    lastUpdated = serializers.DateTimeField()
    leaderboard = BoardRowOut(many=True)
    pagination = PaginationOut()
    prizePool = BoardPrizesOut()


class WinnerOut(Shape):
    """A paid place."""

    position = serializers.IntegerField()
    playerId = serializers.CharField()
    displayName = serializers.CharField()
    finalScore = Number()
    prizeAmount = Number()
    netWinnings = Number()
    entryCount = serializers.IntegerField()
    totalPaid = Number()


class ResultStatisticsOut(Shape):
    """What a tournament brought in and gave out."""

    averageScore = Number()
    totalEntryFees = Number()
    totalRebuys = serializers.IntegerField()
    operatorRevenue = Number()


class ResultsOut(Shape):
    """The final results."""

    tournamentId = serializers.CharField()
    name = serializers.CharField()
    status = serializers.CharField()
    completedAt = serializers.DateTimeField()
    duration = serializers.IntegerField(allow_null=True, help_text="Seconds.")
    totalPlayers = serializers.IntegerField()
    totalRounds = serializers.IntegerField()
    prizePool = PrizePoolOut()
    winners = WinnerOut(many=True)
    statistics = ResultStatisticsOut()


class PayoutOut(Shape):
    """What a place is worth."""

    position = serializers.IntegerField()
    percentage = Number()
    amount = Number()


class PrizePoolReportOut(Shape):
    """How the prize pool comes about."""

    tournamentId = serializers.CharField()
    currency = serializers.CharField()
    totalAmount = Number()
    guaranteedPrize = Number()
    entryFees = Number()
    rebuyFees = Number()
    rakePercent = Number()
    rakeAmount = Number()
    totalEntries = serializers.IntegerField()
    playerCount = serializers.IntegerField()
    isFinal = serializers.BooleanField()
    distribution = Numbers()
    payouts = PayoutOut(many=True)
    prizePool = PrizePoolOut()
    calculatedAt = serializers.DateTimeField()


class TournamentEventOut(Shape):
    """An event in the envelope that every transport carries (operators.md 5)."""

    eventType = serializers.CharField()
    eventId = serializers.CharField()
    timestamp = serializers.DateTimeField()
    tournamentId = serializers.CharField(allow_null=True)
    operatorId = serializers.CharField()
    data = Anything()  # type: ignore[assignment]


class TournamentEventsOut(Shape):
    """A page of events, newest last."""

    tournamentId = serializers.CharField()
    events = TournamentEventOut(many=True)
    pagination = PaginationOut()


class HistoryRowOut(Shape):
    """A tournament that a player took part in; points are text here."""

    tournament_id = serializers.CharField()
    tournament_name = serializers.CharField()
    tournament_type = serializers.ChoiceField(TournamentType.values)
    status = serializers.ChoiceField(words.TOURNAMENT_WORDS)
    started_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    player_status = serializers.ChoiceField(words.ENTRY_FILTERS)
    points_earned = serializers.CharField()
    final_position = serializers.IntegerField(allow_null=True)
    total_players = serializers.IntegerField()


class HistoryPageOut(Shape):
    """A page of them."""

    data = HistoryRowOut(many=True)  # type: ignore[assignment]
    current_page = serializers.IntegerField()
    per_page = serializers.IntegerField()
    total = serializers.IntegerField()
    last_page = serializers.IntegerField()


class PerformanceOut(Shape):
    """Over all of a player's tournaments; positions over the completed ones."""

    total_tournaments = serializers.IntegerField()
    completed_tournaments = serializers.IntegerField()
    average_position = Number(allow_null=True)
    best_position = serializers.IntegerField(allow_null=True)
    total_points_earned = Number()


class HistoryOut(Shape):
    """A player's history."""

    player_id = serializers.CharField()
    external_id = serializers.CharField()
    display_name = serializers.CharField()
    tournament_history = HistoryPageOut()
    performance_statistics = PerformanceOut()
