"""Names and payloads of what tournaments report (operators.md 5). Amounts are JSON numbers in major units."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from apps.core.clock import iso
from apps.core.numbers import number
from apps.events.services.recording import NewFact
from apps.ledger.money import to_amount
from apps.tournaments.lifecycle import TournamentStatus
from apps.tournaments.models import Entry, Tournament
from apps.tournaments.services.tally import Totals


def amount(tournament: Tournament, units: int | Decimal) -> Decimal:
    """Return base units of the tournament's asset as an exact amount."""
    return to_amount(units, tournament.asset.scale)


def _head(tournament: Tournament) -> dict[str, Any]:
    return {"tournamentName": tournament.name, "gameSlug": tournament.game.slug}


def _who(entry: Entry) -> dict[str, Any]:
    return {"playerId": str(entry.player_id), "userId": entry.player.external_id}


def created(tournament: Tournament) -> NewFact:
    """`tournament.created`."""
    data = {**_head(tournament), "scheduledStart": iso(tournament.starts_at), "changes": {}}
    return NewFact("tournament.created", tournament.subject, data)


def updated(tournament: Tournament, changes: Mapping[str, Any]) -> NewFact:
    """`tournament.updated`: what changed, by field."""
    data = {**_head(tournament), "scheduledStart": iso(tournament.starts_at), "changes": dict(changes)}
    return NewFact("tournament.updated", tournament.subject, data)


def terms(tournament: Tournament, fields: Iterable[str]) -> dict[str, Any]:
    """Return what these fields hold now, as operators know them: their names on the wire, major units, ISO times."""
    shares = tournament.prize_rules[-1]["percentages"] if tournament.prize_rules else []
    told = {
        "name": ("name", tournament.name),
        "starts_at": ("scheduledStart", iso(tournament.starts_at)),
        "ends_at": ("scheduledEnd", iso(tournament.ends_at)),
        "max_players": ("maxPlayers", tournament.max_players),
        "min_players": ("minPlayers", tournament.min_players),
        "config": ("gameConfig", tournament.config),
        "tournament_type": ("tournamentType", tournament.tournament_type),
        "fee_units": ("entryFee", amount(tournament, tournament.fee_units)),
        "rebuy_fee_units": ("rebuyFee", amount(tournament, tournament.rebuy_fee_units)),
        "guarantee_units": ("guaranteedPrize", amount(tournament, tournament.guarantee_units)),
        "prize_rules": ("distribution", {str(rank): Decimal(share) for rank, share in enumerate(shares, start=1)}),
    }
    return dict(told[name] for name in fields)


def registration_closed(tournament: Tournament) -> NewFact:
    """`tournament.registration_closed`."""
    data = {**_head(tournament), "closedAt": iso(tournament.registration_closed_at)}
    return NewFact("tournament.registration_closed", tournament.subject, data)


def started(tournament: Tournament, totals: Totals) -> NewFact:
    """`tournament.started`."""
    data = {
        **_head(tournament),
        "actualStartTime": iso(tournament.started_at),
        "initialPlayerCount": totals.players,
        "maxPlayers": tournament.max_players,
        "estimatedDuration": estimated_duration(tournament),
        # What the game platform's notice holds besides (operators.md 11.7).
        "tournamentType": tournament.tournament_type,
        "entrySettings": {
            "rebuyEnabled": tournament.rebuy_enabled,
            "maxEntriesPerPlayer": tournament.max_entries,
        },
    }
    return NewFact("tournament.started", tournament.subject, data)


def estimated_duration(tournament: Tournament) -> int | None:
    """Return seconds from start to end: by the clock if there is an end, else by the rounds that the game plays."""
    start = tournament.started_at or tournament.starts_at
    if tournament.ends_at and start:
        return int((tournament.ends_at - start).total_seconds())
    seconds = tournament.config.get("roundDuration")
    if tournament.max_rounds and isinstance(seconds, int):
        return tournament.max_rounds * seconds
    return None


def duration(tournament: Tournament) -> int | None:
    """Return whole seconds played, once it is over."""
    if tournament.started_at is None or tournament.completed_at is None:
        return None
    return int((tournament.completed_at - tournament.started_at).total_seconds())


def completed(tournament: Tournament, results: Mapping[str, Any]) -> NewFact:
    """`tournament.completed`; `results` is the frozen outcome as `services.results` tells it."""
    data = {
        **_head(tournament),
        "completedAt": iso(tournament.completed_at),
        "duration": duration(tournament),
        "totalPlayers": results["totalPlayers"],
        "totalRounds": results["totalRounds"],
        "winners": results["winners"],
        "prizePool": results["prizePool"],
    }
    return NewFact("tournament.completed", tournament.subject, data)


def results_published(tournament: Tournament, results: Mapping[str, Any]) -> NewFact:
    """`tournament.results`."""
    return NewFact("tournament.results", tournament.subject, results)


