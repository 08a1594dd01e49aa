"""The words of the rumble wire for what the platform calls otherwise."""

import hashlib
from dataclasses import dataclass
from decimal import Decimal

from apps.operators.models import Player
from apps.operators.uuids import uuid_of
from apps.rumble.models import RumbleTournament
from apps.tournaments.lifecycle import TournamentStatus
from apps.tournaments.models import Tournament

# rumble.md 4.1. A draft does not exist: every rumble tournament is published as it is made.
STATUSES = {
    TournamentStatus.REGISTERING: "WAITING_FOR_PARTICIPANTS",
    TournamentStatus.AWAITING_PAYMENTS: "WAITING_PAYMENT",
    TournamentStatus.REGISTRATION_CLOSED: "REGISTRATION_CLOSED",
    TournamentStatus.RUNNING: "IN_PROGRESS",
    TournamentStatus.SETTLING: "DISTRIBUTING_PRIZES",
    TournamentStatus.CLOSED: "CLOSED",
    TournamentStatus.REFUNDING: "REFUNDING_PARTICIPANTS",
    TournamentStatus.CANCELED: "CANCELED",
    TournamentStatus.FAILED: "FAILED",
}
EOS_ALPHABET = "abcdefghijklmnopqrstuvwxyz12345"
EOS_LENGTH = 12


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`baseSettingsSnapshot`: what a tournament was made of. Percentages are exact, 0 where there is none."""

    min_participants: int
    max_participants: int
    rules: tuple[tuple[int, tuple[Decimal, ...]], ...]
    fee_units: int
    developer_percentage: Decimal
    stakeholder_percentage: Decimal


def status(rumble: RumbleTournament) -> str:
    """Return a tournament's status on the wire."""
    return status_of(rumble.tournament)


def status_of(tournament: Tournament) -> str:
    """Return the same, of the engine's row."""
    return STATUSES[TournamentStatus(tournament.status)]


def snapshot(rumble: RumbleTournament) -> Snapshot:
    """Return what a tournament was made of, the fee that really holds included (rumble.md 3.6)."""
    tournament = rumble.tournament
    return Snapshot(
        min_participants=rumble.min_participants,
        max_participants=tournament.max_players or 0,
        rules=tuple(
            (rule["minPlayers"], tuple(Decimal(share) for share in rule["percentages"]))
            for rule in tournament.prize_rules
        ),
        fee_units=int(tournament.fee_units),
        developer_percentage=percentage(tournament.developer_bps),
        stakeholder_percentage=percentage(rumble.stakeholder_bps),
    )


def percentage(basis_points: int) -> Decimal:
    """Return basis points as a percentage."""
    return Decimal(basis_points) / 100


def user_id(player_id: int) -> str:
    """Return a player's id on the wire."""
    return uuid_of("player", player_id)


def eos_of(player: Player) -> str:
    """Return a player's name on the chain: the one that is known, or one made of their number, always the same."""
    return player.eos_id or eos_name(player.pk)


def eos_name(player_id: int) -> str:
    """Return twelve characters of a-z and 1-5 that belong to a player's number."""
    value = int.from_bytes(hashlib.sha256(f"podium:eos:{player_id}".encode()).digest())
    name = ""
    for _ in range(EOS_LENGTH):
        value, place = divmod(value, len(EOS_ALPHABET))
        name += EOS_ALPHABET[place]
    return name
