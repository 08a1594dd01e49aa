"""Player tokens: what a player shows to the game platform, and where the game is (operators.md 2.4, 11.1)."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

import jwt
import msgspec
from django.conf import settings

from apps.core.numbers import number
from apps.operators.services import signing
from apps.tournaments import facts
from apps.tournaments.lifecycle import EntryStatus
from apps.tournaments.models import Entry, Tournament

PURPOSE = "player-token"
AFTER_THE_END = timedelta(hours=1)
WITHOUT_AN_END = timedelta(hours=24)
SHORTEST = timedelta(seconds=3600)
# Two processes may not agree to the second on when a key was retired.
ROTATION_LEEWAY = timedelta(seconds=60)
LONGEST_TOKEN = 4096

# As long as the columns behind it hold: two bigints and a smallint.
INTERNAL_ID = re.compile(r"TP_([0-9]{1,18})_([0-9]{1,18})_([0-9]{1,4})")

# What is wrong with a token, in the words of operators.md 11.1.
EXPIRED = "token_expired"
BAD_SIGNATURE = "invalid_signature"
MALFORMED = "malformed"
REMOVED = "player_removed"
CANCELLED = "tournament_cancelled"

_encoder = msgspec.json.Encoder(decimal_format="number")
_jws = jwt.PyJWS()


class _Claims(msgspec.Struct):
    """The claims that a verdict needs; the others repeat them in a second spelling or are read from the tables."""

    tournament_id: str
    tournamentId: str  # noqa: N815 - the claim's name
    internal_player_id: str
    operator_id: str
    iat: int
    exp: int


@dataclass(frozen=True, slots=True)
class TokenVerdict:
    """Whether a token opens the door. `error` is one of the words above, and then `entry` is None.

    `entry` comes with its tournament, game, operator, asset and player.
    """

    valid: bool
    error: str = ""
    entry: Entry | None = None
    expires_at: datetime | None = None


class Standing(Protocol):
    """Whatever tells where a player stands: an entry, or a row of a list of them."""

    @property
    def status(self) -> str:
        """As `Entry.status`."""

    @property
    def entry_count(self) -> int:
        """As `Entry.entry_count`."""


def permissions_of(entry: Standing, tournament: Tournament) -> list[str]:
    """Return what the player may do in the room now: `play` while in, `spectate` when out, `rebuy` if one is left."""
    allowed = ["play" if entry.status == EntryStatus.IN else "spectate"]
    if tournament.rebuy_enabled and entry.entry_count < tournament.max_entries:
        allowed.append("rebuy")
    return allowed


def room_of(tournament: Tournament) -> str:
    """Return the room players are sent to: the reported one, else `tournament_<id>_<slug>`. Opaque to clients."""
    return tournament.room_id or f"tournament_{tournament.pk}_{tournament.game.slug}"


def expiry_of(tournament: Tournament, *, at: datetime) -> datetime:
    """Return when a token issued now ends: an hour after the end, else a day after the start, never under an hour."""
    if tournament.ends_at:
        wanted = tournament.ends_at + AFTER_THE_END
    else:
        wanted = (tournament.started_at or tournament.starts_at or at) + WITHOUT_AN_END
    return max(wanted, at + SHORTEST)


def issue_token(entry: Entry, *, at: datetime) -> str:
    """Sign a token for an entry: the union of both documented claim sets.

    Reads the entry's tournament (with game, operator and asset) and player: select them along where it is hot.
    Amounts inside are major units. Signed by `settings.PLAYER_TOKEN_ALGORITHM`, EdDSA or HS256.
    """
    tournament = entry.tournament
    key = signing.current_key(PURPOSE, settings.PLAYER_TOKEN_ALGORITHM, at=at)
    body = _encoder.encode(_claims(entry, tournament, at=at))
    return _jws.encode(body, key.signing, algorithm=key.algorithm, headers={"kid": key.kid})


def _claims(entry: Entry, tournament: Tournament, *, at: datetime) -> dict[str, Any]:
    tournament_id = str(tournament.pk)
    operator_id = tournament.operator.public_id
    return {
        "tournament_id": tournament_id,
        "tournamentId": tournament_id,
        "internal_player_id": entry.internal_player_id,
        "playerId": entry.internal_player_id,
        "external_user_id": entry.player.external_id,
        "display_name": entry.display_name,
        "operator_id": operator_id,
        "operatorId": operator_id,
        "roomId": room_of(tournament),
        "gameSlug": tournament.game.slug,
        "permissions": permissions_of(entry, tournament),
        "playerInfo": {
            "displayName": entry.display_name,
            "entryCount": entry.entry_count,
            "totalPaid": number(facts.amount(tournament, entry.paid_units)),
            "vipLevel": None,
        },
        "iat": int(at.timestamp()),
        "exp": int(expiry_of(tournament, at=at).timestamp()),
    }


def game_url(entry: Entry, token: str) -> str:
    """Return where the player goes to play: the game's address with the token as the query parameter `jwt`."""
    game = entry.tournament.game
    address = (game.launch_url or settings.GAME_LAUNCH_URL).replace("{slug}", quote(game.slug, safe=""))
    parts = urlsplit(address)
    query = "&".join(part for part in (parts.query, urlencode({"jwt": token})) if part)
    return urlunsplit(parts._replace(query=query))


