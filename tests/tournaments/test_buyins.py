"""Buy-ins that the operator collects by its debit API: who is in, when it is asked again, and what people decide."""

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from django.db import DatabaseError, transaction

from apps.core.errors import Invalid
from apps.events.models import Fact
from apps.ledger.models import CallbackAttempt, CallbackKind, Payout
from apps.ledger.services import calling, rates
from apps.operators.services import players
from apps.tournaments.lifecycle import BUY_IN_EDGES
from apps.tournaments.models import BuyIn, Entry, EntryMode, Tally, Tournament
from apps.tournaments.services import buyins, creation, entries, inviting, running, tally
from tests.factories import OperatorFactory
from tests.receivers import Receiver, Reply
from tests.tournaments import world
from tests.tournaments.operator_rail import put_rate, remit

pytestmark = pytest.mark.django_db

TAKEN = Reply(200, body=b'{"transactionId": "d-1"}')


def make(url, operator=None, **wishes):
    plan = {"entry_mode": EntryMode.BUY_IN, "debit_url": url} | wishes
    return world.make(operator=operator, **plan)


def ask(tournament, name="ann", at=world.AT, **more):
    given = {"buy_in": None, "payment_id": "", "brand_id": None, "currency": None} | more
    return buyins.ask(tournament.pk, user_id=name, display_name=name.title(), actor=world.STAFF, at=at, **given)


def enter(tournament, name="ann", at=world.AT, **more):
    asked = ask(tournament, name, at, **more)
    buyins.attempt(asked.pk, at=at)
    return BuyIn.objects.get(pk=asked.pk)


def seats(tournament):
    rows = Tally.objects.filter(tournament=tournament)
    return sum(row.seats_free for row in rows), tally.totals(tournament.pk).players


def test_python_and_database_draw_the_same_graph():
    field = BuyIn._meta.get_field("status")
    declared = {(str(t.source), str(t.target)) for t in field.get_all_transitions(BuyIn)}
    assert declared == {(str(source), str(target)) for source, target in BUY_IN_EDGES}


def test_a_player_joins_only_when_the_operator_has_taken_the_fee():
    operator = OperatorFactory()
    with Receiver(lambda *_: TAKEN) as receiver:
        tournament = make(receiver.url, operator, max_players=2)
        key = calling.put_key(operator.pk, kind=CallbackKind.DEBIT, actor=world.STAFF, at=world.AT)
        asked = ask(tournament)
        assert (asked.status, Entry.objects.count(), world.money(operator)) == ("PENDING", 0, {})
        assert seats(tournament) == (1, 0)
        buyins.attempt(asked.pk, at=world.AT)
        (got,) = receiver.got
    asked = BuyIn.objects.get(pk=asked.pk)
    assert (asked.status, asked.transaction_id, asked.attempts) == ("JOINED", "d-1", 1)
    assert asked.entry.player.external_id == "ann"
    assert (asked.entry.paid_units, seats(tournament)) == (1000, (1, 1))
    assert world.money(operator) == {"CLEARING": -1000, "ESCROW": 1000}
    assert got.body.decode() == (
        f'{{"debitRef":"{asked.ref}","brandId":"{operator.slug}","playerId":"ann","amount":10,"currency":"USD",'
        '"type":"BUYIN"}'
    )
    assert (got.headers["x-api-key"], got.headers["content-type"]) == (key, "application/json")
    assert list(CallbackAttempt.objects.values_list("kind", "status")) == [("DEBIT", 200)]


def test_the_documented_body_byte_for_byte(monkeypatch):
    operator = OperatorFactory(slug="nordspin")
    put_rate(operator, base="USD", SEK="5")
    monkeypatch.setattr(buyins, "uuid4", lambda: UUID("f1a7c9f0-3f1b-4c55-b4a2-1d0f4a8f9b20"))
    asked = ask(make("http://127.0.0.1:9/", operator), "p-77", currency="SEK")
    assert asked.body == (
        '{"debitRef":"f1a7c9f0-3f1b-4c55-b4a2-1d0f4a8f9b20","brandId":"nordspin","playerId":"p-77",'
        '"amount":50,"currency":"SEK","type":"BUYIN"}'
    )
    assert (asked.amount, asked.currency, asked.rate, asked.units) == ("50", "SEK", "5", 1000)


