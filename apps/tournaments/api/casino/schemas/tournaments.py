"""Tournaments and where they stand (operators.md 3.0 to 3.7)."""
# ruff: noqa: N815 - the names are those on the wire

from rest_framework import serializers

from apps.core.api.schema import PaginationOut
from apps.tournaments.api.casino import words
from apps.tournaments.api.casino.schemas.shared import Anything, EntryStatisticsOut, Number, PrizePoolOut, Shape
from apps.tournaments.models import TournamentType


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
