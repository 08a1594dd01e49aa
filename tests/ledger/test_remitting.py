"""The operator's rail: what is sent, when again, and what the books say (rounds.md 3.5)."""

import json
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from django.db import DatabaseError, connection, transaction

from apps.core.errors import Invalid
from apps.events.models import Fact
from apps.ledger.models import CallbackAttempt, CallbackKind, Journal, Payout, PlanKind, Purpose, Rail, Remittance
from apps.ledger.services import accounts, calling, owners, plans, remitting
from apps.ledger.services.orders import Order, plain
from apps.operators.services.tenants import change_preferences
from tests.ledger.factories import AT, TESTER, a_player, an_asset, an_operator, fund
from tests.receivers import Receiver, Reply

pytestmark = pytest.mark.django_db

PROMO = UUID("0d7b2f6a-8c1e-4b6e-8a90-54a1c6f0e321")
FIVE = timedelta(minutes=5)
ANSWERED = Reply(200, body=b'{"transactionId": "tx-1"}')


class World:
    """An operator with an escrow, and a receiver for its payouts."""

    def __init__(self, url: str = "", *, needs_approval: bool = False, amounts=(5000,)):
        self.operator = an_operator()
        self.usd = an_asset(self.operator)
        self.escrow = accounts.open_escrow("contest:1", self.usd, hot=False)
        fund(self.escrow, sum(amounts))
        self.plan = plans.freeze(
            [self.line(f"p:{place}", units, url, place) for place, units in enumerate(amounts, start=1)],
            operator_id=self.operator.pk,
            subject="contest:1",
            kind=PlanKind.SETTLEMENT,
            asset=self.usd,
            source_id=self.escrow.pk,
            needs_approval=needs_approval,
            actor=TESTER,
            at=AT,
        )

    def line(self, key, units, url, place):
        player = a_player(self.operator)
        order = Order("nordspin", player.external_id, Decimal(units) / 100, "USD", "March Sprint", PROMO, "FOX", url)
        clearing = accounts.clearing(self.usd).pk
        return plans.Line(key, Purpose.PRIZE, Rail.OPERATOR, clearing, units, player.pk, place, place, order=order)

    @property
    def payout(self) -> Payout:
        return Payout.objects.get(plan=self.plan, key="p:1")

    def send(self, at=AT):
        return remitting.remit(self.operator.pk, at=at)[0]

    def money(self):
        return accounts.balance(self.escrow.pk), accounts.balance(accounts.clearing(self.usd).pk)


def attempts():
    return list(CallbackAttempt.objects.order_by("pk").values_list("number", "status", "error"))


def test_the_documented_bodies_byte_for_byte():
    cash = Order("nordspin", "p-77", Decimal("1148.3729156"), "SEK", "March Sprint", PROMO, "ACME_LUCKY_FOX")
    assert cash.body(payout_id=51234, ref=UUID("6a4f0c1e-2f60-4c3b-9d0e-2a7f5a3d8f11")) == (
        '{"payoutId":"51234","payoutRef":"6a4f0c1e-2f60-4c3b-9d0e-2a7f5a3d8f11","brandId":"nordspin","playerId":"p-77",'
        '"amount":1148.3729156,"currency":"SEK","type":"CASH","promoName":"March Sprint",'
        '"promoRef":"0d7b2f6a-8c1e-4b6e-8a90-54a1c6f0e321","metadata":{"lastGameId":"ACME_LUCKY_FOX"}}'
    )
    spins = Order(
        "solplay", "p-12", Decimal("0.25"), "EUR", "March Sprint", PROMO, "ACME_LUCKY_FOX",
        type="FREEROUND", rounds=40, game="ACME_LUCKY_FOX", valid_hours=48,
    )  # fmt: skip
    assert spins.body(payout_id=51235, ref=UUID("c2b9d5d4-77a3-4d52-a1c4-0d9b6f0f4e77")) == (
        '{"payoutId":"51235","payoutRef":"c2b9d5d4-77a3-4d52-a1c4-0d9b6f0f4e77","brandId":"solplay","playerId":"p-12",'
        '"amount":0.25,"currency":"EUR","type":"FREEROUND","numberOfRounds":40,"freeroundGameId":"ACME_LUCKY_FOX",'
        '"validHours":48,"promoName":"March Sprint","promoRef":"0d7b2f6a-8c1e-4b6e-8a90-54a1c6f0e321",'
        '"metadata":{"lastGameId":"ACME_LUCKY_FOX"}}'
    )


@pytest.mark.parametrize(
    "amount, written",
    [("500.00", "500"), ("1E+3", "1000"), ("0.00000000001", "0.00000000001"), ("0", "0"),
     ("12345678901234567890123456789012345678.123456789", "12345678901234567890123456789012345678.123456789")],
)  # fmt: skip
def test_an_amount_has_every_digit_and_no_exponent(amount, written):
    assert plain(Decimal(amount)) == written


