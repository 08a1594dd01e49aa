"""Queues as staff set them up: created with their dead letters, tried out, refused where they make no sense."""

import json
from datetime import datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from apps.core.errors import Invalid
from apps.events.models import Fact, InboundQueue, Queue
from apps.events.relay import sqs, sqs_setup
from apps.events.relay.sqs_setup import QueueUnreachable
from apps.events.services import queues
from apps.events.services.queues import Access, NameTaken, QueueNotFound
from tests.events.queues.conftest import STAFF
from tests.factories import OperatorFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator():
    return OperatorFactory()


def attributes(server, url: str) -> dict[str, str]:
    return server.client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]


def test_a_queue_is_created_as_the_contract_says_with_its_dead_letters(server, operator, at):
    queue = server.queue(operator, at=at)
    made, dead = attributes(server, queue.url), attributes(server, server.dead(queue))
    assert (made["FifoQueue"], made["ContentBasedDeduplication"]) == ("true", "true")
    assert (made["MessageRetentionPeriod"], made["VisibilityTimeout"]) == ("1209600", "30")
    assert json.loads(made["RedrivePolicy"]) == {"deadLetterTargetArn": dead["QueueArn"], "maxReceiveCount": 5} or (
        json.loads(made["RedrivePolicy"]) == {"deadLetterTargetArn": dead["QueueArn"], "maxReceiveCount": "5"}
    )
    assert (dead["FifoQueue"], dead["MessageRetentionPeriod"]) == ("true", "1209600")


def test_creating_again_changes_nothing_and_mends_what_differs(server, operator, at):
    queue = server.queue(operator, at=at)
    name = queue.url.rpartition("/")[2].removesuffix(".fifo")
    server.client.set_queue_attributes(QueueUrl=queue.url, Attributes={"VisibilityTimeout": "7"})
    again = sqs_setup.create_queues(queue.pk, queue_name=name, model=Queue, actor=STAFF, at=at)
    assert again == sqs_setup.Created(queue.url, server.dead(queue))
    assert attributes(server, queue.url)["VisibilityTimeout"] == "30"


def test_a_test_message_arrives_and_is_no_fact(server, operator, at):
    queue = server.queue(operator, at=at)
    event_id = sqs_setup.send_test(queue.pk, actor=STAFF, at=at)
    [message] = server.take(queue.url)
    body = json.loads(message["Body"])
    assert (body["eventType"], body["eventId"], body["operatorId"]) == ("system.status", event_id, operator.public_id)
    assert body["data"] == {"status": "test", "message": "A test message from Podium.", "severity": "info"}
    assert not Fact.objects.exists()


def test_what_waits_is_told(server, operator, at):
    queue = server.inbound(operator, at=at)
    server.put(queue, {"a": 1}, {"a": 2})
    assert sqs_setup.check(queue.pk, model=InboundQueue) == (2, 0)


def test_a_queue_that_is_not_there_says_so_in_words(server, operator, at):
    queue = server.queue(operator, at=at)
    Queue.objects.filter(pk=queue.pk).update(url=queue.url.replace("podium-", "nobody-"))
    with pytest.raises(QueueUnreachable, match="NonExistentQueue"):
        sqs_setup.send_test(queue.pk, actor=STAFF, at=at)
    with pytest.raises(QueueNotFound):
        sqs_setup.send_test(0, actor=STAFF, at=at)


WRONG = [
    ({"url": "https://sqs.eu-central-1.amazonaws.com/1/plain"}, "url"),
    ({"url": "not a url"}, "url"),
    ({"endpoint_url": "http://169.254.169.254"}, "endpoint_url"),
    ({"endpoint_url": "ftp://example.com"}, "endpoint_url"),
    ({"region": "evil.example.com/"}, "region"),
    ({"region": "eu-central-1\n"}, "region"),
    ({"access_key_id": "two words"}, "access_key_id"),
    ({"name": " "}, "name"),
]


