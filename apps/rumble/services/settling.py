"""The money of rumble tournaments: what the engine asks their keeper, and what the chain says (rumble.md 4.2, 6)."""

from datetime import datetime

from apps.core.actors import Actor
from apps.core.errors import DomainError
from apps.events.services import recording as events
from apps.ledger.lifecycle import ChainStatus, PayoutStatus
from apps.ledger.models import Account, ChainTransaction, Payout, PlanKind, SettlementPlan
from apps.ledger.services import accounts, payments, plans, rail
from apps.rumble import facts, words
from apps.rumble.lifecycle import OPEN, ContainerStatus
from apps.rumble.models import Deposit, Participant, RumbleTournament
from apps.rumble.services.ground import (
    AREA,
    PaymentInProgress,
    account_of,
    hold,
    in_flight,
    record,
    refuse_stopped,
    refuse_unscored,
    rumble_of,
    too_few,
    unsettled,
    unsigned,
)
from apps.tournaments.keepers import Keeper
from apps.tournaments.lifecycle import TournamentStatus
from apps.tournaments.models import Tournament
from apps.tournaments.services import results, settlement, tally

PRIZES, REFUNDS = "prizes", "refunds"
FAILURES = {PRIZES: "Resolution transaction failed", REFUNDS: "Refund transaction failed"}


class ByApplicationOnly(DomainError):
    """Players and terms of a rumble tournament are its application's affair."""

    code = "INVALID_STATE"


class ChainKeeper(Keeper):
    """Keeps the money of rumble tournaments in containers, and moves it on the chain."""

    pays_itself = True

    def by_hand(self, tournament: Tournament) -> None:
        """Nobody enters without a payment that is final, and nobody leaves with one."""
        raise ByApplicationOnly

    def closing(self, tournament: Tournament, *, at: datetime) -> bool:
        """The minimum must be there; payments on their way are awaited, unsigned ones too."""
        rumble = rumble_of(tournament)
        refuse_stopped(rumble.container, at)
        players = tally.totals(tournament.pk).players
        if players < tournament.min_players:
            raise too_few(tournament.min_players, players, "close registration")
        return not unsettled(rumble.container)

    def starting(self, tournament: Tournament, *, actor: Actor, at: datetime) -> None:
        """No payment may be on the chain; what is unsigned is withdrawn, and the container locked."""
        rumble = rumble_of(tournament)
        refuse_stopped(rumble.container, at)
        self._no_more_payments(rumble, actor=actor, at=at)

    def completing(self, tournament: Tournament) -> None:
        """Everybody needs a score; the application may force it, staff can't."""
        refuse_unscored(tournament, force=False)

    def cancelling(self, tournament: Tournament, *, actor: Actor, at: datetime) -> None:
        """No payment may be on the chain; what is unsigned is withdrawn."""
        self._no_more_payments(rumble_of(tournament), actor=actor, at=at)

    def _no_more_payments(self, rumble: RumbleTournament, *, actor: Actor, at: datetime) -> None:
        if in_flight(rumble.container):
            raise PaymentInProgress
        for waiting in unsigned(rumble.container):
            rail.withdraw(waiting.pk, actor=actor, at=at)
        _lock(rumble)

    def changed(self, tournament: Tournament, *, actor: Actor, at: datetime) -> None:
        """Tell the application, and let the container follow."""
        rumble = rumble_of(tournament)
        status = TournamentStatus(tournament.status)
        told = []
        if status == TournamentStatus.CLOSED:
            if rumble.resolution is None:  # there was nothing to pay
                told.append(facts.status_updated(rumble, words.STATUSES[TournamentStatus.SETTLING]))
            told += [facts.status_updated(rumble, words.status(rumble)), facts.closed(rumble)]
        elif status == TournamentStatus.CANCELED:
            told.append(facts.canceled(rumble))
        else:
            error = ""
            if status == TournamentStatus.FAILED:
                error = FAILURES[REFUNDS if tournament.cancelled_at else PRIZES]
            told.append(facts.status_updated(rumble, words.status(rumble), error=error))
        _follow(rumble, status, at=at)
        rumble.updated_at = at
        rumble.save(update_fields=["updated_at", "ended_at"])
        record(rumble.application, told, actor=actor, at=at)

    def fee_account(self, tournament: Tournament, party: str) -> Account:
        """Developer and stakeholder have names on the chain; a developer without one is the operator."""
        rumble = rumble_of(tournament)
        eos_id = {"developer": rumble.developer_eos_id, "stakeholder": rumble.stakeholder_eos_id}.get(party, "")
        if eos_id:
            return account_of(eos_id, tournament.asset)
        return accounts.revenue(tournament.asset) if party == "developer" else super().fee_account(tournament, party)

    def pay(self, tournament: Tournament, plan: SettlementPlan, *, actor: Actor, at: datetime) -> None:
        """Send all that is open of a plan as one transaction, unless one is on its way. Amounts are the stored ones."""
        if ChainTransaction.objects.in_flight().filter(plan=plan).exists():
            return
        plans.verify(plan)
        plans.retry_all(plan.pk, actor=actor, at=at)
        rumble = rumble_of(tournament)
        purpose = REFUNDS if plan.kind == PlanKind.REFUND else PRIZES
        tries = ChainTransaction.objects.filter(plan=plan).count()
        leaving = rail.send(
            rail.Errand(AREA, purpose, tournament.subject, f"{tournament.subject}:{purpose}:{tries + 1}"),
            _legs(rumble, plan),
            asset=tournament.asset,
            plan=plan,
            actor=actor,
            at=at,
        )
        rumble.resolution, rumble.updated_at, rumble.ended_at = leaving, at, None
        rumble.save(update_fields=["resolution", "updated_at", "ended_at"])
        container = rumble.container
        container.out = leaving
        if container.status in OPEN:
            container.begin_resolving()
        container.save(update_fields=["status", "out"])
        status = TournamentStatus.REFUNDING if purpose == REFUNDS else TournamentStatus.SETTLING
        told = [
            facts.status_updated(rumble, words.STATUSES[status]),
            facts.from_escrow("Created", container, leaving),
        ]
        record(rumble.application, told, actor=actor, at=at)


