"""What bodies of these calls say: one-time codes, tokens with amounts, lifetimes, uids (rooms.md 3.20 to 3.41)."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, cast

from rest_framework.request import Request

from apps.rooms.api import values
from apps.rooms.errors import AmountInvalid, InvalidParams
from apps.rooms.services import approvals, sessions
from apps.rooms.services.approvals import Grant

CODE_DIGITS = 6
# Moments of logs: milliseconds of this century and the next, or ISO text.
MOST_MS = 4_102_444_800_000


def fields_of(request: Request) -> dict[str, Any]:
    """Return the body's fields, whatever game they name."""
    return cast("dict[str, Any]", request.data)


def absent(value: object) -> bool:
    """Tell whether a field is as good as not given."""
    return value is None or value == ""


def code(fields: Mapping[str, Any]) -> str:
    """Return the one-time code; a number has lost its leading zeros. Raises InvalidParams `otp is required`."""
    given = fields.get("otp")
    if isinstance(given, int) and not isinstance(given, bool) and 0 <= given < 10**CODE_DIGITS:
        return f"{given:0{CODE_DIGITS}d}"
    return values.text(fields, "otp", longest=64)


def session(fields: Mapping[str, Any]) -> str:
    """Return the session token."""
    return values.text(fields, "sessionJwt", longest=sessions.LONGEST_TOKEN)


def seconds(fields: Mapping[str, Any], *, default: int) -> int:
    """Return a lifetime; null and absent mean the default (rooms.md 3.20)."""
    given = values.seconds(fields)
    return default if given is None else given


def uid(fields: Mapping[str, Any]) -> str | None:
    """Return the uid under which the answer is to be kept, if any."""
    return None if absent(fields.get("uid")) else values.text(fields, "uid")


def token_names(fields: Mapping[str, Any]) -> list[str]:
    """Return `tokens`. Raises TokenRequired."""
    names = values.texts(fields, "tokens")
    if names is None:
        raise approvals.TokenRequired("Token is required")
    return names


def token_names_or_refuse(fields: Mapping[str, Any]) -> list[str]:
    """Return `tokens`, which a pass can't do without. Raises InvalidParams (400, rooms.md 3.25)."""
    names = values.texts(fields, "tokens")
    if names is None:
        raise InvalidParams("tokens is required")
    return names


def token(fields: Mapping[str, Any]) -> str:
    """Return `token`. Raises TokenRequired."""
    if absent(fields.get("token")):
        raise approvals.TokenRequired("Token is required")
    return values.text(fields, "token")


def grants(fields: Mapping[str, Any], *, operator_id: int) -> list[Grant]:
    """Read what is approved: `tokens` with `amounts`, or `token` with `amount` (rooms.md 3.21 and 3.30).

    Raises what `approvals.grants_of` does.
    """
    if fields.get("tokens") is None and fields.get("token") is not None:
        names, given = [values.text(fields, "token")], [fields.get("amount")]
    else:
        names, given = token_names(fields), values.entries(fields, "amounts") or []
    return approvals.grants_of(operator_id, names, [_approved(amount) for amount in given])


def _approved(given: Any) -> Decimal:
    try:
        return values.amount(given)
    except AmountInvalid as problem:
        raise approvals.ApprovalIncorrect(
            "Approve amount was incorrect.", errors=["Approve amount was incorrect.", problem.message]
        ) from problem


def game(fields: Mapping[str, Any]) -> str:
    """Return the game that a body names. Raises GameRequired."""
    if absent(fields.get("gameId")):
        raise approvals.GameRequired("Game ID is required")
    return values.text(fields, "gameId")


def moment(fields: Mapping[str, Any], name: str) -> datetime | None:
    """Return a moment of the query, in milliseconds or as ISO text, or None. Raises InvalidParams."""
    given = fields.get(name)
    if not given:
        return None
    ms = values.as_number(given)
    if ms is not None and 0 <= ms <= MOST_MS:
        return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=int(ms))
    try:
        found = datetime.fromisoformat(str(given))
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise InvalidParams(f"{name} must be milliseconds or an ISO time") from None
