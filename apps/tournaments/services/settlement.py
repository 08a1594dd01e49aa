"""From the final ranking to money: plan once, freeze, pay line by line. A dry run returns the lines of the real run."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from django.db import transaction

from apps.core import doorbell
from apps.core.actors import SYSTEM, Actor
from apps.core.errors import DomainError
from apps.events import services as events
from apps.jobs import services as jobs
from apps.ledger.lifecycle import PayoutStatus
from apps.ledger.models import PlanKind, Purpose, Rail, SettlementPlan
from apps.ledger.services import accounts, journals, plans
from apps.tournaments import facts, rules
from apps.tournaments.lifecycle import EntryStatus, TournamentStatus
from apps.tournaments.models import Entry, Funding, TiePolicy, Tournament
from apps.tournaments.services import pools, results, tally
from apps.tournaments.services.states import InvalidState, refusing_wrong_states

PAY = "tournaments.pay"
BATCH = 5000
# A fact is read by people and webhooks: the first hundred winners; `results` serves them all.
WINNERS_TOLD = 100
SETTLED = (PayoutStatus.PAID, PayoutStatus.NOT_ELIGIBLE)


class NothingToApprove(DomainError):
    """No payout of this tournament waits for approval."""

    code = "INVALID_STATE"


@dataclass(frozen=True, slots=True)
class PreviewLine:
    """One payout that will be: who, what for, base units."""

    key: str
    purpose: Purpose
    rail: Rail
    units: int
    name: str
    party: str = ""
    player_id: int | None = None
    entry_id: int | None = None
    position: int | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """The lines of a settlement or a refund, before or as they are frozen; the same function makes both."""

    kind: PlanKind
    lines: Sequence[PreviewLine]
    pool: rules.Pool | None = None

    @property
    def total_units(self) -> int:
        """Everything that will move, in base units."""
        return sum(line.units for line in self.lines)

    @property
    def players(self) -> int:
        """How many players get something."""
        return sum(1 for line in self.lines if line.player_id is not None)


class Ranked(NamedTuple):
    """What the plan needs of an entry."""

    entry_id: int
    player_id: int
    name: str
    points: Decimal
    elimination_round: int | None
    paid_units: int


def preview_settlement(tournament_id: int) -> Preview:
    """Return what completing now would pay; nothing is written."""
    return _plan_prizes(Tournament.objects.select_related("asset").get(pk=tournament_id))


def preview_refunds(tournament_id: int) -> Preview:
    """Return what cancelling now would pay back; nothing is written."""
    return _plan_refunds(Tournament.objects.select_related("asset").get(pk=tournament_id))


def _plan_prizes(tournament: Tournament) -> Preview:
    totals = tally.totals(tournament.pk)
    pool = pools.pool_of(tournament, totals)
    amounts = pools.prizes_by_place(tournament, pool.total, totals.players)
    ranked = _best(tournament, len(amounts))
    if tournament.tie_policy == TiePolicy.SPLIT:
        amounts = rules.split_ties(amounts, [(entry.points, entry.elimination_round) for entry in ranked])
    fees = [
        PreviewLine(
            key=f"{tournament.subject}:fee:{party}",
            purpose=Purpose.FEE,
            rail=Rail.CLEARING,
            units=units,
            name=f"{party.capitalize()} fee",
            party=party,
        )
        for party, units in pool.fees.items()
        if units
    ]
    prizes = [
        PreviewLine(
            key=f"{tournament.subject}:payout:{entry.entry_id}",
            purpose=Purpose.PRIZE,
            rail=Rail(tournament.rail),
            units=units,
            name=entry.name,
            player_id=entry.player_id,
            entry_id=entry.entry_id,
            position=place,
        )
        for place, (entry, units) in enumerate(zip(ranked, amounts, strict=True), start=1)
        if units
    ]
    return Preview(PlanKind.SETTLEMENT, [*fees, *prizes], pool)


def _best(tournament: Tournament, places: int) -> list[Ranked]:
    """Return the best entries: as many as there are prizes, and everyone tied with the last of them who may share."""
    if not places:
        return []
    entries = Entry.objects.filter(tournament=tournament).ranked()
    fields = ("pk", "player_id", "display_name", "points", "elimination_round", "paid_units")
    best = [Ranked(*row) for row in entries.values_list(*fields)[:places]]
    if tournament.tie_policy == TiePolicy.SPLIT and best:
        last = best[-1]
        best = [Ranked(*row) for row in entries.filter(points__gte=last.points).values_list(*fields)]
        mark = (last.points, last.elimination_round)
        while len(best) > places and (best[-1].points, best[-1].elimination_round) != mark:
            best.pop()
    return best


def _plan_refunds(tournament: Tournament) -> Preview:
    """Everything paid by everyone who has not been refunded already, oldest entry first."""
    rail = Rail.WALLET if tournament.funding == Funding.WALLET else Rail.CLEARING
    rows = (
        Entry.objects.filter(tournament=tournament, paid_units__gt=0)
        .exclude(status=EntryStatus.WITHDRAWN)
        .order_by("pk")
        .values_list("pk", "player_id", "display_name", "paid_units")
    )
    return Preview(
        PlanKind.REFUND,
        [
            PreviewLine(
                key=f"{tournament.subject}:refund:{entry_id}",
                purpose=Purpose.REFUND,
                rail=rail,
                units=int(units),
                name=name,
                player_id=player_id,
                entry_id=entry_id,
            )
            for entry_id, player_id, name, units in rows
        ],
    )


def freeze_prizes(tournament: Tournament, *, actor: Actor, at: datetime) -> None:
    """Fix the prizes of a tournament that has just completed and set the payouts going; the caller holds it alone."""
    preview = _plan_prizes(tournament)
    pool = preview.pool or rules.Pool(0)
    paying = any(line.purpose == Purpose.PRIZE for line in preview.lines)
    if paying and pool.overlay > 0:
        _add_guarantee(tournament, pool.overlay, actor=actor, at=at)
    threshold = tournament.approval_from_units
    waits = tournament.needs_approval or (threshold is not None and pool.total >= threshold)
    _freeze(tournament, preview, needs_approval=waits, actor=actor, at=at)
    outcome = results.outcome(tournament, winners=WINNERS_TOLD)
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
    preview = _plan_refunds(tournament)
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
    if any(line.rail == Rail.WALLET for line in preview.lines):
        wallets = accounts.wallets([line.player_id for line in preview.lines if line.player_id], tournament.asset)
    clearing = accounts.clearing(tournament.asset).pk if preview.lines else 0
    fee_accounts = {
        line.party: accounts.fee_account(line.party, tournament.asset).pk for line in preview.lines if line.party
    }

    def target(line: PreviewLine) -> int:
        if line.party:
            return fee_accounts[line.party]
        return wallets[line.player_id] if line.rail == Rail.WALLET and line.player_id else clearing

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
            doorbell.ring(PAY, tournament_id=tournament.pk)
    return plan


def job_key(tournament: Tournament, kind: str) -> str:
    """Return the key of the job that pays a plan of this tournament."""
    return f"{tournament.subject}:{kind.lower()}"


@transaction.atomic
def approve_payouts(tournament_id: int, *, actor: Actor, at: datetime) -> int:
    """Let the waiting payouts of a settlement move; return how many. Raises NothingToApprove."""
    tournament: Tournament = Tournament.objects.hold(tournament_id)
    plan = plan_of(tournament)
    approved = plans.approve(plan.pk, actor=actor, at=at) if plan else 0
    if not approved:
        raise NothingToApprove
    events.record_many(
        [facts.payouts_approved(tournament, payouts=approved)],
        operator_id=tournament.operator_id,
        actor=actor,
        at=at,
    )
    doorbell.ring(PAY, tournament_id=tournament_id)
    return approved


@transaction.atomic
def resume(tournament_id: int, *, actor: Actor, at: datetime) -> Tournament:
    """Pay on where money could not move: the same stored amounts, every error tried again. Raises InvalidState."""
    tournament: Tournament = Tournament.objects.hold(tournament_id)
    _resume(tournament)
    plan = plan_of(tournament)
    if plan is not None:
        plans.retry_all(plan.pk, actor=actor, at=at)
    doorbell.ring(PAY, tournament_id=tournament_id)
    return tournament


def _resume(tournament: Tournament) -> None:
    if tournament.status != TournamentStatus.FAILED:
        raise InvalidState(status=tournament.status)
    with refusing_wrong_states(tournament, "resume"):
        if tournament.cancelled_at is not None:
            tournament.resume_refunds()
        else:
            tournament.resume_settlement()
    tournament.save(update_fields=["status", "problem"])


def plan_of(tournament: Tournament) -> SettlementPlan | None:
    """Return the plan that the tournament's end has frozen: refunds when it was cancelled, else prizes and fees."""
    kind = PlanKind.REFUND if tournament.cancelled_at is not None else PlanKind.SETTLEMENT
    return SettlementPlan.objects.filter(
        operator_id=tournament.operator_id, subject=tournament.subject, kind=kind
    ).first()


