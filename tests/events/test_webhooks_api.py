"""Operators make, change and watch their webhook endpoints over the API; nobody sees another's."""

import pytest
from standardwebhooks import Webhook

from apps.core import crypto
from apps.events.models import Delivery, Endpoint, Fact, Format
from apps.events.services import platforms
from apps.operators.scopes import Scope
from tests.events.factories import NOON
from tests.events.relays import make, relaying, settled, states, tell
from tests.factories import OperatorFactory, api
from tests.receivers import Receiver, Reply
from tests.workers import eventually

ENDPOINTS = "/api/webhooks/endpoints"


@pytest.fixture
def operator(db):
    return OperatorFactory()


@pytest.fixture
def client(operator):
    return api(operator)


def test_an_endpoint_is_made_shown_changed_and_removed(operator, client):
    made = client.post(ENDPOINTS, {"url": "https://a.example/hooks", "events": ["tournament.*", "player.registered"]})
    assert made.status_code == 201
    body = made.json()
    secret = body.pop("secret")
    assert secret.startswith("whsec_")
    assert Webhook(secret)
    assert body == {
        "id": body["id"],
        "url": "https://a.example/hooks",
        "description": "",
        "events": ["tournament.*", "player.registered"],
        "format": "standard",
        "ordered": False,
        "enabled": True,
        "hasToken": False,
        "createdAt": body["createdAt"],
        "disabledAt": None,
        "disabledReason": None,
        "failingSince": None,
        "lastSuccessAt": None,
        "lastFailureAt": None,
        "lastError": None,
        "previousSecretUntil": None,
    }
    place = f"{ENDPOINTS}/{body['id']}"
    assert client.get(place).json() == body
    assert client.get(ENDPOINTS).json()["endpoints"] == [body]

    changed = client.patch(place, {"format": "casino", "ordered": True, "enabled": False, "token": "abc"}).json()
    assert {name for name in changed if changed[name] != body[name]} == {
        "format", "ordered", "enabled", "hasToken", "disabledAt", "disabledReason",
    }  # fmt: skip
    stored = Endpoint.objects.get()
    assert crypto.decrypt(stored.secret) == secret
    assert crypto.decrypt(stored.token) == "abc"
    assert client.patch(place, {"enabled": True, "token": ""}).json()["hasToken"] is False
    # Its history says who, and holds no secret.
    change = stored.history.first()
    assert change.history_change_reason.startswith("key:sk_live_")
    assert not hasattr(change, "secret")

    assert client.delete(place).status_code == 204
    assert client.get(place).status_code == 404
    assert client.get(ENDPOINTS).json()["endpoints"] == []


def test_snake_case_is_read_too(client):
    made = client.post(ENDPOINTS, {"url": "https://a.example/"}).json()
    assert made["events"] == ["*"]
    rotated = client.post(f"{ENDPOINTS}/{made['id']}/rotate-secret", {"overlap_seconds": 60})
    assert rotated.json()["previousSecretUntil"] is not None
    assert rotated.json()["secret"] != made["secret"]
    assert client.post(f"{ENDPOINTS}/{made['id']}/rotate-secret", {"overlapSeconds": 0}).json()[
        "previousSecretUntil"
    ] is None  # fmt: skip


def test_a_repeated_request_gets_the_same_secret_and_it_is_kept_encrypted(client):
    headers = {"Idempotency-Key": "once"}
    first = client.post(ENDPOINTS, {"url": "https://a.example/"}, headers=headers)
    again = client.post(ENDPOINTS, {"url": "https://a.example/"}, headers=headers)
    assert first.json() == again.json()
    assert Endpoint.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "url"),
        ({"url": ""}, "url"),
        ({"url": "nonsense"}, "url"),
        ({"url": "ftp://a.example/"}, "url"),
        ({"url": "https://10.0.0.1/"}, "url"),
        ({"url": "https://169.254.169.254/latest/meta-data"}, "url"),
        ({"url": "https://[::ffff:10.0.0.1]/"}, "url"),
        ({"url": "https://0x7f.1/"}, "url"),
        ({"url": "https://user:word@a.example/"}, "url"),
        ({"url": "https://a.example:22/"}, "url"),
        ({"url": "https://a.example/", "events": []}, "events"),
        ({"url": "https://a.example/", "events": ["tournament*"]}, "events"),
        ({"url": "https://a.example/", "events": ["a'; DROP"]}, "events"),
        ({"url": "https://a.example/", "events": "tournament.*"}, "events"),
        ({"url": "https://a.example/", "events": ["a.b"] * 51}, "events"),
        ({"url": "https://a.example/", "events": ["player.*", "player.score.updated"]}, "events"),
        ({"url": "https://a.example/", "format": "platform"}, "format"),
        ({"url": "https://a.example/", "format": "xml"}, "format"),
        ({"url": "https://a.example/", "token": "two words"}, "token"),
        ({"url": "https://a.example/", "token": "line\r\nX: y"}, "token"),
        ({"url": "https://a.example/", "ordered": "perhaps"}, "ordered"),
        ({"url": "https://a.example/", "description": "x" * 201}, "description"),
    ],
)
def test_a_bad_endpoint_is_refused_by_field(client, body, field):
    answer = client.post(ENDPOINTS, body)
    assert answer.status_code == 400, answer.json()
    assert field in answer.json()["error"]["details"]["fields"]
    assert not Endpoint.objects.exists()


