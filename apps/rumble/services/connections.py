"""Codes, connections and what the player's consent gives an application (rumble.md 2.3)."""

import re
import secrets
import string
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from apps.core import crypto, ids
from apps.core.actors import Actor
from apps.core.errors import DomainError, NotFound
from apps.events.services.recording import record
from apps.operators.models import Player
from apps.operators.services.credentials import Unauthorized
from apps.operators.services.players import PlayerNotFound
from apps.rumble import words
from apps.rumble.models import Application, Connection, ConnectionCode
from apps.rumble.services import participation, tokens

ALPHABET = string.ascii_uppercase + string.digits
LENGTH = 10
CODE = re.compile(rf"[A-Z0-9]{{{LENGTH}}}", re.ASCII)
CODE_LIVES = timedelta(minutes=10)
EXPIRED = "Connection code expired"
EXPIRED_AT_ONCE = 200


class CodeNotFound(NotFound):
    """There is no such connection code."""

    code = "CODE_NOT_FOUND"
    hint = "Check the ten characters that the application shows."


class CodeExpired(DomainError):
    """The connection code has expired."""

    code = "CODE_EXPIRED"
    hint = "Ask the application for a new one."


class CodeUsed(DomainError):
    """The connection code has been used."""

    code = "CODE_USED"
    hint = "Ask the application for a new one."


class NotConnected(NotFound):
    """The player is not connected to this application."""

    code = "NOT_CONNECTED"


class PlayerMayNot(DomainError):
    """The player is blocked."""

    kind = "forbidden"
    code = "PLAYER_BLOCKED"


@transaction.atomic
def make_code(application: Application, *, actor: Actor, at: datetime) -> ConnectionCode:  # noqa: ARG001 - codes are unsigned
    """Return a new code for one player, good for ten minutes."""
    code = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    return ConnectionCode.objects.create(application=application, code=code, expires_at=at + CODE_LIVES, created_at=at)


@transaction.atomic
def connect(player_id: int, code: str, *, actor: Actor, at: datetime) -> Connection:
    """Let the application that showed a code act for the player; it is told, with a token that replaces any before.

    A player who connects has an EOS id from then on. Raises CodeNotFound (also for the code of another operator's
    application), CodeUsed, CodeExpired, PlayerNotFound and PlayerMayNot; the code is still good after the last two.
    """
    spelled = code.strip().upper()
    # The application too: one that is inactivated meanwhile must not be left with a connection.
    rows = ConnectionCode.objects.select_for_update(no_key=True, of=("self", "application"))
    rows = rows.select_related("application__operator")
    kept = rows.filter(code=spelled).first() if CODE.fullmatch(spelled) else None
    player = Player.objects.select_for_update(no_key=True).filter(pk=player_id).first()
    if player is None:
        raise PlayerNotFound
    if kept is None or kept.application.operator_id != player.operator_id:
        raise CodeNotFound
    if kept.used_at is not None:
        raise CodeUsed
    if not kept.is_good(at) or kept.application.inactivated_at is not None:
        raise CodeExpired
    if player.is_blocked(at):
        raise PlayerMayNot
    kept.used_at = at
    kept.save(update_fields=["used_at"])
    _name_account(player, actor=actor, at=at)
    connection = _connected(kept.application, player, at)
    sealed = crypto.encrypt(tokens.make(connection, at=at))
    told = {"code": spelled, "userId": words.user_id(player.pk), "sealedToken": sealed}
    _tell(connection, "AuthenticationSuccess", told, actor=actor, at=at)
    return connection


def _connected(application: Application, player: Player, at: datetime) -> Connection:
    now = {"token_id": ids.token(24), "connected_at": at, "disconnected_at": None}
    whose = {"application": application, "player": player}
    connection, _ = Connection.objects.update_or_create(
        **whose, defaults=now, create_defaults=now | {"operator_id": player.operator_id}
    )
    return connection


def _name_account(player: Player, *, actor: Actor, at: datetime) -> None:
    if player.eos_id:
        return
    player.eos_id = words.eos_of(player)
    player._change_reason = f"{actor}: EOS id given"  # type: ignore[attr-defined]  # noqa: SLF001 - its documented hook
    player._history_date = at  # type: ignore[attr-defined]  # noqa: SLF001 - likewise
    player.save(update_fields=["eos_id"])


@transaction.atomic
def disconnect(player_id: int, application_id: int, *, actor: Actor, at: datetime) -> Connection:
    """End a connection: its token is worth nothing from now on, and the application is told.

    Payments that wait for the player's signature are withdrawn; the player stays in what they have paid for. Raises
    NotConnected.
    """
    rows = Connection.objects.select_for_update(no_key=True, of=("self",)).select_related("application")
    connection: Connection | None = rows.filter(
        player_id=player_id, application_id=application_id, disconnected_at=None
    ).first()
    if connection is None:
        raise NotConnected
    connection.disconnected_at = at
    connection.save(update_fields=["disconnected_at"])
    participation.withdraw_unsigned(application_id, player_id, actor=actor, at=at)
    _tell(connection, "UserDisconnectedApplication", {"userId": words.user_id(player_id)}, actor=actor, at=at)
    return connection


def authenticate(token: str) -> Connection:
    """Return the live connection behind an access token, with application, operator and player. Raises Unauthorized."""
    claims = tokens.read(token)
    if claims is None:
        raise Unauthorized
    rows = Connection.objects.select_related("application__operator", "player__brand")
    found: Connection | None = rows.filter(token_id=claims.token_id, disconnected_at=None).first()
    if (
        found is None
        or found.application.app_id != claims.app_id
        or found.application.inactivated_at is not None
        or found.application.operator.suspended_at is not None
    ):
        raise Unauthorized
    return found


def connections_of(player_id: int) -> QuerySet[Connection]:
    """Return a player's live connections, newest first, with their applications."""
    live = Connection.objects.filter(player_id=player_id, disconnected_at=None)
    return live.select_related("application").order_by("-connected_at", "-pk")


@transaction.atomic
def expire_codes(*, actor: Actor, at: datetime) -> int:
    """Tell the applications of codes that nobody entered in time, once; return how many. What is left is due again."""
    waiting = ConnectionCode.objects.filter(used_at=None, expired_at=None, expires_at__lte=at)
    due = waiting.select_for_update(no_key=True, skip_locked=True, of=("self",)).select_related("application")
    codes = list(due.order_by("expires_at", "pk")[:EXPIRED_AT_ONCE])
    for code in codes:
        _tell(code, "AuthenticationFailure", {"code": code.code, "message": EXPIRED}, actor=actor, at=at)
    ConnectionCode.objects.filter(pk__in=[code.pk for code in codes]).update(expired_at=at)
    return len(codes)


def _tell(
    about: Connection | ConnectionCode, wire_type: str, told: dict[str, str], *, actor: Actor, at: datetime
) -> None:
    """Tell the application, in the order of this connection: what cannot be delivered holds back no other's."""
    application = about.application
    record(
        operator_id=application.operator_id,
        type=f"rumble.{wire_type}",
        subject=about.subject,
        data={"appId": application.app_id, **told},
        actor=actor,
        at=at,
    )
