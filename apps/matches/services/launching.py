"""Launch links and match tokens: how a player gets to the game, and who they are there (matches.md 3.6, 3.7)."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from apps.core.actors import Actor
from apps.core.errors import Invalid, NotFound
from apps.matches.lifecycle import FINAL, MatchStatus
from apps.matches.models import Client, Match, MatchToken, Mode, Participant
from apps.matches.services.clients import PLACEHOLDER, PLATFORMS
from apps.matches.services.states import MatchNotLive, hold

LIFE = timedelta(hours=24)
# A match that has ended answers its tokens for this long, so that a player still on the page learns of the end.
GRACE = timedelta(hours=1)
LONGEST = 128


class TokenNotFound(NotFound):
    """No such token for this game, or it has ended."""

    code = "TOKEN_NOT_FOUND"


@dataclass(frozen=True, slots=True, repr=False)
class Launch:
    """A link for one player. No repr: the token lets them in."""

    url: str | None
    token: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Seat:
    """Whom a token stands for."""

    match: Match
    participant: Participant
    submissions_left: int


def digest_of(token: str) -> str:
    """Return what is stored of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


@transaction.atomic
def launch(match_id: int, *, participant_id: str, platform: str = "", actor: Actor, at: datetime) -> Launch:  # noqa: ARG001 - who asked is not kept; every verb is told all the same
    """Mint a token for a participant of a live match; this opens an attempt (matches.md 3.9).

    The token is 32 characters of [A-Za-z0-9_-], 192 bits, and can be used again until it ends. Raises
    ParticipantNotFound, MatchNotLive, and Invalid for a platform without a launch address.
    """
    held = hold(match_id)
    match, participant = held.match, held.participant(participant_id)
    if match.status != MatchStatus.LIVE:
        raise MatchNotLive("A launch link exists only while the match is live.", status=match.status)
    templates = match.client.launch_urls
    if platform and platform not in templates:
        raise Invalid("No launch address.", fields={"platform": [f"This client has none for {platform}."]})
    template = templates.get(platform or next((name for name in PLATFORMS if name in templates), ""), "")
    token = secrets.token_urlsafe(24)
    ends = at + LIFE
    MatchToken.objects.create(
        participant=participant, digest=digest_of(token), platform=platform, created_at=at, expires_at=ends
    )
    if not participant.attempt_open:
        participant.attempt_open = True
        participant.save(update_fields=["attempt_open"])
    return Launch(template.replace(PLACEHOLDER, token) if template else None, token, ends)


def look_up(client: Client, token: str, *, at: datetime) -> Seat:
    """Return whom a token stands for; reads only. Raises TokenNotFound for unknown, ended and other games' tokens."""
    if not token.isascii() or len(token) > LONGEST:
        raise TokenNotFound
    found = (
        MatchToken.objects.select_related("participant__match")
        .filter(digest=digest_of(token), participant__match__client_id=client.pk, expires_at__gt=at)
        .first()
    )
    if found is None:
        raise TokenNotFound
    participant, match = found.participant, found.participant.match
    if match.status in FINAL and match.ended_at is not None and match.ended_at + GRACE <= at:
        raise TokenNotFound
    return Seat(match, participant, submissions_left(match, participant))


def submissions_left(match: Match, participant: Participant) -> int:
    """Return how many scores the platform would still take of a participant."""
    if match.status != MatchStatus.LIVE:
        return 0
    used = participant.submitted if match.mode == Mode.ASYNC else 0
    return max(0, match.submissions - used)