def test_a_named_currency_needs_a_rate_and_nothing_is_kept_without():
    tournament = make("http://127.0.0.1:9/", max_players=2)
    with pytest.raises(rates.RateUnknown), transaction.atomic():
        ask(tournament, currency="XAU")
    assert (BuyIn.objects.count(), seats(tournament)) == (0, (2, 0))


def test_a_definite_no_frees_the_seat_and_a_new_attempt_has_a_new_reference():
    answers = {1: Reply(402, body=b'{"message": "insufficient funds"}')}
    with Receiver(lambda _, n: answers.get(n, TAKEN)) as receiver:
        tournament = make(receiver.url, max_players=2)
        first = enter(tournament)
        assert (first.status, first.next_try_at) == ("REFUSED", None)
        assert first.error == 'Answered 402: {"message": "insufficient funds"}'
        assert (Entry.objects.count(), seats(tournament), world.escrow(tournament)) == (0, (2, 0), 0)
        with pytest.raises(buyins.BuyInRefused, match="insufficient funds"):
            buyins.raise_if_over(first)
        second = enter(tournament)
    assert second.status == "JOINED"
    assert receiver.got[0].json["debitRef"] != receiver.got[1].json["debitRef"]


@pytest.mark.parametrize("status", [400, 408, 429, 302])
def test_every_4xx_is_a_no_and_so_is_a_redirect(status):
    with Receiver(lambda *_: Reply(status)) as receiver:
        assert enter(make(receiver.url)).status == "REFUSED"
        assert len(receiver.got) == 1


def test_what_nobody_answers_is_asked_again_with_the_same_reference_and_then_left_to_a_person():
    with Receiver(lambda *_: Reply(503)) as receiver:
        tournament = make(receiver.url, max_players=2)
        asked = ask(tournament)
        moment = world.AT
        for pause in (1, 3, 10, 300, 300, 300, 300, 300):
            assert buyins.attempt(asked.pk, at=moment)
            asked = BuyIn.objects.get(pk=asked.pk)
            assert asked.status == "PENDING"
            assert asked.next_try_at == moment + timedelta(seconds=pause)
            assert not buyins.attempt(asked.pk, at=asked.next_try_at - timedelta(milliseconds=1))
            moment = asked.next_try_at
            assert asked.pk in buyins.due(moment)
        assert buyins.attempt(asked.pk, at=moment)
        assert len({got.body for got in receiver.got}) == 1
        assert len(receiver.got) == 9
    asked = BuyIn.objects.get(pk=asked.pk)
    assert (asked.status, asked.next_try_at, asked.error) == ("UNKNOWN", None, "Answered 503.")
    assert (Entry.objects.count(), seats(tournament)) == (0, (1, 0))
    assert Fact.objects.filter(type="system.alert").count() == 1
    assert buyins.due(moment + timedelta(days=1)) == []


def unknown(tournament, name="ann"):
    asked = ask(tournament, name)
    asked.give_up(error="?")
    asked.save()
    return asked


def test_a_person_decides_what_nobody_knows():
    tournament = make("http://127.0.0.1:9/", max_players=3)
    paid, unpaid = unknown(tournament, "ann"), unknown(tournament, "bob")
    buyins.decide_joined(paid.pk, reason="seen in their log", actor=world.STAFF, at=world.AT)
    buyins.decide_not_joined(unpaid.pk, reason="not in their log", actor=world.STAFF, at=world.AT)
    assert [row[:2] for row in BuyIn.objects.order_by("pk").values_list("status", "note")] == [
        ("JOINED", "seen in their log"), ("REFUSED", "not in their log"),
    ]  # fmt: skip
    assert (seats(tournament), world.escrow(tournament)) == ((2, 1), 1000)
    for decide in (buyins.decide_joined, buyins.decide_not_joined):
        with pytest.raises(buyins.BuyInDecided):
            decide(paid.pk, reason="again", actor=world.STAFF, at=world.AT)


def test_asking_again_sends_the_same_reference():
    with Receiver(lambda *_: TAKEN) as receiver:
        tournament = make(receiver.url)
        asked = unknown(tournament)
        buyins.ask_again(asked.pk, actor=world.STAFF, at=world.AT)
        assert buyins.attempt(asked.pk, at=world.AT)
        assert receiver.got[0].json["debitRef"] == str(asked.ref)
    assert BuyIn.objects.get().status == "JOINED"


