"""The record of webhook calls (rumble.md 3.28), as a real receiver got them."""

from datetime import timedelta

import pytest

from apps.core import clock
from apps.core.actors import SYSTEM
from apps.events.services import numbering
from apps.rumble.services import applications
from apps.rumble.services.applications import ApplicationChanges
from tests.contracts.rumble.client import App, refused, settle
from tests.events.relays import relaying, settled
from tests.receivers import Receiver, Reply
from tests.workers import eventually

pytestmark = pytest.mark.django_db(transaction=True)


def listening(app, receiver, token="hook-token"):  # noqa: S107 - opens nothing
    changes = ApplicationChanges(webhook_url=receiver.url, webhook_token=token)
    app.row = applications.change(app.row.pk, changes, actor=SYSTEM, at=clock.now())
    return app.row.endpoint


def test_a_tournament_is_told_step_by_step_and_the_calls_are_on_record():
    app = App()
    with Receiver() as receiver, relaying():
        endpoint = listening(app, receiver)
        tournament = app.tournament(registrationFeeInUpx=50)
        app.join(tournament, "racera")
        settle()
        app.post(f"/rumble-tournaments/{tournament}/cancel")
        settle(60)
        other = App(app.operator)
        other.tournament()
        numbering.number_facts(app.operator.pk)
        settled(endpoint, DELIVERED=len(EXPECTED))
    about = [got.json for got in receiver.got if got.json["type"] != "AuthenticationSuccess"]
    assert [(one["type"], one["data"].get("status")) for one in about] == EXPECTED[1:]
    assert {got.headers["authorization"] for got in receiver.got} == {"Bearer hook-token"}
    container = app.get(f"/rumble-tournaments/{tournament}").json()["containerId"]
    added = about[0]["data"]
    assert set(added) == {"appId", "participantId", "tournamentId", "transactionId", "userId", "status"}
    assert (added["appId"], added["tournamentId"], added["userId"]) == (app.id, tournament, app.user("racera"))

    today = clock.now().date()
    query = {"startDate": today - timedelta(days=1), "endDate": today, "pageSize": 100, "currentPage": 1}
    told = app.get("/app-usage/webhook-calls", **query).json()
    assert told["totalResults"] == len(EXPECTED)
    newest = told["results"][0]
    assert newest["isSuccess"] is True
    assert newest["attemptNumber"] == 1
    assert newest["response"]["status"] == 204
    (cancelled,) = app.get("/app-usage/webhook-calls", notificationType="RumbleTournamentCanceled").json()["results"]
    assert cancelled["containerId"] == container
    assert cancelled["request"] == about[-1]
    assert app.get("/app-usage/webhook-calls", containerId=container).json()["totalResults"] == len(EXPECTED) - 1
    assert app.get("/app-usage/webhook-calls", isSuccess="false").json()["totalResults"] == 0
    assert other.get("/app-usage/webhook-calls").json()["results"] == []
    (connected,) = app.get("/app-usage/webhook-calls", notificationType="AuthenticationSuccess").json()["results"]
    assert app.tokens["racera"] not in str(connected)


EXPECTED = [
    ("AuthenticationSuccess", None),
    ("RumbleTournamentNewParticipantAdded", "WAITING_PAYMENT"),
    ("TransactionToEscrowCreated", None),
    ("TransactionToEscrowSigned", None),
    ("RumbleTournamentParticipantStatusUpdated", "PROCESSING_PAYMENT"),
    ("TransactionToEscrowFinal", None),
    ("RumbleTournamentParticipantStatusUpdated", "ACTIVE"),
    ("RumbleTournamentStatusUpdated", "REFUNDING_PARTICIPANTS"),
    ("TransactionFromEscrowCreated", None),
    ("TransactionFromEscrowFinal", None),
    ("RumbleTournamentCanceled", "CANCELED"),
]


def test_a_call_that_failed_is_on_record_too():
    app = App()
    with Receiver(lambda *_: Reply(500, body=b"on fire")) as receiver, relaying():
        endpoint = listening(app, receiver, token="")
        app.connect("racera")
        numbering.number_facts(app.operator.pk)
        receiver.wait_for(1)
        settled(endpoint, PENDING=1)
        calls = eventually(lambda: app.get("/app-usage/webhook-calls", isSuccess="false").json()["results"])
    assert (calls[0]["isSuccess"], calls[0]["response"]["status"]) == (False, 500)
    assert "authorization" not in receiver.got[0].headers


def test_what_cannot_be_asked_is_refused():
    app = App()
    for query in ({"startDate": "yesterday"}, {"endDate": "2026-13-01"}, {"notificationType": "Rain"},
                  {"isSuccess": "maybe"}, {"containerId": "x"}):  # fmt: skip
        refused(app.get("/app-usage/webhook-calls", **query), 400)
    assert app.get("/app-usage/webhook-calls", startDate="2026-03-01T10:00:00.000Z", endDate="2026-03-02").json() == {
        "currentPage": 1, "pageSize": 10, "totalResults": 0, "results": [],
    }  # fmt: skip
