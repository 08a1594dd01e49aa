from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.events.models import Fact
from apps.jobs.models import Job
from apps.ledger.models import Journal, Payout, Rail, SettlementPlan
from apps.ledger.services import accounts, journals, plans, transfers
from apps.tournaments.models import Entry, Funding, Tournament
from apps.tournaments.services import entries, results, running, settlement
from apps.tournaments.services.settlement import payments
from tests.factories import OperatorFactory, PlayerFactory
from tests.tournaments import world
from tests.tournaments.world import AT, STAFF, START

pytestmark = pytest.mark.django_db


def complete(tournament):
    running.complete(tournament.pk, actor=STAFF, at=START)
    return Tournament.objects.get(pk=tournament.pk)


def prizes(tournament):
    """Prize units by the operator's user id, best first."""
    return {row.player.external_id: int(row.units) for row in results.prize_payouts(tournament)}


def test_the_pool_is_paid_by_place_and_the_escrow_ends_empty():
    tournament = complete(world.played())
    assert prizes(tournament) == {"ann": 1500, "bob": 900, "cid": 600}
    assert world.pay(tournament) == 3
    assert world.state(tournament) == "CLOSED"
    assert world.money(tournament.operator) == {}
    distributed = Fact.objects.filter(type="prize.distributed").order_by("id")
    assert [(f.data["userId"], f.data["prizeAmount"]) for f in distributed] == [("ann", 15), ("bob", 9), ("cid", 6)]
    assert Job.objects.get().status == "SUCCEEDED"


def test_the_wallet_rail_credits_the_players():
    tournament = complete(world.played(rail=Rail.WALLET))
    world.pay(tournament)
    wallets = {f"player:{e.player_id}": int(Payout.objects.get(entry_ref=e.pk).units) for e in Entry.objects.all()}
    assert world.money(tournament.operator) == {"CLEARING": -3000, **wallets}


def test_a_guarantee_is_topped_up_by_the_operator_and_rake_is_revenue():
    tournament = complete(world.played(guarantee=Decimal(100), rake_percent=Decimal(10), rail=Rail.WALLET))
    assert sum(prizes(tournament).values()) == 10000
    world.pay(tournament)
    money = world.money(tournament.operator)
    assert (money["CLEARING"], money["REVENUE"]) == (-3000 - 7300, 300)
    assert world.escrow(tournament) == 0
    outcome = results.outcome(Tournament.objects.get(pk=tournament.pk))
    assert outcome["statistics"]["operatorRevenue"] == -70


def test_a_guarantee_holds_the_clearing_account_only_after_all_that_may_wait():
    tournament = world.played(guarantee=Decimal(100), rail=Rail.WALLET)
    with CaptureQueriesContext(connection) as captured:
        complete(tournament)
    statements = [query["sql"] for query in captured]
    topped_up = next(place for place, sql in enumerate(statements) if f"{tournament.subject}:guarantee" in sql)
    wallets = [place for place, sql in enumerate(statements) if "INSERT INTO ledger_account" in sql]
    assert wallets
    assert max(wallets) < topped_up


def test_paying_again_pays_nothing():
    tournament = complete(world.played())
    world.pay(tournament)
    journals = Journal.objects.count()
    assert world.pay(tournament) == 0
    assert Journal.objects.count() == journals


def test_payouts_wait_for_approval_when_the_policy_says_so():
    tournament = complete(world.played(needs_approval=True))
    assert world.pay(tournament) == 0
    assert (world.state(tournament), world.escrow(tournament)) == ("SETTLING", 3000)
    assert settlement.approve_payouts(tournament.pk, actor=STAFF, at=START) == 3
    with pytest.raises(settlement.NothingToApprove):
        settlement.approve_payouts(tournament.pk, actor=STAFF, at=START)
    world.pay(tournament)
    assert (world.state(tournament), world.escrow(tournament)) == ("CLOSED", 0)


@pytest.mark.parametrize(("threshold", "waits"), [(30, True), (31, False)])
def test_approval_may_depend_on_the_size_of_the_pool(threshold, waits):
    operator = OperatorFactory(preferences={"approval": {"fromTotal": threshold}})
    tournament = complete(world.played(operator=operator))
    assert Payout.objects.filter(status="WAITING_APPROVAL", subject=tournament.subject).exists() is waits


def test_a_payout_that_staff_refuse_goes_back_to_the_operator():
    tournament = complete(world.played(needs_approval=True, rail=Rail.WALLET))
    refused = results.prize_payouts(tournament).first()
    plans.reject(refused.pk, reason="cheated", actor=STAFF, at=START)
    settlement.approve_payouts(tournament.pk, actor=STAFF, at=START)
    world.pay(tournament)
    assert Tournament.objects.get(pk=tournament.pk).problem == ""
    assert world.state(tournament) == "CLOSED"
    assert world.money(tournament.operator)["CLEARING"] == -1500
    assert world.escrow(tournament) == 0
    outcome = results.outcome(Tournament.objects.get(pk=tournament.pk))
    assert [winner["position"] for winner in outcome["winners"]] == [2, 3]
    assert outcome["statistics"]["operatorRevenue"] == 15


