"""A fact as sockets tell it: flat, with the fields of operators.md 8 beside those of the fact."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apps.core.clock import iso
from apps.events.facts import TOURNAMENT
from apps.events.formats import TOO_FREQUENT
from apps.events.models import Fact
from apps.tournaments.live.messages import PLAYERS, STATUS, said

# Never read for sockets. What is paid one by one comes a hundred thousand at a time: `tournament.results` tells it all
# at once. Scores are told from the board (`source.picture`); the facts about them are for queues (operators.md 6).
UNTOLD = ("prize.distributed", "player.refunded", "payout.*", *TOO_FREQUENT)

# What one player may hear of the others and of the tournament: what a leaderboard in the lobby shows. Money matters,
# reasons and alarms are the operator's.
PUBLIC: Mapping[str, tuple[str, ...]] = {
    "tournament.updated": ("tournamentName", "gameSlug", "scheduledStart"),
    "tournament.registration_closed": ("tournamentName", "gameSlug", "closedAt"),
    "tournament.started": (
        "tournamentName", "gameSlug", "actualStartTime", "initialPlayerCount", "maxPlayers", "estimatedDuration",
        "startTime", "playerCount",
    ),
    "tournament.completed": (
        "tournamentName", "gameSlug", "completedAt", "duration", "totalPlayers", "totalRounds", "winners", "prizePool",
    ),
    "tournament.cancelled": ("tournamentName", "gameSlug", "cancelledAt", "reason"),
    "player.registered": ("playerId", "displayName", "entryCount", "currentPlayers"),
    "player.rebuy": ("playerId", "newEntryCount", "additionalEntries"),
    "player.removed": ("playerId",),
    "player.eliminated": (
        "playerId", "displayName", "eliminatedAt", "finalPosition", "finalPoints", "eliminationRound",
    ),
}  # fmt: skip

COMPLETED = "tournament.completed"

# operators.md 8 has other names for some fields of the facts.
ALSO = {"tournament.started": {"startTime": "actualStartTime", "playerCount": "initialPlayerCount"}}


@dataclass(frozen=True, slots=True)
class Told:
    """A fact ready to be sent: to keys in full, to players what is public of it, if anything is."""

    sequence: int
    tournament_id: int
    channel: str
    full: str
    public: str | None
    type: str = ""

    @property
    def personal(self) -> bool:
        """Whether each player is also told how it ended for them (operators.md 8: `finalResults`)."""
        return self.type == COMPLETED

    def text_for(self, *, player: bool, own: str | None = None) -> str | None:
        """Return what this kind of listener is sent; `own` is a player's `finalResults`, written already."""
        if player and self.public is not None and own is not None:
            return f'{self.public[:-1]},"finalResults":{own}}}'
        return self.public if player else self.full


def tell(fact: Fact) -> Told | None:
    """Return a numbered fact about a tournament as it is told, or None for any other. `UNTOLD` are not asked for."""
    if fact.sequence is None or not fact.subject.startswith(TOURNAMENT):
        return None
    tournament_id = fact.subject.removeprefix(TOURNAMENT)
    names = ALSO.get(fact.type, {})
    data = fact.data | {name: fact.data.get(of) for name, of in names.items()}
    head = {
        "tournamentId": tournament_id,
        "eventId": fact.public_id,
        "sequence": fact.sequence,
        "timestamp": iso(fact.occurred_at),
    }
    shown = PUBLIC.get(fact.type)
    return Told(
        sequence=fact.sequence,
        tournament_id=int(tournament_id),
        channel=PLAYERS if fact.type.startswith(("player.", "rebuy.")) else STATUS,
        full=_flat(fact.type, data, head),
        type=fact.type,
        public=None if shown is None else _flat(fact.type, {name: data.get(name) for name in shown}, head),
    )


def _flat(type: str, data: Mapping[str, Any], head: Mapping[str, Any]) -> str:
    return said(type, **{name: value for name, value in data.items() if name != "type"} | dict(head))
