"""One fact has one id and one number, whichever way it goes out."""

import json

import pytest

from apps.core import clock
from apps.events.relay import sqs_out
from apps.events.services import numbering, sending
from apps.tournaments.services import running
from tests.events.queues.conftest import _server, server  # noqa: F401 - fixtures
from tests.events.relays import make, relaying, settled
from tests.factories import OperatorFactory, api, operator_key
from tests.receivers import Receiver
from tests.tournaments import world
from tests.tournaments.world import STAFF, START

pytestmark = pytest.mark.django_db(transaction=True)


def test_webhooks_queues_sockets_and_the_stream_carry_the_same_ids_and_numbers(live, server):  # noqa: F811
    operator = OperatorFactory()
    queue = server.queue(operator, at=clock.now())
    with Receiver() as standard, Receiver() as casino, relaying():
        first, second = make(operator, standard.url), make(operator, casino.url, format="CASINO")
        tournament = world.make(operator)
        key = operator_key(operator)
        with live.listen(tournament.pk, key, "?channels=status,players") as socket:
            socket.until("subscribed")
            world.enter(tournament, "ann", "bob")
            running.start(tournament.pk, actor=STAFF, at=START)
            numbering.number_new_facts()
            stream = api(operator).get("/api/events").json()["events"]
            heard = [socket.next() for _ in stream]
        for made in (first, second):
            settled(made.endpoint, DELIVERED=len(stream))
        sqs_out.take_turn(sending.claim(at=clock.now()))
        messages = server.take(queue.url)

    expected = [(one["eventId"], one["sequence"], one["eventType"]) for one in stream]
    assert [kind for *_, kind in expected][-1] == "tournament.started"
    assert [number for _, number, _ in expected] == list(range(1, len(expected) + 1))
    assert [(one["eventId"], one["sequence"], one["type"]) for one in heard] == expected
    assert [(got.id, got.json["sequence"], got.json["type"]) for got in standard.got] == expected
    assert {got.json["data"]["tournamentId"] for got in standard.got} == {str(tournament.pk)}
    by_headers = [
        (got.json["eventId"], int(got.headers["x-tournament-sequence"]), got.json["eventType"]) for got in casino.got
    ]
    assert by_headers == expected
    attributes = [one["MessageAttributes"] for one in messages]
    assert [
        (json.loads(one["Body"])["eventId"], int(said["sequence"]["StringValue"]), said["eventType"]["StringValue"])
        for one, said in zip(messages, attributes, strict=True)
    ] == expected
