"""Prizes by rank from a tournament's end to its closing: planned, dry or not, funded, sent, closed at zero."""

from datetime import timedelta
from decimal import Decimal

import pytest

from apps.core.errors import Invalid
from apps.events.models import Fact
from apps.ledger.models import Payout, Rail, Remittance
from apps.operators.services.tenants import GameChanges, put_brand, put_game
from apps.tournaments import engines
from apps.tournaments.engines import Engine, LastPlay
from apps.tournaments.models import Entry, Tournament
from apps.tournaments.services import creation, ordering, planning, pools, results, running, settlement
from tests.factories import OperatorFactory
from tests.receivers import Receiver, Reply
from tests.tournaments import world
from tests.tournaments.operator_rail import cash, paid_by_api, payouts, put_rate, remit, share, spins, table, with_spins

pytestmark = pytest.mark.django_db


class Played(Engine):
    """An engine that knows what players used last."""

    def __init__(self, plays=None, unfit=None):
        self.plays, self.reasons = plays or {}, unfit or {}

    def last_played(self, tournament, entry_ids):
        names = dict(Entry.objects.filter(pk__in=entry_ids).values_list("pk", "player__external_id"))
        return {pk: self.plays[name] for pk, name in names.items() if name in self.plays}

    def unfit(self, tournament, entry_ids):
        names = dict(Entry.objects.filter(pk__in=entry_ids).values_list("pk", "player__external_id"))
        return {pk: self.reasons[name] for pk, name in names.items() if name in self.reasons}


def test_cash_per_rank_is_added_by_the_operator_and_unclaimed_fees_go_back():
    operator = OperatorFactory()
    tournament = world.played(operator=operator, rail=Rail.WALLET, prizes=table((1, 1, [cash(12)]), (2, 3, [cash(5)])))
    dry = planning.preview_settlement(tournament.pk)
    running.complete(tournament.pk, actor=world.STAFF, at=world.START)
    assert (
        [(line.purpose, line.position, line.units) for line in dry.lines]
        == [row[:3] for row in payouts(tournament)]
        == [("PRIZE", 1, 1200), ("PRIZE", 2, 500), ("PRIZE", 3, 500), ("RETURN", None, 800)]
    )
    while world.pay(tournament):
        pass
    assert (world.state(tournament), world.escrow(tournament)) == ("CLOSED", 0)
    assert sorted(units for name, units in world.money(operator).items() if name.startswith("player")) == [
        500,
        500,
        1200,
    ]


def test_prizes_beyond_what_was_collected_are_topped_up():
    operator = OperatorFactory()
    tournament = world.played(
        operator=operator, entry_fee=Decimal(0), rail=Rail.WALLET, prizes=table((1, 2, [cash(7)]))
    )
    dry = planning.preview_settlement(tournament.pk)
    assert (dry.top_up, dry.total_units, dry.worth) == (1400, 1400, 1400)
    running.complete(tournament.pk, actor=world.STAFF, at=world.START)
    assert world.escrow(tournament) == 1400
    while world.pay(tournament):
        pass
    assert (world.state(tournament), world.escrow(tournament)) == ("CLOSED", 0)


def test_a_share_is_of_the_fixed_part_and_the_fees_and_nothing_is_shared_anew():
    tournament = world.played(
        guarantee=Decimal(100), rake_percent=Decimal(10), prizes=table((1, 1, [share(50)]), (2, 9, [share(5)]))
    )
    running.complete(tournament.pk, actor=world.STAFF, at=world.START)
    # 30.00 collected, 3.00 rake; the pool is 127.00, and of eight places with 5 percent two are taken.
    assert payouts(tournament) == [
        ("FEE", None, 300, "CLEARING", "PROCESSING"),
        ("PRIZE", 1, 6350, "CLEARING", "PROCESSING"),
        ("PRIZE", 2, 635, "CLEARING", "PROCESSING"),
        ("PRIZE", 3, 635, "CLEARING", "PROCESSING"),
    ]
    while world.pay(tournament):
        pass
    assert (world.state(tournament), world.escrow(tournament)) == ("CLOSED", 0)


def test_percentages_that_were_asked_for_beside_a_table_are_shares_of_it():
    tournament = world.make(percentages=(Decimal(60), Decimal(40)), prizes=table((1, 1, [cash(5)])))
    assert [row["prizes"][0]["type"] for row in tournament.prize_table] == ["CASH", "POOL_SHARE", "POOL_SHARE"]
    with pytest.raises(Invalid):
        world.make(percentages=(Decimal(60), Decimal(40)), prizes=table((1, 1, [share(5)])))