def test_a_confirmed_payout_is_paid_with_its_key_and_the_operators_own_id():
    with Receiver(lambda *_: ANSWERED) as receiver:
        world = World(receiver.url)
        key = calling.put_key(world.operator.pk, kind=CallbackKind.PAYOUT, actor=TESTER, at=AT)
        assert world.send() == 1
        (got,) = receiver.got
    payout = world.payout
    assert (payout.status, payout.attempts, payout.next_attempt_at, payout.error) == ("PAID", 1, None, "")
    assert payout.paid_at is not None
    assert world.money() == (0, 0)  # what the test had put into escrow came from clearing
    assert (got.method, got.headers["x-api-key"], got.headers["content-type"]) == ("POST", key, "application/json")
    remittance = payout.remittance
    assert got.body.decode() == remittance.body
    assert got.json["payoutId"] == str(payout.pk)
    assert got.json["payoutRef"] == str(remittance.ref)
    assert (remittance.transaction_id, attempts()) == ("tx-1", [(1, 200, "")])
    assert CallbackAttempt.objects.get().answer == '{"transactionId": "tx-1"}'
    assert key not in str(Fact.objects.values_list("data", flat=True))
    assert world.send(AT + FIVE) == 0


def test_the_key_is_made_when_it_is_first_needed_and_is_stored_sealed(operator):
    key = calling.key_of(operator.pk, "PAYOUT", at=AT)
    assert key == calling.key_of(operator.pk, "PAYOUT", at=AT) != calling.key_of(operator.pk, "DEBIT", at=AT)
    assert key not in operator.outbound_keys.get(kind="PAYOUT").sealed_key


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_what_fails_for_now_is_sent_again_five_times_five_minutes_apart_and_then_left_to_a_person(status):
    with Receiver(lambda *_: Reply(status, body=b"later")) as receiver:
        world = World(receiver.url)
        for number in range(1, 6):
            moment = AT + (number - 1) * FIVE
            assert world.send(moment) == 1
            payout = world.payout
            assert (payout.status, payout.attempts) == ("ERROR_RETRY", number)
            assert payout.next_attempt_at == moment + FIVE
            assert payout.error == f"Answered {status}: later"
            assert world.send(moment + FIVE - timedelta(seconds=1)) == 0
        assert world.send(AT + 5 * FIVE) == 1
        assert world.send(AT + 50 * FIVE) == 0
        bodies = {got.body for got in receiver.got}
        assert len(receiver.got) == 6
    assert len(bodies) == 1, "every retry says the same, byte for byte"
    assert (world.payout.status, world.payout.next_attempt_at) == ("ERROR_MANUAL", None)
    assert world.money() == (5000, -5000)
    assert Fact.objects.filter(type="payout.failed").count() == 6


@pytest.mark.parametrize("status", [301, 307, 400, 404, 422])
def test_what_is_refused_for_good_is_left_to_a_person_at_once(status):
    with Receiver(lambda *_: Reply(status, {"Location": "http://127.0.0.1:1/"})) as receiver:
        world = World(receiver.url)
        world.send()
        assert world.send(AT + 10 * FIVE) == 0
        assert len(receiver.got) == 1
    assert (world.payout.status, world.payout.error) == ("ERROR_MANUAL", f"Answered {status}.")
    assert world.money() == (5000, -5000)


def test_where_staff_approve_nothing_is_sent_before_and_nothing_is_repeated_by_itself():
    with Receiver(lambda *_: Reply(503)) as receiver:
        world = World(receiver.url, needs_approval=True)
        assert world.payout.status == "WAITING_APPROVAL"
        assert world.send() == 0
        plans.approve(world.plan.pk, actor=TESTER, at=AT)
        assert world.send() == 1
        assert (world.payout.status, world.send(AT + 10 * FIVE)) == ("ERROR_MANUAL", 0)
        assert len(receiver.got) == 1


def test_a_retry_by_hand_sends_the_same_ids_and_amount():
    answers = {1: Reply(400), 2: ANSWERED}
    with Receiver(lambda _, n: answers[n]) as receiver:
        world = World(receiver.url)
        world.send()
        plans.retry(world.payout.pk, actor=TESTER, at=AT)
        assert world.send() == 1
        assert receiver.got[0].body == receiver.got[1].body
    assert (world.payout.status, world.payout.attempts) == ("PAID", 2)
    assert [row[:2] for row in attempts()] == [(1, 400), (2, 200)]


