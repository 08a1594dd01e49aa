"""Players: make them known, give them a name for games, and keep them from playing for a while.

A block has two sources that must not undo each other. The operator suspends, and may reinstate at any time. A player
excludes themselves, and if they named an end, nobody lifts it before: that end is kept in `excluded_until`, and no
later suspension or exclusion shortens it.
"""

from datetime import datetime

from django.db import IntegrityError, transaction

from apps.core import clock, ids
from apps.core.actors import Actor
from apps.core.errors import DomainError, Invalid, NotFound
from apps.operators import handles, uuids
from apps.operators.models import BlockKind, Brand, Player


class PlayerExists(DomainError):
    """The player is known already."""

    code = "PLAYER_EXISTS"


class HandleTaken(DomainError):
    """Another player of the operator has this plyrId."""

    code = "PLYR_ID_TAKEN"


class HandleIsFixed(DomainError):
    """The player has another plyrId, and keeps it."""

    code = "PLYR_ID_FIXED"


class PlayerNotFound(NotFound):
    """There is no such player."""

    code = "PLAYER_NOT_FOUND"


class SelfExclusionHolds(DomainError):
    """The player has excluded themselves until a moment that has not come yet; nobody may lift that."""

    code = "SELF_EXCLUSION_HOLDS"


def resolve_player(operator_id: int, user_id: str) -> Player:
    """Return the operator's player by the operator's own id of them, or else by their plyrId, or their UUID.

    If several brands have a player of that id, the oldest brand's is meant. Raises PlayerNotFound.
    """
    players = Player.objects.for_operator(operator_id).select_related("brand")
    found: Player | None = players.known_as(user_id).first() or players.called(user_id).first()
    if found is None and (number := uuids.number_behind("player", user_id)) is not None:
        found = players.filter(pk=number).first()
    if found is None:
        raise PlayerNotFound(user_id=user_id)
    return found


def create_player(
    operator_id: int,
    *,
    user_id: str,
    display_name: str,
    brand_id: str | None,
    eos_id: str,
    plyr_id: str | None = None,
    actor: Actor,  # noqa: ARG001 - who made a player known is not kept; every verb is told all the same
    at: datetime,
) -> Player:
    """Make a player known to a brand, the operator's first one if none is named.

    Their handle is `plyr_id`; without one it is their user id where that may be a handle and is free, and otherwise
    they get one when they need it. Raises PlayerExists, HandleTaken, Invalid.
    """
    brands = Brand.objects.for_operator(operator_id).order_by("pk")
    brand = brands.first() if brand_id is None else brands.filter(external_id=brand_id).first()
    if brand is None:
        raise Invalid("There is no such brand.", fields={"brandId": ["Unknown brand."]})
    handle = handles.handle_in(user_id) if plyr_id is None else checked_handle(plyr_id)
    known = {"operator_id": operator_id, "brand": brand, "external_id": user_id}
    more = {"display_name": display_name, "eos_id": eos_id, "created_at": at}
    try:
        player, created = Player.objects.get_or_create(**known, defaults=more | {"handle": handle})
    except IntegrityError as problem:  # the one constraint left: somebody goes by this handle
        if plyr_id is not None:
            raise HandleTaken(plyr_id=handle) from problem
        player, created = Player.objects.get_or_create(**known, defaults=more)
    if not created:
        raise PlayerExists(user_id=user_id, brand_id=brand.external_id)
    return player


def checked_handle(text: str) -> str:
    """Return a handle in its normal spelling. Raises Invalid for what can be none (rooms.md 3.32)."""
    handle = handles.handle_in(text)
    if handle is None:
        rule = "5 to 64 of a-z, 0-9 and single hyphens between them, with a letter."
        raise Invalid("No usable plyrId.", fields={"plyrId": [rule]})
    return handle


def named_player(player_id: int, *, handle: str | None = None, actor: Actor, at: datetime) -> Player:
    """Return the player locked and with a handle: theirs, or the one that is wished for, or one made for them.

    Belongs into the caller's transaction. Raises PlayerNotFound, HandleIsFixed, HandleTaken, Invalid.
    """
    player = _locked(player_id)
    wish = None if handle is None else checked_handle(handle)
    if player.handle is not None:
        if wish not in {None, player.handle}:
            raise HandleIsFixed(plyr_id=player.handle)
        return player
    for attempt in (wish,) if wish else (handles.handle_in(player.external_id), f"player-{ids.token(10)}"):
        if attempt is not None and _takes(player, attempt, actor, at):
            return player
    raise HandleTaken(plyr_id=wish)


