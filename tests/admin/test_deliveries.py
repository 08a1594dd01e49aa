"""Endpoints, deliveries and queues in the admin: health at a glance, secrets shown once, everything sent again."""

import socket

import pytest
from django.contrib.admin.models import LogEntry

from apps.core import clock
from apps.events.admin import looks
from apps.events.models import Delivery, Endpoint, Fact, InboundQueue, Queue
from apps.events.services import numbering
from tests.admin.scenes import change, fresh, operation, press, signed_in, text, url
from tests.factories import UserFactory


def closed() -> str:
    """An address where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


@pytest.fixture
def client(acme):
    return signed_in(acme.staff["manager"])


def buttons(client, row) -> set[str]:
    return {item["operation"].name for item in client.get(change(row)).context["operations"]}


ENDPOINT = {"test", "edit", "rotate-secret", "replay", "retry-dead-letters", "disable", "remove"}
QUEUE = {"test", "edit", "check", "create-queues", "disable", "skip"}
MAY = [
    ("owner", ENDPOINT, QUEUE, {"retry"}),
    ("manager", ENDPOINT, QUEUE, {"retry"}),
    ("finance", set(), set(), set()),
    ("support", {"test", "replay", "retry-dead-letters"}, set(), {"retry"}),
    ("auditor", set(), set(), set()),
]


@pytest.mark.parametrize("role, endpoint, queue, delivery", MAY, ids=[case[0] for case in MAY])
def test_each_role_finds_its_own_buttons(acme, role, endpoint, queue, delivery):
    client = signed_in(acme.staff[role])
    assert buttons(client, acme.told.endpoint) == endpoint
    assert buttons(client, acme.told.queue) == queue
    assert buttons(client, acme.told.dead) == delivery


def test_the_list_tells_how_an_endpoint_fares(acme, client):
    Delivery.objects.filter(endpoint=acme.told.endpoint).update(created_at=clock.now())
    page = text(client.get(url(Endpoint, "changelist")))
    assert "50 %" in page
    health = looks.read_health([acme.told.endpoint], now=clock.now())[acme.told.endpoint.pk]
    waiting = Delivery.objects.filter(endpoint=acme.told.endpoint, status="PENDING").count()
    assert (health.hour, health.day, health.waiting, health.dead) == ((1, 2), (1, 2), waiting, 1)


def test_a_secret_is_shown_once_and_never_again(acme, client):
    shown = press(
        client, url(Endpoint, "add"), url="https://hooks.example/new", events="tournament.*\nplayer.registered"
    )
    made = Endpoint.objects.get(operator=acme.operator, url="https://hooks.example/new")
    assert made.events == ["tournament.*", "player.registered"]
    first = shown.context["answer"].secret
    assert first.startswith("whsec_")
    assert first in text(shown)
    assert "no-store" in shown["Cache-Control"]
    rotated = press(client, operation(made, "rotate-secret"), overlap_seconds="3600").context["answer"].secret
    assert rotated != first
    for page in (change(made), url(made, "history", made.pk), url(Endpoint, "changelist")):
        seen = text(client.get(page))
        assert first not in seen
        assert rotated not in seen
    log = " ".join(LogEntry.objects.values_list("change_message", flat=True))
    assert "whsec_" not in log


def test_a_bearer_token_is_written_and_never_read(acme, client):
    endpoint = acme.told.endpoint
    press(client, operation(endpoint, "edit"), token="very-secret-token")
    assert fresh(endpoint).token
    assert "very-secret-token" not in text(client.get(operation(endpoint, "edit")))
    assert not LogEntry.objects.filter(change_message__contains="very-secret-token").exists()
    press(client, operation(endpoint, "edit"), description="renamed")
    assert fresh(endpoint).token, "nothing typed is no change"
    press(client, operation(endpoint, "edit"), forget_token="on")
    assert fresh(endpoint).token == ""


def test_an_address_inside_is_refused_with_the_reason(acme, client):
    refused = press(client, url(Endpoint, "add"), url="https://10.0.0.8/hooks", events="*")
    assert "private or reserved" in text(refused)
    assert not Endpoint.objects.filter(url__contains="10.0.0.8").exists()


def test_disabling_needs_a_reason_and_keeps_it(acme, client):
    endpoint = acme.told.endpoint
    assert "This field is required." in text(press(client, operation(endpoint, "disable")))
    press(client, operation(endpoint, "disable"), reason="moving house")
    off = fresh(endpoint)
    assert (off.enabled, off.disabled_reason) == (False, "moving house")
    assert "moving house" in text(client.get(url(Endpoint, "changelist")))
    assert buttons(client, off) == {"edit", "rotate-secret", "enable", "remove"}
    press(client, operation(endpoint, "enable"))
    assert fresh(endpoint).enabled


def test_a_removed_endpoint_is_gone_and_its_deliveries_stay(acme, client):
    endpoint = acme.told.endpoint
    press(client, operation(endpoint, "remove"), reason="closed")
    assert client.get(change(endpoint)).status_code == 302
    assert "(removed)" in text(client.get(change(acme.told.dead)))


def test_a_test_is_queued_for_one_endpoint_and_is_no_fact(acme, client):
    before = Fact.objects.count()
    press(client, operation(acme.told.endpoint, "test"))
    queued = Delivery.objects.latest("pk")
    assert (queued.endpoint, queued.fact, queued.status) == (acme.told.endpoint, None, "PENDING")
    assert Fact.objects.count() == before
    assert "webhook.test" in text(client.get(change(queued)))


def test_a_replay_tells_first_how_many_it_would_be(acme, client):
    endpoint = acme.told.endpoint
    dry = press(client, operation(endpoint, "replay"), first="1")
    assert dry["Location"] == change(endpoint)
    assert "Dry run: 2 deliveries would be queued. Nothing was." in text(client.get(change(endpoint)))
    assert fresh(acme.told.dead).status == "EXHAUSTED"
    page = client.get(operation(endpoint, "replay"))
    ticket = page.context["form"]["ticket"].value()
    client.post(operation(endpoint, "replay"), {"ticket": ticket, "first": "1"})
    assert {fresh(one).status for one in (acme.told.dead, acme.told.arrived)} == {"PENDING"}


WRONG = [
    ({}, "Say where to begin"),
    ({"first": "1", "until": "2031-01-01T00:00"}, "not both"),
    ({"first": "1", "events": "*nonsense"}, "Names, prefixes"),
]


@pytest.mark.parametrize("said, words", WRONG)
def test_a_replay_that_makes_no_sense_is_refused(acme, client, said, words):
    assert words in text(press(client, operation(acme.told.endpoint, "replay"), **said))


def test_all_dead_letters_are_put_back_after_their_number_was_told(acme, client):
    endpoint = acme.told.endpoint
    asked = client.get(operation(endpoint, "retry-dead-letters")).context["preview"]
    assert list(asked.facts) == [("Dead letters", "1")]
    press(client, operation(endpoint, "retry-dead-letters"), reason="the receiver is back")
    assert fresh(acme.told.dead).status == "PENDING"
    assert fresh(acme.told.arrived).status == "DELIVERED"


def test_one_delivery_is_tried_again_from_its_page_or_its_list(acme, client):
    press(client, operation(acme.told.dead, "retry"))
    assert fresh(acme.told.dead).status == "PENDING"
    bulk = url(Delivery, "bulk", "retry") + f"?ids={acme.told.arrived.pk}"
    press(client, bulk)
    assert fresh(acme.told.arrived).status == "PENDING"


def test_a_delivery_shows_every_try_with_what_came_back_as_text(acme, client):
    page = text(client.get(change(acme.told.dead)))
    assert "&lt;b&gt;what they said&lt;/b&gt;" in page
    assert "<b>what they said" not in page
    assert "35\u00a0ms" in page


def found(client, **query) -> list:
    return list(client.get(url(Delivery, "changelist"), query).context["cl"].result_list)


def test_deliveries_are_found_by_event_id_number_state_endpoint_type_and_day(acme, client):
    told = acme.told
    assert found(client, q=told.dead.fact.public_id) == [told.dead]
    assert found(client, q=str(told.dead.sequence)) == [told.dead]
    assert found(client, status__exact="EXHAUSTED") == [told.dead]
    all_of_them = list(Delivery.objects.filter(endpoint=told.endpoint).order_by("-pk"))
    assert found(client, endpoint__id__exact=told.endpoint.pk) == all_of_them
    assert found(client, type="player.*") == all_of_them
    assert found(client, type="tournament.started") == []
    today = told.waiting.created_at.date().isoformat()
    assert told.waiting in found(client, created_at_from=today, created_at_to=today)
    assert found(client, created_at_to="2001-01-01") == []


def test_a_fact_tells_where_it_went(acme, client):
    first, second, third = (text(client.get(change(fact))) for fact in acme.told.facts)
    assert "acme hooks" in first
    assert "Delivered" in first
    assert "Refused" in first
    assert "Dead letter" in second
    assert "Waiting" in third
    assert change(acme.told.arrived) in first
    unnumbered = Fact.objects.filter(operator=acme.operator).exclude(type__startswith="player.").earliest("pk")
    assert "acme casino" in text(client.get(change(unnumbered)))


def test_rows_of_the_log_are_nobodys_to_edit(acme):
    client = signed_in(UserFactory(is_superuser=True))
    for row in (acme.told.dead, acme.told.facts[0], acme.told.endpoint, acme.told.queue):
        assert client.post(change(row), {"status": "DELIVERED", "secret": "x"}).status_code == 403
        assert client.get(url(row, "delete", row.pk)).status_code == 403


def test_a_queues_secret_is_written_and_never_read(acme, client):
    queue = acme.told.queue
    sealed = fresh(queue).sealed_secret
    page = text(client.get(operation(queue, "edit")))
    assert "s3cr3t" not in page
    assert sealed not in page
    press(client, operation(queue, "edit"), name="renamed", events="player.*")
    changed = fresh(queue)
    assert (changed.name, changed.events, changed.sealed_secret) == ("renamed", ["player.*"], sealed)
    press(client, operation(queue, "edit"), secret="an0ther")
    assert fresh(queue).sealed_secret != sealed
    assert not LogEntry.objects.filter(change_message__contains="an0ther").exists()


def test_a_queue_is_added_without_a_url_and_waits_for_its_creation(acme, client):
    press(client, url(Queue, "add"), name="fresh", endpoint_url=closed(), access_key_id="A", secret="B")
    queue = Queue.objects.get(name="fresh")
    assert (queue.operator, queue.url) == (acme.operator, "")
    assert "Not created yet" in text(client.get(url(Queue, "changelist")))
    refused = text(press(client, operation(queue, "create-queues")))
    assert "Connection refused" in refused
    assert fresh(queue).url == ""


def test_only_the_platform_reads_for_every_operator(acme, client):
    assert "every_operator" not in client.get(url(InboundQueue, "add")).context["form"].fields
    press(client, url(InboundQueue, "add"), name="mine", every_operator="on")
    assert InboundQueue.objects.get(name="mine").operator == acme.operator
    root = signed_in(UserFactory(is_superuser=True))
    press(root, url(InboundQueue, "add"), name="everybody", every_operator="on")
    everybody = InboundQueue.objects.get(name="everybody")
    assert everybody.operator is None
    assert client.get(change(everybody)).status_code == 302
    assert root.get(change(everybody)).status_code == 200


def test_skipping_tells_how_much_is_given_up(acme, client):
    queue = acme.told.queue
    asked = client.get(operation(queue, "skip")).context["preview"]
    head = queue.operator.stream.last_sequence
    assert list(asked.facts) == [("Numbers it has not come to", str(head))]
    press(client, operation(queue, "skip"), reason="too late")
    assert fresh(queue).after_sequence == head


def test_health_is_one_query_that_looks_at_so_many_deliveries_and_no_more(acme, monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(looks, "LOOKED_AT", 1)
    with django_assert_num_queries(1):
        health = looks.read_health([acme.told.endpoint], now=clock.now())[acme.told.endpoint.pk]
    assert (health.waiting, health.more_wait, looks.waiting(health)) == (1, True, "1+")


def test_nothing_numbered_is_lost_by_looking(acme, client):
    while numbering.number_facts(acme.operator.pk):
        pass
    before = (Delivery.objects.count(), fresh(acme.told.queue).after_sequence)
    for row in (acme.told.endpoint, acme.told.queue, acme.told.dead):
        for name in buttons(client, row):
            assert client.get(operation(row, name)).status_code == 200
    assert (Delivery.objects.count(), fresh(acme.told.queue).after_sequence) == before
