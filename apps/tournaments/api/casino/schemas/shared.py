"""What several answers have in common."""
# ruff: noqa: N815 - the names are those on the wire

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers


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


class PrizePoolOut(Shape):
    """Amounts in major units; `distribution` maps ranks to percentages."""

    totalAmount = Number()
    currency = serializers.CharField()
    guaranteedPrize = Number()
    distribution = Numbers()


class EntryStatisticsOut(Shape):
    """How many players and entries there are."""

    total_players = serializers.IntegerField()
    total_entries = serializers.IntegerField()
    average_entries_per_player = Number()
