"""Instant Play Passes: guests whom a game lets in without a name, and how they become somebody (rooms.md 3.25).

Claiming gives the guest's own player, with its wallet, addresses and places in rooms, the name that they choose and a
second factor. The original asks for a wallet's signature instead; here the single-use code is the proof.
"""

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction

from apps.core.actors import Actor
from apps.core.clock import iso
from apps.events.services import recording as events
from apps.ledger.services.journals import violated
from apps.operators.models import Brand, Player
from apps.operators.services import otp, players
from apps.operators.services.otp import Enrolment
from apps.rooms import errors
from apps.rooms.models import PlayPass, Task
from apps.rooms.services import approvals, logins, receipts, sessions
from apps.rooms.services.approvals import Grant
from apps.rooms.services.logins import Welcome
from apps.rooms.services.profiles import Profile, profile_of

COLOURS = "amber azure black blue coral green indigo ivory jade olive orange pink purple red teal white yellow".split()
FRUITS = "apple banana cherry date fig grape guava kiwi lemon lime mango melon olive papaya peach pear plum".split()
# What a guest lets the game take of each token, in whole tokens.
GUEST_AMOUNT = 100_000_000
CODE = re.compile(r"[0-9A-F]{16}", re.ASCII)
TRIES = 5


class GuestsOnly(errors.RoomError):
    """Only Instant Play Pass user can reveal claiming code"""  # noqa: D400, D415 - word for word (rooms.md 3.25)

    kind = "unauthenticated"
    code = "IPP_ONLY"
    hint = "Only a guest who came with /instantPlayPass/register has a claiming code; this player has a name already."


class CodeNotFound(errors.RoomError):
    """Claiming code not found"""  # noqa: D400, D415 - likewise

    kind = "not_found"
    code = "CLAIMING_CODE_NOT_FOUND"
    hint = "Codes work once, and each reveal replaces the one before."


@dataclass(frozen=True, slots=True, repr=False)
class Revealed:
    """A claiming code, in the only clear copy there will ever be."""

    code: str
    profile: Profile


def grants_for_guest(operator_id: int, names: Sequence[str]) -> list[Grant]:
    """Return what a guest lets the game take of each token. Raises TokenRequired, TokenInvalid."""
    return approvals.grants_of(operator_id, names, [GUEST_AMOUNT] * len(names))


@transaction.atomic
def register(
    operator_id: int, *, game_id: str, grants: Sequence[Grant], actor: Actor, at: datetime
) -> tuple[Welcome, Task]:
    """Make a guest, let the game take tokens of theirs, and open a session that does not end by itself."""
    player = _guest(operator_id, at)
    PlayPass.objects.create(player=player, operator_id=operator_id, game_id=game_id, registered_at=at)
    seconds = sessions.GUEST_SECONDS
    approvals.grant(player, game_id=game_id, grants=grants, seconds=seconds, actor=actor, at=at)
    opened = sessions.issue(player, game_id=game_id, seconds=seconds, actor=actor, at=at)
    named = {"plyrId": player.handle, "gameId": game_id}
    task = receipts.done(
        receipts.task_id(at),
        operator_id=operator_id,
        game_id=game_id,
        method="registerInstantPlayPass",
        params={"gameId": game_id, "tokens": [one.token.code for one in grants]},
        result=named,
        actor=actor,
        at=at,
    )
    _report("guest_registered", player, game_id, actor=actor, at=at)
    return Welcome(opened, profile_of(player)), task


def _guest(operator_id: int, at: datetime) -> Player:
    """Create a player with a made-up name, of the operator's own brand."""
    brand: Brand = Brand.objects.for_operator(operator_id).order_by("pk")[0]  # an operator is born with one
    for attempt in range(TRIES):
        name = f"{secrets.choice(COLOURS)}-{secrets.choice(FRUITS)}-{secrets.token_hex(3)}"
        try:
            with transaction.atomic():
                made: Player = Player.objects.create(
                    operator_id=operator_id,
                    brand=brand,
                    external_id=name,
                    display_name=name,
                    handle=name,
                    is_guest=True,
                    created_at=at,
                )
                return made
        except IntegrityError as problem:  # somebody is called so already
            if attempt == TRIES - 1 or violated(problem) not in {"operators_player_once", "operators_handle_once"}:
                raise
    raise AssertionError


def reveal(token: str, *, game_id: str, operator_id: int, actor: Actor, at: datetime) -> Revealed:  # noqa: ARG001
    """Return a new claiming code for the guest of a session; the code before it works no more.

    Raises SessionInvalid, GuestsOnly.
    """
    seen, profile = logins.look_at(token, game_id=game_id, operator_id=operator_id, at=at)
    if not seen.is_guest:
        raise GuestsOnly("Only Instant Play Pass user can reveal claiming code")
    digits = secrets.token_hex(8).upper()
    PlayPass.objects.filter(player_id=seen.player_id, claimed_at=None).update(
        code_digest=_digest(digits), code_revealed_at=at
    )
    return Revealed("-".join(digits[start : start + 4] for start in range(0, 16, 4)), profile)


def holder_of(operator_id: int, code: str) -> Player:
    """Return the guest whom a claiming code belongs to. Raises CodeNotFound."""
    found = PlayPass.objects.for_operator(operator_id).select_related("player").filter(code_digest=_normal(code))
    kept: PlayPass | None = found.first()
    if kept is None:
        raise CodeNotFound("Claiming code not found")
    return kept.player


@transaction.atomic
def claim(operator_id: int, *, code: str, plyr_id: str, actor: Actor, at: datetime) -> tuple[Enrolment, Profile]:
    """Give a guest the name they choose and a second factor, and end their sessions. A code works once.

    Raises CodeNotFound, and Invalid or HandleTaken for the name; the code still works then.
    """
    locked = PlayPass.objects.for_operator(operator_id).select_for_update(no_key=True, of=("self",))
    kept: PlayPass | None = locked.filter(code_digest=_normal(code)).first()
    if kept is None:
        raise CodeNotFound("Claiming code not found")
    kept.code_digest, kept.claimed_at = None, at
    kept.save(update_fields=["code_digest", "claimed_at"])
    players.rename_guest(kept.player_id, handle=plyr_id, actor=actor, at=at)
    enrolment = otp.enrol(kept.player_id, actor=actor, at=at)
    sessions.end_sessions(kept.player_id, actor=actor, at=at)
    _report("guest_claimed", enrolment.player, kept.game_id, actor=actor, at=at)
    return enrolment, profile_of(enrolment.player)


def _normal(code: str) -> str:
    """Return what is stored of a code, in whatever case and with or without its hyphens. Raises CodeNotFound."""
    digits = code.strip().upper().replace("-", "")
    if CODE.fullmatch(digits) is None:
        raise CodeNotFound("Claiming code not found")
    return _digest(digits)


def _digest(digits: str) -> str:
    return hashlib.sha256(digits.encode()).hexdigest()


def _report(name: str, player: Player, game_id: str, *, actor: Actor, at: datetime) -> None:
    events.record(
        operator_id=player.operator_id,
        type=f"player.{name}",
        subject=f"player:{player.pk}",
        data={"userId": player.external_id, "plyrId": player.handle, "gameId": game_id, "at": iso(at)},
        actor=actor,
        at=at,
    )
