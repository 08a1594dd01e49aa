"""The operator's payout and debit API as its server sees them, set up by the casino dialect (podium.md 3)."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from apps.core import clock
from apps.ledger.models import OutboundKey, Payout, Rail
from apps.tournaments.models import BuyIn, EntryMode, Tournament
from apps.tournaments.services import running
from tests.factories import GAME, OperatorFactory, api
from tests.receivers import Receiver, Reply
from tests.tournaments import world
from tests.tournaments.operator_rail import remit, with_spins

pytestmark = pytest.mark.django_db
# Nothing is sent while a transaction is open, the test's own included.
sends = pytest.mark.django_db(transaction=True)

TAKEN = Reply(200, body=b'{"transactionId": "d-1"}')


@pytest.fixture
def operator():
    return OperatorFactory(currency="EUR")


def body(**scoring):
    now = datetime.now(UTC)
    return {
        "name": "March Sprint",
        "game": GAME,
        "scheduled_start": (now + timedelta(hours=1)).isoformat(),
        "endTime": (now + timedelta(days=1)).isoformat(),
        "entry_fee": 5 if scoring.get("optIn") == "BUY_IN" else 0,
        "currency": "EUR",
        "scoring": {"source": "rounds", "method": "WAGERED_AMOUNT", "games": [GAME]} | scoring,
    }


def create(operator, *, more=None, **scoring):
    answer = api(operator).post("/api/tournaments", body(**scoring) | (more or {}))
    assert answer.status_code == 201, answer.json()
    return Tournament.objects.get()


def join(operator, tournament, name="p-77", **more):
    given = {"user_id": name, "display_name": name} | more.pop("body", {})
    return api(operator).post(f"/api/tournaments/{tournament.pk}/players", given, **more)


def test_the_policy_is_kept_as_it_was_asked_for(operator):
    with_spins(operator)
    prizes = [
        {"rankFrom": 1, "rankTo": 1, "prizes": [{"type": "CASH", "amount": 100.5}]},
        {"rankFrom": 2, "rankTo": 5, "prizes": [
            {"type": "FREEROUND", "count": 40, "gameId": "ACME_LUCKY_FOX", "value": 0.25, "validHours": 48}]},
    ]  # fmt: skip
    url = "https://payouts.example/x"
    made = create(operator, rail="operator", payoutUrl=url, autoPayout=False, prizes=prizes)
    assert (made.rail, made.payout_url, made.needs_approval) == (Rail.OPERATOR, url, True)
    assert made.prize_table[0]["prizes"] == [{"type": "CASH", "amount": "100.5"}]
    assert made.prize_table[1]["prizes"][0]["value"] == "0.25"


def test_a_table_may_stand_in_the_prize_pool(operator):
    table = [{"rankFrom": 1, "prizes": [{"type": "POOL_SHARE", "percent": 70}]}]
    made = create(operator, more={"prize_pool": {"total": 1000, "prizes": table}})
    assert made.prize_table == [{"rankFrom": 1, "rankTo": 1, "prizes": [{"type": "POOL_SHARE", "percent": "70"}]}]
    assert made.guarantee_units == 100_000


@pytest.mark.parametrize(
    "scoring, field",
    [
        ({"rail": "operator"}, "scoring.payoutUrl"),
        ({"prizes": [{"rankFrom": 0, "prizes": [{"amount": 5}]}]}, "scoring.prizes.0.rankFrom"),
        ({"prizes": [{"rankFrom": 1, "rankTo": 5, "prizes": [{"percent": 21}]}]}, "scoring.prizes"),
        ({"prizes": [{"rankFrom": 1, "prizes": [
            {"type": "FREEROUND", "count": 1, "gameId": "NOPE", "value": 1, "validHours": 1}]}]}, "scoring.prizes"),
    ],
)  # fmt: skip
def test_what_can_not_be_is_refused_with_its_field(operator, scoring, field):
    answer = api(operator).post("/api/tournaments", body(**scoring))
    assert answer.status_code == 400
    assert field in answer.json()["error"]["details"]["fields"]
    assert Tournament.objects.count() == 0


def test_the_server_sees_one_call_per_prize_and_the_money_follows_its_word(operator):
    with Receiver(lambda *_: Reply(200, body=b'{"id": 5}')) as receiver:
        key = api(operator).put("/api/callback-keys", {"kind": "payout"}).json()["key"]
        tournament = create(
            operator,
            optIn="MANUAL",
            rail="operator",
            payoutUrl=receiver.url,
            prizes=[{"rankFrom": 1, "rankTo": 2, "prizes": [{"type": "CASH", "amount": 10}]}],
        )
        Tournament.objects.update(scoring_source="REPORTED")
        assert join(operator, tournament).status_code == 201
        running.start(tournament.pk, actor=world.STAFF, at=clock.now())
        running.complete(tournament.pk, actor=world.STAFF, at=clock.now())
        assert remit(operator, at=clock.now()) == 1
        (got,) = receiver.got
    payout = Payout.objects.get()
    assert (got.headers["x-api-key"], got.headers["content-type"]) == (key, "application/json")
    assert list(got.json) == [
        "payoutId", "payoutRef", "brandId", "playerId", "amount", "currency", "type", "promoName", "promoRef",
        "metadata",
    ]  # fmt: skip
    assert (got.json["payoutId"], got.json["promoName"]) == (str(payout.pk), "March Sprint")
    assert (payout.status, payout.remittance.transaction_id) == ("PAID", "5")
    running.tick(at=clock.now())
    world.pay(tournament)
    assert (world.state(tournament), world.escrow(tournament)) == ("CLOSED", 0)


@sends
def test_a_buy_in_is_asked_for_while_the_player_waits(operator):
    with Receiver(lambda *_: TAKEN) as receiver:
        tournament = create(operator, optIn="BUY_IN", debitUrl=receiver.url)
        answer = join(operator, tournament)
        (got,) = receiver.got
    assert tournament.entry_mode == EntryMode.BUY_IN
    assert answer.status_code == 201
    assert answer.json()["status"] == "registered"
    assert answer.json()["jwt"]
    assert (got.json["amount"], got.json["currency"], got.json["type"]) == (5, "EUR", "BUYIN")
    assert OutboundKey.objects.get().kind == "DEBIT"
    assert join(operator, tournament).json()["error"]["code"] == "DUPLICATE_REGISTRATION"
    assert len(receiver.got) == 1
    assert world.escrow(tournament) == 500


@sends
def test_a_refused_buy_in_is_an_error_that_says_why(operator):
    with Receiver(lambda *_: Reply(402, body=b"insufficient funds")) as receiver:
        tournament = create(operator, optIn="BUY_IN", debitUrl=receiver.url)
        answer = join(operator, tournament)
        standing = api(operator).get(f"/api/tournaments/{tournament.pk}/players/p-77")
    assert answer.status_code == standing.status_code == 409
    assert answer.json()["error"]["code"] == "BUY_IN_REFUSED"
    assert "insufficient funds" in answer.json()["message"]
    assert answer.json()["error"]["details"]["debit_ref"] == str(BuyIn.objects.get().ref)


@sends
def test_while_nobody_knows_the_player_is_told_to_wait(operator):
    with Receiver(lambda *_: Reply(503)) as receiver:
        tournament = create(operator, optIn="BUY_IN", debitUrl=receiver.url)
        answer = join(operator, tournament, body={"currency": "EUR"})
        again = join(operator, tournament)
        standing = api(operator).get(f"/api/tournaments/{tournament.pk}/players/p-77")
    assert [one.status_code for one in (answer, again, standing)] == [202, 202, 202]
    assert {one.json()["status"] for one in (answer, again, standing)} == {"pending"}
    assert len({one.json()["debitRef"] for one in (answer, again, standing)}) == 1
    assert Decimal(str(answer.json()["amount"])) == 5
    assert tournament.entries.count() == 0


def test_with_an_idempotency_key_the_answer_comes_before_the_call_and_nothing_is_sent_inside(operator):
    with Receiver(lambda *_: TAKEN) as receiver:
        tournament = create(operator, optIn="BUY_IN", debitUrl=receiver.url)
        answer = join(operator, tournament, headers={"Idempotency-Key": "k-1"})
        assert (answer.status_code, receiver.got) == (202, [])
    assert BuyIn.objects.get().status == "PENDING"


def test_only_invited_players_enter(operator):
    tournament = create(operator, optIn="INVITED", invited=[{"brandId": operator.slug, "playerId": "vip"}])
    assert join(operator, tournament, "vip").status_code == 201
    refused = join(operator, tournament, "bob")
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "NOT_INVITED")
    assert tournament.entries.count() == 1


def test_a_key_is_shown_once_and_may_be_given(operator):
    own = api(operator).put("/api/callback-keys", {"kind": "debit", "key": "agreed-secret"})
    assert own.json() == {"kind": "debit", "key": "agreed-secret"}
    assert api(operator).put("/api/callback-keys", {"kind": "debit", "key": "sch\u00f6n"}).status_code == 400
    assert api(operator, ["settings.read"]).put("/api/callback-keys", {"kind": "debit"}).status_code == 403
    assert "agreed-secret" not in OutboundKey.objects.get().sealed_key
