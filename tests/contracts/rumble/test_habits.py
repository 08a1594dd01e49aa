"""What clients of the original do that the specification does not say (rumble.md 1, client habits; 3.0)."""

import pytest

from apps.core.api.json import loads
from apps.rumble.models import Container
from tests.contracts.rumble.client import NOWHERE, SETTINGS, App, basic, refused, settle
from tests.factories import issue
from tests.rumble import world

pytestmark = pytest.mark.django_db


@pytest.fixture
def app():
    return App()


EMPTY = [
    (None, "application/json"),
    (b"", ""),
    ({}, "application/json"),
    ({"anything": [1, {"at": "all"}]}, "application/json"),
    (b"{not json", "application/json"),
    (b"a=b", "application/x-www-form-urlencoded"),
]


@pytest.mark.parametrize("body, kind", EMPTY)
def test_calls_that_take_no_body_ignore_whatever_comes(app, body, kind):
    tournament = app.tournament(registrationFeeInUpx=0, minParticipants=1, prizeDistributionRules=ONE)
    here = f"/rumble-tournaments/{tournament}"
    more = {"content_type": kind, "headers": {"Accept-Language": "xx", "Cookie": "sticky-session-1=abc"}}
    assert app.post("/auth/otp/init", body, **more).status_code == 201
    assert app.post(f"{here}/join", body, auth=app.bearer("racera"), **more).status_code == 204
    for call in ("close-registration", "start"):
        answer = app.patch(f"{here}/{call}", body, **more)
        assert (answer.status_code, answer.content) == (204, b"")
    cancelled = app.post(f"{here}/cancel", body, **more)
    assert cancelled.status_code == 200
    assert loads(cancelled.content)["status"] == "CANCELED"


ONE = [{"minParticipants": 1, "distribution": [100]}]


@pytest.mark.parametrize("body", [None, {}, {"expirationPeriodHours": 1}, {"expirationPeriodHours": "soon"}])
def test_a_container_is_made_of_any_body(app, body):
    made = app.post("/containers", body)
    assert made.status_code == 201
    container = Container.objects.get(pk=made.json()["id"])
    hours = 1 if body == {"expirationPeriodHours": 1} else 24
    assert (container.expires_at - container.created_at).total_seconds() == hours * 3600


def test_every_200_and_201_is_json_and_a_204_is_empty(app):
    tournament = app.running(4)
    here = f"/rumble-tournaments/{tournament}"
    calls = [
        app.get("/rumble-tournament-settings"),
        app.get(here),
        app.get(f"{here}/participants"),
        app.get(f"{here}/participants/{app.user('racera')}"),
        app.get(f"{here}/prize-distribution"),
        app.get(f"{here}/scoreboard"),
        app.get("/app-usage/webhook-calls"),
        app.post(f"{here}/cancel"),
        app.post("/containers"),
        app.send("GET", "/user/profile", auth=app.bearer("racera")),
        app.send("GET", "/user/balances", auth=app.bearer("racera")),
    ]
    for answer in calls:
        assert answer.status_code in {200, 201}
        assert answer["Content-Type"] == "application/json"
        loads(answer.content)


def test_unknown_fields_are_ignored_and_null_is_not_given(app):
    made = app.post("/rumble-tournament-settings", SETTINGS | {"colour": "red", "stakeholderFeePercentage": None})
    assert made.status_code == 201
    assert "stakeholderFeePercentage" not in made.json()
    tournament = app.post("/rumble-tournaments", {"settingsId": made.json()["id"], "stakeholderEosId": None, "x": 1})
    assert tournament.status_code == 201


def test_pages_have_defaults_bounds_and_an_end(app):
    for _ in range(3):
        app.settings()
    path = "/rumble-tournament-settings"
    first = app.get(path).json()
    assert {name: first[name] for name in ("currentPage", "pageSize", "totalResults")} == {
        "currentPage": 1, "pageSize": 10, "totalResults": 3,
    }  # fmt: skip
    assert len(app.get(path, currentPage=2, pageSize=2).json()["results"]) == 1
    assert app.get(path, currentPage=9, pageSize=2).json()["results"] == []
    newest = [one["createdAt"] for one in first["results"]]
    assert newest == sorted(newest, reverse=True)
    for wrong in ("0", "-1", "1.5", "x", "101"):
        refused(app.get(path, pageSize=wrong), 400, "pageSize")
    refused(app.get(path, currentPage=0), 400, "currentPage")
    assert app.get(path, minParticipants=4, maxParticipants=12, status="ACTIVE").json()["totalResults"] == 3
    assert app.get(path, maxParticipants=13).json()["totalResults"] == 0
    refused(app.get(path, status="ASLEEP"), 400, "status")


def test_a_missing_page_says_what_cannot_be_got(app):
    for method in ("GET", "POST"):
        answer = app.send(method, "/nope/at/all")
        assert answer.status_code == 404
        assert answer.json() == {"statusCode": 404, "message": f"Cannot {method} /nope/at/all", "error": "Not Found"}


def test_the_misspelled_address_of_codes_and_slashes_at_the_end_work(app):
    assert app.post("/auth/opt/init").status_code == 201
    assert app.get("/rumble-tournament-settings/").status_code == 200


