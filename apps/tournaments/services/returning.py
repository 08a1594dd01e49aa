"""Give back a buy-in that the operator took by its debit API, outside of a cancellation: by a payout of its own.

The units wait on the operator's account of what is owed, so that an escrow holds the fees of those who are in and
nothing else, and leave it when the operator confirms.
"""

from collections.abc import Sequence
from datetime import datetime

from apps.core.actors import Actor
from apps.events.services import recording as events
from apps.ledger.models import PlanKind, Purpose, Rail
from apps.ledger.services import accounts, journals, plans
from apps.tournaments.models import BuyIn, Tournament
from apps.tournaments.services import ordering, results
from apps.tournaments.services.planning import PreviewLine


def give_back_late(tournament: Tournament, buy_in: BuyIn, *, actor: Actor, at: datetime) -> None:
    """Give back a fee that was taken when nobody could join any more; it never reached the escrow."""
    _give_back(tournament, buy_in, source_id=accounts.clearing(tournament.asset).pk, actor=actor, at=at)


def give_back_withdrawn(tournament: Tournament, buy_in: BuyIn, *, actor: Actor, at: datetime) -> None:
    """Give back the fee of a player who leaves before the start."""
    _give_back(tournament, buy_in, source_id=tournament.escrow_id, actor=actor, at=at)


def _give_back(tournament: Tournament, buy_in: BuyIn, *, source_id: int, actor: Actor, at: datetime) -> None:
    units, owed = int(buy_in.units), accounts.owed(tournament.asset).pk
    journal = journals.NewJournal(
        kind="tournament.buy_in_owed",
        key=f"{buy_in.subject}:owed",
        legs={source_id: -units, owed: units},
        subject=tournament.subject,
    )
    journals.post(journal, operator_id=tournament.operator_id, actor=actor, at=at)
    line = PreviewLine(
        key=f"{buy_in.subject}:refund",
        purpose=Purpose.REFUND,
        rail=Rail.OPERATOR,
        units=units,
        name=buy_in.display_name,
        player_id=buy_in.player_id,
        debited=(buy_in.amount, buy_in.currency),
    )
    plans.freeze(
        [
            plans.Line(
                key=line.key,
                purpose=line.purpose,
                rail=line.rail,
                target_id=accounts.clearing(tournament.asset).pk,
                units=units,
                player_id=line.player_id,
                order=ordering.orders(tournament, [line], at=at)[line.key],
            )
        ],
        operator_id=tournament.operator_id,
        subject=buy_in.subject,
        kind=PlanKind.REFUND,
        asset=tournament.asset,
        source_id=owed,
        needs_approval=False,
        actor=actor,
        at=at,
    )


class Refunds:
    """How the ledger tells of buy-ins that the operator has given back."""

    def paid(self, subject: str, rows: Sequence[plans.Paid], *, actor: Actor, at: datetime) -> None:
        """Report it, as every refund of the tournament."""
        buy_in = BuyIn.objects.select_related("tournament__asset").get(pk=int(subject.partition(":")[2]))
        told = results.payout_facts(buy_in.tournament, rows)
        events.record_many(told, operator_id=buy_in.operator_id, actor=actor, at=at)
