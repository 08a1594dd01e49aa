"""What several answers have in common."""
# ruff: noqa: N815 - the names are those on the wire

from typing import Any

from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema_field
from rest_framework import serializers

from apps.tournaments.prizes import CASH, FREEROUND, MAX_COUNT, MAX_HOURS, MAX_RANK, POOL_SHARE


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


@extend_schema_field({"type": "number", "minimum": 0, "exclusiveMinimum": True})
class Sum(serializers.Field[Any, Any, Any, Any]):
    """A JSON number above 0, exact."""


class FreeRounds(Shape):
    """Free rounds of one game."""

    count = serializers.IntegerField(min_value=1, max_value=MAX_COUNT)
    gameId = serializers.CharField(max_length=100, help_text="The slug of a game whose rounds can be given away.")
    value = Sum(help_text="What one round is worth, in major units of the tournament's currency.")
    validHours = serializers.IntegerField(min_value=1, max_value=MAX_HOURS)


class FreeRoundsPrize(FreeRounds):
    """Free rounds of one game, for each rank of the row."""

    type = serializers.ChoiceField([FREEROUND])


class CashPrize(Shape):
    """An amount for each rank of the row, in major units of the tournament's currency."""

    type = serializers.ChoiceField([CASH])
    amount = Sum()


class PoolSharePrize(Shape):
    """A share of the prize pool for each rank of the row, paid as cash and rounded down."""

    type = serializers.ChoiceField([POOL_SHARE])
    percent = Sum(help_text="Over all ranks they add up to 100 at most; what nobody claims is not shared anew.")


PRIZE = PolymorphicProxySerializer(
    component_name="TournamentPrize",
    serializers={CASH: CashPrize, POOL_SHARE: PoolSharePrize, FREEROUND: FreeRoundsPrize},
    resource_type_field_name="type",
    many=True,
)


@extend_schema_field(PRIZE)
class Prizes(serializers.Field[Any, Any, Any, Any]):
    """What each rank of a row gets, all of it; at most ten."""


class PrizeRowOut(Shape):
    """What each rank from the first to the last one named gets. Rows may overlap: a rank gets all of theirs."""

    rankFrom = serializers.IntegerField(min_value=1, max_value=MAX_RANK)
    rankTo = serializers.IntegerField(min_value=1, max_value=MAX_RANK)
    prizes = Prizes()


class PrizePoolOut(Shape):
    """Amounts in major units; `distribution` maps ranks to percentages."""

    totalAmount = Number()
    currency = serializers.CharField()
    guaranteedPrize = Number()
    distribution = Numbers()
    prizes = PrizeRowOut(many=True, required=False, help_text="Where prizes go by a table: all of it.")


class EntryStatisticsOut(Shape):
    """How many players and entries there are."""

    total_players = serializers.IntegerField()
    total_entries = serializers.IntegerField()
    average_entries_per_player = Number()
