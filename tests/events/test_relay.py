"""A numbered fact reaches every endpoint that wants it, signed, in order, and is tried again when it does not."""

import hashlib
import hmac
import json
import threading
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from standardwebhooks import Webhook, WebhookVerificationError

from apps.core import clock
from apps.core.actors import Actor
from apps.events.models import Attempt, Delivery, Endpoint, Fact
from apps.events.relay import lanes, queue, sending, webhooks
from apps.events.services import endpoints, handing, health
from tests.events.relays import make, make_due, relaying, settled, states, tell
from tests.factories import OperatorFactory
from tests.receivers import Receiver, Reply
from tests.workers import eventually

pytestmark = pytest.mark.django_db(transaction=True)

KEY = Actor("key", "sk_live_abc")


@pytest.fixture
def operator():
    return OperatorFactory()


@pytest.fixture(autouse=True)
def _no_rest(monkeypatch):
    """A lane rests after failures, up to seconds; these tests are not about that."""
    monkeypatch.setattr(lanes, "LONGEST_REST", 0.01)
    monkeypatch.setattr(webhooks, "LOOK_SECONDS", 0.02)


def test_a_fact_arrives_signed_and_exact(operator):
    with Receiver() as receiver, relaying():
        made = make(operator, receiver.url)
        [fact] = tell(operator, data={"amount": Decimal("7.50"), "units": 10**30, "name": "Zoë 🏆"})
        settled(made.endpoint, DELIVERED=1)
    [got] = receiver.got
    assert Webhook(made.secret).verify(got.body, dict(got.headers))
    assert got.headers["webhook-id"] == fact.public_id
    assert got.headers["content-type"] == "application/json"
    assert "authorization" not in got.headers
    assert b'"amount":7.50' in got.body
    assert got.json == {
        "type": "tournament.started",
        "timestamp": "2026-03-01T12:00:00Z",
        "sequence": 1,
        "data": {"tournamentId": "17", "n": 0, "amount": Decimal("7.50"), "units": 10**30, "name": "Zoë 🏆"},
    }
    delivery = Delivery.objects.get()
    assert (delivery.attempts, delivery.tries, delivery.last_status, delivery.last_error) == (1, 1, 204, "")
    attempt = Attempt.objects.get()
    assert (attempt.number, attempt.status, attempt.error, attempt.answer) == (1, 204, "", "")
    assert (attempt.body_digest, attempt.body_bytes) == (hashlib.sha256(got.body).hexdigest(), len(got.body))
    assert attempt.request_headers["webhook-signature"] == got.headers["webhook-signature"]
    endpoint = Endpoint.objects.get()
    assert endpoint.last_success_at is not None
    assert endpoint.failing_since is None


def test_the_casino_format_is_the_documented_envelope_and_signature(operator):
    with Receiver() as receiver, relaying():
        made = make(operator, receiver.url, format="CASINO", token="the-operators-own")
        [fact] = tell(operator, subject="tournament:50017")
        settled(made.endpoint, DELIVERED=1)
    [got] = receiver.got
    assert got.json == {
        "eventType": "tournament.started",
        "eventId": fact.public_id,
        "timestamp": "2026-03-01T12:00:00Z",
        "tournamentId": "50017",
        "operatorId": operator.public_id,
        "data": {"n": 0},
    }
    moment, signature = (part.split("=")[1] for part in got.headers["x-tournament-signature"].split(","))
    independent = hmac.new(made.secret.encode(), moment.encode() + b"." + got.body, "sha256").hexdigest()
    assert signature == independent
    assert abs(int(moment) - time.time()) < 300
    assert got.headers["x-tournament-event"] == "tournament.started"
    assert got.headers["x-tournament-event-id"] == fact.public_id
    assert got.headers["x-tournament-sequence"] == "1"
    attempt = Attempt.objects.get()
    assert got.headers["x-tournament-delivery"] == str(attempt.uuid)
    assert got.headers["authorization"] == "Bearer the-operators-own"
    assert "the-operators-own" not in json.dumps(attempt.request_headers)
    assert Webhook(made.secret).verify(got.body, dict(got.headers))


