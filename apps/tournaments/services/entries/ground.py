"""What every verb on an entry stands on: finding and holding it, its money, its place on the board."""

from datetime import datetime
from functools import partial

from django.db import transaction

from apps.core.actors import Actor
from apps.core.errors import NotFound
from apps.ledger.models import Account
from apps.ledger.services import accounts, journals
from apps.tournaments import board
from apps.tournaments.models import Entry, Funding, Tournament


class TournamentNotFound(NotFound):
    """There is no such tournament."""

    code = "TOURNAMENT_NOT_FOUND"


class PlayerNotFound(NotFound):
    """The player is not in this tournament."""

    code = "PLAYER_NOT_FOUND"


def is_over(tournament: Tournament, at: datetime) -> bool:
    """Tell whether its end time has passed, though the beat has not ended it yet."""
    return tournament.ends_at is not None and at >= tournament.ends_at


def source_of(tournament: Tournament, player_id: int) -> Account:
    """Return the account an entry is paid from, which is where its refund goes."""
    if tournament.funding == Funding.WALLET:
        return accounts.wallet(player_id, tournament.asset)
    return accounts.clearing(tournament.asset)


def collect(tournament: Tournament, entry: Entry, *, units: int, act: str, actor: Actor, at: datetime) -> None:
    """Move a fee into escrow. Raises InsufficientFunds when it comes from a wallet that lacks it."""
    if units == 0:
        return
    source = source_of(tournament, entry.player_id)
    journal = journals.NewJournal(
        kind="tournament.entry",
        key=f"{tournament.subject}:{act}:{entry.pk}",
        legs={source.pk: -units, tournament.escrow_id: units},
        subject=tournament.subject,
    )
    journals.post(journal, operator_id=tournament.operator_id, actor=actor, at=at)


def hold_entry(entry_id: int, *, alone: bool) -> tuple[Tournament, Entry]:
    """Hold the entry's tournament, then lock the entry. Raises PlayerNotFound."""
    tournament_id = Entry.objects.filter(pk=entry_id).values_list("tournament_id", flat=True).first()
    if tournament_id is None:
        raise PlayerNotFound
    hold = Tournament.objects.hold if alone else Tournament.objects.hold_shared
    tournament: Tournament = hold(tournament_id)
    entry: Entry = Entry.objects.locked_for_update().select_related("player").get(pk=entry_id)
    entry.tournament = tournament
    return tournament, entry


def save_ranked(entry: Entry, *fields: str, at: datetime) -> None:
    """Save a change that may move the entry on the board, and tell the board once it has committed."""
    entry.score_version += 1
    entry.changed_at = at
    entry.save(update_fields=[*fields, "score_version", "changed_at"])
    transaction.on_commit(partial(board.push, entry.tournament_id, [entry]))
