"""Game events read from an SQS queue over HTTP and taken as the HTTP call takes them."""

from datetime import timedelta
from decimal import Decimal
from functools import partial
from threading import Event, Thread

import pytest
from django.db import connection

from apps.core.actors import Actor
from apps.events.models import Fact, InboundQueue
from apps.events.relay import sqs, sqs_in
from apps.events.services import queues, receiving
from apps.tournaments.models import Entry, GameEvent
from apps.tournaments.services import intake
from apps.tournaments.services.intake.messages import take_message
from tests.events.queues.conftest import STAFF, closed
from tests.factories import OperatorFactory
from tests.tournaments import world
from tests.workers import eventually

pytestmark = pytest.mark.django_db

GAME = Actor("game", "queue")
take = partial(take_message, actor=GAME)


@pytest.fixture
def operator():
    return OperatorFactory()


@pytest.fixture
def tournament(operator):
    return world.played(operator=operator)


def body(tournament, type="player.score.updated", id="e-1", *, second=0, **data):
    at = world.START + timedelta(seconds=second)
    return {
        "eventType": type, "eventId": id, "timestamp": at.isoformat(), "tournamentId": str(tournament.pk),
        "operatorId": tournament.operator.public_id, "data": data,
    }  # fmt: skip


def read(queue, at, take=take) -> int:
    return sqs_in.read_once(queue.pk, take, wait=0, now=lambda: at)


def fresh(row):
    return type(row).objects.get(pk=row.pk)


def dead(server, queue, at, take=take, *, receives: int = 5) -> list[str]:
    """Read as often as the queue lets anybody, and return what became of dead letters."""
    for _ in range(receives + 1):
        read(queue, at, take)
    return [one["Body"] for one in server.take(server.dead(queue))]


def test_a_score_on_the_queue_counts_as_over_http_and_leaves_the_queue(server, operator, tournament, at):
    queue = server.inbound(operator, at=at)
    entry = Entry.objects.filter(tournament=tournament).earliest("pk")
    server.put(queue, body(tournament, playerId=str(entry.player_id), score=1234.5))
    assert read(queue, at) == 1
    assert fresh(entry).points == Decimal("1234.5")
    assert read(queue, at) == 0
    queue.refresh_from_db()
    assert (queue.taken, queue.malformed, queue.failures, queue.last_success_at) == (1, 0, 0, at)


def test_the_same_event_twice_or_over_http_too_counts_once(server, operator, tournament, at):
    queue = server.inbound(operator, at=at)
    entry = Entry.objects.filter(tournament=tournament).earliest("pk")
    event = body(tournament, playerId=str(entry.player_id), score=50)
    intake.take_events(tournament.pk, [event], actor=GAME, at=at)
    version = Entry.objects.get(pk=entry.pk).score_version
    server.put(queue, event, event)
    assert read(queue, at) == 2
    assert GameEvent.objects.filter(tournament=tournament, event_id="e-1").count() == 1
    assert Entry.objects.get(pk=entry.pk).score_version == version


def test_events_of_one_group_are_taken_in_their_order(server, operator, tournament, at):
    queue = server.inbound(operator, at=at)
    server.put(
        queue,
        body(tournament, "round.started", "r-1", round=1),
        body(tournament, "round.started", "r-2", second=1, round=2),
        body(tournament, "round.started", "r-3", second=2, round=3),
        group=str(tournament.pk),
    )
    assert read(queue, at) == 3
    assert fresh(tournament).current_round == 3
    assert (
        list(GameEvent.objects.filter(event_id__startswith="r-").values_list("outcome", flat=True)) == ["accepted"] * 3
    )


def test_an_unknown_type_is_acknowledged_and_changes_nothing(server, operator, tournament, at):
    queue = server.inbound(operator, at=at)
    before = Fact.objects.count()
    server.put(queue, body(tournament, "weather.changed", rain=True))
    assert read(queue, at) == 1
    assert GameEvent.objects.get(event_id="e-1").outcome == "ignored"
    assert Fact.objects.count() == before
    assert dead(server, queue, at) == []


NONSENSE = [
    '{"eventType": ',
    "[]",
    "null",
    '{"eventType": "player.joined"}',
    '{"tournamentId": "99999999999999999999"}',
]


