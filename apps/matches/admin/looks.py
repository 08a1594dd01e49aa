"""The colours of states and how a match's amounts are written."""

from decimal import Decimal

from apps.core.admin import formats
from apps.core.admin.formats import Tone
from apps.matches.lifecycle import DisputeStatus, HandStatus, MatchStatus, NoticeStatus
from apps.matches.models import Match

TONES: dict[str, Tone] = {
    MatchStatus.INVITED: "grey",
    MatchStatus.CONFIRMING: "blue",
    MatchStatus.ESCROWED: "blue",
    MatchStatus.NOTIFYING: "blue",
    MatchStatus.LIVE: "green",
    MatchStatus.SETTLING: "violet",
    MatchStatus.DISPUTED: "red",
    MatchStatus.FINISHED: "grey",
    MatchStatus.TIED: "grey",
    MatchStatus.ABORTED: "amber",
    MatchStatus.CANCELLED: "grey",
}
OTHER_TONES: dict[str, Tone] = {
    NoticeStatus.PENDING: "blue",
    NoticeStatus.DELIVERED: "green",
    NoticeStatus.FAILED: "red",
    DisputeStatus.OPEN: "red",
    DisputeStatus.UPHELD: "amber",
    DisputeStatus.REJECTED: "grey",
    HandStatus.PROPOSED: "blue",
    HandStatus.AGREED: "green",
    HandStatus.DISAGREED: "amber",
}


def status_badge(match: Match) -> str:
    """Write a match's state."""
    return formats.badge(match.get_status_display(), formats.tone_of(TONES, match.status))


def badge(text: str, status: str) -> str:
    """Write the state of something that belongs to a match."""
    return formats.badge(text, formats.tone_of(OTHER_TONES, status))


def money(match: Match, units: int | Decimal | None) -> str:
    """Write base units of the match's asset."""
    return formats.money(units, match.asset.scale, match.asset.code)
