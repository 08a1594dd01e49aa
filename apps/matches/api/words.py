"""The words for where a match stands, as games know them (matches.md 4.1)."""

from apps.matches.lifecycle import DisputeStatus
from apps.matches.lifecycle import MatchStatus as S
from apps.matches.models import DisputeType, Mode, TiePolicy

WIRE_WORDS = {
    S.ESCROWED: "pending",
    S.NOTIFYING: "pending",
    S.LIVE: "live",
    S.SETTLING: "live",
    S.DISPUTED: "live",
    S.FINISHED: "finished",
    S.TIED: "tied",
    S.ABORTED: "aborted",
    S.CANCELLED: "cancelled",
}
# In the order of a match's life, for descriptions.
WIRE_STATUSES = tuple(dict.fromkeys(WIRE_WORDS.values()))
STATES = tuple(status.lower() for status in S.values)
DISPUTE_STATES = tuple(status.lower() for status in DisputeStatus.values)
DISPUTE_TYPES = tuple(DisputeType.values)
MODES = tuple(mode.lower() for mode in Mode.values)
TIE_POLICIES = tuple(policy.lower() for policy in TiePolicy.values)
OUTCOMES = ("won", "tied", "void")
SCORE_ORDERS = ("higher", "lower")
# "desc" and "asc" are what others call the same.
SCORE_ORDERS_TAKEN = ("higher", "lower", "desc", "asc")


def match_status(status: str) -> str | None:
    """Return the game's word; None for what games do not see."""
    return WIRE_WORDS.get(S(status))
