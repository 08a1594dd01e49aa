"""Access tokens: what a player's consent gives an application (rumble.md 2.2).

The token says who and for whom and is signed, so that nothing is asked of the database for what is no token; whether it
still counts says the connection's row, which names the one token that does.
"""

from dataclasses import dataclass
from datetime import datetime

import jwt

from apps.operators.services import signing
from apps.operators.services.signing import ES256
from apps.rumble import words
from apps.rumble.models import Connection

PURPOSE = "rumble.player"
LONGEST = 2048
# It never ends by itself, so nothing about time is checked.
UNCHECKED: jwt.types.Options = {"verify_exp": False, "verify_iat": False, "verify_nbf": False, "verify_sub": False}


@dataclass(frozen=True, slots=True)
class Claims:
    """What a genuine token says."""

    app_id: int
    user_id: str
    token_id: str


def make(connection: Connection, *, at: datetime) -> str:
    """Return the token of a connection, whose application is loaded."""
    key = signing.current_key(PURPOSE, ES256, at=at)
    claims = {
        "sub": words.user_id(connection.player_id),
        "appId": connection.application.app_id,
        "jti": connection.token_id,
        "iat": int(at.timestamp()),
    }
    return jwt.encode(claims, key.signing, algorithm=ES256, headers={"kid": key.kid})


def read(token: str) -> Claims | None:
    """Return what a token says, or None for what we did not sign."""
    if len(token) > LONGEST or not token.isascii():
        return None
    try:
        header = jwt.get_unverified_header(token)
        kid = header.get("kid")
        key = signing.find_key(PURPOSE, kid) if isinstance(kid, str) and len(kid) <= 40 and "\x00" not in kid else None  # noqa: PLR2004 - the column's
        if key is None:
            return None
        said = jwt.decode(token, key.checking, algorithms=[key.algorithm], options=UNCHECKED)
        return Claims(int(said["appId"]), str(said["sub"]), str(said["jti"]))
    except (jwt.PyJWTError, KeyError, TypeError, ValueError):
        return None