def test_production_takes_https_to_public_addresses_only(client, settings):
    settings.EGRESS_ALLOW_LOOPBACK, settings.EGRESS_REQUIRE_HTTPS = False, True
    for url in ("http://a.example/", "http://127.0.0.1:8000/", "https://127.0.0.1/", "https://localhost/"):
        assert client.post(ENDPOINTS, {"url": url}).status_code == 400
    assert client.post(ENDPOINTS, {"url": "https://a.example/"}).status_code == 201


def test_there_is_an_end_to_endpoints(client, operator, monkeypatch):
    monkeypatch.setattr("apps.events.services.endpoints.MAX_ENDPOINTS", 2)
    assert [client.post(ENDPOINTS, {"url": "https://a.example/"}).status_code for _ in range(3)] == [201, 201, 409]


def test_another_operator_sees_and_moves_nothing(operator, client):
    made = make(operator, "https://a.example/")
    tell(operator)
    delivery = Delivery.objects.get()
    stranger = api(OperatorFactory())
    place, one = f"{ENDPOINTS}/{made.endpoint.public_id}", f"/api/webhooks/deliveries/{delivery.pk}"
    assert stranger.get(ENDPOINTS).json()["endpoints"] == []
    for answer in (
        stranger.get(place),
        stranger.patch(place, {"url": "https://evil.example/"}),
        stranger.delete(place),
        stranger.post(f"{place}/rotate-secret", {}),
        stranger.post(f"{place}/test"),
        stranger.post(f"{place}/replay", {"since": 0}),
        stranger.get(f"{place}/deliveries"),
        stranger.get(one),
        stranger.post(f"{one}/retry"),
    ):
        assert answer.status_code == 404
    assert Endpoint.objects.get().url == "https://a.example/"
    assert Delivery.objects.get().attempts == 0


def test_reading_and_writing_need_their_scopes(operator):
    reader, writer = api(operator, [Scope.WEBHOOKS_READ]), api(operator, [Scope.WEBHOOKS_WRITE])
    assert reader.post(ENDPOINTS, {"url": "https://a.example/"}).status_code == 403
    place = f"{ENDPOINTS}/{writer.post(ENDPOINTS, {'url': 'https://a.example/'}).json()['id']}"
    assert writer.get(place).status_code == 403
    assert reader.get(place).status_code == 200
    assert api(operator, []).get(ENDPOINTS).status_code == 403
    for path in ("rotate-secret", "test", "replay"):
        assert reader.post(f"{place}/{path}", {"since": 1}).status_code == 403


def test_the_game_platforms_endpoint_is_none_of_the_operators(operator, client, settings):
    settings.GAME_PLATFORM_URL = "http://127.0.0.1:9999/"
    tell(operator, "tournament.started")
    tell(operator, "tournament.completed")
    endpoint = Endpoint.objects.get()
    assert (endpoint.format, endpoint.url) == (Format.PLATFORM, "http://127.0.0.1:9999/internal/tournament/events")
    assert Delivery.objects.count() == 1
    assert client.get(ENDPOINTS).json()["endpoints"] == []
    assert client.get(f"{ENDPOINTS}/{endpoint.public_id}").status_code == 404
    assert client.get(f"/api/webhooks/deliveries/{Delivery.objects.get().pk}").status_code == 404
    settings.GAME_PLATFORM_URL = "https://games.example"
    platforms.ensure(operator.pk)
    platforms.ensure(operator.pk)
    assert Endpoint.objects.get().url == "https://games.example/internal/tournament/events"