def test_only_what_is_wanted_is_sent(operator):
    with Receiver() as receiver, relaying():
        everything = make(operator, receiver.url)
        some = make(operator, receiver.url, ["player.*", "tournament.started"])
        none = make(operator, receiver.url, ["tournament.start", "play.*", "tournament"])
        off = make(operator, receiver.url, enabled=False)
        for kind in ("tournament.started", "tournament.completed", "player.registered", "player.score.updated"):
            tell(operator, kind)
        settled(everything.endpoint, DELIVERED=3)
        settled(some.endpoint, DELIVERED=2)
        assert states(none.endpoint) == states(off.endpoint) == {}


def test_an_operator_hears_of_its_own_facts_only(operator):
    other = OperatorFactory()
    with Receiver() as receiver, Receiver() as others, relaying():
        made, theirs = make(operator, receiver.url), make(other, others.url)
        tell(operator, data={"whose": "mine"}, count=2)
        tell(other, data={"whose": "theirs"})
        settled(made.endpoint, DELIVERED=2)
        settled(theirs.endpoint, DELIVERED=1)
    assert {got.json["data"]["whose"] for got in receiver.got} == {"mine"}
    assert {got.json["data"]["whose"] for got in others.got} == {"theirs"}


def test_while_a_secret_is_being_replaced_both_sign(operator):
    with Receiver() as receiver, relaying():
        made = make(operator, receiver.url, format="CASINO")
        told = {"operator_id": operator.pk, "actor": KEY}
        new = endpoints.rotate_secret(made.endpoint.pk, overlap_seconds=3600, at=clock.now(), **told)
        tell(operator)
        settled(made.endpoint, DELIVERED=1)
        past = clock.now() - timedelta(hours=2)
        last = endpoints.rotate_secret(made.endpoint.pk, overlap_seconds=3600, at=past, **told)
        tell(operator)
        settled(made.endpoint, DELIVERED=2)
    during, after = receiver.got
    for secret in (made.secret, new.secret):
        assert Webhook(secret).verify(during.body, dict(during.headers))
        moment = during.headers["x-tournament-signature"].split(",")[0].removeprefix("t=")
        digest = hmac.new(secret.encode(), moment.encode() + b"." + during.body, "sha256").hexdigest()
        assert f"v1={digest}" in during.headers["x-tournament-signature"]
    assert Webhook(last.secret).verify(after.body, dict(after.headers))
    for secret in (made.secret, new.secret):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(after.body, dict(after.headers))


def test_a_refusal_is_tried_again_under_the_same_id_until_it_is_a_dead_letter(operator):
    with Receiver(lambda *_: Reply(500, {}, b"no \x00 room")) as receiver, relaying():
        made = make(operator, receiver.url)
        [fact] = tell(operator)
        for n in range(1, 14):
            eventually(lambda n=n: Attempt.objects.count() == n)
            if n < 13:
                wait = Delivery.objects.get().next_attempt_at - clock.now()
                expected = (1, 2, 4, 8, 16, 30, 30, 30, 300, 1800, 7200, 21600)[n - 1]
                assert expected - 5 < wait.total_seconds() <= expected * 1.1
                make_due()
        settled(made.endpoint, EXHAUSTED=1)
    assert receiver.ids == [fact.public_id] * 13
    assert len({got.body for got in receiver.got}) == 1
    delivery = Delivery.objects.get()
    assert (delivery.attempts, delivery.last_status, delivery.last_error) == (13, 500, "answered 500")
    assert delivery.next_attempt_at is None
    assert Attempt.objects.order_by("number").last().answer == "no \ufffd room"
    assert [attempt.number for attempt in Attempt.objects.order_by("number")] == list(range(1, 14))
    assert Endpoint.objects.get().failing_since is not None


