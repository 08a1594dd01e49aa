"""Webhooks of applications: their envelope and token, only their own facts, each subject in order."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.core import crypto
from apps.core.actors import SYSTEM
from apps.core.api.json import loads
from apps.core.errors import Invalid, NotFound
from apps.events import formats
from apps.events.models import Attempt, Delivery, Format
from apps.events.services import deliveries, endpoints
from apps.events.services.endpoints import EndpointChanges
from tests.events.factories import NOON
from tests.events.relays import make, make_due, relaying, settled, tell
from tests.factories import OperatorFactory, api
from tests.receivers import Receiver, Reply

pytestmark = pytest.mark.django_db(transaction=True)

CLOSED = {"appId": 4021, "tournamentId": "t-1", "transactionId": "x-1", "status": "CLOSED", "containerId": 9}
CONNECTED = {"appId": 4021, "code": "K4TZ81QWNE", "userId": "u-1"}


def application(operator, url, app_id=4021, **more):
    about = {"format": Format.RUMBLE, "holds": {"appId": app_id}, "token": "hook-token"} | more
    return make(operator, url, ["rumble.*"], **about).endpoint


def test_an_application_gets_its_own_facts_in_their_envelope_with_its_token():
    operator = OperatorFactory()
    with Receiver() as receiver, relaying():
        endpoint = application(operator, receiver.url)
        tell(operator, "rumble.RumbleTournamentClosed", data={**CLOSED, "appId": 4022})
        tell(operator, "tournament.started", data={"appId": 4021})
        tell(operator, "rumble.RumbleTournamentClosed", data={**CLOSED, "transactionId": None})
        settled(endpoint, DELIVERED=1)
    (got,) = receiver.got
    assert got.headers["authorization"] == "Bearer hook-token"
    assert got.headers["content-type"] == "application/json"
    assert got.json == {
        "type": "RumbleTournamentClosed",
        "data": {"appId": 4021, "tournamentId": "t-1", "transactionId": None, "status": "CLOSED"},
    }
    assert Attempt.objects.get().request_headers == {"Content-Type": "application/json", "Authorization": "…"}


def test_a_players_token_is_sealed_in_the_fact_and_open_in_the_notice_alone():
    operator = OperatorFactory()
    data = {**CONNECTED, "sealedToken": crypto.encrypt("eyJ.a.b")}
    with Receiver() as receiver, relaying():
        endpoint = application(operator, receiver.url)
        (fact,) = tell(operator, "rumble.AuthenticationSuccess", "application:4021", data)
        settled(endpoint, DELIVERED=1)
    told = {"code": "K4TZ81QWNE", "userId": "u-1", "accessToken": "eyJ.a.b"}
    assert receiver.got[0].json == {"type": "AuthenticationSuccess", "data": told}
    assert "eyJ.a.b" not in str(fact.data)
    delivery = Delivery.objects.select_related("endpoint__operator", "fact").get()
    assert loads(formats.shown("RUMBLE", formats.outgoing(delivery)))["data"]["accessToken"] == "…"


def test_what_follows_in_a_tournament_waits_for_a_retry_and_other_tournaments_do_not():
    operator = OperatorFactory()
    with Receiver(lambda _, n: Reply(500 if n == 1 else 200)) as receiver, relaying():
        endpoint = application(operator, receiver.url)
        tell(operator, "rumble.RumbleTournamentClosed", "tournament:1", data={**CLOSED, "status": "first"})
        receiver.wait_for(1)
        tell(operator, "rumble.RumbleTournamentClosed", "tournament:1", data={**CLOSED, "status": "second"})
        tell(operator, "rumble.RumbleTournamentClosed", "tournament:2", data={**CLOSED, "status": "other"})
        settled(endpoint, DELIVERED=1, PENDING=2)
        make_due(endpoint=endpoint, attempts__gt=0)
        settled(endpoint, DELIVERED=3)
    assert [got.json["data"]["status"] for got in receiver.got] == ["first", "other", "first", "second"]


def test_six_attempts_are_made_over_hours():
    assert list(formats.of(Format.RUMBLE).schedule) == [10, 60, 300, 1800, 7200]


def test_an_applications_endpoint_is_none_of_the_operators_list():
    operator = OperatorFactory()
    endpoint = application(operator, "http://127.0.0.1:8099/hooks")
    assert api(operator).get("/api/webhooks/endpoints").json()["endpoints"] == []
    assert api(operator).get(f"/api/webhooks/endpoints/{endpoint.public_id}").status_code == 404
    who = {"operator_id": operator.pk, "actor": SYSTEM, "at": NOON}
    with pytest.raises(NotFound):
        endpoints.remove_endpoint(endpoint.pk, **who)
    with pytest.raises(Invalid):
        endpoints.change_endpoint(endpoint.pk, changes=EndpointChanges(format=Format.STANDARD), **who)


def test_what_was_sent_to_an_application_is_kept_for_three_months():
    operator, now = OperatorFactory(), timezone.now()
    with Receiver() as receiver, relaying():
        endpoint, other = application(operator, receiver.url), make(operator, receiver.url).endpoint
        tell(operator, "rumble.RumbleTournamentClosed", data=CLOSED)
        settled(endpoint, DELIVERED=1)
        settled(other, DELIVERED=1)
    assert deliveries.purge(at=now + timedelta(days=91)) == 1
    assert Delivery.objects.get().endpoint == endpoint
    assert deliveries.purge(at=now + timedelta(days=93)) == 1
