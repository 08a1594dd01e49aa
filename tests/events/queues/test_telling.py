"""Facts told to an SQS queue over HTTP: in order, once, in batches, whatever fails on the way."""

import json
from collections import Counter
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection

from apps.core import clock, egress
from apps.events.models import Fact, Queue, Refusal
from apps.events.relay import sqs, sqs_out
from apps.events.services import numbering, queues, sending
from tests.events import factories as facts
from tests.events.queues.conftest import SECRET, STAFF, closed
from tests.factories import OperatorFactory
from tests.racing import in_parallel

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator():
    return OperatorFactory()


def write(operator, *args, **more) -> list[Fact]:
    """Facts with their numbers."""
    written = facts.write(operator, *args, **more)
    numbering.number_facts(operator.pk)
    return list(Fact.objects.filter(pk__in=[fact.pk for fact in written]).order_by("sequence"))


def turn(at) -> int:
    """One turn for whichever queue has something to send; -1 if there is none."""
    queue = sending.claim(at=at)
    return -1 if queue is None else sqs_out.take_turn(queue, now=lambda: at)


def ids(messages) -> list[str]:
    return [json.loads(one["Body"])["eventId"] for one in messages]


def calls(monkeypatch) -> list[int]:
    """How many messages each call carried."""
    made: list[int] = []
    send = sqs.send

    def counted(queue, messages):
        made.append(len(messages))
        return send(queue, messages)

    monkeypatch.setattr(sqs, "send", counted)
    return made


def test_a_fact_arrives_as_the_envelope_with_exact_decimals_grouped_by_its_tournament(server, operator, at):
    queue = server.queue(operator, at=at)
    [fact] = write(operator, "tournament.started", "tournament:50017", {"fee": Decimal("10.50"), "big": 10**21}, at=at)
    assert turn(at) == 1
    [message] = server.take(queue.url)
    assert message["Body"] == (
        f'{{"eventType":"tournament.started","eventId":"{fact.public_id}","timestamp":"2026-03-01T12:00:00Z",'
        f'"tournamentId":"50017","operatorId":"{operator.public_id}",'
        '"data":{"n":0,"big":1000000000000000000000,"fee":10.50}}'
    )
    assert message["Attributes"]["MessageGroupId"] == "50017"
    assert message["Attributes"]["MessageDeduplicationId"] == fact.public_id
    assert {name: value["StringValue"] for name, value in message["MessageAttributes"].items()} == {
        "eventType": "tournament.started", "operatorId": operator.public_id, "sequence": str(fact.sequence),
    }  # fmt: skip


def test_a_fact_about_anything_else_is_grouped_by_its_subject(server, operator, at):
    queue = server.queue(operator, at=at)
    write(operator, "payout.rejected", "payout:9", at=at)
    turn(at)
    [message] = server.take(queue.url)
    assert message["Attributes"]["MessageGroupId"] == "payout:9"
    assert json.loads(message["Body"])["tournamentId"] is None


def test_facts_travel_ten_a_call_in_the_order_of_their_numbers(server, operator, at, monkeypatch):
    queue = server.queue(operator, at=at)
    made = calls(monkeypatch)
    written = write(operator, count=25, at=at)
    assert turn(at) == 25
    assert made == [10, 10, 5]
    assert ids(server.take(queue.url)) == [fact.public_id for fact in written]
    assert turn(at) == -1
    queue.refresh_from_db()
    assert (queue.after_sequence, queue.sent, queue.failures, queue.lease) == (25, 25, 0, "")


def test_each_tournament_keeps_its_order_among_others(server, operator, at):
    queue = server.queue(operator, at=at)
    for n in range(12):
        facts.write(operator, subject=f"tournament:{n % 3}", data={"place": n}, at=at)
    numbering.number_facts(operator.pk)
    turn(at)
    by_group: dict[str, list[int]] = {}
    for one in server.take(queue.url):
        by_group.setdefault(one["Attributes"]["MessageGroupId"], []).append(json.loads(one["Body"])["data"]["place"])
    assert by_group == {"0": [0, 3, 6, 9], "1": [1, 4, 7, 10], "2": [2, 5, 8, 11]}


def test_a_batch_never_grows_larger_than_every_server_takes(server, operator, at, monkeypatch):
    queue = server.queue(operator, at=at)
    made = calls(monkeypatch)
    write(operator, data={"text": "x" * 100_000}, count=5, at=at)
    turn(at)
    assert made == [2, 2, 1]
    assert len(server.take(queue.url)) == 5


def test_only_wanted_types_are_told_and_the_cursor_passes_the_others(server, operator, at):
    queue = server.queue(operator, events=["player.*", "tournament.completed"], at=at)
    for name in ("tournament.started", "player.registered", "playerx.odd", "tournament.completed"):
        write(operator, name, at=at)
    assert turn(at) == 2
    told = [json.loads(one["Body"])["eventType"] for one in server.take(queue.url)]
    assert told == ["player.registered", "tournament.completed"]
    queue.refresh_from_db()
    assert queue.after_sequence == 4
    assert [queue.wants(name) for name in ("player.registered", "playerx.odd", "player", "x")] == [
        True, False, False, False,
    ]  # fmt: skip


