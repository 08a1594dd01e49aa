"""Sessions of players with games: ES256 tokens, of which one per player and game is live (rooms.md 3.24).

A token proves that we signed it; the row says whether it still counts. Checking a signature costs more than all else
about a token and always comes out the same, so each process does it once per token.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from time import monotonic

import jwt
import msgspec
from cryptography.hazmat.primitives import serialization
from django.db import connection

from apps.core.actors import Actor
from apps.operators import wallets
from apps.operators.models import Player
from apps.operators.services import signing
from apps.operators.services.signing import ES256, Key
from apps.rooms.errors import RoomError
from apps.rooms.models import GameSession

PURPOSE = "rooms.session"
DEFAULT_SECONDS = 86_400
# A guest has no other way in, so their session "practically never" ends.
GUEST_SECONDS = 100 * 365 * 86_400
LONGEST_TOKEN = 4096
LONGEST_KID = 40
# How long a process trusts what it knows of a key; so long may a key that was retired still be taken for live.
KEY_SECONDS = 15.0

# Time is checked where the row is known, by the moment of the request.
UNCHECKED: jwt.types.Options = {"verify_exp": False, "verify_iat": False, "verify_nbf": False}

UNREADABLE = "Invalid sessionJwt"
OTHER_GAME = "Invalid gameId"
NOBODY = "User not found"
REPLACED = "JWT nonce is expired"
OVER = "JWT deadline is expired"

OPEN = """
    INSERT INTO rooms_gamesession AS kept (operator_id, game_id, player_id, nonce, deadline, started_at)
    VALUES (%s, %s, %s, 1, %s, %s)
    ON CONFLICT (player_id, game_id) DO UPDATE
       SET nonce = kept.nonce + 1, deadline = excluded.deadline, started_at = excluded.started_at
    RETURNING nonce
"""
FIND = "SELECT * FROM rooms_present(%s, %s, %s::text[])"
CLOSE = """
    UPDATE rooms_gamesession SET nonce = nonce + 1, deadline = NULL
     WHERE player_id = %s AND (%s::text IS NULL OR game_id = %s) AND deadline IS NOT NULL
"""


class SessionInvalid(RoomError):
    """Invalid sessionJwts"""  # noqa: D400, D415 - word for word (rooms.md 3.0.6)

    kind = "unauthenticated"
    code = "SESSION_INVALID"
    hint = "Log the player in again and send the newest sessionJwt; of several, invalidPlyrIds says what is wrong."
    early = True


class Claims(msgspec.Struct, frozen=True, rename="camel"):
    """What a token says. Their order is the wire's."""

    plyr_id: str
    nonce: int
    game_id: str
    primary_address: str
    mirror_address: str
    iat: int
    exp: int


@dataclass(frozen=True, slots=True)
class Opened:
    """A session just opened."""

    token: str
    claims: Claims


@dataclass(frozen=True, slots=True)
class Present:
    """A player who is there: their session with the game is live."""

    player_id: int
    plyr_id: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What a token turned out to be; `reason` is empty if it is live. Without a player, `player_id` is 0."""

    claims: Claims | None
    player_id: int = 0
    is_guest: bool = False
    reason: str = ""


def issue(player: Player, *, game_id: str, seconds: int, actor: Actor, at: datetime) -> Opened:  # noqa: ARG001
    """Open a session of `seconds` and end the player's earlier one with this game. The player has a handle."""
    key = signing.current_key(PURPOSE, ES256, at=at)
    begun = int(at.timestamp())
    deadline = datetime.fromtimestamp(begun, UTC) + timedelta(seconds=seconds)
    with connection.cursor() as cursor:
        cursor.execute(OPEN, [player.operator_id, game_id, player.pk, deadline, at])
        (nonce,) = cursor.fetchone()
    claims = Claims(
        plyr_id=str(player.handle),
        nonce=nonce,
        game_id=game_id,
        primary_address=wallets.address_of(wallets.PRIMARY, player.pk),
        mirror_address=wallets.address_of(wallets.MIRROR, player.pk),
        iat=begun,
        exp=begun + seconds,
    )
    token = jwt.encode(msgspec.to_builtins(claims), key.signing, algorithm=ES256, headers={"kid": key.kid})
    return Opened(token, claims)


