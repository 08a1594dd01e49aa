"""Fields that take a JSON type as it is: no text for a number, no number for a truth, nothing rounded."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.core.errors import Invalid
from apps.tournaments import rules

# More than anyone plays for, and small enough that a full field's fees still fit the books' 38 digits at any scale.
MAX_AMOUNT = 10**12
# The most decimals an asset can have; the asset itself may allow fewer.
MAX_DECIMALS = 18
MAX_PLACES = 10_000
MOST = 100  # percent
MAX_SHARE_DECIMALS = 6
MAX_INTEGER = 2**31 - 1
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(2999, 12, 31, tzinfo=UTC)


def is_number(value: Any) -> bool:
    """Tell whether a decoded JSON value is a number; a truth is none, though Python counts it."""
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def decimals(value: Decimal | int) -> int:
    """Return how many decimal places a number needs; any arithmetic of Decimal would round long ones first."""
    digits, exponent = Decimal(value).as_tuple()[1:]
    zeros = len(digits) - len("".join(map(str, digits)).rstrip("0"))
    return max(0, -int(exponent) - zeros) if any(digits) else 0


class Text(serializers.CharField):
    """A JSON string, spaces around it taken off."""

    def to_internal_value(self, data: Any) -> str:
        """Return the text."""
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Identifier(serializers.CharField):
    """An id: a JSON string taken letter by letter, or a whole number."""

    default_error_messages = {"unprintable": "An id holds no control characters and is not blank."}

    def __init__(self, **kwargs: Any) -> None:
        """Keep spaces: they are part of an id."""
        super().__init__(trim_whitespace=False, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        """Return the id as text."""
        if not isinstance(data, str) and not (isinstance(data, int) and not isinstance(data, bool)):
            self.fail("invalid")
        text = super().to_internal_value(str(data))
        if not text.strip() or not text.isprintable():
            self.fail("unprintable")
        return text


class Whole(serializers.IntegerField):
    """A JSON number without a fraction (10 and 10.0 are the same number)."""

    def __init__(self, **kwargs: Any) -> None:
        """Stay within what the database counts to."""
        kwargs.setdefault("max_value", MAX_INTEGER)
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> int:
        """Return the integer."""
        if not is_number(data) or data != int(data):
            self.fail("invalid")
        return int(data)


class Truth(serializers.BooleanField):
    """A JSON true or false."""

    def to_internal_value(self, data: Any) -> bool:
        """Return it."""
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return bool(data)


class Choice(serializers.ChoiceField):
    """One of a few JSON strings."""

    def to_internal_value(self, data: Any) -> Any:
        """Return the string."""
        if not isinstance(data, str):
            self.fail("invalid_choice", input=data)
        return super().to_internal_value(data)


class Moment(serializers.DateTimeField):
    """An ISO 8601 time, as a JSON string; without an offset it is UTC."""

    default_error_messages = {"range": "Must be between 1970 and 2999."}

    def to_internal_value(self, value: Any) -> datetime:
        """Return the moment in UTC."""
        # Python reads a date alone as its midnight; whose midnight, nobody said.
        if not isinstance(value, str) or ":" not in value:
            self.fail("invalid", format="YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z]")
        moment: datetime = super().to_internal_value(value)
        if not EARLIEST <= moment <= LATEST:
            self.fail("range")
        return moment.astimezone(UTC)


@extend_schema_field({"type": "number", "minimum": 0, "maximum": MAX_AMOUNT})
class Amount(serializers.Field[Any, Any, Any, Any]):
    """Money in major units: a JSON number, not negative, kept as the decimal it was written as."""

    default_error_messages = {
        "invalid": "A valid number is required.",
        "range": "Must be between 0 and {limit}.",
        "decimals": "At most {limit} decimal places.",
    }

    def __init__(self, *, maximum: int = MAX_AMOUNT, decimals: int = MAX_DECIMALS, **kwargs: Any) -> None:
        """Take the limits; how many decimals the currency has is checked where the currency is known."""
        self.maximum = maximum
        self.decimals = decimals
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> Decimal:
        """Return the exact amount."""
        if not is_number(data):
            self.fail("invalid")
        amount = Decimal(data)
        if not 0 <= amount <= self.maximum:
            self.fail("range", limit=self.maximum)
        if decimals(amount) > self.decimals:
            self.fail("decimals", limit=self.decimals)
        return amount


@extend_schema_field({"type": "object", "additionalProperties": {}})
class JsonObject(serializers.Field[Any, Any, Any, Any]):
    """Any JSON object, handed on as it is."""

    default_error_messages = {"invalid": "Expected an object."}

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """Return the object."""
        if not isinstance(data, Mapping):
            self.fail("invalid")
        return dict(data)


@extend_schema_field(
    {
        "oneOf": [
            {
                "type": "object",
                "additionalProperties": {"type": "number", "exclusiveMinimum": True, "minimum": 0},
                "description": "Rank to percentage, from rank 1 on without a gap.",
                "example": {"1": 50, "2": 30, "3": 20},
            },
            {
                "type": "array",
                "items": {"type": "number", "exclusiveMinimum": True, "minimum": 0},
                "description": "Percentages, first place first.",
                "example": [50, 30, 20],
            },
        ]
    }
)
class Distribution(serializers.Field[Any, Any, Any, Any]):
    """Prize percentages by place, as a map from rank or as an array; they add up to 100 within 0.01."""

    default_error_messages = {
        "invalid": "Expected an object from rank to percentage, or an array of percentages.",
        "ranks": "Ranks must be consecutive from 1.",
        "number": "Percentages must be numbers above 0, with at most 6 decimal places.",
        "many": "At most {limit} places.",
    }

    def to_internal_value(self, data: Any) -> list[Decimal]:
        """Return the percentages, first place first."""
        shares = self._in_order(data)
        if len(shares) > MAX_PLACES:
            self.fail("many", limit=MAX_PLACES)
        for share in shares:
            if not is_number(share) or not 0 < share <= MOST or decimals(share) > MAX_SHARE_DECIMALS:
                self.fail("number")
        percentages = [Decimal(share) for share in shares]
        try:
            rules.check_percentages(percentages)
        except Invalid as problem:
            raise serializers.ValidationError(problem.message) from problem
        return percentages

    def _in_order(self, data: Any) -> list[Any]:
        if isinstance(data, list):
            return data
        if not isinstance(data, Mapping):
            self.fail("invalid")
        ranks = [str(rank) for rank in range(1, len(data) + 1)]
        if set(ranks) != set(data):
            self.fail("ranks")
        return [data[rank] for rank in ranks]
