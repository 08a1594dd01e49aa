"""What players let games take: granted with a one-time code, replaced by the next grant, revoked at will (3.30)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from apps.core.actors import Actor
from apps.core.clock import iso
from apps.core.numbers import number
from apps.events.services import recording as events
from apps.ledger.models import Asset
from apps.ledger.money import to_amount
from apps.operators.models import Credential, CredentialKind, Player
from apps.operators.services import admission
from apps.rooms import errors
from apps.rooms.models import Allowance
from apps.rooms.services import activity, tokens
from apps.rooms.services.proofs import proven
from apps.rooms.services.tokens import Token

ALL = "all"
DEFAULT_SECONDS = 365 * 86_400


class ApprovalIncorrect(errors.AmountInvalid):
    """Approve amount was incorrect."""

    hint = "Approve more than zero, in whole tokens, with no more decimals than the token counts."


class TokenRequired(errors.TokenInvalid):
    """Token is required"""  # noqa: D400, D415 - word for word (rooms.md 3.21)


class GameRequired(errors.RoomError):
    """Game ID is required"""  # noqa: D400, D415 - likewise

    kind = "unauthenticated"
    code = "INVALID_PARAMS"
    hint = "Say which game may take the tokens: the gameId of its key."


class GameUnknown(errors.RoomError):
    """Invalid game ID"""  # noqa: D400, D415 - likewise

    kind = "unauthenticated"
    code = "GAME_INVALID"
    hint = "Use the gameId of one of the operator's game keys."


class WalletsDontSign(errors.RoomError):
    """Invalid signature"""  # noqa: D400, D415 - likewise

    kind = "unauthenticated"
    code = "WALLET_SIGNATURE_INVALID"
    hint = "Wallets of this server have no key that could sign. Use POST /game/revoke with a one-time code."


@dataclass(frozen=True, slots=True)
class Grant:
    """Up to so many base units of a token."""

    token: Token
    units: int

    @property
    def amount(self) -> Decimal | int:
        """The same in whole tokens."""
        return number(to_amount(self.units, self.token.scale))


def grants_of(operator_id: int, names: Sequence[str], amounts: Sequence[Decimal | int | str]) -> list[Grant]:
    """Return grants for tokens and amounts in whole tokens; of a token that is named twice, the last.

    Raises TokenRequired, TokenInvalid, LengthMismatch, ApprovalIncorrect.
    """
    if not names:
        raise TokenRequired("Token is required")
    found = tokens.resolve(operator_id, names)
    _refuse_switched_off(found, names)
    if len(names) != len(amounts):
        raise errors.LengthMismatch("Input params was incorrect.")
    grants: dict[int, Grant] = {}
    for token, amount in zip(found, amounts, strict=True):
        try:
            units = tokens.units_of(token, amount)
        except errors.AmountInvalid as problem:
            raise ApprovalIncorrect(errors=["Approve amount was incorrect.", problem.message]) from problem
        if units <= 0:
            raise ApprovalIncorrect
        grants[token.asset_id] = Grant(token, units)
    return list(grants.values())


def _refuse_switched_off(found: Sequence[Token], names: Sequence[str]) -> None:
    """A token that takes no new money is as good as unknown. Raises TokenInvalid."""
    live = set(Asset.objects.filter(pk__in=[one.asset_id for one in found], enabled=True).values_list("pk", flat=True))
    bad = [f"Invalid token: {name}" for one, name in zip(found, names, strict=True) if one.asset_id not in live]
    if bad:
        raise errors.TokenInvalid("; ".join(bad), errors=bad)


def game_called(operator_id: int, game_id: str) -> str:
    """Return the public name of a game of the operator as its key has it. Raises GameUnknown."""
    keys = Credential.objects.for_operator(operator_id).filter(kind=CredentialKind.GAME, revoked_at=None)
    found: str | None = keys.filter(ref__iexact=game_id.strip()).values_list("ref", flat=True).order_by("pk").first()
    if not found:
        raise GameUnknown("Invalid game ID")
    return found


def approve(
    operator_id: int,
    *,
    plyr_id: str,
    code: str,
    game_id: str,
    grants: Sequence[Grant],
    seconds: int,
    actor: Actor,
    at: datetime,
) -> Player:
    """Let a game take tokens of a player who proves it with a one-time code.

    Raises as `proofs.proven` does, and GameUnknown, before any code is spent.
    """
    game = game_called(operator_id, game_id)
    player = proven(operator_id, plyr_id=plyr_id, code=code, at=at)
    grant(player, game_id=game, grants=grants, seconds=seconds, actor=actor, at=at)
    return player


@transaction.atomic
def grant(
    player: Player, *, game_id: str, grants: Sequence[Grant], seconds: int, actor: Actor, at: datetime
) -> list[Allowance]:
    """Replace what a player lets a game take of these tokens; the clock starts anew."""
    admission.lock(player.pk)
    _locked(Allowance.objects.filter(player=player, game_id=game_id, asset_id__in=[g.token.asset_id for g in grants]))
    until = at + timedelta(seconds=seconds)
    rows = [
        Allowance(
            operator_id=player.operator_id,
            player_id=player.pk,
            game_id=game_id,
            asset_id=one.token.asset_id,
            units=one.units,
            granted_units=one.units,
            granted_at=at,
            expires_at=until,
        )
        for one in sorted(grants, key=lambda one: one.token.asset_id)
    ]
    Allowance.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["player", "asset", "game_id"],
        update_fields=["units", "granted_units", "granted_at", "expires_at"],
    )
    entries = [{"token": one.token.code, "amount": one.amount} for one in grants]
    told = {"entries": entries, "expiresAt": iso(until)}
    _report("approve", player, game_id, told, actor=actor, at=at)
    return rows


def revoke_with_code(
    operator_id: int, *, plyr_id: str, code: str, game_id: str, token: str, actor: Actor, at: datetime
) -> int:
    """Take back what a player lets a game take of a token; `all` stands for every game or token. Return how many.

    Raises TokenRequired, TokenInvalid, GameUnknown, and as `proofs.proven` does for who they are; a blocked player may
    revoke.
    """
    wildcard = game_id.strip().lower() == ALL
    game = None if wildcard else game_called(operator_id, game_id)
    if not token.strip():
        raise TokenRequired("Token is required")
    asset_id = None if token.strip().lower() == ALL else tokens.resolve(operator_id, [token])[0].asset_id
    player = proven(operator_id, plyr_id=plyr_id, code=code, at=at, even_blocked=True)
    mine = Allowance.objects.filter(player=player)
    mine = mine if game is None else mine.filter(game_id=game)
    return _revoke(mine if asset_id is None else mine.filter(asset_id=asset_id), actor=actor, at=at)


def revoke(allowance_id: int, *, reason: str, actor: Actor, at: datetime) -> int:
    """Take one allowance back, for staff; the reason is kept in the player's log."""
    return _revoke(Allowance.objects.filter(pk=allowance_id), reason=reason, actor=actor, at=at)


