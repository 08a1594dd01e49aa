"""Let a player in, or say why not. Every verb that enters a player or takes their money passes through here."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from django.db import connection
from django.db.models import Q

from apps.core.errors import DomainError, NotFound
from apps.operators.models import Brand, Player


class PlayerBlocked(DomainError):
    """The player is suspended or self-excluded."""

    code = "PLAYER_BLOCKED"


class BrandUnknown(NotFound):
    """The operator has no such brand."""


def ensure_locked(operator_id: int, *, user_id: str, display_name: str, brand_id: str | None, at: datetime) -> Player:
    """Return the operator's player by their own id, created when new, locked until the transaction ends.

    Without a brand the player is looked for in all of them, the oldest brand first, and created in the operator's own.
    Raises BrandUnknown.
    """
    players = Player.objects.for_operator(operator_id).select_for_update(no_key=True, of=("self",))
    mine = players.filter(external_id=user_id)
    if brand_id is not None:
        mine = mine.filter(brand__external_id=brand_id)
    found: Player | None = mine.order_by("brand_id", "pk").first()
    if found is not None:
        return found
    brands = Brand.objects.for_operator(operator_id)
    brand = brands.filter(external_id=brand_id).first() if brand_id is not None else brands.order_by("pk").first()
    if brand is None:
        raise BrandUnknown
    player, created = Player.objects.get_or_create(
        operator_id=operator_id,
        brand=brand,
        external_id=user_id,
        defaults={"display_name": display_name, "created_at": at},
    )
    # A row that somebody else created meanwhile is not ours yet; our own insert is.
    locked: Player = player if created else players.get(pk=player.pk)
    return locked


# In one order, so that two who bring the same players never wait for each other in a circle.
_ENSURE = """
    INSERT INTO operators_player
           (operator_id, brand_id, external_id, display_name, eos_id, block_kind, block_reason, created_at)
    SELECT %s, brand_id, user_id, '', '', '', '', %s
      FROM unnest(%s::bigint[], %s::text[]) AS named(brand_id, user_id) ORDER BY brand_id, user_id
    ON CONFLICT DO NOTHING
"""


def ensure_many_locked(operator_id: int, players: Sequence[tuple[int, str]], *, at: datetime) -> list[Player]:
    """Return players by brand and the brand's id of them, in that order, created when new, locked in key order."""
    with connection.cursor() as cursor:
        cursor.execute(
            _ENSURE, [operator_id, at, [brand_id for brand_id, _ in players], [user_id for _, user_id in players]]
        )
    refs: dict[int, list[str]] = defaultdict(list)
    for brand_id, user_id in players:
        refs[brand_id].append(user_id)
    wanted = Q(pk__in=[])
    for brand_id, user_ids in refs.items():
        wanted |= Q(brand_id=brand_id, external_id__in=user_ids)
    rows = Player.objects.for_operator(operator_id).filter(wanted).order_by("pk").select_for_update(no_key=True)
    found = {(row.brand_id, row.external_id): row for row in rows}
    return [found[player] for player in players]


def lock(player_id: int) -> Player:
    """Return the player, locked until the transaction ends, so that a block can't slip in between."""
    player: Player = Player.objects.select_for_update(no_key=True).get(pk=player_id)
    return player


def refuse_blocked(player: Player, at: datetime) -> None:
    """Raise PlayerBlocked while a suspension or self-exclusion holds."""
    if player.is_blocked(at):
        until = player.blocked_until.isoformat() if player.blocked_until else None
        raise PlayerBlocked(status=player.block_kind.lower(), until=until)
