"""Find matches for reading."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from apps.matches.lifecycle import BEFORE_ESCROW, DECIDED, STARTING, MatchStatus
from apps.matches.models import Match
from apps.matches.services.states import Held, MatchNotFound

# Ends stay visible to those who poll for this long (matches.md 5).
ENDS_SHOWN = timedelta(hours=24)
LIVE = (MatchStatus.LIVE, *DECIDED)
PENDING = STARTING


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the poll, and where the next one begins."""

    matches: Sequence[Match]
    next_cursor: int | None


def of_operator(operator_id: int, public_id: str) -> Match:
    """Return an operator's match. Raises MatchNotFound."""
    rows = Match.objects.for_operator(operator_id).select_related("asset", "client", "rematch_of")
    match: Match | None = rows.filter(public_id=public_id).first()
    if match is None:
        raise MatchNotFound(matchId=public_id)
    return match


def of_client(client_id: int, public_id: str) -> Match:
    """Return a match that a game may know of. Raises MatchNotFound."""
    rows = Match.objects.filter(client_id=client_id, public_id=public_id).select_related("asset")
    match: Match | None = rows.first()
    if match is None or match.status in BEFORE_ESCROW:
        raise MatchNotFound("No such match for this game.")
    return match


def whole(match: Match) -> Held:
    """Return a match with its people, for reading."""
    return Held.of(match)


def prefetched(match: Match) -> Held:
    """Return the same of a match whose teams and participants were read along."""
    teams = {team.pk: team for team in sorted(match.teams.all(), key=lambda team: team.wire_id)}
    participants = sorted(match.participants.all(), key=lambda one: one.wire_id)
    for one in participants:
        one.team = teams[one.team_id]
    return Held(match, list(teams.values()), participants)


def polled(
    client_id: int,
    *,
    live: bool,
    pending: bool,
    user_id: str,
    updated_since: datetime | None,
    after: int,
    limit: int,
    at: datetime,
) -> Page:
    """Return a client's matches as its poll asks for them, oldest first (matches.md 3.5)."""
    statuses = (*(LIVE if live else ()), *(PENDING if pending else ()))
    rows = Match.objects.shown_to_game(client_id).in_list(
        statuses, changed_since=updated_since, at_least=at - ENDS_SHOWN
    )
    if user_id:
        rows = rows.filter(Q(participants__wire_id=user_id) | Q(participants__user_id=user_id)).distinct()
    found = list(rows.filter(pk__gt=after).order_by("pk").prefetch_related("teams", "participants")[: limit + 1])
    return Page(found[:limit], found[limit - 1].pk if len(found) > limit else None)