def revoke_all(player_id: int, *, reason: str, actor: Actor, at: datetime) -> int:
    """Take back everything that a player lets games take, for staff."""
    return _revoke(Allowance.objects.filter(player_id=player_id), reason=reason, actor=actor, at=at)


@transaction.atomic
def _revoke(rows: QuerySet[Allowance], *, reason: str = "", actor: Actor, at: datetime) -> int:
    """End the allowances of one player; what is revoked already is left alone."""
    found = list(_locked(rows.exclude(granted_units=0)))
    if not found:
        return 0
    player = Player.objects.get(pk=found[0].player_id)
    Allowance.objects.filter(pk__in=[one.pk for one in found]).update(units=0, granted_units=0)
    for game_id in sorted({one.game_id for one in found}):
        codes = [one.asset.code for one in found if one.game_id == game_id]
        told = {"entries": [{"token": code} for code in codes]} | ({"reason": reason} if reason else {})
        _report("revoke", player, game_id, told, actor=actor, at=at)
    return len(found)


def _locked(rows: QuerySet[Allowance]) -> QuerySet[Allowance]:
    """Return allowances locked in the order in which payments lock them."""
    locked = rows.select_related("asset").order_by("pk").select_for_update(of=("self",), no_key=True)
    len(locked)
    return locked


def _report(action: str, player: Player, game_id: str, told: Mapping[str, Any], *, actor: Actor, at: datetime) -> None:
    activity.note(operator_id=player.operator_id, game_id=game_id, player_id=player.pk, action=action, data=told, at=at)
    events.record(
        operator_id=player.operator_id,
        type=f"player.{'approved' if action == 'approve' else 'revoked'}",
        subject=f"player:{player.pk}",
        data={"userId": player.external_id, "plyrId": player.handle, "gameId": game_id, **told},
        actor=actor,
        at=at,
    )


# --- reading ----------------------------------------------------------------------------------------------------------


def standing(player: Player, *, game_id: str | None, at: datetime) -> list[Allowance]:
    """Return what a player lets games, or one game, take now: not revoked, over or used up. Oldest first."""
    live = Allowance.objects.filter(player=player, units__gt=0, expires_at__gt=at).select_related("asset")
    if game_id is not None:
        live = live.filter(game_id=game_id)
    return list(live.order_by("pk"))


def allowance(player: Player, *, game_id: str, token: str, at: datetime) -> Allowance | None:
    """Return what a player lets a game take of a token now, if anything. Raises TokenInvalid."""
    asset_id = tokens.resolve(player.operator_id, [token])[0].asset_id
    live = Allowance.objects.filter(player=player, game_id=game_id, asset_id=asset_id, expires_at__gt=at)
    return live.exclude(granted_units=0).select_related("asset").first()