def test_after_a_retry_by_hand_the_automatic_ones_begin_anew():
    with Receiver(lambda *_: Reply(503)) as receiver:
        world = World(receiver.url)
        for number in range(6):
            world.send(AT + number * FIVE)
        assert plans.retry_all(world.plan.pk, actor=TESTER, at=AT + 9 * FIVE) == 1
        world.send(AT + 9 * FIVE)
        assert (world.payout.status, len(receiver.got)) == ("ERROR_RETRY", 7)


def test_a_connection_that_fails_is_temporary_and_a_forbidden_address_is_not(settings):
    with Receiver() as receiver:
        gone = receiver.url
    world = World(gone)
    world.send()
    assert world.payout.status == "ERROR_RETRY"
    settings.EGRESS_ALLOW_LOOPBACK = False
    world.send(AT + FIVE)
    assert world.payout.status == "ERROR_MANUAL"


def test_an_answer_that_takes_too_long_is_temporary(settings):
    settings.CALLBACK_SECONDS = 0.2
    with Receiver() as receiver:
        receiver.gate.clear()
        world = World(receiver.url)
        world.send()
    assert world.payout.status == "ERROR_RETRY"
    assert "within 0.2 seconds" in world.payout.error


def test_without_an_address_a_person_is_asked_and_the_operators_own_one_is_used_from_then_on():
    world = World("")
    assert world.send() == 0
    assert (world.payout.status, world.payout.attempts) == ("ERROR_MANUAL", 0)
    assert "payoutUrl" in world.payout.error
    with Receiver() as receiver:
        change_preferences(world.operator.pk, {"payoutUrl": receiver.url}, actor=TESTER, at=AT)
        plans.retry(world.payout.pk, actor=TESTER, at=AT)
        assert world.send() == 1
    assert world.payout.status == "PAID"


def test_a_sender_that_vanished_leaves_the_payout_to_be_sent_again_under_the_same_ids():
    with Receiver() as receiver:
        world = World(receiver.url)
        (cut_off,) = remitting.lease(world.operator.pk, limit=9, at=AT)
        calling.send(cut_off.call)  # it arrived, and then the sender was killed
        assert (world.payout.status, world.send(AT + timedelta(seconds=29))) == ("PROCESSING", 0)
        assert world.send(AT + timedelta(seconds=31)) == 1
        assert receiver.got[0].body == receiver.got[1].body
    assert (world.payout.status, attempts()) == ("PAID", [(1, None, ""), (2, 204, "")])
    assert Journal.objects.filter(key="p:1").count() == 1


def test_where_staff_approve_a_cut_off_try_asks_for_a_person():
    with Receiver() as receiver:
        world = World(receiver.url, needs_approval=True)
        plans.approve(world.plan.pk, actor=TESTER, at=AT)
        remitting.lease(world.operator.pk, limit=9, at=AT)
        assert world.send(AT + FIVE) == 0
        assert receiver.got == []
    assert (world.payout.status, world.payout.error) == ("ERROR_MANUAL", remitting.CUT_OFF)


def test_an_answer_that_comes_after_another_try_changes_nothing_unless_it_confirms():
    with Receiver(lambda *_: Reply(503)) as receiver:
        world = World(receiver.url)
        (first,) = remitting.lease(world.operator.pk, limit=9, at=AT)
        later = AT + timedelta(minutes=1)
        (second,) = remitting.lease(world.operator.pk, limit=9, at=later)
        remitting.note(first, calling.Heard(400), at=later)
        assert world.payout.status == "PROCESSING"
        remitting.note(second, calling.Heard(503), at=later)
        assert world.payout.status == "ERROR_RETRY"
        remitting.note(first, calling.Heard(200), at=later)
        assert receiver.got == []
    assert (world.payout.status, world.money()) == ("PAID", (0, 0))


def test_what_was_settled_outside_is_not_paid_again_by_a_late_answer():
    with Receiver(lambda *_: Reply(400)) as receiver:
        world = World(receiver.url)
        world.send()
    plans.settle_outside(world.payout.pk, note="by bank", actor=TESTER, at=AT)
    sending = remitting.Sending(world.payout.pk, calling.Call(
        world.operator.pk, "PAYOUT", world.payout.remittance.ref, 1, "", "", "", AT))  # fmt: skip
    remitting.note(sending, calling.Heard(200), at=AT)
    assert (world.payout.status, world.payout.error, world.money()) == ("PAID", "by bank", (0, 0))
    assert Journal.objects.filter(key="p:1").count() == 1


def test_the_payer_of_the_books_leaves_the_operators_rail_alone():
    world = World("http://127.0.0.1:1/")
    assert plans.pay_some(world.plan, limit=10, actor=TESTER, at=AT) == []
    assert world.payout.status == "PROCESSING"


