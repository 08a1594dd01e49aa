"""The HMAC signature of the room dialect (rooms.md 2). Pure: no database, no clock, no request.

The original server signs what it read, not what was sent: it parses the body and writes it again as JavaScript does.
Clients sign what they send. Both are accepted.
"""

import hashlib
import hmac
import json
import math
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NoReturn

WINDOW_MS = 300_000
# What clients sign when a request has no body (rooms.md 2.2).
NO_BODY = (b"{}", b"null", b"")
# A number of milliseconds with more digits is no moment of anyone's.
TIMESTAMP = re.compile(r"[0-9]{1,16}", re.ASCII)
# Signed when the key is unknown, so that a wrong key takes as long as a wrong signature.
NOBODY = "0" * 64

# The keys that JavaScript writes before all others, in the order of their numbers.
ARRAY_INDEX = re.compile(r"0|[1-9][0-9]{0,9}", re.ASCII)
MAX_ARRAY_INDEX = 2**32 - 2
LONE_SURROGATE = re.compile("[\ud800-\udfff]")
# Where JavaScript changes to exponents.
LARGEST_PLAIN, SMALLEST_PLAIN = 21, -6


def sign(secret: str, timestamp: str, payload: bytes) -> str:
    """Return the signature of a payload text: lower-case hex. The key is the secret's text, not what it encodes."""
    # Header text may hold anything a client sent; nothing of it may be a crash.
    message = timestamp.encode("utf-8", "surrogatepass") + payload
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def accepts(secret: str, timestamp: str, signature: str, raw: bytes, form: object = None) -> bool:
    """Tell whether a request is signed in any of the accepted ways; each comparison takes the same time.

    `raw` is the body as sent; `form` is what it means where it is no JSON (a form's fields, or {} for what is not
    read), and None where it is.
    """
    given = signature.encode("utf-8", "surrogatepass")
    return any(
        hmac.compare_digest(sign(secret, timestamp, payload).encode(), given) for payload in _payloads(raw, form)
    )


def is_fresh(timestamp: str, now_ms: int) -> bool:
    """Tell whether a timestamp is a number of milliseconds at most five minutes away, either way."""
    return TIMESTAMP.fullmatch(timestamp) is not None and abs(now_ms - int(timestamp)) <= WINDOW_MS


def _payloads(raw: bytes, form: object) -> Iterator[bytes]:
    if not raw.strip():
        yield from NO_BODY
        return
    yield raw
    # Written again only if the raw body did not fit: nearly every client signs what it sends.
    again = canonical(raw) if form is None else written(form).encode()
    if again is not None:
        yield again


def canonical(raw: bytes) -> bytes | None:
    """Return `JSON.stringify(JSON.parse(raw))`, or None where JavaScript would not parse it (or Python not that deep).

    Keys that are array indices first, in their order; numbers as ECMAScript prints doubles; no needless escapes.
    """
    try:
        value = json.loads(raw.decode(), parse_int=float, parse_float=float, parse_constant=_no_constant)
        return written(value).encode()
    except (ValueError, RecursionError):
        return None


def _no_constant(name: str) -> NoReturn:
    message = f"{name} is not JSON"
    raise ValueError(message)


def written(value: Any) -> str:
    """Return a value as `JSON.stringify` writes it."""
    match value:
        case dict():
            return "{" + ",".join(f"{_text(key)}:{written(value[key])}" for key in _in_order(value)) + "}"
        case list():
            return "[" + ",".join(map(written, value)) + "]"
        case str():
            return _text(value)
        case bool() | None:
            return json.dumps(value)
        case _:
            return number(float(value))


def _in_order(keys: dict[str, Any]) -> list[str]:
    indices = [key for key in keys if ARRAY_INDEX.fullmatch(key) and int(key) <= MAX_ARRAY_INDEX]
    if not indices:
        return list(keys)
    return sorted(indices, key=int) + [key for key in keys if key not in set(indices)]


def _text(text: str) -> str:
    quoted = json.dumps(text, ensure_ascii=False)
    return LONE_SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", quoted)


def number(value: float) -> str:
    """Return a double as ECMAScript's Number::toString does; infinity, which JSON has no word for, is null."""
    if math.isinf(value):
        return "null"
    if value == 0:
        return "0"
    sign_of_it = "-" if value < 0 else ""
    # Python and ECMAScript agree on the digits (the fewest that mean this double), not on how to write them.
    _, digits, exponent = Decimal(repr(abs(value))).as_tuple()
    text = "".join(map(str, digits))
    point = len(text) + int(exponent)
    text = text.rstrip("0")
    if len(text) <= point <= LARGEST_PLAIN:
        return f"{sign_of_it}{text}{'0' * (point - len(text))}"
    if 0 < point <= LARGEST_PLAIN:
        return f"{sign_of_it}{text[:point]}.{text[point:]}"
    if SMALLEST_PLAIN < point <= 0:
        return f"{sign_of_it}0.{'0' * -point}{text}"
    fraction = f".{text[1:]}" if len(text) > 1 else ""
    return f"{sign_of_it}{text[0]}{fraction}e{point - 1:+d}"