def test_two_prizes_of_one_player_are_two_payouts_with_ids_of_their_own():
    operator = OperatorFactory()
    with_spins(operator)
    with Receiver() as receiver:
        wishes = paid_by_api(receiver.url, prizes=table((1, 1, [cash(20), spins()]), (2, 2, [spins(10)])))
        tournament = world.played(operator=operator, entry_fee=Decimal(0), **wishes)
        running.complete(tournament.pk, actor=world.STAFF, at=world.START)
        assert world.pay(tournament) == 0
        assert remit(operator) == 3
        told = [got.json for got in receiver.got]
    assert sorted((one["type"], one["playerId"], one.get("numberOfRounds"), one["amount"]) for one in told) == [
        ("CASH", "ann", None, 20),
        ("FREEROUND", "ann", 40, Decimal("0.25")),
        ("FREEROUND", "bob", 10, Decimal("0.25")),
    ]
    assert len({one["payoutId"] for one in told}) == len({one["payoutRef"] for one in told}) == 3
    assert {one["promoRef"] for one in told} == {str(ordering.promo_ref(tournament))}
    assert [row[2] for row in payouts(tournament)] == [2000, 1000, 250]
    world.pay(tournament)
    assert (world.state(tournament), world.escrow(tournament)) == ("CLOSED", 0)
    facts = [fact.data for fact in Fact.objects.filter(type="prize.distributed").order_by("pk")]
    assert sorted((one["userId"], one["prizeAmount"], "freeRounds" in one) for one in facts) == [
        ("ann", 0, True), ("ann", 20, False), ("bob", 0, True),
    ]  # fmt: skip
    outcome = results.outcome(Tournament.objects.get(pk=tournament.pk))
    assert [(one["playerId"], one["prizeAmount"], len(one["freeRounds"])) for one in outcome["winners"]] == [
        (str(Entry.objects.get(player__external_id=name, tournament=tournament).player_id), amount, 1)
        for name, amount in (("ann", 20), ("bob", 0))
    ]


def test_prizes_are_converted_at_the_rate_of_the_finish_and_frozen(monkeypatch):
    operator = OperatorFactory()
    put_rate(operator, SEK="11.4837291")
    plays = {"ann": LastPlay("SEK", "FOX"), "bob": LastPlay("XAU", "FOX")}
    monkeypatch.setitem(engines._engines, "REPORTED", Played(plays))
    with Receiver(lambda *_: Reply(503)) as receiver:
        tournament = world.played(operator=operator, **paid_by_api(receiver.url, prizes=table((1, 3, [cash(100)]))))
        running.complete(tournament.pk, actor=world.STAFF, at=world.START)
        remit(operator)
        put_rate(operator, SEK="99")
        remit(operator, at=world.START + timedelta(minutes=5))
        first, again = receiver.got[:3], receiver.got[3:]
    assert sorted(got.body for got in first) == sorted(got.body for got in again)
    told = {got.json["playerId"]: (got.json["amount"], got.json["currency"]) for got in first}
    assert told == {"ann": (Decimal("1148.37291"), "SEK"), "bob": (100, "USD"), "cid": (100, "USD")}
    assert first[0].json["metadata"]["lastGameId"] in ("FOX", tournament.game.slug)


def test_who_is_not_eligible_is_told_why_and_the_prize_goes_back(monkeypatch):
    monkeypatch.setitem(engines._engines, "REPORTED", Played(unfit={"bob": "Fewer than 5 rounds counted."}))
    operator = OperatorFactory()
    with Receiver() as receiver:
        tournament = world.played(operator=operator, **paid_by_api(receiver.url))
        dry = planning.preview_settlement(tournament.pk)
        running.complete(tournament.pk, actor=world.STAFF, at=world.START)
        assert remit(operator) == 2
    world.pay(tournament)
    assert [(line.name, line.refused) for line in dry.lines] == [
        ("Ann", ""), ("Bob", "Fewer than 5 rounds counted."), ("Cid", ""),
    ]  # fmt: skip
    refused = Payout.objects.get(position=2)
    assert (refused.status, refused.error) == ("NOT_ELIGIBLE", "Fewer than 5 rounds counted.")
    assert Remittance.objects.count() == 2
    assert (world.state(tournament), world.escrow(tournament)) == ("CLOSED", 0)


def test_free_rounds_beside_wallets_go_by_the_payout_api_where_there_is_one():
    operator = OperatorFactory()
    with_spins(operator)
    prizes = table((1, 1, [cash(5), spins()]))
    by_api = world.played(operator=operator, rail=Rail.WALLET, payout_url="http://127.0.0.1:9/", prizes=prizes)
    by_fact = world.played(operator=operator, rail=Rail.WALLET, prizes=prizes)
    for tournament, rail in ((by_api, "OPERATOR"), (by_fact, "CLEARING")):
        running.complete(tournament.pk, actor=world.STAFF, at=world.START)
        assert [row[3] for row in payouts(tournament)[:2]] == ["WALLET", rail]