def test_the_dry_run_shows_the_lines_of_the_real_run():
    tournament = world.played(guarantee=Decimal(99), rake_percent=Decimal(5))
    preview = settlement.preview_settlement(tournament.pk)
    assert not SettlementPlan.objects.exists()
    complete(tournament)
    told = [(line.key, line.purpose, line.units, line.position) for line in preview.lines]
    assert told == list(Payout.objects.order_by("id").values_list("key", "purpose", "units", "position"))


def test_equal_points_are_settled_by_who_got_there_first():
    tournament = complete(world.played(points={"ann": 10, "bob": 20, "cid": 20, "dan": 20}))
    assert prizes(tournament) == {"bob": 2000, "cid": 1200, "dan": 800}


def test_equal_points_share_when_the_policy_splits():
    tournament = complete(
        world.played(points={"ann": 10, "bob": 20, "cid": 20, "dan": 20, "eve": 20}, tie_policy="split")
    )
    assert prizes(tournament) == {"bob": 1250, "cid": 1250, "dan": 1250, "eve": 1250}


def test_cancelling_gives_back_everything_paid():
    tournament = world.played(rebuy_enabled=True)
    entry = Entry.objects.get(player__external_id="ann")
    entries.rebuy(entry.pk, actor=STAFF, at=START)
    preview = settlement.preview_refunds(tournament.pk)
    running.cancel(tournament.pk, reason="storm", actor=STAFF, at=START)
    assert [line.units for line in preview.lines] == [int(p.units) for p in Payout.objects.order_by("id")]
    fact = Fact.objects.get(type="tournament.cancelled")
    assert fact.data["refunds"] == {"totalRefunded": 40, "playersRefunded": 3}
    assert world.pay(tournament) == 3
    assert (world.state(tournament), world.money(tournament.operator)) == ("CANCELED", {})
    assert Fact.objects.filter(type="player.refunded").count() == 3


def test_a_withdrawn_player_is_not_refunded_twice():
    tournament = world.make()
    ann, _ = world.enter(tournament, "ann", "bob")
    entries.remove(ann.pk, reason="voluntary_exit", actor=STAFF, at=AT)
    running.cancel(tournament.pk, reason="storm", actor=STAFF, at=AT)
    assert world.pay(tournament) == 1
    assert world.money(tournament.operator) == {}


def test_a_wallet_without_money_lets_nobody_in():
    tournament = world.make(funding=Funding.WALLET)
    with pytest.raises(journals.InsufficientFunds):
        world.enter(tournament, "ann")
    assert world.escrow(tournament) == 0
    assert not Entry.objects.exists()


def test_a_wallet_entry_is_refunded_to_the_wallet():
    operator = OperatorFactory()
    ann, bob = (PlayerFactory(operator=operator, external_id=name) for name in ("ann", "bob"))
    for player in (ann, bob):
        transfers.deposit(player.pk, asset_code="USD", amount=30, reference=player.external_id, actor=STAFF, at=AT)
    tournament = world.make(operator, funding=Funding.WALLET, rebuy_enabled=True)
    entered, leaving = world.enter(tournament, "ann", "bob")
    entries.rebuy(entered.pk, actor=STAFF, at=AT)
    assert world.money(operator)[f"player:{ann.pk}"] == 1000
    entries.remove(leaving.pk, reason="voluntary_exit", actor=STAFF, at=AT)
    running.cancel(tournament.pk, reason="storm", actor=STAFF, at=AT)
    world.pay(tournament)
    assert world.money(operator) == {"CLEARING": -6000, f"player:{ann.pk}": 3000, f"player:{bob.pk}": 3000}


def test_a_blocked_player_is_still_paid():
    tournament = world.played(rail=Rail.WALLET)
    player = Entry.objects.get(player__external_id="ann").player
    type(player).objects.filter(pk=player.pk).update(block_kind="SELF_EXCLUDED", blocked_at=START)
    complete(tournament)
    world.pay(tournament)
    assert world.money(tournament.operator)[f"player:{player.pk}"] == 1500


def test_results_are_read_from_the_frozen_plan():
    tournament = world.played()
    with pytest.raises(results.ResultsNotAvailable):
        results.outcome(tournament)
    outcome = results.outcome(complete(tournament))
    assert [w["netWinnings"] for w in outcome["winners"]] == [5, -1, -4]
    assert outcome["statistics"] == {
        "averageScore": 20,
        "totalEntryFees": 30,
        "totalRebuys": 0,
        "operatorRevenue": 0,
    }


def test_a_free_tournament_without_prizes_closes_at_once():
    tournament = complete(world.played(entry_fee=Decimal(0)))
    assert world.state(tournament) == "CLOSED"
    assert not Payout.objects.exists()


