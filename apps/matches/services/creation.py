"""From an invitation to a live match: create, confirm, take the stakes, tell the game, cancel (podium.md 4)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from apps.core.actors import Actor
from apps.core.errors import Invalid
from apps.ledger.money import to_units
from apps.matches import facts
from apps.matches.lifecycle import BEFORE_ESCROW, MatchStatus
from apps.matches.models import Client, Delivery, Match, NoticeKind, Participant, Team
from apps.matches.services import clients, ending, money, notices
from apps.matches.services.starting import go_live
from apps.matches.services.states import Held, InvalidState, hold, report, save
from apps.operators.models import Player
from apps.operators.services.players import resolve_player

MOST_TEAMS, MOST_PLAYERS = 64, 200
TWO = 2


@dataclass(frozen=True, slots=True)
class NewSeat:
    """A participant to be: the operator's id of the player, their stake (None: the entry fee) and linked id, if any."""

    user_id: str
    stake: Any = None
    linked_id: str = ""


@dataclass(frozen=True, slots=True)
class NewTeam:
    """A team to be."""

    id: str
    seats: Sequence[NewSeat]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMatch:
    """A match to be. Amounts are exact, in major units. What is None is as the client is registered."""

    client_id: str
    teams: Sequence[NewTeam]
    entry_fee: Any = 0
    currency: str
    mode: str | None = None
    fee_bps: int | None = None
    score_order: str | None = None
    tie_policy: str | None = None
    hold_minutes: int | None = None
    submissions: int = 1
    deadline: datetime | None = None
    confirmed: bool = False


@transaction.atomic
def create(new: NewMatch, *, operator_id: int, actor: Actor, at: datetime) -> Held:
    """Create a match. `confirmed`: its stakes are taken and it starts at once; else its players are invited.

    Raises Invalid, ClientNotFound, UnknownAsset, PlayerNotFound, PlayerBlocked, InsufficientFunds; nothing exists then.
    """
    client = clients.find(operator_id, new.client_id, at=at)
    asset = money.asset_of(operator_id, new.currency)
    _refuse_shapes(new, at=at)
    fee = _units(new.entry_fee, asset.scale, "entryFee")
    match = Match(
        operator_id=operator_id,
        client=client,
        asset=asset,
        entry_fee_units=fee,
        mode=new.mode or client.mode,
        delivery=client.delivery,
        score_order=new.score_order or client.score_order,
        tie_policy=new.tie_policy or client.tie_policy,
        fee_bps=client.fee_bps if new.fee_bps is None else new.fee_bps,
        hold_minutes=client.hold_minutes if new.hold_minutes is None else new.hold_minutes,
        submissions=new.submissions,
        confirm_by=at + timedelta(hours=client.confirm_hours),
        result_by=new.deadline,
        created_at=at,
        changed_at=at,
    )
    match.due_at = match.confirm_by
    match.save(force_insert=True)
    teams = Team.objects.bulk_create([Team(match=match, wire_id=team.id) for team in new.teams])
    players = _players(operator_id, [seat.user_id for team in new.teams for seat in team.seats])
    seats = [
        Participant(
            match=match,
            team=row,
            player=players[seat.user_id],
            wire_id=seat.linked_id or seat.user_id,
            user_id=seat.user_id,
            stake_units=fee if seat.stake is None else _units(seat.stake, asset.scale, "stake"),
            confirmed_at=at if new.confirmed else None,
        )
        for team, row in zip(new.teams, teams, strict=True)
        for seat in team.seats
    ]
    Participant.objects.bulk_create(seats)
    held = Held(match, sorted(teams, key=lambda t: t.wire_id), sorted(seats, key=lambda one: one.wire_id))
    report(match, [facts.created(match, held.participants)], actor=actor, at=at)
    if new.confirmed:
        _start(held, client, actor=actor, at=at)
    return held