def test_a_worker_that_vanished_leaves_the_buy_in_to_be_asked_for_again():
    with Receiver(lambda *_: TAKEN) as receiver:
        tournament = make(receiver.url)
        asked = ask(tournament)
        call = buyins.lease(asked.pk, at=world.AT)
        calling.send(call)
        assert not buyins.attempt(asked.pk, at=world.AT + timedelta(seconds=29))
        assert buyins.attempt(asked.pk, at=world.AT + timedelta(seconds=31))
        assert receiver.got[0].body == receiver.got[1].body
    assert (Entry.objects.count(), world.escrow(tournament)) == (1, 1000)


def test_registering_twice_asks_once():
    tournament = make("http://127.0.0.1:9/", max_players=2)
    assert ask(tournament).pk == ask(tournament).pk
    assert seats(tournament) == (1, 0)


def test_a_full_field_is_not_asked_for_anything():
    tournament = make("http://127.0.0.1:9/", max_players=1, min_players=1)
    ask(tournament)
    with pytest.raises(entries.TournamentFull), transaction.atomic():
        ask(tournament, "bob")
    assert BuyIn.objects.count() == 1


def test_nobody_gets_in_by_another_door():
    tournament = make("http://127.0.0.1:9/")
    with pytest.raises(entries.registering.BuyInNeeded):
        world.enter(tournament, "ann")


def test_without_an_address_a_buy_in_is_a_paid_entry_like_any_other():
    tournament = make(None)
    assert not buyins.collects(tournament)
    world.enter(tournament, "ann")
    assert world.escrow(tournament) == 1000


def test_fees_and_seats_stay_as_they_are_while_somebody_is_about_to_pay():
    tournament = make("http://127.0.0.1:9/", max_players=5)
    ask(tournament)
    for changes in (creation.TournamentChanges(entry_fee=Decimal(5)),):
        with pytest.raises(creation.TournamentNotModifiable):
            creation.update_tournament(tournament.pk, changes, actor=world.STAFF, at=world.AT)
    creation.update_tournament(tournament.pk, creation.TournamentChanges(max_players=3), actor=world.STAFF, at=world.AT)
    assert seats(tournament) == (2, 0)


def cancel(tournament):
    running.cancel(tournament.pk, reason="outage", actor=world.STAFF, at=world.AT)


def test_a_cancelled_buy_in_goes_back_by_a_cash_payout_as_it_was_taken():
    operator = OperatorFactory()
    put_rate(operator, SEK="11.25")
    with Receiver(lambda *_: TAKEN) as debits, Receiver() as receiver:
        tournament = make(debits.url, operator, payout_url=receiver.url)
        enter(tournament, currency="SEK")
        put_rate(operator, SEK="99")
        cancel(tournament)
        assert (world.state(tournament), world.escrow(tournament)) == ("REFUNDING", 1000)
        assert remit(operator, at=world.AT) == 1
        (got,) = receiver.got
    told = got.json
    assert (told["type"], told["amount"], told["currency"], told["playerId"]) == (
        "CASH",
        Decimal("112.5"),
        "SEK",
        "ann",
    )
    world.pay(tournament)
    assert (world.state(tournament), world.escrow(tournament), world.money(operator)) == ("CANCELED", 0, {})
    assert Fact.objects.filter(type="player.refunded").count() == 1


def test_a_buy_in_that_is_confirmed_too_late_goes_back_by_itself():
    operator = OperatorFactory()
    with Receiver(lambda *_: TAKEN) as debits, Receiver() as receiver:
        tournament = make(debits.url, operator, payout_url=receiver.url, max_players=2)
        asked = ask(tournament)
        cancel(tournament)
        assert world.state(tournament) == "CANCELED"
        buyins.attempt(asked.pk, at=world.AT)
        asked = BuyIn.objects.get(pk=asked.pk)
        assert (asked.status, asked.error, Entry.objects.count()) == ("RETURNED", buyins.TOO_LATE, 0)
        assert remit(operator, at=world.AT) == 1
        assert receiver.got[0].json["amount"] == 10
    payout = Payout.objects.get()
    assert (payout.subject, payout.status, payout.purpose) == (asked.subject, "PAID", "REFUND")
    assert (world.money(operator), seats(tournament)) == ({}, (2, 0))
    fact = Fact.objects.get(type="player.refunded")
    assert (fact.subject, fact.data["userId"]) == (tournament.subject, "ann")