@pytest.mark.parametrize("change", [{"is_freeround_supported": False}, {"enabled": False}])
def test_free_rounds_that_can_not_be_given_are_flagged_before_publishing(change):
    operator = OperatorFactory()
    with_spins(operator)
    draft = world.make(operator=operator, prizes=table((1, 1, [spins()])), draft=True)
    put_game(operator.pk, "ACME_LUCKY_FOX", GameChanges(**change), actor=world.STAFF, at=world.AT)
    with pytest.raises(Invalid) as refused:
        creation.publish(draft.pk, actor=world.STAFF, at=world.AT)
    assert "ACME_LUCKY_FOX" in refused.value.details["fields"]["scoring.prizes"][0]
    assert world.state(draft) == "DRAFT"


def test_free_rounds_need_the_game_on_every_brand_whose_players_may_win():
    operator = OperatorFactory()
    with_spins(operator)
    put_brand(operator.pk, external_id="solplay", name="SolPlay", actor=world.STAFF, at=world.AT)
    game = operator.games.get(slug="ACME_LUCKY_FOX")
    game.enabled_brands = [operator.slug]
    game.save()
    with pytest.raises(Invalid, match="can't be given"):
        world.make(operator=operator, prizes=table((1, 1, [spins()])))


def test_the_operators_rail_needs_an_address():
    with pytest.raises(Invalid) as refused:
        world.make(rail=Rail.OPERATOR)
    assert "scoring.payoutUrl" in refused.value.details["fields"]
    assert Tournament.objects.count() == 0


def test_a_payout_that_needs_a_person_keeps_the_tournament_open_until_it_is_seen_to():
    operator = OperatorFactory()
    answers = {1: Reply(400, body=b"unknown player")}
    with Receiver(lambda _, n: answers.get(n, Reply())) as receiver:
        tournament = world.played(operator=operator, **paid_by_api(receiver.url, prizes=table((1, 1, [cash(30)]))))
        running.complete(tournament.pk, actor=world.STAFF, at=world.START)
        remit(operator)
        world.pay(tournament)
        assert (world.state(tournament), world.escrow(tournament)) == ("FAILED", 3000)
        settlement.resume(tournament.pk, actor=world.STAFF, at=world.START)
        assert remit(operator) == 1
        assert tournament.pk in settlement.paying()
        world.pay(tournament)
        assert receiver.got[0].body == receiver.got[1].body
    assert (world.state(tournament), world.escrow(tournament)) == ("CLOSED", 0)


def test_the_beat_is_not_rung_for_what_only_the_operator_can_pay():
    tournament = world.played(**paid_by_api("http://127.0.0.1:9/"))
    running.complete(tournament.pk, actor=world.STAFF, at=world.START)
    assert settlement.paying() == []


def test_retrying_all_at_once_while_the_others_go_on():
    operator = OperatorFactory()
    with Receiver(lambda _, n: Reply(503 if n <= 3 else 200)) as receiver:
        tournament = world.played(operator=operator, **paid_by_api(receiver.url))
        running.complete(tournament.pk, actor=world.STAFF, at=world.START)
        remit(operator)
        assert {row[4] for row in payouts(tournament)} == {"ERROR_RETRY"}
        assert settlement.retry_payouts(tournament.pk, actor=world.STAFF, at=world.START) == 3
        assert remit(operator) == 3
    world.pay(tournament)
    assert world.state(tournament) == "CLOSED"


def test_clients_see_the_table_and_what_each_place_would_get():
    tournament = world.make(guarantee=Decimal(100), prizes=table((1, 1, [share(50)]), (2, 3, [cash("7.5"), share(5)])))
    told = results.prize_pool(tournament, 10_000)
    assert told["distribution"] == {"1": 50, "2": 5, "3": 5}
    assert told["prizes"][1] == {
        "rankFrom": 2,
        "rankTo": 3,
        "prizes": [{"type": "CASH", "amount": Decimal("7.5")}, {"type": "POOL_SHARE", "percent": 5}],
    }
    assert pools.prizes_by_place(tournament, 10_000, 9) == [5000, 1250, 1250]
    changes = creation.TournamentChanges(percentages=(Decimal(100),))
    with pytest.raises(Invalid, match="go by rank"):
        creation.update_tournament(tournament.pk, changes, actor=world.STAFF, at=world.AT)