@transaction.atomic
def confirm(match_id: int, *, participant_id: str, actor: Actor, at: datetime) -> Held:
    """A participant is in: their stake is reserved, and the last one's confirmation starts the match.

    Confirming twice is confirming once. Raises ParticipantNotFound, InvalidState, PlayerBlocked, InsufficientFunds.
    """
    held = hold(match_id)
    match, participant = held.match, held.participant(participant_id)
    if participant.confirmed_at is not None:
        return held
    if match.status not in BEFORE_ESCROW:
        raise InvalidState("This match takes no more confirmations.", status=match.status)
    money.lock_players(held, at=at)
    participant.confirmed_at = at
    money.reserve(match, participant, actor=actor, at=at)
    participant.save(update_fields=["confirmed_at", "hold"])
    report(match, [facts.confirmed(match, participant)], actor=actor, at=at)
    if all(one.confirmed_at for one in held.participants):
        _start(held, Client.objects.get(pk=match.client_id), actor=actor, at=at)
    elif match.status == MatchStatus.INVITED:
        match.begin_confirming()
        save(match, at=at)
    return held


@transaction.atomic
def cancel(match_id: int, *, reason: str, actor: Actor, at: datetime) -> Held:
    """Call a match off before its escrow; reserves are released. Raises InvalidState."""
    held = hold(match_id)
    ending.cancel(held, reason=reason, actor=actor, at=at)
    return held


def _start(held: Held, client: Client, *, actor: Actor, at: datetime) -> None:
    """Take every stake into escrow, then tell the game or, where it polls, go live at once."""
    match = held.match
    match.client = client
    money.lock_players(held, at=at)
    money.take_stakes(held, actor=actor, at=at)
    match.escrow_stakes(at=at)
    save(match, "escrow", "pot_units", "escrowed_at", at=at)
    report(match, [facts.escrowed(match, len(held.participants))], actor=actor, at=at)
    if match.delivery == Delivery.POLL:
        go_live(held, actor=actor, at=at)
        return
    match.notify()
    match.due_at = at + notices.LATEST
    save(match, at=at)
    notices.book(match, NoticeKind.START, at=at)


def _units(value: Any, scale: int, name: str) -> int:
    try:
        units = to_units(value, scale)
    except Invalid as problem:
        raise Invalid(problem.message, fields={name: [problem.message]}) from problem
    if units < 0:
        raise Invalid("An amount can't be negative.", fields={name: ["0 or more."]})
    return units


def _refuse_shapes(new: NewMatch, *, at: datetime) -> None:
    """Raise Invalid for a match that could never be played."""
    wrong = {}
    ids = [team.id for team in new.teams]
    names = [
        name for team in new.teams for seat in team.seats for name in {seat.user_id, seat.linked_id or seat.user_id}
    ]
    if not TWO <= len(ids) <= MOST_TEAMS or len(set(ids)) != len(ids):
        wrong["teams"] = [f"2 to {MOST_TEAMS} teams, each with an id of its own."]
    elif not all(team.seats for team in new.teams) or len(names) > TWO * MOST_PLAYERS:
        wrong["teams"] = [f"Every team has participants, {MOST_PLAYERS} at most in all."]
    elif len(set(names)) != len(names):
        wrong["teams"] = ["A participant can be in a match only once, under ids that nobody else has."]
    if new.deadline is not None and new.deadline <= at:
        wrong["deadline"] = ["Must lie in the future."]
    if wrong:
        raise Invalid("Such a match can't be played.", fields=wrong)


def _players(operator_id: int, user_ids: Sequence[str]) -> dict[str, Player]:
    """Return the players by the operator's own ids of them, the first brand's first, or else by their plyrIds.

    Raises PlayerNotFound, and Invalid for somebody who is named in two ways.
    """
    found: dict[str, Player] = {}
    rows = Player.objects.for_operator(operator_id).filter(external_id__in=user_ids)
    for player in rows.order_by("brand_id", "pk"):
        found.setdefault(player.external_id, player)
    for user_id in user_ids:
        if user_id not in found:
            found[user_id] = resolve_player(operator_id, user_id)
    if len({player.pk for player in found.values()}) != len(found):
        raise Invalid("Such a match can't be played.", fields={"teams": ["A player can be in a match only once."]})
    return found