def drain(tournament, units, *, key):
    """Move units out of the escrow by hand, as no verb of Podium would; negative units put them back."""
    legs = {tournament.escrow_id: -units, accounts.clearing(tournament.asset).pk: units}
    journal = journals.NewJournal("test", key, legs)
    journals.post(journal, operator_id=tournament.operator_id, actor=STAFF, at=START)


def test_money_that_can_not_move_asks_for_attention_and_goes_on_when_mended():
    tournament = complete(world.played())
    drain(tournament, 500, key="out")
    world.pay(tournament)
    failed = Tournament.objects.get(pk=tournament.pk)
    assert (failed.status, failed.problem) == ("FAILED", "1 payouts need a person.")
    assert set(Payout.objects.values_list("status", flat=True)) == {"PAID", "ERROR_MANUAL"}
    assert Job.objects.get().status == "FAILED"
    assert Fact.objects.get(type="system.alert").data["severity"] == "error"

    facts = Fact.objects.count()
    world.pay(tournament)
    assert Fact.objects.count() == facts, "nothing was mended, so nothing happens"

    drain(tournament, -500, key="back")
    settlement.resume(tournament.pk, actor=STAFF, at=START)
    world.pay(tournament)
    assert (world.state(tournament), world.money(tournament.operator)) == ("CLOSED", {})
    assert Job.objects.get().status == "SUCCEEDED"


def test_a_single_payout_that_is_retried_closes_the_tournament():
    tournament = complete(world.played())
    drain(tournament, 500, key="out")
    world.pay(tournament)
    drain(tournament, -500, key="back")
    plans.retry(Payout.objects.get(status="ERROR_MANUAL").pk, actor=STAFF, at=START)
    world.pay(tournament)
    assert (world.state(tournament), world.escrow(tournament)) == ("CLOSED", 0)


def test_the_beat_rings_for_who_can_go_on_and_for_nobody_else():
    waiting = complete(world.played(needs_approval=True))
    assert settlement.paying() == []
    settlement.approve_payouts(waiting.pk, actor=STAFF, at=START)
    paid = complete(world.played(operator=waiting.operator))
    assert settlement.paying() == [waiting.pk, paid.pk]
    world.pay(paid)
    assert settlement.paying() == [waiting.pk]


def test_the_beat_rings_for_the_last_step_when_staff_have_refused_everything():
    tournament = complete(world.played(needs_approval=True))
    for payout in results.prize_payouts(tournament):
        plans.reject(payout.pk, reason="cheated", actor=STAFF, at=START)
    assert settlement.paying() == [tournament.pk]
    world.pay(tournament)
    assert (world.state(tournament), world.money(tournament.operator)) == ("CLOSED", {})


def test_the_beat_rings_again_when_a_person_has_seen_to_a_payout():
    tournament = complete(world.played())
    drain(tournament, 500, key="out")
    assert settlement.paying() == [tournament.pk]
    world.pay(tournament)
    assert settlement.paying() == [], "it waits for a person"
    drain(tournament, -500, key="back")
    assert settlement.paying() == []
    plans.settle_outside(Payout.objects.get(status="ERROR_MANUAL").pk, note="by bank", actor=STAFF, at=START)
    assert settlement.paying() == [tournament.pk]
    world.pay(tournament)
    assert (world.state(tournament), world.money(tournament.operator)) == ("CLOSED", {})


def test_an_escrow_that_holds_too_much_is_left_alone_until_it_does_not():
    tournament = complete(world.played())
    drain(tournament, -7, key="in")
    world.pay(tournament)
    assert (world.state(tournament), settlement.paying()) == ("FAILED", [])
    drain(tournament, 7, key="out")
    assert settlement.paying() == [tournament.pk]
    world.pay(tournament)
    assert (world.state(tournament), world.escrow(tournament)) == ("CLOSED", 0)


def test_a_plan_that_is_not_what_was_frozen_is_not_paid():
    tournament = complete(world.played())
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE ledger_payout SET units = units + 1 WHERE position = 1")
        cursor.execute("SET LOCAL session_replication_role = origin")
    world.pay(tournament)
    failed = Tournament.objects.get(pk=tournament.pk)
    assert (failed.status, world.escrow(tournament)) == ("FAILED", 3000)
    assert "not the ones that were frozen" in failed.problem
    facts = Fact.objects.count()
    world.pay(tournament)
    assert Fact.objects.count() == facts
    assert not Payout.objects.filter(status="PAID").exists()


def test_a_large_settlement_takes_several_runs(settings, monkeypatch):
    settings.PAYOUT_BATCH = 1
    monkeypatch.setattr(payments, "BATCHES_A_RUN", 2)
    tournament = complete(world.played())
    assert [world.pay(tournament), world.pay(tournament)] == [2, 1]
    assert world.state(tournament) == "CLOSED"
