"""Every way a client may spell a field (operators.md 1.3). A dotted path looks inside objects.

The first name is the canonical one; `inputs` and the API description use it. The reference pages write snake_case and
the source text camelCase, so nearly every field has at least two names.
"""

from collections.abc import Mapping
from typing import Any

from apps.core.api.spellings import Aliases, canonical
from apps.core.errors import Invalid
from apps.tournaments.api.casino.scoring import SPELLINGS as SCORING

_POOLS = ("prize_pool", "prizePool")
_CONFIGS = ("config", "gameConfig", "game_config")
_ENTRY_SETTINGS = ("entry_settings", "entrySettings")
_REBUYS = ("rebuyConfig", "rebuy_config")
_FEATURES = ("features", "operatorConfig.features", "operator_config.features")


def _inside(objects: tuple[str, ...], *names: str) -> list[str]:
    return [f"{thing}.{name}" for thing in objects for name in names]


TOURNAMENT: Aliases = {
    "name": (),
    "external_id": ("externalId",),
    "game": ("gameSlug", "game_slug"),
    "scheduled_start": ("startTime", "scheduledStart", "start_time"),
    "scheduled_end": ("endTime", "end_time", "scheduledEnd"),
    "max_players": ("maxPlayers",),
    "min_players": ("minPlayers",),
    "entry_fee": ("entryFee",),
    "currency": (),
    "prize_pool.total": _inside(_POOLS, "total", "totalAmount", "guaranteedPrize", "guaranteed_prize"),
    "prize_pool.distribution": _inside(_POOLS, "distribution"),
    "prize_pool.type": _inside(_POOLS, "type"),
    "prize_pool.prizes": _inside(_POOLS, "prizes"),
    "config": _CONFIGS[1:],
    "tournament_type": ("tournamentType", *_inside(_CONFIGS, "tournament_type", "tournamentType")),
    "rebuy_enabled": (
        "rebuyEnabled",
        *_inside(_ENTRY_SETTINGS, "rebuy_enabled", "rebuyEnabled"),
        *_inside(_REBUYS, "enabled"),
    ),
    "rebuy_fee": (
        "rebuyFee",
        *_inside(_ENTRY_SETTINGS, "rebuy_fee", "rebuyFee"),
        *_inside(_REBUYS, "fee"),
    ),
    "max_entries_per_player": (
        "maxEntriesPerPlayer",
        *_inside(_ENTRY_SETTINGS, "max_entries_per_player", "maxEntriesPerPlayer"),
        *_inside(_REBUYS, "maxEntriesPerPlayer", "max_entries_per_player"),
    ),
    "rebuy_deadline": ("rebuyDeadline", *_inside(_REBUYS, "deadline")),
    "allow_late_registration": (
        "allowLateRegistration",
        *_inside(_FEATURES, "allowLateRegistration", "allow_late_registration"),
    ),
    # From here on the names are ours: the documents show no field for these.
    "registration_opens_at": ("registrationOpensAt",),
    "rake_percent": ("rakePercent",),
    "tie_policy": ("tiePolicy",),
    "enforce_min_players": ("enforceMinPlayers",),
    "auto_payout": ("autoPayout",),
    "rail": (),
    "payout_url": ("payoutUrl",),
    **{f"scoring.{name}": _inside(("scoring",), *others) for name, others in SCORING.items()},
}

CHANGES: Aliases = {
    name: TOURNAMENT[name]
    for name in (
        "name",
        "scheduled_start",
        "scheduled_end",
        "max_players",
        "min_players",
        "config",
        "tournament_type",
        "entry_fee",
        "prize_pool.total",
        "prize_pool.distribution",
        "prize_pool.type",
    )
}

REGISTRATION: Aliases = {
    "user_id": ("userId",),
    "display_name": ("displayName",),
    "buy_in_amount": ("buyInAmount",),
    "entry_payment_details.payment_id": (
        "entryPaymentDetails.paymentId",
        "entry_payment_details.paymentId",
        "entryPaymentDetails.payment_id",
        "payment_id",
        "paymentId",
    ),
    "brand_id": ("brandId",),
    "currency": (),
    "quote.amount": (),
    "quote.currency": (),
}

REBUY: Aliases = {
    "additional_entries": ("additionalEntries",),
    "payment_id": (
        "paymentId",
        "entry_payment_details.payment_id",
        "entryPaymentDetails.paymentId",
    ),
}

RESET: Aliases = {"reason": ()}
CANCELLATION: Aliases = {"reason": ()}
REMOVAL: Aliases = {"reason": (), "details": ()}

PAGE: Aliases = {"limit": ("per_page", "perPage"), "offset": (), "page": ()}
VIEWER: Aliases = {"forPlayer": ("for_player",), "brandId": ("brand_id",)}
TOURNAMENT_FILTERS: Aliases = {
    "status": (),
    "gameSlug": ("game_slug", "game"),
    "startDate": ("start_date",),
    "endDate": ("end_date",),
    "external_id": ("externalId",),
    **VIEWER,
    **PAGE,
}
PLAYER_FILTERS: Aliases = {"status": (), **PAGE}
BOARD_FILTERS: Aliases = {"includeEliminated": ("include_eliminated",), "around": (), **PAGE}
EVENT_FILTERS: Aliases = {"type": (), "since": (), **PAGE}
FEE_FILTERS: Aliases = {"currency": (), "brandId": ("brand_id",)}
HISTORY_FILTERS: Aliases = {"per_page": ("perPage", "limit"), "page": ()}


def read(data: Any, aliases: Aliases) -> dict[str, Any]:
    """Return `data` under canonical names, dotted ones as nested objects. Unknown fields are dropped.

    Raises Invalid when `data` or a part of it that holds fields is no object, or when two spellings of one field
    carry different values.
    """
    _refuse_odd_containers(data, aliases)
    nested: dict[str, Any] = {}
    for path, value in canonical(data, aliases).items():
        *objects, name = path.split(".")
        place = nested
        for step in objects:
            place = place.setdefault(step, {})
        place[name] = value
    return nested


def _refuse_odd_containers(data: Any, aliases: Aliases) -> None:
    """A `prize_pool` that is a text would be overlooked, and an overlooked wish is worse than a refusal."""
    if not isinstance(data, Mapping):
        return
    paths = {path for name, others in aliases.items() for path in (name, *others)}
    for path in sorted(path.rpartition(".")[0] for path in paths if "." in path):
        value: Any = data
        for step in path.split("."):
            value = value.get(step) if isinstance(value, Mapping) else value
            if value is not None and not isinstance(value, Mapping):
                raise Invalid("Invalid request parameters.", fields={path: ["Expected an object."]})
