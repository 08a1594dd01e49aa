"""Fix what is owed when a tournament ends, and set it going."""

from datetime import datetime

from apps.core.actors import Actor
from apps.events.services import recording as events
from apps.jobs import services as jobs
from apps.ledger.models import PlanKind, Rail, SettlementPlan
from apps.ledger.services import accounts, journals, plans
from apps.tournaments import facts, keepers
from apps.tournaments.models import Tournament
from apps.tournaments.services import ordering, results
from apps.tournaments.services.planning import Preview, PreviewLine, plan_prizes, plan_refunds
from apps.tournaments.services.settlement.closing import conclude
from apps.tournaments.services.settlement.ground import job_key, set_going

# A fact is read by people and webhooks: the first hundred winners; `results` serves them all.
WINNERS_TOLD = 100
# What ends in the player's own wallet, and not with the operator who credits them.
IN_WALLETS = (Rail.WALLET, Rail.CHAIN)


def freeze_prizes(tournament: Tournament, *, actor: Actor, at: datetime) -> None:
    """Fix the prizes of a tournament that has just completed and set the payouts going; the caller holds it alone."""
    preview = plan_prizes(tournament)
    threshold = tournament.approval_from_units
    waits = tournament.needs_approval or (threshold is not None and preview.worth >= threshold)
    _freeze(tournament, preview, needs_approval=waits, actor=actor, at=at)
    outcome = results.outcome(tournament, winners=WINNERS_TOLD)
    if preview.top_up:
        # Last, after all that takes long or waits for others: everybody's deposits and entries need clearing too.
        _add_guarantee(tournament, preview.top_up, actor=actor, at=at)
    events.record_many(
        [facts.completed(tournament, outcome), facts.results_published(tournament, outcome)],
        operator_id=tournament.operator_id,
        actor=actor,
        at=at,
    )
    if not preview.lines:
        conclude(tournament, actor=actor, at=at)


def freeze_refunds(tournament: Tournament, *, actor: Actor, at: datetime) -> None:
    """Fix the refunds of a tournament that was just cancelled and set them going; the caller holds it alone."""
    preview = plan_refunds(tournament)
    _freeze(tournament, preview, needs_approval=False, actor=actor, at=at)
    events.record_many(
        [facts.cancelled(tournament, players=preview.players, units=preview.total_units)],
        operator_id=tournament.operator_id,
        actor=actor,
        at=at,
    )
    if not preview.lines:
        conclude(tournament, actor=actor, at=at)


def _add_guarantee(tournament: Tournament, units: int, *, actor: Actor, at: datetime) -> None:
    journal = journals.NewJournal(
        kind="tournament.guarantee",
        key=f"{tournament.subject}:guarantee",
        legs={accounts.clearing(tournament.asset).pk: -units, tournament.escrow_id: units},
        subject=tournament.subject,
    )
    journals.post(journal, operator_id=tournament.operator_id, actor=actor, at=at)


def _freeze(
    tournament: Tournament, preview: Preview, *, needs_approval: bool, actor: Actor, at: datetime
) -> SettlementPlan:
    wallets: dict[int, int] = {}
    if any(line.rail in IN_WALLETS for line in preview.lines):
        wallets = accounts.wallets([line.player_id for line in preview.lines if line.player_id], tournament.asset)
    clearing = accounts.clearing(tournament.asset).pk if preview.lines else 0
    keeper = keepers.of(tournament)
    fee_accounts = {line.party: keeper.fee_account(tournament, line.party).pk for line in preview.lines if line.party}

    def target(line: PreviewLine) -> int:
        if line.party:
            return fee_accounts[line.party]
        return wallets[line.player_id] if line.rail in IN_WALLETS and line.player_id else clearing

    told = ordering.orders(tournament, preview.lines, at=at)
    plan = plans.freeze(
        [
            plans.Line(
                key=line.key,
                purpose=line.purpose,
                rail=line.rail,
                target_id=target(line),
                units=line.units,
                player_id=line.player_id,
                entry_ref=line.entry_id,
                position=line.position,
                award=ordering.award(line),
                refused=line.refused,
                order=told.get(line.key),
            )
            for line in preview.lines
        ],
        operator_id=tournament.operator_id,
        subject=tournament.subject,
        kind=preview.kind,
        asset=tournament.asset,
        source_id=tournament.escrow_id,
        needs_approval=needs_approval,
        actor=actor,
        at=at,
    )
    if preview.lines:
        verb = "Refund" if preview.kind == PlanKind.REFUND else "Settle"
        jobs.ask(
            operator_id=tournament.operator_id,
            kind=f"tournament.{preview.kind.lower()}",
            key=job_key(tournament, preview.kind),
            subject=tournament.subject,
            title=f"{verb} {tournament.name}",
            total=len(preview.lines),
            actor=actor,
            at=at,
        )
        if not needs_approval:
            set_going(tournament, plan, actor=actor, at=at)
    return plan
