"""What settings may say, and the minimum that follows (rumble.md 3.2, 5.1). Pure: no database, no clock, no floats."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from apps.core.errors import Invalid

# Basis points: two decimals of a percentage.
FINEST = Decimal("0.01")
MAX_FEE_PERCENTAGE = 10
MOST_PARTICIPANTS = 1_000_000
MOST_RULES = 100
MOST_PLACES = 1_000


@dataclass(frozen=True, slots=True)
class Rule:
    """From so many participants on, prizes are shared so: percentages of the pool by place, first place first."""

    min_participants: int
    distribution: Sequence[Decimal]


def minimum(settings_minimum: int, rules: Sequence[Rule]) -> int:
    """Return how many participants it takes: the settings' number, and enough that a rule exists."""
    return max(settings_minimum, min(rule.min_participants for rule in rules))


def check_rules(rules: Sequence[Rule]) -> None:
    """Raise Invalid unless there are rules, each for another minimum, whose shares sum to exactly 100."""
    if not 1 <= len(rules) <= MOST_RULES:
        raise _wrong("prizeDistributionRules", f"prizeDistributionRules must have 1 to {MOST_RULES} rules")
    if len({rule.min_participants for rule in rules}) != len(rules):
        raise _wrong("prizeDistributionRules", "prizeDistributionRules must not repeat minParticipants")
    for rule in rules:
        if not 1 <= rule.min_participants <= MOST_PARTICIPANTS:
            raise _wrong("minParticipants", "minParticipants of a rule must be an integer of 1 or more")
        if not 1 <= len(rule.distribution) <= MOST_PLACES:
            raise _wrong("distribution", f"distribution must have 1 to {MOST_PLACES} places")
        if any(share < 0 or share % FINEST for share in rule.distribution):
            raise _wrong("distribution", "distribution must hold percentages of 0 or more with at most 2 decimals")
        if sum(rule.distribution, Decimal(0)) != 100:  # noqa: PLR2004 - percent
            raise _wrong("distribution", "distribution must sum to 100")


def check_participants(least: int, most: int) -> None:
    """Raise Invalid unless 1 ≤ least ≤ most."""
    if least < 1:
        raise _wrong("minParticipants", "minParticipants must be 1 or more")
    if most < least:
        raise _wrong("maxParticipants", "maxParticipants must not be less than minParticipants")
    if most > MOST_PARTICIPANTS:
        raise _wrong("maxParticipants", f"maxParticipants must not exceed {MOST_PARTICIPANTS}")


def basis_points(name: str, percentage: Decimal) -> int:
    """Return a fee of 0 to 10 percent in basis points. Raises Invalid; `name` is the field's on the wire."""
    if not 0 <= percentage <= MAX_FEE_PERCENTAGE:
        raise _wrong(name, f"{name} must be between 0 and {MAX_FEE_PERCENTAGE}")
    if percentage % FINEST:
        raise _wrong(name, f"{name} must have at most 2 decimals")
    return int(percentage * 100)


def stored(rules: Sequence[Rule]) -> list[dict[str, Any]]:
    """Return rules as settings keep them, in the order given, shares as exact text."""
    return [
        {"minParticipants": rule.min_participants, "distribution": [format(share, "f") for share in rule.distribution]}
        for rule in rules
    ]


def restored(kept: Sequence[dict[str, Any]]) -> list[Rule]:
    """Return what `stored` has made."""
    return [Rule(rule["minParticipants"], [Decimal(share) for share in rule["distribution"]]) for rule in kept]


def for_engine(rules: Sequence[Rule]) -> list[dict[str, Any]]:
    """Return rules as the tournament engine reads them: the last that fits counts, so the smallest minimum first.

    Places that nobody takes are the first place's (rumble.md 5.2).
    """
    return [
        {
            "minPlayers": rule.min_participants,
            "percentages": [format(share, "f") for share in rule.distribution],
            "unclaimed": "first",
        }
        for rule in sorted(rules, key=lambda rule: rule.min_participants)
    ]


def _wrong(field: str, message: str) -> Invalid:
    return Invalid(message, fields={field: [message]})
