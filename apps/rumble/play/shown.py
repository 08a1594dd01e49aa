"""What the pages show, in words for people."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from math import ceil
from typing import Any

from apps.core.numbers import number
from apps.operators.models import Player
from apps.rumble import words
from apps.rumble.lifecycle import ParticipantStatus
from apps.rumble.models import Deposit, Participant, RumbleTournament
from apps.rumble.services import payments, people, standing

STATUSES: Mapping[str, tuple[str, str]] = {
    "WAITING_FOR_PARTICIPANTS": ("Open", "blue"),
    "WAITING_PAYMENT": ("Waiting for payments", "amber"),
    "REGISTRATION_CLOSED": ("About to start", "blue"),
    "IN_PROGRESS": ("Live", "green"),
    "DISTRIBUTING_PRIZES": ("Paying prizes", "amber"),
    "CLOSED": ("Finished", "grey"),
    "REFUNDING_PARTICIPANTS": ("Giving money back", "amber"),
    "CANCELED": ("Cancelled", "grey"),
    "FAILED": ("Being looked into", "red"),
}
SEATS: Mapping[str, tuple[str, str]] = {
    ParticipantStatus.WAITING_PAYMENT: ("Sign your payment to take part", "amber"),
    ParticipantStatus.PROCESSING_PAYMENT: ("Your payment is on its way", "blue"),
    ParticipantStatus.ACTIVE: ("You are in", "green"),
    ParticipantStatus.REMOVED: ("You are not taking part", "grey"),
}
OVER = frozenset({"CLOSED", "CANCELED", "FAILED"})


def upx(amount: Decimal | int) -> str:
    """Write an amount of UPX."""
    return f"{number(Decimal(amount)):,} UPX"


def points(score: Decimal) -> str:
    """Write a score."""
    return f"{number(score):,}"


def head(player: Player) -> dict[str, Any]:
    """Return what every page says about the player."""
    profile = people.profile_of(player)
    return {
        "player": player,
        "player_name": profile.username,
        "operator_name": player.operator.name,
        "balance": upx(profile.upx),
    }


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment that waits for the player's word, or is on its way."""

    id: str
    amount: str
    application: str
    purpose: str
    left: str
    affordable: bool


def money(player: Player, *, at: datetime) -> dict[str, Any]:
    """Return what waits for the player's signature, and what is on its way."""
    mine = people.available_upx(player)
    return {
        "waiting": [_payment(deposit, mine, at) for deposit in payments.waiting(player.pk)[:50]],
        "moving": [_payment(deposit, mine, at) for deposit in standing.moving(player.pk)[:50]],
    }


def _payment(deposit: Deposit, mine: Decimal, at: datetime) -> Payment:
    container = deposit.container
    rumble = getattr(container, "rumble", None)
    due = deposit.transaction.due_at
    minutes = max(0, ceil((due - at).total_seconds() / 60)) if due else 0
    return Payment(
        id=str(deposit.transaction.public_id),
        amount=upx(deposit.units),
        application=str(container.application),
        purpose=rumble.tournament.name if rumble else f"Escrow {container.pk}",
        left=f"{minutes} minute{'' if minutes == 1 else 's'} left",
        affordable=mine >= deposit.units,
    )


@dataclass(frozen=True, slots=True)
class Listed:
    """A tournament in a list."""

    id: str
    name: str
    application: str
    status: str
    colour: str
    seat: str
    seat_colour: str
    over: bool


def tournaments_of(player: Player) -> dict[str, Any]:
    """Return the player's tournaments: those that go on, and those that are over."""
    found = [_listed(one) for one in standing.participations(player.pk)]
    return {"going": [one for one in found if not one.over], "over": [one for one in found if one.over]}


def _listed(participant: Participant) -> Listed:
    rumble = participant.rumble
    word = words.status(rumble)
    status, colour = STATUSES[word]
    seat, seat_colour = SEATS[ParticipantStatus(participant.status)]
    return Listed(
        id=rumble.public_id,
        name=rumble.tournament.name,
        application=str(rumble.application),
        status=status,
        colour=colour,
        seat=seat,
        seat_colour=seat_colour,
        over=word in OVER,
    )


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the board."""

    place: str
    name: str
    score: str
    prize: str
    mine: bool


def tournament_of(player: Player, tournament_id: str) -> dict[str, Any]:
    """Return one of the player's tournaments with its board. Raises TournamentNotFound for any other."""
    participant = standing.participation(player.pk, tournament_id)
    rumble = participant.rumble
    found = standing.board_of(rumble, player.pk)
    return {
        "tournament": _listed(participant),
        "facts": _facts(rumble, found),
        "ranked": found.ranked,
        "lines": [
            Line(
                place=str(row.place) if found.ranked else "",
                name=row.name,
                score="" if row.score is None else points(row.score),
                prize=upx(row.prize) if row.prize else "",
                mine=row.player_id == player.pk,
            )
            for row in found.rows
        ],
        "more": found.participants - len(found.rows),
    }


def _facts(rumble: RumbleTournament, found: standing.Standing) -> list[tuple[str, str]]:
    most = rumble.tournament.max_players
    taken = f"{found.participants} of {most}" if most else str(found.participants)
    fee = rumble.tournament.fee_units
    return [
        ("Players", taken),
        ("Entry", upx(fee) if fee else "Free"),
        ("Prizes", upx(found.pool) if found.pool else "none yet"),
    ]