def rename_guest(player_id: int, *, handle: str, actor: Actor, at: datetime) -> Player:
    """Make a guest an ordinary player under the handle that they choose; their user id stays.

    Belongs into the caller's transaction. Raises PlayerNotFound for who is no guest, HandleTaken, Invalid.
    """
    wish = checked_handle(handle)
    player = _locked(player_id)
    if not player.is_guest:
        raise PlayerNotFound
    player.is_guest = False
    if not _takes(player, wish, actor, at):
        raise HandleTaken(plyr_id=wish)
    return player


def _takes(player: Player, handle: str, actor: Actor, at: datetime) -> bool:
    """Give a player a handle; tell whether it was free."""
    before, player.handle = player.handle, handle
    _explain(player, "plyrId given", actor, at)
    try:
        with transaction.atomic():
            player.save(update_fields=["handle", "is_guest"])
    except IntegrityError:
        player.handle = before
        return False
    return True


@transaction.atomic
def suspend(player_id: int, *, reason: str, until: datetime | None, actor: Actor, at: datetime) -> Player:
    """Keep a player out until a moment, or until reinstated. A self-exclusion underneath keeps its end.

    Raises Invalid for an end that has passed or a missing reason.
    """
    if not reason.strip():
        raise Invalid("Say why.", fields={"reason": ["This field is required."]})
    _must_lie_ahead(until, at)
    player = _locked(player_id)
    if player.block_kind == BlockKind.SELF_EXCLUDED:
        until = _later(until, player, at)
    elif until is not None and player.excluded_until is not None:
        until = max(until, player.excluded_until)
    return _block(player, BlockKind.SUSPENDED, reason=reason, until=until, actor=actor, at=at)


@transaction.atomic
def self_exclude(player_id: int, *, reason: str, until: datetime | None, actor: Actor, at: datetime) -> Player:
    """Keep a player out at their own wish. With an end, nobody can lift it before; without one, it may be lifted.

    Excluding again may prolong the exclusion and never shortens it, nor a suspension that lasts longer. Raises Invalid
    for an end that has passed.
    """
    _must_lie_ahead(until, at)
    player = _locked(player_id)
    if until is not None:
        player.excluded_until = max(until, player.excluded_until or until)
    return _block(player, BlockKind.SELF_EXCLUDED, reason=reason, until=_later(until, player, at), actor=actor, at=at)


@transaction.atomic
def reinstate(player_id: int, *, reason: str, actor: Actor, at: datetime) -> Player:
    """Let a player in again. Raises SelfExclusionHolds before the end they chose, and Invalid without a reason."""
    if not reason.strip():
        raise Invalid("Say why.", fields={"reason": ["This field is required."]})
    player = _locked(player_id)
    if player.excluded_until is not None and at < player.excluded_until:
        raise SelfExclusionHolds(until=clock.iso(player.excluded_until))
    if not player.block_kind:
        return player
    player.block_kind, player.block_reason = "", ""
    player.blocked_at = player.blocked_until = player.excluded_until = None
    return _save(player, reason, actor, at)


def _later(until: datetime | None, player: Player, at: datetime) -> datetime | None:
    """Return the later of an end and that of the block that holds now; no end is the latest."""
    if until is None or not player.is_blocked(at):
        return until
    return None if player.blocked_until is None else max(until, player.blocked_until)


def _must_lie_ahead(until: datetime | None, at: datetime) -> None:
    if until is not None and until <= at:
        raise Invalid("The end has passed already.", fields={"until": ["Must lie in the future."]})


def _locked(player_id: int) -> Player:
    """Return the player locked, in the way that whoever enters them or takes their money locks them too."""
    found = Player.objects.select_for_update(no_key=True, of=("self",)).select_related("brand").filter(pk=player_id)
    player: Player | None = found.first()
    if player is None:
        raise PlayerNotFound
    return player


def _block(
    player: Player, kind: BlockKind, *, reason: str, until: datetime | None, actor: Actor, at: datetime
) -> Player:
    player.block_kind = kind
    player.block_reason = reason.strip()
    player.blocked_at = at
    player.blocked_until = until
    return _save(player, f"{kind.label}: {reason}", actor, at)


def _save(player: Player, reason: str, actor: Actor, at: datetime) -> Player:
    _explain(player, reason, actor, at)
    player.save(update_fields=["block_kind", "block_reason", "blocked_at", "blocked_until", "excluded_until"])
    return player


def _explain(player: Player, reason: str, actor: Actor, at: datetime) -> None:
    """Say in the player's history who did it, why, and when."""
    player._change_reason = f"{actor}: {reason}"[:300]  # type: ignore[attr-defined]  # noqa: SLF001 - its documented hook
    player._history_date = at  # type: ignore[attr-defined]  # noqa: SLF001 - likewise
