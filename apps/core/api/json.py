"""JSON without floats: numbers are read as decimals from their text and written back as their text."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import IO, Any, NoReturn

import msgspec
from django.utils.functional import Promise
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer

MAX_DEPTH = 32
MAX_BODY = 1024 * 1024
# A number outside this range is no amount, score or count of anyone's; refusing it early spares every rule behind it.
MAX_EXPONENT = 64


def _no_constant(name: str) -> NoReturn:
    message = f"{name} is not JSON"
    raise ValueError(message)


def _number(text: str) -> Decimal:
    value = Decimal(text)
    if len(text) > MAX_EXPONENT * 2 or not -MAX_EXPONENT <= value.adjusted() <= MAX_EXPONENT:
        message = "number out of range"
        raise ValueError(message)
    return value


def _integer(text: str) -> int:
    if len(text) > MAX_EXPONENT:
        message = "number out of range"
        raise ValueError(message)
    return int(text)


def _check(value: Any, depth: int) -> None:
    """Refuse what PostgreSQL can't store (NUL, lone surrogates) and what only an attacker nests."""
    if depth > MAX_DEPTH:
        message = "nested too deeply"
        raise ValueError(message)
    if isinstance(value, str):
        if "\x00" in value:
            message = "a string holds a NUL character"
            raise ValueError(message)
        value.encode()  # a lone surrogate raises UnicodeEncodeError, a ValueError
    elif isinstance(value, dict):
        for key, item in value.items():
            _check(key, depth)
            _check(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            _check(item, depth + 1)


def loads(raw: bytes) -> Any:
    """Decode a JSON text, numbers exact. Raises ValueError for anything malformed, hostile or unstorable."""
    try:
        data = json.loads(raw, parse_float=_number, parse_int=_integer, parse_constant=_no_constant)
        _check(data, 0)
    except RecursionError as deep:
        message = "nested too deeply"
        raise ValueError(message) from deep
    return data


class Parser(BaseParser):
    """`application/json` into plain Python, decimals exact."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """Return the decoded body; an empty body is an empty object. Raises ParseError (400)."""
        raw = stream.read(MAX_BODY + 1)
        if len(raw) > MAX_BODY:
            raise ParseError("The body is larger than 1 MiB.")
        if not raw.strip():
            return {}
        try:
            return loads(raw)
        except ValueError as problem:
            raise ParseError(f"Malformed JSON: {problem}") from problem


def _encode_other(value: Any) -> Any:
    if isinstance(value, Promise):
        return str(value)
    if isinstance(value, Mapping):
        return dict(value)
    message = f"{type(value).__name__} has no JSON form"
    raise NotImplementedError(message)


_encoder = msgspec.json.Encoder(decimal_format="number", enc_hook=_encode_other)


def dumps(data: Any) -> bytes:
    """Encode; a Decimal becomes a JSON number with its own digits."""
    return _encoder.encode(data)


class Renderer(BaseRenderer):
    """Plain Python to `application/json`, decimals as numbers."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        """Return the encoded body; nothing for an answer without content."""
        return b"" if data is None else dumps(data)