def test_deliveries_are_listed_newest_first_by_state_and_in_pages(operator, client):
    made = make(operator, "https://a.example/")
    facts = tell(operator, count=5)
    Delivery.objects.filter(sequence__lte=2).update(
        status="EXHAUSTED", next_attempt_at=None, finished_at=NOON, last_error="answered 500", last_status=500
    )
    place = f"{ENDPOINTS}/{made.endpoint.public_id}/deliveries"
    page = client.get(place, {"limit": 3}).json()
    assert [row["sequence"] for row in page["deliveries"]] == [5, 4, 3]
    rest = client.get(place, {"limit": 3, "cursor": page["nextCursor"]}).json()
    assert ([row["sequence"] for row in rest["deliveries"]], rest["nextCursor"]) == ([2, 1], None)
    dead = client.get(place, {"state": "exhausted"}).json()["deliveries"]
    assert dead[1] == {
        "id": dead[1]["id"],
        "endpointId": made.endpoint.public_id,
        "eventId": facts[0].public_id,
        "eventType": "tournament.started",
        "sequence": 1,
        "state": "exhausted",
        "attempts": 0,
        "lastStatus": 500,
        "lastError": "answered 500",
        "nextAttemptAt": None,
        "createdAt": dead[1]["createdAt"],
        "finishedAt": "2026-03-01T12:00:00Z",
    }
    assert len(client.get(place, {"state": "PENDING"}).json()["deliveries"]) == 3
    for query in ({"state": "lost"}, {"limit": "0"}, {"cursor": "x"}, {"cursor": "9" * 30}):
        assert client.get(place, query).status_code == 400


@pytest.mark.django_db(transaction=True)
def test_a_dead_letter_is_tried_again_by_hand():
    operator = OperatorFactory()
    client = api(operator)
    with Receiver(lambda _, n: Reply(410 if n == 1 else 200)) as receiver:
        made = make(operator, receiver.url)
        tell(operator)
        with relaying():
            settled(made.endpoint, EXHAUSTED=1)
            one = f"/api/webhooks/deliveries/{Delivery.objects.get().pk}"
            eventually(lambda: not Endpoint.objects.get().enabled)
            assert client.post(f"{one}/retry").status_code == 409
            client.patch(f"{ENDPOINTS}/{made.endpoint.public_id}", {"enabled": True})
            answer = client.post(f"{one}/retry")
            assert (answer.status_code, answer.json()["state"]) == (202, "pending")
            settled(made.endpoint, DELIVERED=1)
            # What has been delivered can be sent once more.
            assert client.post(f"{one}/retry").status_code == 202
            eventually(lambda: len(receiver.got) == 3)
            settled(made.endpoint, DELIVERED=1)
    assert len(set(receiver.ids)) == 1
    shown = client.get(one).json()
    assert (shown["attempts"], shown["state"]) == (3, "delivered")
    assert [(row["number"], row["status"]) for row in shown["log"]] == [(3, 200), (2, 200), (1, 410)]


@pytest.mark.django_db(transaction=True)
def test_a_test_goes_to_one_endpoint_once_and_is_no_fact():
    operator = OperatorFactory()
    client = api(operator)
    with Receiver(lambda *_: Reply(500)) as receiver, Receiver() as other, relaying():
        made = make(operator, receiver.url, ["player.*"], ordered=True)
        make(operator, other.url)
        tell(operator, "player.registered")
        eventually(lambda: Delivery.objects.filter(attempts=1, leased_until=None).exists())
        answer = client.post(f"{ENDPOINTS}/{made.endpoint.public_id}/test")
        assert answer.status_code == 202
        assert (answer.json()["eventType"], answer.json()["sequence"]) == ("webhook.test", 0)
        # It overtakes the line, and is not tried again.
        settled(made.endpoint, PENDING=1, EXHAUSTED=1)
        other.wait_for(1)
    assert Webhook(made.secret).verify(receiver.got[1].body, dict(receiver.got[1].headers))
    assert receiver.got[1].json["type"] == "webhook.test"
    assert receiver.got[1].id == answer.json()["eventId"]
    assert receiver.got[1].json["data"]["endpointId"] == made.endpoint.public_id
    assert Fact.objects.count() == len(other.got) == 1
    client.patch(f"{ENDPOINTS}/{made.endpoint.public_id}", {"enabled": False})
    assert client.post(f"{ENDPOINTS}/{made.endpoint.public_id}/test").status_code == 409