def test_many_that_fail_together_are_not_tried_again_together(operator):
    make(operator, "https://a.example/")
    tell(operator, count=20)
    [chain] = queue.take(lanes.Lanes(threads=16).share(0), formats=["STANDARD"])
    waits = [sending.judged(taken, ok=False).wait for taken in chain]
    assert all(1 <= wait <= 1.1 for wait in waits)
    assert len(set(waits)) > 1


def test_a_second_try_may_succeed(operator):
    with Receiver(lambda _, n: Reply(503 if n == 1 else 200)) as receiver, relaying():
        made = make(operator, receiver.url)
        tell(operator)
        eventually(lambda: Attempt.objects.count() == 1)
        make_due()
        settled(made.endpoint, DELIVERED=1)
    assert Delivery.objects.get().attempts == len(receiver.got) == 2
    assert Endpoint.objects.get().failing_since is None


def test_retry_after_is_honoured(operator):
    with Receiver(lambda *_: Reply(429, {"Retry-After": "120"})) as receiver, relaying():
        make(operator, receiver.url)
        tell(operator)
        eventually(lambda: Attempt.objects.count() == 1)
        delivery = Delivery.objects.get()
    assert 110 < (delivery.next_attempt_at - clock.now()).total_seconds() <= 120


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("", 0), ("0", 0), ("7", 7), (" 7 ", 7), ("-7", 0), ("7.5", 0), ("soon", 0), ("99999999999999999999", 3600),
        ("Sun, 01 Mar 2026 12:01:00 GMT", 60), ("Sun, 01 Mar 2026 11:00:00 GMT", 0),
        ("Sun, 01 Mar 2037 12:00:00 GMT", 3600),
        ("Sun, 01 Mar 2026 12:01:00", 0), ("\u0667", 0),
    ],
)  # fmt: skip
def test_a_wish_for_patience_is_read_and_bounded(text, seconds):
    assert sending.retry_after(text, datetime(2026, 3, 1, 12, 0, tzinfo=UTC)) == seconds


def test_an_endpoint_that_is_gone_is_switched_off_and_the_operator_told(operator):
    with Receiver(lambda *_: Reply(410)) as receiver, relaying():
        made = make(operator, receiver.url)
        [fact] = tell(operator)
        eventually(lambda: not Endpoint.objects.get(pk=made.endpoint.pk).enabled)
        settled(made.endpoint, EXHAUSTED=1)
        tell(operator)
    assert states(made.endpoint) == {"EXHAUSTED": 1}
    assert receiver.ids == [fact.public_id]
    alert = Fact.objects.get(type="system.alert")
    assert alert.operator_id == operator.pk
    assert alert.data["endpointId"] == made.endpoint.public_id
    assert "410" in alert.data["message"]


def test_an_endpoint_that_only_fails_is_switched_off_in_the_end(operator):
    made = make(operator, "http://127.0.0.1:1025/")
    at = clock.now()
    health.note_failure(made.endpoint.pk, "answered 500", at=at)
    health.note_failure(made.endpoint.pk, "answered 500", at=at + timedelta(days=2, hours=23))
    assert Endpoint.objects.get().enabled
    health.note_success([made.endpoint.pk], at=at + timedelta(days=2, hours=23))
    health.note_failure(made.endpoint.pk, "answered 500", at=at + timedelta(days=4))
    assert Endpoint.objects.get().enabled
    assert not Fact.objects.exists()
    health.note_failure(made.endpoint.pk, "answered 500", at=at + timedelta(days=7))
    endpoint = Endpoint.objects.get()
    assert not endpoint.enabled
    assert endpoint.disabled_reason.endswith("the last: answered 500")
    assert [fact.type for fact in Fact.objects.all()] == ["system.alert"]
    endpoints.enable_endpoint(endpoint.pk, operator_id=operator.pk, actor=KEY, at=at + timedelta(days=8))
    health.note_failure(made.endpoint.pk, "answered 500", at=at + timedelta(days=9))
    assert Endpoint.objects.get().enabled


