"""What clients may say, and how the words of the server are written (operators.md 7)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apps.core.api.json import dumps, loads
from apps.core.errors import DomainError, Invalid

LEADERBOARD = "leaderboard"
STATUS = "status"
PLAYERS = "players"
CHANNELS = (LEADERBOARD, STATUS, PLAYERS)
# Those that carry facts, which can be told again.
FACT_CHANNELS = (STATUS, PLAYERS)

# A client says which of three channels it wants; nobody needs more than a few hundred bytes for it.
LONGEST_MESSAGE = 4096
LONGEST_SEQUENCE = 18

TOKEN_EXPIRED = 4401
GONE = 4404
FELL_BEHIND = 4408
TOO_MANY_MESSAGES = 4429
SHUTDOWN = 1001
TOO_BIG = 1009
BROKEN = 1011


class TooFarBehind(DomainError):
    """More has happened since that sequence number than a socket tells again."""

    code = "TOO_FAR_BEHIND"
    hint = "Read GET /api/events?after=<sequence> until it is through, then subscribe again with its lastSequence."


class NotYetReached(DomainError):
    """No event has that sequence number yet."""

    kind = "invalid"
    code = "UNKNOWN_SEQUENCE"
    hint = "Give the sequence of an event that this installation has told, or none at all."


@dataclass(frozen=True, slots=True)
class Ping:
    """The client asks for a sign of life."""


@dataclass(frozen=True, slots=True)
class Pong:
    """The client answers ours."""


@dataclass(frozen=True, slots=True)
class Subscribe:
    """Tell me about these from now on; with `after`, first all events that have a higher number."""

    channels: tuple[str, ...]
    after: int | None = None


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """No more of these."""

    channels: tuple[str, ...]


Said = Ping | Pong | Subscribe | Unsubscribe


def heard(text: str | None) -> Said:
    """Return what a client said, None for bytes. Raises Invalid for everything else, whatever it is."""
    if text is None:
        raise Invalid("Send text, not bytes.")
    try:
        body = loads(text.encode())
    except ValueError as problem:
        raise Invalid(f"Malformed JSON: {problem}") from problem
    kind = body.get("type") if isinstance(body, Mapping) else None
    if kind == "ping":
        return Ping()
    if kind == "pong":
        return Pong()
    if kind == "subscribe":
        return Subscribe(_channels(body.get("channels")), _after(body.get("after")))
    if kind == "unsubscribe":
        return Unsubscribe(_channels(body.get("channels")))
    raise Invalid("The type must be subscribe, unsubscribe, ping or pong.")


def wished(query: Mapping[str, str]) -> Subscribe | None:
    """Return what a client asks for by its address: `?channels=`, `?after=`, or both. Raises Invalid."""
    if "channels" not in query and "after" not in query:
        return None
    named = query["channels"].split(",") if "channels" in query else list(CHANNELS)
    after = query.get("after")
    if after is None:
        return Subscribe(_channels(named))
    if not (after.isascii() and after.isdecimal() and len(after) <= LONGEST_SEQUENCE):
        raise Invalid("`after` must be a sequence number.")
    return Subscribe(_channels(named), int(after))


def _channels(named: Any) -> tuple[str, ...]:
    if not isinstance(named, Sequence) or isinstance(named, str) or not 1 <= len(named) <= len(CHANNELS):
        raise Invalid("Name one to three channels.", known=list(CHANNELS))
    if any(name not in CHANNELS for name in named):
        raise Invalid("There is no such channel.", known=list(CHANNELS))
    return tuple(name for name in CHANNELS if name in named)


def _after(value: Any) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 10**LONGEST_SEQUENCE:
        raise Invalid("`after` must be a sequence number.")
    return value


def said(type: str, **fields: Any) -> str:
    """Write a message of the server."""
    return dumps({"type": type, **fields}).decode()


def refusal(problem: DomainError) -> str:
    """Write an error; the socket stays open."""
    hint = {"hint": problem.hint} if problem.hint else {}
    details = {"details": dict(problem.details)} if problem.details else {}
    return said("error", error={"code": problem.code, "message": problem.message, **hint, **details})
