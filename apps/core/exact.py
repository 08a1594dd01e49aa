"""JSON columns without floats: a Decimal is stored as a number with its own digits, and read back as one.

The column says so in its model: `JSONField(encoder=ExactEncoder, decoder=ExactDecoder)`.
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
_decoder = msgspec.json.Decoder(float_hook=Decimal)


def dumps(data: Any) -> str:
    """Encode for the database. Raises TypeError for what JSON can't say."""
    return _encoder.encode(data).decode()


def decoded(text: str | bytes) -> Any:
    """Return the value that JSON text stands for: fractions as decimals, whole numbers of any length."""
    return _decoder.decode(text)


class ExactEncoder(json.JSONEncoder):
    """For `json.dumps(…, cls=)`: decimals become JSON numbers; Django's own encoder would make them strings."""

    def encode(self, o: Any) -> str:
        """Return the value as JSON text."""
        return dumps(o)


class ExactDecoder(json.JSONDecoder):
    """For `json.loads(…, cls=)`: fractions become decimals, whole numbers integers of any length."""

    def __init__(self, **_: Any) -> None:
        """Skip the standard decoder's preparations: one is made for every value that is read, and none is used."""

    def decode(self, s: str, *_: Any) -> Any:
        """Return the value that JSON text stands for."""
        return _decoder.decode(s)
