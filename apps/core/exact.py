"""JSON columns without floats: a Decimal is stored as a number with its own digits, and read back as one.

The class of a column is said in the model: `JSONField(encoder=ExactEncoder, decoder=ExactDecoder)`.
"""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec
from django.utils.functional import Promise


def _other(value: Any) -> Any:
    if isinstance(value, Promise):
        return str(value)
    if isinstance(value, Mapping):
        return dict(value)
    message = f"{type(value).__name__} has no JSON form"
    raise TypeError(message)


_encoder = msgspec.json.Encoder(decimal_format="number", enc_hook=_other)


def dumps(data: Any) -> str:
    """Encode for the database. Raises TypeError for what JSON can't say."""
    return _encoder.encode(data).decode()


class ExactEncoder(json.JSONEncoder):
    """For a JSONField: decimals become JSON numbers; Django's own encoder would make them strings."""

    def encode(self, o: Any) -> str:
        """Return the whole value as JSON text."""
        return dumps(o)


class ExactDecoder(json.JSONDecoder):
    """For a JSONField: numbers with a fraction become decimals, whole ones integers."""

    def __init__(self, **options: Any) -> None:
        """Read every fraction as a Decimal."""
        super().__init__(**(options | {"parse_float": Decimal}))