def test_a_new_queue_hears_nothing_of_what_was_before_it(server, operator, at):
    write(operator, count=3, at=at)
    queue = server.queue(operator, at=at)
    assert turn(at) == -1
    [fact] = write(operator, at=at)
    assert turn(at) == 1
    assert ids(server.take(queue.url)) == [fact.public_id]


def test_another_operators_facts_stay_there(server, operator, at):
    queue = server.queue(operator, at=at)
    write(OperatorFactory(), at=at)
    assert turn(at) == -1
    assert server.take(queue.url) == []


def test_a_batch_whose_answer_was_lost_is_not_doubled(server, operator, at, monkeypatch):
    queue = server.queue(operator, at=at)
    written = write(operator, count=4, at=at)
    send = sqs.send

    def lost(queue, messages):
        send(queue, messages)
        raise sqs.Trouble("The connection broke.")

    with monkeypatch.context() as patched:
        patched.setattr(sqs, "send", lost)
        assert turn(at) == 0
    queue.refresh_from_db()
    assert (queue.after_sequence, queue.failures, queue.last_error) == (0, 1, "The connection broke.")
    assert turn(at) == -1, "the next try is booked for later"
    assert turn(at + timedelta(seconds=1)) == 4
    assert ids(server.take(queue.url)) == [fact.public_id for fact in written]


def test_a_dead_server_loses_and_doubles_nothing_and_delays_only_its_own_queue(server, operator, at):
    queue = server.queue(operator, at=at)
    other = server.queue(operator, at=at, name="elsewhere")
    Queue.objects.filter(pk=queue.pk).update(endpoint_url=closed())
    written = write(operator, count=12, at=at)
    assert sorted([turn(at), turn(at), turn(at)]) == [-1, 0, 12]
    assert len(server.take(other.url)) == 12
    tried = [at + timedelta(seconds=seconds) for seconds in (0.5, 1, 2, 3, 6, 7)]
    assert [turn(moment) for moment in tried] == [-1, 0, -1, 0, -1, 0]
    queue.refresh_from_db()
    assert (queue.failures, queue.after_sequence) == (4, 0)
    assert queue.last_error == "Failed: Connection refused"
    Queue.objects.filter(pk=queue.pk).update(endpoint_url=server.url)
    assert turn(at + timedelta(seconds=15)) == 12
    assert ids(server.take(queue.url)) == [fact.public_id for fact in written]
    queue.refresh_from_db()
    assert (queue.failures, queue.after_sequence) == (0, 12)


def test_a_server_that_comes_back_gets_what_waited(server, operator, at):
    queue = server.queue(operator, at=at)
    written = write(operator, count=3, at=at)
    server.stop()
    egress.close_idle()
    try:
        assert turn(at) == 0
    finally:
        server.start()
    assert turn(at + timedelta(seconds=1)) == 3
    assert ids(server.take(queue.url)) == [fact.public_id for fact in written]


def failing(monkeypatch, *bad: str, untakeable: bool = False) -> None:
    """Have the server refuse messages by their event ids, as one entry of a batch can be refused."""
    send = sqs.send
    code = "InvalidMessageContents" if untakeable else "InternalError"

    def partly(queue, messages):
        good = [(place, one) for place, one in enumerate(messages) if one.id not in bad]
        troubles = send(queue, [one for _, one in good]) if good else {}
        assert not troubles
        return {place: sqs.Trouble(code, code=code) for place, one in enumerate(messages) if one.id in bad}

    monkeypatch.setattr(sqs, "send", partly)


def test_a_message_that_fails_holds_back_its_group_and_nobody_else(server, operator, at, monkeypatch):
    queue = server.queue(operator, at=at)
    [first] = write(operator, subject="tournament:1", at=at)
    [second] = write(operator, subject="tournament:2", at=at)
    with monkeypatch.context() as patched:
        failing(patched, first.public_id)
        assert turn(at) == 1
        later = write(operator, subject="tournament:1", count=2, at=at)
        [other] = write(operator, subject="tournament:2", at=at)
        assert turn(at) == 1
    queue.refresh_from_db()
    assert (queue.after_sequence, queue.held) == (5, [1, 3, 4])
    assert ids(server.take(queue.url)) == [second.public_id, other.public_id]
    assert turn(at) == -1
    assert turn(at + timedelta(seconds=1)) == 3
    assert ids(server.take(queue.url)) == [first.public_id, *(fact.public_id for fact in later)]
    queue.refresh_from_db()
    assert (queue.held, queue.held_try_at, queue.failures) == ([], None, 0)


def test_so_much_that_is_held_back_makes_the_stream_wait(server, operator, at, monkeypatch):
    monkeypatch.setattr(sqs_out, "HELD_MOST", 12)
    queue = server.queue(operator, at=at)
    written = write(operator, count=40, at=at)
    with monkeypatch.context() as patched:
        failing(patched, *(fact.public_id for fact in written))
        assert turn(at) == 0
        queue.refresh_from_db()
        assert queue.after_sequence == len(queue.held) < 13
        assert turn(at) == -1, "it waits as long as what is held back"
    assert turn(at + timedelta(seconds=1)) == 40
    assert ids(server.take(queue.url)) == [fact.public_id for fact in written]


