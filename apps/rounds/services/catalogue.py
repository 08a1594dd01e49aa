"""Keep brands and games as an integration has them, and tell which games are active (rounds.md 3.2 to 3.4).

A portfolio is sent whole: what is new is added, what is there is updated, and what this integration brought earlier and
no longer names is disabled. What people or other integrations made stays as it is until this one names it.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Model

from apps.core.actors import Actor
from apps.operators.models import Brand, BrandGroup, Game, Operator
from apps.operators.models.tenants import RESERVED_SLUGS
from apps.rounds.reading import Fault, Faulty, ToldGame, ToldGroup

log = structlog.get_logger(__name__)

CHUNK = 2000

ACTIVE = """
    SELECT g.slug, array_agg(DISTINCT b.external_id ORDER BY b.external_id)
      FROM rounds_watch w
      JOIN rounds_watchedgame wg ON wg.watch_id = w.tournament_id
      JOIN operators_game g ON g.id = wg.game_id AND g.enabled
      JOIN operators_brand b ON b.operator_id = w.operator_id AND b.enabled
                            AND (w.brands = '{}' OR b.id = ANY (w.brands))
                            AND (g.enabled_brands IS NULL OR b.external_id = ANY (g.enabled_brands))
     WHERE w.operator_id = %s AND (w.opens_at IS NULL OR w.opens_at <= %s)
     GROUP BY g.slug ORDER BY g.slug
"""


@transaction.atomic
def sync_brands(groups: Sequence[ToldGroup], *, operator_id: int, integration: str, actor: Actor, at: datetime) -> None:
    """Make the operator's brands what an integration says they are. Saying it twice is saying it once.

    A brand that moved to another group keeps its players. Rounds of a disabled brand are not taken in; tournaments on
    it go on.
    """
    _one_at_a_time(operator_id)
    owned = _merge(
        BrandGroup,
        {group.ref: {"name": group.name, "enabled": True} for group in groups},
        operator_id=operator_id,
        integration=integration,
    )
    _merge(
        Brand,
        {
            brand.ref: {"name": brand.name, "enabled": True, "group_id": owned[group.ref]}
            for group in groups
            for brand in group.brands
        },
        operator_id=operator_id,
        integration=integration,
    )
    log.info("brands_synchronised", integration=integration, actor=str(actor), groups=len(groups), at=at.isoformat())


@transaction.atomic
def sync_games(games: Sequence[ToldGame], *, operator_id: int, integration: str, actor: Actor, at: datetime) -> None:
    """Make the operator's games what an integration says they are. Saying it twice is saying it once.

    A game without a list of brands is available on all of them; brands that nobody knows are kept in the list, for they
    may come, and logged. Raises Faulty for a game called like a word that answers need for themselves.
    """
    reserved = [
        Fault(index, "gameId", "is a reserved word")
        for index, game in enumerate(games)
        if game.game_id.lower() in RESERVED_SLUGS
    ]
    if reserved:
        raise Faulty(reserved)
    _one_at_a_time(operator_id)
    named = {ref for game in games for ref in game.enabled_brand_refs or ()}
    known = Brand.objects.for_operator(operator_id).filter(external_id__in=named).values_list("external_id", flat=True)
    if unknown := sorted(named.difference(known)):
        log.warning("games_name_unknown_brands", integration=integration, count=len(unknown), first=unknown[:10])
    _merge(
        Game,
        {
            game.game_id: {
                "display_name": game.display_name,
                "provider": game.game_provider_display_name,
                "enabled": game.is_enabled,
                "is_freeround_supported": bool(game.is_freeround_supported),
                "icon_url": game.icon_url or "",
                "enabled_brands": game.enabled_brand_refs,
            }
            for game in games
        },
        operator_id=operator_id,
        integration=integration,
    )
    log.info("games_synchronised", integration=integration, actor=str(actor), games=len(games), at=at.isoformat())


def active_games(*, operator_id: int, at: datetime) -> list[tuple[str, list[str]]]:
    """Return each game that a tournament counts rounds of, now or soon, with the brands it does so on.

    Soon is within ACTIVE_GAMES_AHEAD_SECONDS, so that no round is lost at the start; a game stays until the scoring of
    its tournament has closed.
    """
    ahead = at + timedelta(seconds=settings.ACTIVE_GAMES_AHEAD_SECONDS)
    with connection.cursor() as cursor:
        cursor.execute(ACTIVE, [operator_id, ahead])
        found: list[tuple[str, list[str]]] = cursor.fetchall()
    return found


def _one_at_a_time(operator_id: int) -> None:
    Operator.objects.select_for_update(no_key=True).get(pk=operator_id)


def _merge(
    model: type[Model], told: Mapping[str, Mapping[str, Any]], *, operator_id: int, integration: str
) -> dict[str, int]:
    """Add, update and disable; return the keys of what was told. Rows that are right already are not written."""
    name = "slug" if model is Game else "external_id"
    rows: Any = model._default_manager  # noqa: SLF001 - documented, whatever its name
    mine = rows.filter(operator_id=operator_id)
    present = {getattr(row, name): row for row in mine}
    changed = [
        model(**{"operator_id": operator_id, name: ref, "synced_by": integration}, **fields)
        for ref, fields in told.items()
        if ref not in present or _differs(present[ref], {**fields, "synced_by": integration})
    ]
    if changed:
        fields = [*next(iter(told.values())), "synced_by"]
        rows.bulk_create(
            changed, batch_size=CHUNK, update_conflicts=True, unique_fields=["operator_id", name], update_fields=fields
        )
    _disable(
        rows,
        [row.pk for ref, row in present.items() if row.synced_by == integration and row.enabled and ref not in told],
    )
    return dict(rows.filter(operator_id=operator_id, **{f"{name}__in": [*told]}).values_list(name, "pk"))


def _differs(row: Model, fields: Mapping[str, Any]) -> bool:
    return any(getattr(row, field) != value for field, value in fields.items())


def _disable(rows: Any, keys: Iterable[int]) -> None:
    if keys:
        rows.filter(pk__in=keys).update(enabled=False)
