"""What a body means in the room dialect: JSON and forms are read, anything else is an empty object (rooms.md 3.0)."""

import re
from collections.abc import Mapping
from typing import IO, Any
from urllib.parse import parse_qsl

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from apps.core.api.json import MAX_BODY, loads

FORM = "application/x-www-form-urlencoded"
MAX_FIELDS = 1000
# `tokens[]=a&tokens[]=b`, `tokens[0]=a` and `tokens=a&tokens=b` are the same list.
LIST_NAME = re.compile(r"(?P<name>[^\[\]]+)\[[0-9]*\]", re.ASCII)


def raw_of(request: HttpRequest) -> bytes:
    """Return the body as sent. Raises RequestDataTooBig (413) above 1 MiB."""
    raw = request.body
    if len(raw) > MAX_BODY:
        raise RequestDataTooBig
    return raw


def media_type_of(content_type: str) -> str:
    """Return a content type without its parameters; no content type at all is taken for JSON."""
    return content_type.partition(";")[0].strip().lower() or "application/json"


def is_json(content_type: str) -> bool:
    """Tell whether a body of this content type is JSON."""
    media_type = media_type_of(content_type)
    return media_type == "application/json" or media_type.endswith("+json")


def form_of(raw: bytes, content_type: str) -> dict[str, Any] | None:
    """Return what a body means that is no JSON: a form's fields, or {} for anything else. None if it is JSON."""
    if is_json(content_type):
        return None
    return _fields(raw) if media_type_of(content_type) == FORM else {}


def _fields(raw: bytes) -> dict[str, Any]:
    try:
        pairs = parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError:
        return {}
    fields: dict[str, Any] = {}
    for spelled, value in pairs:
        found = LIST_NAME.fullmatch(spelled)
        name = found["name"] if found else spelled
        before = fields.get(name)
        if isinstance(before, list):
            before.append(value)
        elif found or before is not None:
            fields[name] = [value] if before is None else [before, value]
        else:
            fields[name] = value
    return fields


def read(raw: bytes, content_type: str) -> dict[str, Any]:
    """Return the body's fields, numbers exact. Raises ParseError (400) for malformed JSON and what is no object."""
    form = form_of(raw, content_type)
    if form is not None:
        if any("\x00" in text for text in _texts(form)):
            raise ParseError("A field holds a NUL character.")
        return form
    if not raw.strip():
        return {}
    try:
        body = loads(raw)
    except ValueError as problem:
        raise ParseError(f"Malformed JSON: {problem}") from problem
    if not isinstance(body, dict):
        raise ParseError("The body must be a JSON object.")
    return body


def _texts(form: Mapping[str, Any]) -> list[str]:
    return [text for name, value in form.items() for text in (name, *(value if isinstance(value, list) else [value]))]


class Parser(BaseParser):
    """Any body into its fields."""

    media_type = "*/*"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return the fields. Raises ParseError (400)."""
        return read(stream.read(MAX_BODY + 1), media_type or "")
