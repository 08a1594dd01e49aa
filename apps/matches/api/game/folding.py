"""One spelling for every key: `match-id`, `match_id`, `forfeit?` and `forfeit` are what old clients write (3.11)."""

from collections.abc import Mapping
from typing import Any

from apps.core.errors import Invalid

KNOWN = frozenset(
    "match_id participants teams error id score ranking forfeit reason code afk games submission_id token event_type"
    " event_id timestamp data participant_id type note evidence".split()
)
# What lies below these is the client's own business.
OPAQUE = frozenset({"games", "data", "evidence"})


class ConflictingKeys(Invalid):
    """One key is there in two spellings that say different things."""

    code = "CONFLICTING_KEYS"


def fold(name: str) -> str:
    """Return a key's one spelling: `-` becomes `_`, one `?` at the end goes."""
    return name.removesuffix("?").replace("-", "_")


def folded(value: Any) -> Any:
    """Return JSON with every key in its one spelling, at every depth. Raises ConflictingKeys.

    Keys that nobody knows are kept as they come; two spellings of one of them are nobody's business either.
    """
    if isinstance(value, list):
        return [folded(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    found: dict[str, Any] = {}
    for name, item in value.items():
        key = fold(name)
        one = item if key in OPAQUE else folded(item)
        if key in KNOWN and key in found and found[key] != one:
            raise ConflictingKeys(f"{key} is there twice, with different values.")
        found.setdefault(key, one)
    return found