def check_token(token: str, *, at: datetime) -> TokenVerdict:
    """Judge a token: ours, whole, in time, of a player who was not removed from a tournament not cancelled.

    The algorithm is the key's own, found by its id; what the token claims must equal it, so neither `none` nor a
    public key used as an HMAC secret gets in. Never raises for anything a caller can send.
    """
    key, problem = _key_of(token)
    if key is None:
        return TokenVerdict(valid=False, error=problem)
    try:
        body = _jws.decode(token, key.checking, algorithms=[key.algorithm])
    except jwt.InvalidTokenError:
        return TokenVerdict(valid=False, error=BAD_SIGNATURE)
    try:
        claims = msgspec.json.decode(body, type=_Claims)
        expires_at = datetime.fromtimestamp(claims.exp, UTC)
        issued_at = datetime.fromtimestamp(claims.iat, UTC)
    except (msgspec.MsgspecError, ValueError, OverflowError, OSError):
        return TokenVerdict(valid=False, error=MALFORMED)
    if key.retired_at and issued_at > key.retired_at + ROTATION_LEEWAY:
        return TokenVerdict(valid=False, error=BAD_SIGNATURE)
    if expires_at <= at:
        return TokenVerdict(valid=False, error=EXPIRED)
    return _judge(claims, expires_at)


def _key_of(token: str) -> tuple[signing.Key | None, str]:
    """Return the key that a token names, if it names the key's own algorithm; else what is wrong."""
    if len(token) > LONGEST_TOKEN:
        return None, MALFORMED
    try:
        header = _jws.get_unverified_header(token)
    except (jwt.InvalidTokenError, ValueError):
        return None, MALFORMED
    kid = header.get("kid")
    if not isinstance(kid, str) or not kid.isascii() or "\x00" in kid:
        return None, BAD_SIGNATURE
    key = signing.find_key(PURPOSE, kid)
    if key is None or header.get("alg") != key.algorithm:
        return None, BAD_SIGNATURE
    return key, ""


def _judge(claims: _Claims, expires_at: datetime) -> TokenVerdict:
    entry = find_entry(claims.internal_player_id)
    if entry is None:
        return TokenVerdict(valid=False, error=MALFORMED)
    tournament = entry.tournament
    said = (claims.tournament_id, claims.tournamentId, claims.operator_id)
    if said != (str(tournament.pk), str(tournament.pk), tournament.operator.public_id):
        return TokenVerdict(valid=False, error=MALFORMED)
    if tournament.cancelled_at is not None:
        return TokenVerdict(valid=False, error=CANCELLED)
    if entry.status == EntryStatus.WITHDRAWN:
        return TokenVerdict(valid=False, error=REMOVED)
    return TokenVerdict(valid=True, entry=entry, expires_at=expires_at)


def parse_internal_id(text: str) -> tuple[int, int, int] | None:
    """Return (tournament id, player id, attempt) of `TP_<t>_<p>_<n>`; None if it has another form."""
    match = INTERNAL_ID.fullmatch(text)
    if match is None:
        return None
    tournament_id, player_id, attempt = map(int, match.groups())
    return tournament_id, player_id, attempt


def find_entry(internal_player_id: str) -> Entry | None:
    """Return the entry of an internal player id, with all that a verdict is told from."""
    parts = parse_internal_id(internal_player_id)
    if parts is None:
        return None
    return (
        Entry.objects.select_related("tournament__game", "tournament__operator", "tournament__asset", "player")
        .filter(tournament_id=parts[0], player_id=parts[1], attempt=parts[2])
        .first()
    )
