"""Fields that several descriptions have."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema_field
from rest_framework import serializers

TAG = "rooms: players"


@extend_schema_field({"oneOf": [{"type": "number", "minimum": 0}, {"type": "string"}]})
class Amount(serializers.CharField):
    """Whole tokens; shown as text where a number would lose digits."""


@extend_schema_field({"type": "object", "additionalProperties": {"type": "string"}})
class TextByName(serializers.DictField):
    """Texts by name."""


@extend_schema_field({"type": "object", "additionalProperties": {}})
class Anything(serializers.DictField):
    """An object."""


def text(about: str = "", **more: Any) -> serializers.CharField:
    """A text."""
    return serializers.CharField(help_text=about, **more)


def maybe(about: str = "", **more: Any) -> serializers.CharField:
    """A text that may be absent."""
    return serializers.CharField(help_text=about, required=False, **more)


def null(about: str = "") -> serializers.CharField:
    """A text or null."""
    return serializers.CharField(help_text=about, allow_null=True)


def texts(about: str = "", **more: Any) -> serializers.ListField:
    """An array of texts."""
    return serializers.ListField(child=serializers.CharField(), help_text=about, **more)


def amounts(**more: Any) -> serializers.ListField:
    """An array of amounts."""
    return serializers.ListField(child=Amount(), help_text="In whole tokens, one per entry.", **more)


def yes() -> serializers.BooleanField:
    """A truth."""
    return serializers.BooleanField()


def seconds(default: int) -> serializers.IntegerField:
    """A lifetime."""
    about = f"Seconds; {default} by default."
    return serializers.IntegerField(required=False, allow_null=True, help_text=about)


def query(name: str, about: str = "", *, required: bool = False, type_: Any = str) -> OpenApiParameter:
    """A parameter of the query."""
    return OpenApiParameter(name, type_, required=required, description=about)


LIMIT = OpenApiParameter("limit", {"type": "integer", "minimum": 1, "maximum": 200, "default": 25})
OFFSET = OpenApiParameter("offset", {"type": "integer", "minimum": 0, "maximum": 1_000_000, "default": 0})
# What every answer about a player ends with.
TRAITS = {"avatar": text(), "ippClaimed": yes(), "isIPP": yes()}