def test_who_may_call(app):
    tournament = app.tournament()
    here = f"/rumble-tournaments/{tournament}"
    bearer, other = app.bearer("racera"), App(app.operator)
    for auth in ("", "Basic", "Basic !!!", basic(app.id, "wrong"), basic(app.id + 1, app.secret), bearer, "Bearer x"):
        refused(app.send("GET", here, auth=auth), 401, "Unauthorized")
    for auth in ("", "Bearer", "Bearer eyJ.a.b", basic(app.id, app.secret)):
        refused(app.post(f"{here}/join", auth=auth), 401)
    # Another application's tournament is none, whoever's token it is.
    refused(app.post(f"{here}/join", auth=other.bearer("racerb")), 404)
    refused(other.get(here), 404)
    refused(other.post(f"{here}/cancel"), 404)
    assert app.status(tournament) == "WAITING_FOR_PARTICIPANTS"
    key = issue(app.operator).key
    refused(app.send("GET", here, auth=f"Bearer {key}"), 401)


def test_what_is_wrong_is_said_in_one_text(app):
    wrong = SETTINGS | {"name": "", "minParticipants": 0, "prizeDistributionRules": [{"distribution": []}]}
    answer = app.post("/rumble-tournament-settings", wrong)
    refused(answer, 400, "name: ")
    assert "minParticipants: " in answer.json()["message"]
    refused(app.post("/rumble-tournament-settings", b"[]"), 400)
    refused(app.post("/rumble-tournament-settings", b"{"), 400)
    cases = [
        {"prizeDistributionRules": [{"minParticipants": 4, "distribution": [70, 29]}]},
        {"prizeDistributionRules": [{"minParticipants": 4, "distribution": [100]}] * 2},
        {"prizeDistributionRules": []},
        {"developerFeePercentage": 10.5},
        {"stakeholderFeePercentage": -1},
        {"registrationFeeInUpx": 1.5},
        {"registrationFeeInUpx": -1},
        {"registrationFeeInUpx": True},
        {"minParticipants": 13},
        {"maxParticipants": "many"},
    ]
    for case in cases:
        refused(app.post("/rumble-tournament-settings", SETTINGS | case), 400)
    assert app.get("/rumble-tournament-settings").json()["totalResults"] == 0


def test_unknown_ids_are_404_and_states_are_409(app):
    tournament = app.tournament()
    here = f"/rumble-tournaments/{tournament}"
    for missing in (NOWHERE, "nothing", "0", tournament[:-1] + ("0" if tournament[-1] != "0" else "1")):
        refused(app.get(f"/rumble-tournaments/{missing}"), 404)
        refused(app.get(f"/rumble-tournament-settings/{missing}"), 404)
        refused(app.post("/rumble-tournaments", {"settingsId": missing}), 404)
    refused(app.get(f"{here}/participants/{NOWHERE}"), 404)
    refused(app.get("/containers/999999"), 404)
    refused(app.get("/containers/x"), 404)
    refused(app.patch(f"{here}/start"), 409)
    refused(app.score(tournament, racera=1), 409)
    refused(app.post(f"{here}/resolve"), 409)
    refused(app.get(f"{here}/scoreboard"), 409)


def test_scores_are_all_or_none(app):
    tournament = app.running(4)
    here = f"/rumble-tournaments/{tournament}/scores"
    one = {"userId": app.user("racera"), "value": 7}
    for scores in (
        [],
        [one, one],
        [one, {"userId": NOWHERE, "value": 1}],
        [one | {"value": -1}],
        [one | {"value": None}],
    ):
        refused(app.post(here, {"scores": scores}), 400)
    refused(app.post(here, {}), 400)
    assert "score" not in app.get(f"/rumble-tournaments/{tournament}/participants/{app.user('racera')}").json()
    assert app.post(here, {"scores": [one]}).status_code == 204
    assert app.post(here, {"scores": [one | {"value": 6.25}]}).status_code == 204
    told = app.get(f"/rumble-tournaments/{tournament}/participants/{app.user('racera')}").json()
    assert (told["score"], told["status"]) == (6.25, "ACTIVE")
    assert told["scoredAt"] >= told["createdAt"]
    refused(app.post(f"/rumble-tournaments/{tournament}/resolve"), 400, "3")
    forced = app.post(f"/rumble-tournaments/{tournament}/resolve", {"forceResolutionWithNullScore": True})
    assert forced.status_code == 200
    assert [one["score"] for one in forced.json()["prizeDistributions"]] == [6.25, 0]


def test_joining_is_refused_in_the_documented_ways(app):
    tournament = app.tournament(maxParticipants=4)
    here = f"/rumble-tournaments/{tournament}/join"
    app.connect("poor", units=0)
    refused(app.post(here, auth=app.bearer("poor")), 400, "balance")
    app.join(tournament, *world.names(4))
    refused(app.post(here, auth=app.bearer("racera")), 409)
    refused(app.post(here, auth=app.bearer("racere")), 409)
    refused(app.post(f"/rumble-tournaments/{NOWHERE}/join", auth=app.bearer("racera")), 404)
    settle()
    listed = app.get(f"/rumble-tournaments/{tournament}/participants", status="ACTIVE").json()
    assert listed["totalResults"] == 4
    assert app.get(f"/rumble-tournaments/{tournament}/participants", status="REMOVED").json()["totalResults"] == 0
    refused(app.get(f"/rumble-tournaments/{tournament}/participants", status="GONE"), 400)


def test_the_dialect_describes_itself_where_the_original_does(app):
    described = app.send("GET", "/docs-json", auth="").json()
    assert set(described["components"]["securitySchemes"]) == {"application", "player"}
    assert all(path.startswith("/developers-api/") for path in described["paths"])
    calls = {call["operationId"] for calls in described["paths"].values() for call in calls.values()}
    assert len(calls) == 30
    assert {"AuthController_otpInit", "RumbleTournamentsController_join"} <= calls
    assert app.send("GET", "/docs/", auth="").status_code == 200