def _lock(rumble: RumbleTournament) -> None:
    container = rumble.container
    if container.status == ContainerStatus.CREATED:
        container.lock()
        container.save(update_fields=["status"])


def _follow(rumble: RumbleTournament, status: TournamentStatus, *, at: datetime) -> None:
    """Bring the container where its tournament is."""
    container = rumble.container
    if status in (TournamentStatus.CLOSED, TournamentStatus.CANCELED):
        rumble.ended_at = at
        if container.status != ContainerStatus.EXPIRED:
            container.resolve(at=at)
    elif status == TournamentStatus.FAILED:
        rumble.ended_at = at
        if container.status == ContainerStatus.RESOLVING:
            container.stand_still()
    elif status in (TournamentStatus.AWAITING_PAYMENTS, TournamentStatus.REGISTRATION_CLOSED):
        _lock(rumble)
    container.save(update_fields=["status", "ended_at"])


def _legs(rumble: RumbleTournament, plan: SettlementPlan) -> list[rail.Leg]:
    names = dict(Participant.objects.filter(rumble=rumble, entry__isnull=False).values_list("entry_id", "eos_id"))
    parties = {"developer": rumble.developer_eos_id, "stakeholder": rumble.stakeholder_eos_id}
    owed = Payout.objects.filter(plan=plan, status=PayoutStatus.PROCESSING).order_by("pk")
    return [
        rail.Leg(
            source_id=line.source_id,
            target_id=line.target_id,
            units=int(line.units),
            address=names.get(line.entry_ref) or parties.get(line.key.rpartition(":")[2], ""),
            payout_id=line.pk,
        )
        for line in owed
    ]


def plan_changed(leaving: ChainTransaction, *, actor: Actor, at: datetime) -> None:
    """Do what follows from what became of prizes or refunds; the tournament is held."""
    rumble = hold(int(leaving.subject.rpartition(":")[2]))
    plan = leaving.plan
    if plan is None or leaving.status not in (ChainStatus.FINAL, ChainStatus.FAILED):
        return
    tournament = rumble.tournament
    if leaving.status == ChainStatus.FINAL:
        paid = payments.pay_whole(plan, actor=actor, at=at)
        told = results.payout_facts(tournament, paid)
        events.record_many(told, operator_id=tournament.operator_id, actor=actor, at=at)
        if plan.kind == PlanKind.REFUND:
            inside = Deposit.objects.filter(container=rumble.container, transaction__status=ChainStatus.FINAL)
            inside.filter(refunded_at=None).update(refunded_at=at)
        record(rumble.application, [facts.from_escrow("Final", rumble.container, leaving)], actor=actor, at=at)
    else:
        payments.give_up_whole(plan, reason=leaving.error, actor=actor, at=at)
        record(rumble.application, [facts.from_escrow("Failure", rumble.container, leaving)], actor=actor, at=at)
    settlement.conclude(tournament, actor=actor, at=at)