@pytest.mark.parametrize("text", NONSENSE)
def test_what_is_not_well_formed_goes_to_the_dead_letters_and_is_counted_once(server, operator, at, text):
    queue = server.inbound(operator, at=at)
    server.put(queue, text)
    assert dead(server, queue, at) == [text]
    queue.refresh_from_db()
    assert (queue.taken, queue.malformed) == (0, 1)
    assert queue.last_error
    assert not GameEvent.objects.exists()


def test_a_message_that_is_not_well_formed_stops_nobody_behind_it(server, operator, tournament, at):
    queue = server.inbound(operator, at=at)
    server.put(queue, "nonsense", body(tournament, "round.started", round=2), group="one")
    for _ in range(6):
        read(queue, at)
    assert fresh(tournament).current_round == 2


def test_another_operators_tournament_is_out_of_an_operators_reach(server, operator, at):
    queue = server.inbound(operator, at=at)
    foreign = world.played(operator=OperatorFactory())
    event = body(foreign, "round.started", round=5)
    server.put(queue, event)
    assert len(dead(server, queue, at)) == 1
    assert fresh(foreign).current_round == 0
    platform = server.inbound(None, at=at)
    server.put(platform, event)
    assert read(platform, at) == 1
    assert fresh(foreign).current_round == 5


def test_what_fails_here_comes_back_and_holds_its_group(server, operator, tournament, at):
    queue = server.inbound(operator, at=at)
    server.client.set_queue_attributes(QueueUrl=queue.url, Attributes={"VisibilityTimeout": "0"})
    server.put(
        queue, body(tournament, "round.started", "r-1", round=1), body(tournament, "round.started", "r-2", round=2)
    )
    seen: list[str] = []

    def broken(event, **more):
        seen.append(event["eventId"])
        if len(seen) == 1:
            raise RuntimeError("the database is away")
        return take(event, **more)

    assert read(queue, at, broken) == 0
    queue.refresh_from_db()
    assert (queue.failures, queue.malformed) == (1, 0)
    assert queue.last_error.endswith("RuntimeError")
    assert seen == ["r-1"], "what follows it in its group waits"
    while len(seen) < 3:
        read(queue, at, broken)
    assert sorted(seen) == ["r-1", "r-1", "r-2"]
    assert fresh(tournament).current_round == 2


def test_a_server_that_is_away_is_noted_and_forgotten(server, operator, at):
    queue = server.inbound(operator, at=at)
    InboundQueue.objects.filter(pk=queue.pk).update(endpoint_url=closed())
    with pytest.raises(sqs.Trouble):
        read(queue, at)
    queue.refresh_from_db()
    assert queue.failures == 1
    InboundQueue.objects.filter(pk=queue.pk).update(endpoint_url=server.url)
    assert read(queue, at) == 0
    queue.refresh_from_db()
    assert queue.failures == 0


def test_queues_that_are_off_nowhere_or_of_a_suspended_operator_are_not_read(server, operator, at):
    queue = server.inbound(operator, at=at)
    platform = server.inbound(None, at=at)
    queues.add_inbound_queue(operator.pk, server.access(), actor=STAFF, at=at)
    assert set(receiving.enabled_ids()) == {queue.pk, platform.pk}
    operator.suspended_at = at
    operator.save(update_fields=["suspended_at"])
    assert receiving.enabled_ids() == [platform.pk]
    queues.disable(platform.pk, model=InboundQueue, reason="quiet", actor=STAFF, at=at)
    assert receiving.enabled_ids() == []
    assert read(platform, at) == 0


@pytest.mark.django_db(transaction=True)
def test_the_carrier_reads_until_it_is_told_to_stop(server, redis, at, monkeypatch):
    monkeypatch.setattr(sqs, "WAIT_SECONDS", 1)
    operator = OperatorFactory()
    tournament = world.played(operator=operator)
    queue = server.inbound(operator, at=at)
    stop = Event()

    def run() -> None:
        sqs_in.carrier(take)(stop)
        connection.close()

    thread = Thread(target=run)
    thread.start()
    try:
        server.put(queue, body(tournament, "round.started", round=4))
        eventually(lambda: type(tournament).objects.get(pk=tournament.pk).current_round == 4)
    finally:
        stop.set()
        thread.join(20)
    assert not thread.is_alive()
