"""What an operator may set for itself (podium.md 2, `GET/PATCH /api/settings`), with the defaults of the contracts."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

import msgspec

from apps.core.errors import Invalid

PerMinute = Annotated[int, msgspec.Meta(ge=1, le=10_000_000)]
Url = Annotated[str, msgspec.Meta(max_length=500, pattern=r"^(https?://\S+)?$")]


class RateLimits(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """Calls per minute and key, by class of operation (operators.md 9), and the ceilings over all classes."""

    standard: PerMinute = 100
    tournament_creation: PerMinute = 10
    registration: PerMinute = 200
    results: PerMinute = 500
    ceiling: PerMinute = 1000
    burst_per_ten_seconds: PerMinute = 100
    internal: PerMinute = 5000
    internal_burst_per_ten_seconds: PerMinute = 500
    # Games: a poll a second for every open task of a busy game must fit (rooms.md 5).
    rooms: PerMinute = 60_000
    room_polls: PerMinute = 600_000
    # Integrations: calls of any size. Beyond it they are told to come back (rounds.md 3.1: 503, never 429).
    rounds: PerMinute = 600_000


class Branding(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """What the game platform may show (operators.md 4.3)."""

    primary_color: Annotated[str, msgspec.Meta(pattern=r"^(#[0-9A-Fa-f]{6})?$")] = ""
    logo_url: Url = ""


class Features(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """Switches of the tournament client (operators.md 4.3)."""

    allow_late_registration: bool = False
    show_timer: bool = True
    show_leaderboard: bool = True


class Approval(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """When staff must approve a settlement: always, or from a total in major units of its currency."""

    always: bool = False
    from_total: Annotated[int, msgspec.Meta(ge=0)] | None = None


class Preferences(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """An operator's preferences."""

    rate_limits: RateLimits = msgspec.field(default_factory=RateLimits)
    rake_percent: Annotated[int, msgspec.Meta(ge=0, le=50)] = 0
    enforce_min_players: bool = False
    write_implies_delete: bool = False
    tie_policy: Literal["unique", "split"] = "unique"
    branding: Branding = msgspec.field(default_factory=Branding)
    features: Features = msgspec.field(default_factory=Features)
    allowed_origins: Annotated[list[Url], msgspec.Meta(max_length=50)] = msgspec.field(default_factory=list)
    payout_url: Url = ""
    debit_url: Url = ""
    approval: Approval = msgspec.field(default_factory=Approval)

    @classmethod
    def load(cls, stored: Mapping[str, Any]) -> Self:
        """Read what is stored, defaults filled in. Raises Invalid naming the field that is not well formed."""
        try:
            return msgspec.convert(stored, cls)
        except msgspec.ValidationError as problem:
            text, path = _located(str(problem))
            raise Invalid("Invalid settings.", fields={path: [text]}) from problem

    def dump(self) -> dict[str, Any]:
        """Return every preference in its camelCase spelling."""
        whole: dict[str, Any] = msgspec.to_builtins(self)
        return whole


# Spelled so in podium.md 2.
SHORT_NAMES = {"rake": "rakePercent"}


def _located(text: str) -> tuple[str, str]:
    """Split msgspec's "what is wrong - at `$.path`" into what and where."""
    what, _, where = text.partition(" - at `$")
    path = where.rstrip("`").removeprefix(".")
    unknown = re.search(r"unknown field `([^`]+)`", what)
    if unknown:
        return "Unknown setting.", ".".join(part for part in (path, unknown[1]) if part)
    return what, path or "settings"


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in rest)


def merged(stored: Mapping[str, Any], patch: Mapping[str, Any], at: str = "") -> dict[str, Any]:
    """Return `stored` with a JSON merge patch (RFC 7396) applied: null removes, objects merge, the rest replaces.

    The patch may be spelled in camelCase or snake_case. Raises Invalid when two spellings of one name disagree.
    """
    spelled: dict[str, Any] = {}
    for name, value in patch.items():
        key = _camel(name) if at else SHORT_NAMES.get(name, _camel(name))
        if key in spelled and spelled[key] != value:
            raise Invalid("Two spellings disagree.", fields={f"{at}{key}": ["Different values."]})
        spelled[key] = value
    whole = dict(stored)
    for key, value in spelled.items():
        if value is None:
            whole.pop(key, None)
        elif isinstance(value, Mapping):
            before = whole.get(key)
            whole[key] = merged(before if isinstance(before, Mapping) else {}, value, f"{at}{key}.")
        else:
            whole[key] = value
    return whole
