"""Players of a tournament (operators.md 3.8 to 3.12)."""
# ruff: noqa: N815 - the names are those on the wire

from rest_framework import serializers

from apps.tournaments.api.casino import words
from apps.tournaments.api.casino.schemas.shared import Anything, EntryStatisticsOut, Number, Shape


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


class BuyInOut(Shape):
    """A buy-in that the operator is still being asked for; the player is in only when it has answered."""

    player_id = serializers.CharField()
    playerId = serializers.CharField()
    tournament_id = serializers.CharField()
    tournamentId = serializers.CharField()
    status = serializers.CharField()
    debitRef = serializers.UUIDField()
    amount = Number()
    currency = serializers.CharField()
    message = serializers.CharField()


class FeeOut(Shape):
    """What a player would be debited: `fee` of the tournament's currency at `rate`, which held at `rateAt`.

    `asked` tells that the operator is being asked for just this.
    """

    tournamentId = serializers.CharField()
    userId = serializers.CharField()
    amount = Number()
    currency = serializers.CharField()
    rate = Number()
    rateAt = serializers.DateTimeField()
    fee = Number()
    feeCurrency = serializers.CharField()
    asked = serializers.BooleanField()


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