@pytest.mark.django_db(transaction=True)
def test_a_replay_sends_what_was_and_what_never_was_queued_under_the_same_ids():
    operator = OperatorFactory()
    client = api(operator)
    before = tell(operator, count=3)
    with Receiver() as receiver, relaying():
        made = make(operator, receiver.url, ["tournament.*"])
        place = f"{ENDPOINTS}/{made.endpoint.public_id}/replay"
        after = tell(operator, count=3)
        tell(operator, "player.registered")
        settled(made.endpoint, DELIVERED=3)
        answer = client.post(place, {"since": 2, "until": 5})
        assert (answer.status_code, answer.json()) == (202, {"queued": 4, "lastSequence": 5, "hasMore": False})
        settled(made.endpoint, DELIVERED=5)
        receiver.wait_for(7)
        assert client.post(place, {"since": 0, "events": ["player.*"]}).json()["queued"] == 0
        assert client.post(place, {"since": 100}).json() == {"queued": 0, "lastSequence": 7, "hasMore": False}
    ids = [fact.public_id for fact in (*before, *after)]
    assert receiver.ids == [*ids[3:], *ids[1:5]]
    assert Fact.objects.count() == 7


def test_a_replay_by_time_looks_at_the_right_facts(operator, client):
    for hour in range(5):
        tell(operator, at=NOON.replace(hour=hour), data={"hour": hour}, count=3)
    made = make(operator, "https://a.example/")
    place = f"{ENDPOINTS}/{made.endpoint.public_id}/replay"
    answer = client.post(place, {"since": "2026-03-01T01:00:00Z", "until": "2026-03-01T04:00:00+01:00"})
    assert answer.json()["queued"] == 6
    hours = Delivery.objects.order_by("sequence").values_list("fact__data__hour", flat=True)
    assert list(hours) == [1, 1, 1, 2, 2, 2]
    assert client.post(place, {"since": "2026-03-01T01:00:00Z"}).json()["queued"] == 6
    assert client.post(place, {"since": "2027-01-01"}).json()["queued"] == 0


def test_a_replay_has_bounds_and_says_where_to_go_on(operator, client, monkeypatch):
    monkeypatch.setattr("apps.events.services.deliveries.REPLAYED_AT_ONCE", 4)
    tell(operator, count=10)
    made = make(operator, "https://a.example/")
    place, since, queued = f"{ENDPOINTS}/{made.endpoint.public_id}/replay", 1, []
    while True:
        answer = client.post(place, {"since": since}).json()
        queued.append(answer["queued"])
        since = answer["lastSequence"] + 1
        if not answer["hasMore"]:
            break
    assert queued == [4, 4, 2]
    assert states(made.endpoint) == {"PENDING": 10}


@pytest.mark.parametrize(
    "body",
    [
        {}, {"since": None}, {"since": -1}, {"since": 1.5}, {"since": True}, {"since": "yesterday"}, {"since": []},
        {"since": "9999-12-31T23:59:59-14:00"}, {"since": 1, "until": "x"}, {"since": 2**63},
        {"since": 1, "events": ["no pattern"]}, {"since": 1, "events": []}, {"since": "0001-01-01T00:00:00+14:00"},
    ],
    ids=str,
)  # fmt: skip
def test_a_replay_from_nowhere_is_refused(operator, client, body):
    made = make(operator, "https://a.example/")
    assert client.post(f"{ENDPOINTS}/{made.endpoint.public_id}/replay", body).status_code == 400


def test_a_retry_of_what_waits_makes_it_due(operator, client):
    make(operator, "https://a.example/")
    tell(operator)
    Delivery.objects.update(tries=9, attempts=9, next_attempt_at=NOON.replace(year=2030))
    delivery = Delivery.objects.get()
    assert client.post(f"/api/webhooks/deliveries/{delivery.pk}/retry").status_code == 202
    delivery = Delivery.objects.get()
    assert (delivery.tries, delivery.attempts) == (0, 9)
    assert delivery.next_attempt_at.year < 2030