def cancelled(tournament: Tournament, *, players: int, units: int) -> NewFact:
    """`tournament.cancelled`, with what goes back."""
    data = {
        **_head(tournament),
        "cancelledAt": iso(tournament.cancelled_at),
        "reason": tournament.cancel_reason,
        "statusBeforeCancellation": _word_before(tournament),
        "refunds": {"totalRefunded": amount(tournament, units), "playersRefunded": players},
    }
    return NewFact("tournament.cancelled", tournament.subject, data)


def _word_before(tournament: Tournament) -> str:
    """Return the dialect's word for where a cancelled tournament stood (operators.md 4.2)."""
    before, opens, at = tournament.status_before_cancel, tournament.registration_opens_at, tournament.cancelled_at
    window = opens is not None and at is not None and opens <= at
    if before == TournamentStatus.AWAITING_PAYMENTS or (before == TournamentStatus.REGISTERING and window):
        return "open"
    return {TournamentStatus.DRAFT: "draft", TournamentStatus.RUNNING: "in_progress"}.get(
        TournamentStatus(before), "scheduled"
    )


def closed(tournament: Tournament) -> NewFact:
    """`tournament.settled` or `tournament.refunded`: everyone is paid, the escrow is empty."""
    name = "tournament.refunded" if tournament.cancelled_at else "tournament.settled"
    return NewFact(name, tournament.subject, {**_head(tournament), "closedAt": iso(tournament.closed_at)})


def needs_attention(tournament: Tournament) -> NewFact:
    """`system.alert`: money could not move and a person must look."""
    data = {"status": "needs_attention", "message": tournament.problem, "severity": "error"}
    return NewFact("system.alert", tournament.subject, data)


def payouts_approved(tournament: Tournament, *, payouts: int) -> NewFact:
    """`payouts.approved`."""
    return NewFact("payouts.approved", tournament.subject, {**_head(tournament), "payouts": payouts})


def payouts_retried(tournament: Tournament, *, payouts: int) -> NewFact:
    """`payouts.retried`."""
    return NewFact("payouts.retried", tournament.subject, {**_head(tournament), "payouts": payouts})


def registered(tournament: Tournament, entry: Entry, *, current_players: int) -> NewFact:
    """`player.registered`. `currentPlayers` counts those whose registration has committed, and this one."""
    data = {
        **_who(entry),
        "internalPlayerId": entry.internal_player_id,
        "displayName": entry.display_name,
        "entryCount": entry.entry_count,
        "totalPaid": amount(tournament, entry.paid_units),
        "paymentId": entry.payment_id or None,
        "currentPlayers": current_players,
    }
    return NewFact("player.registered", tournament.subject, data)


def eliminated(tournament: Tournament, entry: Entry, *, final_position: int, at: datetime) -> NewFact:
    """`player.eliminated`."""
    data = {
        **_who(entry),
        "displayName": entry.display_name,
        "eliminatedAt": iso(entry.eliminated_at or at),
        "finalPosition": final_position,
        "finalPoints": number(entry.points),
        "eliminationRound": entry.elimination_round,
    }
    return NewFact("player.eliminated", tournament.subject, data)


def rebought(tournament: Tournament, entry: Entry, *, additional: int) -> NewFact:
    """`player.rebuy`."""
    data = {
        **_who(entry),
        "newEntryCount": entry.entry_count,
        "additionalEntries": additional,
        "totalPaid": amount(tournament, entry.paid_units),
    }
    return NewFact("player.rebuy", tournament.subject, data)


def rebuy_requested(tournament: Tournament, entry: Entry) -> NewFact:
    """`rebuy.requested`: a player asks in the game; the operator takes the payment and calls the rebuy (section 8)."""
    data = {
        **_who(entry),
        "rebuyAmount": amount(tournament, tournament.rebuy_fee_units),
        "currentEntries": entry.entry_count,
        "maxEntries": tournament.max_entries,
    }
    return NewFact("rebuy.requested", tournament.subject, data)


def removed(tournament: Tournament, entry: Entry, *, reason: str, details: str, refund_units: int) -> NewFact:
    """`player.removed`."""
    data = {
        **_who(entry),
        "reason": reason,
        "details": details or None,
        "refundAmount": amount(tournament, refund_units),
    }
    return NewFact("player.removed", tournament.subject, data)


def score_adjusted(tournament: Tournament, entry: Entry, *, before: Decimal, reason: str) -> NewFact:
    """`player.score.adjusted`: staff changed a score."""
    data = {**_who(entry), "before": number(before), "after": number(entry.points), "reason": reason}
    return NewFact("player.score.adjusted", tournament.subject, data)


def score_updated(tournament: Tournament, entry: Entry, *, position: int | None) -> NewFact:
    """`player.score.updated`: for queues only, at most once a second; no position when the board is silent."""
    data = {
        **_who(entry),
        "score": number(entry.points),
        "position": position,
        "round": entry.current_round or tournament.current_round,
    }
    return NewFact("player.score.updated", tournament.subject, data)