def test_who_leaves_before_the_start_is_refunded_by_a_payout():
    operator = OperatorFactory()
    with Receiver(lambda *_: TAKEN) as debits, Receiver() as receiver:
        tournament = make(debits.url, operator, payout_url=receiver.url)
        entry = enter(tournament).entry
        entries.remove(entry.pk, reason="voluntary_exit", actor=world.STAFF, at=world.AT)
        assert world.escrow(tournament) == 0
        assert remit(operator, at=world.AT) == 1
        assert enter(tournament).status == "JOINED"
    assert (world.money(operator), Payout.objects.get().status) == ({"CLEARING": -1000, "ESCROW": 1000}, "PAID")


def test_a_player_who_was_blocked_meanwhile_gets_the_fee_back():
    with Receiver(lambda *_: TAKEN) as debits:
        tournament = make(debits.url, payout_url=debits.url)
        asked = ask(tournament)
        players.suspend(asked.player_id, reason="x", until=None, actor=world.STAFF, at=world.AT)
        buyins.attempt(asked.pk, at=world.AT)
    assert (BuyIn.objects.get().status, Entry.objects.count()) == ("RETURNED", 0)


def test_an_answer_that_comes_after_a_decision_changes_nothing_and_is_told():
    tournament = make("http://127.0.0.1:9/", max_players=2)
    asked = ask(tournament)
    call = buyins.lease(asked.pk, at=world.AT)
    asked = BuyIn.objects.get(pk=asked.pk)
    asked.give_up(error="?")
    asked.save()
    buyins.decide_not_joined(asked.pk, reason="no", actor=world.STAFF, at=world.AT)
    buyins.note(asked.pk, call, calling.Heard(200), at=world.AT)
    assert (BuyIn.objects.get().status, Entry.objects.count()) == ("REFUSED", 0)
    assert Fact.objects.filter(type="system.alert").count() == 1


def test_what_was_asked_for_never_changes():
    asked = ask(make("http://127.0.0.1:9/"))
    with pytest.raises(DatabaseError, match="Cannot update"), transaction.atomic():
        BuyIn.objects.update(amount="1")
    BuyIn.objects.filter(pk=asked.pk).update(status="REFUSED", ended_at=world.AT)
    with pytest.raises(DatabaseError, match="Invalid transition"), transaction.atomic():
        BuyIn.objects.filter(pk=asked.pk).update(status="PENDING")


def test_the_operators_own_address_is_fixed_when_the_tournament_is_made():
    operator = OperatorFactory()
    operator.preferences = {"debitUrl": "https://debit.example/x"}
    operator.save()
    assert make(None, operator).debit_url == "https://debit.example/x"
    assert world.make(operator=operator).debit_url == ""
    assert Tournament.objects.filter(debit_url="").count() == 1


def test_only_listed_players_enter_by_invitation():

    operator = OperatorFactory()
    tournament = world.make(operator=operator, entry_mode=EntryMode.INVITED)
    with pytest.raises(entries.NotInvited), transaction.atomic():
        world.enter(tournament, "ann")
    people = [(operator.slug, "ann"), (operator.slug, "ann"), ("other", "bob")]
    assert inviting.invite(tournament.pk, people, actor=world.STAFF, at=world.AT) == 2
    assert inviting.invite(tournament.pk, people[:1], actor=world.STAFF, at=world.AT) == 0
    world.enter(tournament, "ann")
    with pytest.raises(entries.NotInvited), transaction.atomic():
        world.enter(tournament, "bob")
    inviting.uninvite(tournament.invitations.get(player_ref="ann").pk, actor=world.STAFF, at=world.AT)
    assert (Entry.objects.count(), tournament.invitations.count()) == (1, 1)
    with pytest.raises(Invalid), transaction.atomic():
        inviting.invite(tournament.pk, [("", "x")], actor=world.STAFF, at=world.AT)