@pytest.mark.parametrize("said, field", WRONG, ids=lambda case: str(case)[:40])
def test_a_queue_that_makes_no_sense_is_refused_by_field(operator, at, said, field):
    with pytest.raises(Invalid) as refused:
        queues.add_queue(operator.pk, Access(**{"name": "q", **said}), events=["*"], actor=STAFF, at=at)
    assert set(refused.value.details["fields"]) == {field}
    assert not Queue.objects.exists()


@pytest.mark.parametrize("events", [[], ["tournament started"], ["*.started"], ["x"] * 51])
def test_events_are_names_prefixes_or_everything(operator, at, events):
    with pytest.raises(Invalid):
        queues.add_queue(operator.pk, Access(name="q"), events=events, actor=STAFF, at=at)


def test_names_are_told_apart_within_an_operator(operator, at):
    for where in (operator, OperatorFactory()):
        queues.add_queue(where.pk, Access(name="casino"), events=["*"], actor=STAFF, at=at)
        queues.add_inbound_queue(where.pk, Access(name="casino"), actor=STAFF, at=at)
    with pytest.raises(NameTaken):
        queues.add_queue(operator.pk, Access(name="casino"), events=["*"], actor=STAFF, at=at)
    queues.add_inbound_queue(None, Access(name="casino"), actor=STAFF, at=at)
    with pytest.raises(NameTaken):
        queues.add_inbound_queue(None, Access(name="casino"), actor=STAFF, at=at)


@pytest.mark.parametrize("endpoint", ["http://10.0.0.7:4566", "http://[fd00::1]:4566"])
def test_a_private_address_is_never_called(operator, at, endpoint):
    queue = Queue.objects.create(
        operator=operator, name="inside", url="https://q/1/a.fifo", endpoint_url=endpoint, access_key_id="a",
        sealed_secret=Access(name="x", secret="b").columns()["sealed_secret"],
    )  # fmt: skip
    with pytest.raises(QueueUnreachable, match="private or reserved"):
        sqs_setup.send_test(queue.pk, actor=STAFF, at=at)


def test_loopback_is_not_called_in_production(server, operator, at, settings):
    queue = server.queue(operator, at=at)
    settings.EGRESS_ALLOW_LOOPBACK = False
    with pytest.raises(QueueUnreachable, match="This machine itself is not called"):
        sqs_setup.send_test(queue.pk, actor=STAFF, at=at)
    assert server.take(queue.url) == []


def test_a_redirect_is_not_followed(server, operator, at):
    class Elsewhere(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(307)
            self.send_header("Location", server.url)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    queue = server.queue(operator, at=at)
    with HTTPServer(("127.0.0.1", 0), Elsewhere) as other:
        Thread(target=other.serve_forever, daemon=True).start()
        Queue.objects.filter(pk=queue.pk).update(endpoint_url=f"http://127.0.0.1:{other.server_port}")
        with pytest.raises(QueueUnreachable):
            sqs_setup.send_test(queue.pk, actor=STAFF, at=at)
        other.shutdown()
    assert server.take(queue.url) == []


def test_a_changed_key_counts_at_once(server, operator, at):
    queue = server.queue(operator, at=at)
    before = sqs.client(queue)
    assert sqs.client(queue) is before
    queues.change_queue(queue.pk, server.access(url=queue.url, secret="other"), events=["*"], actor=STAFF, at=at)
    assert sqs.client(Queue.objects.get(pk=queue.pk)) is not before


def test_a_change_says_who_and_when(server, operator, at: datetime):
    queue = server.queue(operator, at=at)
    queues.disable(queue.pk, model=Queue, reason="moving", actor=STAFF, at=at)
    newest = Queue.history.filter(id=queue.pk).latest("history_id")
    assert (newest.history_change_reason, newest.history_date) == ("disabled: moving, by staff:ada@podium.example", at)
    assert newest.enabled is False