def test_subjects_arrive_in_order_side_by_side(operator):
    with Receiver() as receiver, relaying(relays=3):
        made = make(operator, receiver.url)
        for n in range(30):
            for subject in range(5):
                tell(operator, subject=f"tournament:{subject}", data={"step": n, "subject": subject})
        settled(made.endpoint, DELIVERED=150)
    for subject in range(5):
        steps = [got.json["data"]["step"] for got in receiver.got if got.json["data"]["subject"] == subject]
        assert steps == list(range(30))


def test_a_failure_does_not_hold_back_what_follows(operator):
    with Receiver(lambda got, _: Reply(500 if got.json["sequence"] == 1 else 200)) as receiver, relaying():
        made = make(operator, receiver.url)
        tell(operator, count=3)
        settled(made.endpoint, PENDING=1, DELIVERED=2)
    assert [got.json["sequence"] for got in receiver.got] == [1, 2, 3]


def test_an_ordered_endpoint_gets_nothing_while_the_head_of_its_line_waits(operator):
    refusing = threading.Event()
    refusing.set()
    with (
        Receiver(lambda got, _: Reply(500 if refusing.is_set() and got.json["sequence"] == 2 else 200)) as receiver,
        relaying(relays=2),
    ):
        ordered = make(operator, receiver.url, ordered=True)
        tell(operator, count=40, subject="tournament:1")
        tell(operator, count=40, subject="tournament:2")
        settled(ordered.endpoint, PENDING=79, DELIVERED=1)
        eventually(lambda: Attempt.objects.count() == 2)
        refusing.clear()
        make_due(sequence=2)
        settled(ordered.endpoint, DELIVERED=80)
    sequences = [got.json["sequence"] for got in receiver.got]
    assert sequences == [1, 2, *range(2, 81)]
    assert Delivery.objects.filter(attempts=1).count() == 79


def test_an_address_that_became_private_is_a_failed_try(operator, settings):
    with Receiver() as receiver:
        made = make(operator, receiver.url)
        settings.EGRESS_ALLOW_LOOPBACK = False
        with relaying():
            tell(operator)
            eventually(lambda: Attempt.objects.count() == 1)
    assert receiver.got == []
    assert states(made.endpoint) == {"PENDING": 1}
    assert Attempt.objects.get().error == "refused: This machine itself is not called."


def test_a_disabled_endpoint_keeps_its_queue_and_a_removed_one_has_no_secrets_left(operator):
    told = {"operator_id": operator.pk, "actor": KEY}
    with Receiver() as receiver:
        made = make(operator, receiver.url)
        tell(operator)
        endpoints.disable_endpoint(made.endpoint.pk, reason="holidays", at=clock.now(), **told)
        with relaying():
            tell(operator)
            time.sleep(0.1)
            assert states(made.endpoint) == {"PENDING": 1}
            endpoints.enable_endpoint(made.endpoint.pk, at=clock.now(), **told)
            settled(made.endpoint, DELIVERED=1)
            endpoints.remove_endpoint(made.endpoint.pk, at=clock.now(), **told)
            tell(operator)
    assert len(receiver.got) == 1
    gone = Endpoint.objects.get()
    assert (gone.enabled, gone.secret, gone.token) == (False, "", "")


def test_an_operator_without_endpoints_pays_one_look(operator, django_assert_num_queries):
    tell(operator)
    with django_assert_num_queries(1):
        assert handing.hand_out(operator.pk, after=0, until=1) == 0


def test_what_is_being_sent_is_finished_and_noted_when_told_to_stop(operator):
    with Receiver() as receiver:
        made = make(operator, receiver.url)
        tell(operator, count=30)
        receiver.gate.clear()
        with relaying() as stop:
            receiver.entered.acquire(timeout=10)
            stop.set()
            receiver.gate.set()
    delivered = states(made.endpoint)["DELIVERED"]
    assert delivered == len(receiver.got) == 1
    assert Attempt.objects.count() == 1
    # What had been taken and not sent is given back untried.
    assert Delivery.objects.filter(status="PENDING", attempts=0, leased_until=None).count() == 29
    assert connection.is_usable()
