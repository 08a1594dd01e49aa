"""The board, the results, the prize pool, the events and a player's history (operators.md 3.13 to 3.17)."""
# ruff: noqa: N815 - the names are those on the wire

from rest_framework import serializers

from apps.core.api.schema import PaginationOut
from apps.tournaments.api.casino import words
from apps.tournaments.api.casino.schemas.shared import Anything, FreeRounds, Number, Numbers, PrizePoolOut, Shape
from apps.tournaments.models import TournamentType


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
    roundsLeft = serializers.IntegerField(
        required=False, help_text="Where only so many rounds of a player count: how many still may."
    )


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
    """A paid player."""

    position = serializers.IntegerField(help_text="Their rank; equal points share one where the tournament says so.")
    playerId = serializers.CharField()
    displayName = serializers.CharField()
    finalScore = Number()
    prizeAmount = Number()
    netWinnings = Number()
    entryCount = serializers.IntegerField()
    totalPaid = Number()
    freeRounds = FreeRounds(
        many=True, required=False, help_text="Where free rounds were won; `prizeAmount` is the cash beside them."
    )


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


class ScoreRuleOut(Shape):
    """How points are made; the version changes when the same rounds would come to other points."""

    method = serializers.CharField()
    version = serializers.IntegerField()


class ScoreRoundOut(Shape):
    """One round: what it is worth, and why it does not count."""

    roundId = serializers.CharField()
    timestamp = serializers.DateTimeField()
    betAmount = Number()
    winAmount = Number()
    currency = serializers.CharField()
    points = Number(allow_null=True)
    counted = serializers.BooleanField()
    reason = serializers.CharField(required=False)


class ScoreOut(Shape):
    """Why somebody stands where they stand; rounds newest first."""

    score = Number()
    position = serializers.IntegerField(allow_null=True)
    rule = ScoreRuleOut()
    rounds = ScoreRoundOut(many=True)