def paying() -> list[int]:
    """Return the tournaments that owe something, or whose problem somebody may have mended; the beat rings for them."""
    statuses = (TournamentStatus.SETTLING, TournamentStatus.REFUNDING, TournamentStatus.FAILED)
    return list(Tournament.objects.filter(status__in=statuses).order_by("id").values_list("id", flat=True))


def pay_on(tournament_id: int, *, at: datetime) -> int:
    """Pay what is due, a batch a transaction, then close the tournament if nothing is left; return how many were paid.

    Safe to run twice, side by side, and again after a kill: a payout is paid by the journal that carries its key.
    """
    tournament = _owing(tournament_id)
    plan = plan_of(tournament) if tournament else None
    if tournament is None or plan is None:
        return 0
    paid = 0
    while batch := _pay_batch(tournament, plan, at=at):
        paid += batch
        _report_progress(tournament, plan, at=at)
    with transaction.atomic():
        conclude(Tournament.objects.hold(tournament_id), actor=SYSTEM, at=at)
    return paid


@transaction.atomic
def _owing(tournament_id: int) -> Tournament | None:
    """Return the tournament if it is paying. One that needed a person goes on by itself once they have seen to it."""
    tournament: Tournament = Tournament.objects.hold(tournament_id)
    if tournament.status == TournamentStatus.FAILED:
        plan = plan_of(tournament)
        counts = plans.counts(plan.pk) if plan else {}
        waiting = {status for status, (number, _) in counts.items() if number and status not in SETTLED}
        mended = PayoutStatus.PROCESSING in waiting or (not waiting and not accounts.balance(tournament.escrow_id))
        if mended:
            _resume(tournament)
    return tournament if tournament.status in (TournamentStatus.SETTLING, TournamentStatus.REFUNDING) else None