def test_what_the_queue_will_never_take_is_noted_and_passed(server, operator, at):
    queue = server.queue(operator, at=at)
    [before] = write(operator, at=at)
    [huge] = write(operator, data={"text": "x" * 1_100_000}, at=at)
    [after] = write(operator, at=at)
    assert turn(at) == 2
    assert ids(server.take(queue.url)) == [before.public_id, after.public_id]
    refusal = Refusal.objects.get()
    assert (refusal.queue, refusal.fact) == (queue, huge)
    assert "BatchRequestTooLong" in refusal.error
    queue.refresh_from_db()
    assert (queue.after_sequence, queue.sent, queue.held) == (3, 2, [])


def test_one_that_it_never_takes_does_not_stop_the_others_of_its_batch(server, operator, at, monkeypatch):
    queue = server.queue(operator, at=at)
    written = write(operator, count=3, at=at)
    failing(monkeypatch, written[1].public_id, untakeable=True)
    assert turn(at) == 2
    assert ids(server.take(queue.url)) == [written[0].public_id, written[2].public_id]
    assert [refusal.fact for refusal in Refusal.objects.all()] == [written[1]]


def test_a_disabled_queue_waits_and_goes_on_where_it_stopped(server, operator, at):
    queue = server.queue(operator, at=at)
    queues.disable(queue.pk, model=Queue, reason="moving", actor=STAFF, at=at)
    written = write(operator, count=2, at=at)
    assert turn(at) == -1
    queues.enable(queue.pk, model=Queue, actor=STAFF, at=at)
    assert turn(at) == 2
    assert ids(server.take(queue.url)) == [fact.public_id for fact in written]


def test_skipping_gives_up_what_was_not_sent_even_under_a_sender(server, operator, at):
    queue = server.queue(operator, at=at)
    write(operator, count=2, at=at)
    claimed = sending.claim(at=at)
    queues.skip_to_now(queue.pk, reason="too old", actor=STAFF, at=at)
    assert not sending.advance(claimed, after=1, held=[], sent=1, refused={}, at=at)
    queue.refresh_from_db()
    assert (queue.after_sequence, queue.sent) == (2, 0)


def test_one_sender_at_a_time_and_the_next_when_it_has_died(server, operator, at):
    server.queue(operator, at=at)
    write(operator, at=at)
    first = sending.claim(at=at)
    assert sending.claim(at=at + timedelta(seconds=59)) is None
    second = sending.claim(at=at + timedelta(seconds=61))
    assert first is not None
    assert second is not None
    assert not sending.advance(first, after=1, held=[], sent=1, refused={}, at=at)
    assert sqs_out.take_turn(second, now=lambda: at) == 1


@pytest.mark.django_db(transaction=True)
def test_two_relays_side_by_side_tell_everything_once_and_in_order(server, operator, redis):
    at = clock.now()
    told = [server.queue(operator, at=at) for _ in range(3)]
    written = write(operator, count=45, at=at)

    def relay() -> None:
        while (queue := sending.claim(at=clock.now())) is not None:
            sqs_out.take_turn(queue)
        connection.close()

    assert in_parallel(2, relay) == [None, None]
    for queue in told:
        assert ids(server.take(queue.url)) == [fact.public_id for fact in written]
        queue.refresh_from_db()
        assert (queue.sent, queue.after_sequence, queue.lease) == (45, 45, "")


def test_the_secret_is_sealed_and_nowhere_in_clear(server, operator, at):
    queue = server.queue(operator, at=at)
    queues.change_queue(queue.pk, server.access("renamed", secret=None), events=["*"], actor=STAFF, at=at)
    assert turn(at) == -1
    queue.refresh_from_db()
    assert queue.name == "renamed"
    with connection.cursor() as cursor:
        for table in ("events_queue", "events_historicalqueue"):
            cursor.execute(f"SELECT t::text FROM {table} t")
            rows = [row for (row,) in cursor.fetchall()]
            assert rows
            assert not [row for row in rows if SECRET in row]
    assert "sealed_secret" not in {field.name for field in Queue.history.model._meta.fields}
    assert Counter(str(queue.__dict__).split())[SECRET] == 0


def test_without_a_key_a_queue_is_not_reached_unless_the_installation_says_so(
    server, operator, at, settings, monkeypatch
):
    queue = server.queue(operator, at=at)
    queues.change_queue(
        queue.pk, server.access(url=queue.url, access_key_id="", secret=""), events=["*"], actor=STAFF, at=at
    )
    write(operator, at=at)
    assert turn(at) == 0
    queue.refresh_from_db()
    assert queue.last_error == "The queue has no access key, and SQS_AMBIENT_CREDENTIALS is not set."
    settings.SQS_AMBIENT_CREDENTIALS = True
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ambient")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "ambient")
    monkeypatch.setattr(sqs, "_session", None)
    assert turn(at + timedelta(seconds=1)) == 1