def resolve(tokens: Sequence[str], *, game_id: str, operator_id: int, at: datetime) -> list[Present]:
    """Return the player behind each token, in their order, in one query for all of them.

    Raises SessionInvalid, whose details name every bad token's player with the reason (rooms.md 3.0.6).
    """
    found = examine(tokens, game_id=game_id, operator_id=operator_id, at=at)
    bad = {(seen.claims.plyr_id if seen.claims else "unknown"): seen.reason for seen in found if seen.reason}
    if bad:
        raise SessionInvalid("Invalid sessionJwts", invalidPlyrIds=bad)
    return [Present(seen.player_id, seen.claims.plyr_id) for seen in found if seen.claims and seen.player_id]


def examine(tokens: Sequence[str], *, game_id: str, operator_id: int, at: datetime) -> list[Seen]:
    """Tell of each token whose it is and whether it is live for this game now."""
    claims = [_read(token) for token in tokens]
    handles = {one.plyr_id for one in claims if one is not None}
    rows: Mapping[str, tuple[int, bool, int | None, datetime | None]] = {}
    if handles:
        with connection.cursor() as cursor:
            cursor.execute(FIND, [game_id, operator_id, sorted(handles)])
            rows = {handle: tuple(more) for handle, *more in cursor.fetchall()}
    return [_judged(one, rows, game_id, at) for one in claims]


def _judged(
    claims: Claims | None,
    rows: Mapping[str, tuple[int, bool, int | None, datetime | None]],
    game_id: str,
    at: datetime,
) -> Seen:
    if claims is None:
        return Seen(None, reason=UNREADABLE)
    if claims.game_id != game_id:
        return Seen(claims, reason=OTHER_GAME)
    row = rows.get(claims.plyr_id)
    # The address ties a token to one player: another operator may have a game and a player of the same names.
    if row is None or claims.primary_address != wallets.address_of(wallets.PRIMARY, row[0]):
        return Seen(claims, reason=NOBODY)
    player_id, is_guest, nonce, deadline = row
    reason = ""
    if nonce != claims.nonce:
        reason = REPLACED
    elif deadline is None or deadline < at or claims.exp < at.timestamp():
        reason = OVER
    return Seen(claims, player_id, is_guest, reason)


def close(player_id: int, *, game_id: str | None, actor: Actor, at: datetime) -> int:  # noqa: ARG001
    """End a player's session with a game, or with every game; return how many ended."""
    with connection.cursor() as cursor:
        cursor.execute(CLOSE, [player_id, game_id, game_id])
        ended: int = cursor.rowcount
    return ended


def end_sessions(player_id: int, *, actor: Actor, at: datetime) -> int:
    """End all sessions of a player at once; for staff."""
    return close(player_id, game_id=None, actor=actor, at=at)


def is_live(session: GameSession, at: datetime) -> bool:
    """Tell whether the session's newest token still counts."""
    return session.deadline is not None and at <= session.deadline


def public_key(*, at: datetime) -> str:
    """Return the PEM of the key that signs now. Rotating it is visible at once, as clients expect (rooms.md 3.24)."""
    pem: bytes = signing.current_key(PURPOSE, ES256, at=at).checking.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return pem.decode()


# --- tokens -----------------------------------------------------------------------------------------------------------


def _read(token: str) -> Claims | None:
    """Return what a token that we signed says, live or not; None for anything else."""
    if len(token) > LONGEST_TOKEN:
        return None
    try:
        claims, kid = _verified(token)
    except (jwt.PyJWTError, msgspec.ValidationError, LookupError, ValueError, TypeError):
        return None
    retired_at = _key(kid).retired_at
    return claims if retired_at is None or claims.iat < retired_at.timestamp() else None


@lru_cache(maxsize=10_000)
def _verified(token: str) -> tuple[Claims, str]:
    """Return a token's claims and its key's id. Raises for any that we did not sign; only what is good is remembered.

    The algorithm is the key's own, whatever the token claims.
    """
    kid = jwt.get_unverified_header(token)["kid"]
    key = _key(kid)
    payload = jwt.decode(token, key.checking, algorithms=[key.algorithm], options=UNCHECKED)
    return msgspec.convert(payload, Claims), kid


_known: dict[str, tuple[Key, float]] = {}


def _key(kid: str) -> Key:
    """Return a key of ours. Raises LookupError for an unknown one."""
    known = _known.get(kid)
    if known is not None and monotonic() < known[1]:
        return known[0]
    # A token may claim anything for a key id; the database stores no NUL, and nothing here is worth asking it twice.
    plausible = isinstance(kid, str) and len(kid) <= LONGEST_KID and kid.isascii() and kid.isprintable()
    key = signing.find_key(PURPOSE, kid) if plausible else None
    if key is None or key.algorithm != ES256:
        raise LookupError(kid)
    _known[kid] = (key, monotonic() + KEY_SECONDS)
    return key