@transaction.atomic
def _pay_batch(tournament: Tournament, plan: SettlementPlan, *, at: datetime) -> int:
    rows = plans.pay_some(plan, limit=BATCH, actor=SYSTEM, at=at)
    events.record_many(results.payout_facts(tournament, rows), operator_id=tournament.operator_id, actor=SYSTEM, at=at)
    return len(rows)


def _report_progress(tournament: Tournament, plan: SettlementPlan, *, at: datetime) -> None:
    done = plans.counts(plan.pk).get(PayoutStatus.PAID, (0, 0))[0]
    jobs.report(tournament.operator_id, job_key(tournament, plan.kind), done=done, total=plan.lines, at=at)


def conclude(tournament: Tournament, *, actor: Actor, at: datetime) -> None:
    """Close the books of a tournament once every payout has ended; the caller holds it alone.

    The escrow must then be empty; if it is not, or a payout needs a person, the tournament asks for attention instead.
    """
    plan = plan_of(tournament)
    if plan is None or tournament.status not in (TournamentStatus.SETTLING, TournamentStatus.REFUNDING):
        return
    counts = plans.counts(plan.pk)
    open_statuses = {status for status, (number, _) in counts.items() if number and status not in SETTLED}
    if open_statuses - {PayoutStatus.ERROR_MANUAL}:
        return
    problem = ""
    if open_statuses:
        problem = f"{counts[PayoutStatus.ERROR_MANUAL][0]} payouts need a person."
    else:
        left = accounts.balance(tournament.escrow_id)
        if left:
            problem = f"The escrow holds {facts.amount(tournament, left)} {tournament.asset.code} too much."
    _end(tournament, plan, problem=problem, actor=actor, at=at)


def _end(tournament: Tournament, plan: SettlementPlan, *, problem: str, actor: Actor, at: datetime) -> None:
    key = job_key(tournament, plan.kind)
    if problem:
        tournament.need_attention(problem=problem)
        jobs.fail(tournament.operator_id, key, error=problem, at=at)
    else:
        if tournament.cancelled_at is not None:
            tournament.finish_refunds(at=at)
        else:
            tournament.close(at=at)
        jobs.report(tournament.operator_id, key, done=plan.lines, total=plan.lines, at=at, finished=True)
    tournament.save(update_fields=["status", "problem", "closed_at"])
    fact = facts.needs_attention(tournament) if problem else facts.closed(tournament)
    events.record_many([fact], operator_id=tournament.operator_id, actor=actor, at=at)