def test_nothing_is_sent_of_a_plan_that_is_not_as_it_was_frozen():
    with Receiver() as receiver:
        world = World(receiver.url)
        with connection.cursor() as cursor, transaction.atomic():
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute("UPDATE ledger_payout SET units = 9000 WHERE id = %s", [world.payout.pk])
        assert world.send() == 0
        assert receiver.got == []
    assert world.payout.status == "ERROR_MANUAL"


@pytest.mark.parametrize("change", [{"body": "{}"}, {"automatic": False}, {"ref": PROMO}])
def test_what_is_told_never_changes(change):
    world = World("http://127.0.0.1:1/")
    with pytest.raises(DatabaseError, match="Cannot update"), transaction.atomic():
        Remittance.objects.filter(payout=world.payout).update(**change)
    with pytest.raises(DatabaseError, match="Cannot delete"), transaction.atomic():
        world.payout.remittance.delete()


def test_who_asked_for_the_plan_is_told_in_the_same_transaction(monkeypatch):
    heard = []

    class Contest:
        def paid(self, subject, rows, *, actor, at):
            assert connection.in_atomic_block
            heard.extend((subject, row.key, row.units) for row in rows)

    monkeypatch.setitem(owners._owners, "contest", Contest())
    with Receiver() as receiver:
        world = World(receiver.url, amounts=(300, 200))
        assert world.send() == 2
    assert sorted(heard) == [("contest:1", "p:1", 300), ("contest:1", "p:2", 200)]


@pytest.mark.parametrize(
    "answer, found",
    [({"transactionId": "a"}, "a"), ({"transaction_id": 7}, "7"), ({"id": "x", "transactionRef": "y"}, "y"),
     ({"walletTxId": "w"}, "w"), ({"status": "ok"}, ""), (["a"], ""), ({"id": None}, "")],
)  # fmt: skip
def test_the_operators_own_id_is_found_where_clients_put_it(answer, found):
    assert calling.Heard(200, json.dumps(answer)).transaction_id == found
    assert calling.Heard(200, "no json").transaction_id == ""


def test_a_refused_line_is_frozen_as_not_eligible_and_nothing_is_sent():
    operator = an_operator()
    usd = an_asset(operator)
    escrow = accounts.open_escrow("contest:2", usd, hot=False)
    fund(escrow, 100)
    order = Order("b", "p", Decimal(1), "USD", "n", PROMO, "g")
    line = plans.Line(
        "p:1", Purpose.PRIZE, Rail.OPERATOR, accounts.clearing(usd).pk, 100, refused="Too few rounds.", order=order
    )
    plan = plans.freeze(
        [line], operator_id=operator.pk, subject="contest:2", kind=PlanKind.SETTLEMENT, asset=usd, source_id=escrow.pk,
        needs_approval=False, actor=TESTER, at=AT,
    )  # fmt: skip
    payout = Payout.objects.get(plan=plan)
    assert (payout.status, payout.error) == ("NOT_ELIGIBLE", "Too few rounds.")
    assert (Remittance.objects.count(), remitting.due(AT)) == (0, [])


def test_an_award_is_part_of_what_was_frozen():
    operator = an_operator()
    usd = an_asset(operator)
    escrow = accounts.open_escrow("contest:3", usd, hot=False)
    fund(escrow, 100)
    line = plans.Line("p:1", Purpose.PRIZE, Rail.CLEARING, accounts.clearing(usd).pk, 100, award='{"count":4}')
    plan = plans.freeze(
        [line], operator_id=operator.pk, subject="contest:3", kind=PlanKind.SETTLEMENT, asset=usd, source_id=escrow.pk,
        needs_approval=False, actor=TESTER, at=AT,
    )  # fmt: skip
    plans.verify(plan)
    with connection.cursor() as cursor, transaction.atomic():
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE ledger_payout SET award = '{\"count\":5}'")
    with pytest.raises(plans.PlanChanged):
        plans.verify(plan)


def test_a_wrong_address_is_put_right_and_what_is_told_stays_the_same():
    with Receiver(lambda *_: Reply(404)) as wrong, Receiver() as right:
        world = World(wrong.url, amounts=(300, 200))
        world.send()
        moved = remitting.readdress(world.payout.pk, url=right.url, reason="a typo", actor=TESTER, at=AT)
        plans.retry_all(world.plan.pk, actor=TESTER, at=AT)
        assert (moved, world.send()) == (2, 2)
        assert sorted(got.body for got in wrong.got) == sorted(got.body for got in right.got)
        with pytest.raises(plans.PayoutNotReady):
            remitting.readdress(world.payout.pk, url=right.url, reason="again", actor=TESTER, at=AT)
    other = World("http://127.0.0.1:9/")
    with pytest.raises(Invalid):
        remitting.readdress(other.payout.pk, url="ftp://x", reason="?", actor=TESTER, at=AT)
