"""The table of prizes in a body: described here, read by `apps.tournaments.prizes`, which names what is wrong."""
# ruff: noqa: N815 - the names are those on the wire

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.tournaments.api.casino.fields import JsonObject
from apps.tournaments.api.casino.schemas.shared import Prizes
from apps.tournaments.prizes import MAX_RANK, MAX_ROWS


class PrizeRowIn(serializers.Serializer[Any]):
    """A row of the table; every field is also read in snake_case."""

    rankFrom = serializers.IntegerField(min_value=1, max_value=MAX_RANK, help_text="Also `rank`.")
    rankTo = serializers.IntegerField(
        min_value=1, max_value=MAX_RANK, required=False, allow_null=True, help_text="Default: `rankFrom`."
    )
    prizes = Prizes()


@extend_schema_field(PrizeRowIn(many=True))
class PrizeRows(serializers.ListField):
    """The rows as they came."""

    def __init__(self, **kwargs: Any) -> None:
        """Take any objects, as many as a table may have rows."""
        super().__init__(child=JsonObject(), max_length=MAX_ROWS, **kwargs)
