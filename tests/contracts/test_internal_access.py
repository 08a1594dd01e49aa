"""The internal API at each mount, for each kind of key, across tenants (operators.md 1.1, 2.3, 12)."""

import pytest

from apps.events.models import Fact
from apps.tournaments.models import GameEvent
from apps.tournaments.services import running, tally
from tests.contracts.casino import NOW, an_operator, everything
from tests.contracts.internal import LOBBY, MOUNTS, T0, event
from tests.factories import Api, internal_api, internal_key
from tests.tournaments import world
from tests.tournaments.world import STAFF

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("on_that_day")]


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("mount", MOUNTS)
def test_every_call_answers_at_every_mount(casino, platform, mount, slash):
    tid = casino.create()
    casino.register(tid, "u-9")
    calls = [
        ("POST", "auth/validate-token", {"token": "x"}, 200),
        ("GET", f"tournaments/{tid}/config", None, 200),
        ("GET", f"tournaments/{tid}/status", None, 200),
        ("GET", f"tournaments/{tid}/players", None, 200),
        ("POST", "tournaments", LOBBY | {"operator_id": casino.operator.public_id}, 201),
        ("POST", f"tournaments/{tid}/events", event("x", tid), 202),
        ("POST", f"tournaments/{tid}/room", {"roomId": "r"}, 200),
        ("DELETE", f"tournaments/{tid}/players/u-9", {"reason": "left"}, 200),
    ]
    for method, path, body, status in calls:
        answer = platform.send(method, f"{mount}/{path}{slash}", body)
        assert answer.status_code == status, (path, answer.content)
        assert answer["Content-Type"] == "application/json"
    assert platform.get(f"{mount}/nothing{slash}").json()["code"] == "NOT_FOUND"
    assert platform.get(f"{mount}/tournaments{slash}").status_code == 405


def calls_on(tid):
    return [
        ("GET", f"/internal/tournaments/{tid}/config", None),
        ("GET", f"/internal/tournaments/{tid}/status", None),
        ("GET", f"/internal/tournaments/{tid}/players", None),
        ("DELETE", f"/internal/tournaments/{tid}/players/u-9", {"reason": "left"}),
        ("POST", f"/internal/tournaments/{tid}/events", event("x")),
        ("POST", f"/internal/tournaments/{tid}/events", event("round.started", round=1)),
        ("POST", f"/internal/tournaments/{tid}/room", {"roomId": "r"}),
    ]


def test_a_key_confined_to_an_operator_sees_no_other(casino):
    tid = casino.create()
    token = casino.register(tid, "u-9")["jwt"]
    stranger = internal_api(an_operator(), all_operators=False)
    own = internal_api(casino.operator, all_operators=False)
    before = everything()
    for method, path, body in calls_on(tid):
        answer = stranger.send(method, path, body)
        assert (answer.status_code, answer.json()["code"]) == (404, "TOURNAMENT_NOT_FOUND"), path
    answer = stranger.post("/internal/tournaments", LOBBY | {"operator_id": casino.operator.public_id})
    assert answer.status_code == 404
    answer = stranger.post("/internal/auth/validate-token", {"token": token})
    assert answer.json() == {"valid": False, "error": "invalid_signature"}
    assert everything() == before
    assert not GameEvent.objects.exists()
    assert own.post("/internal/auth/validate-token", {"token": token}).json()["valid"] is True
    assert own.get(f"/internal/tournaments/{tid}/config").json()["operatorId"] == casino.operator.public_id


def test_a_key_of_all_operators_crosses_and_every_answer_names_whose_it_is(casino):
    tid = casino.create()
    casino.register(tid, "u-9")
    platform = internal_api(an_operator(), all_operators=True)
    for method, path, body in calls_on(tid)[:-2] + calls_on(tid)[-1:]:
        answer = platform.send(method, path, body)
        assert answer.status_code in (200, 202), (path, answer.content)
        assert answer.json()["operatorId"] == casino.operator.public_id


@pytest.mark.parametrize("tid", ["0", "-1", "999999999", "9" * 30, "x", "1e3", "%00", "%D9%A1"])
def test_what_is_not_there_is_404(platform, tid):
    for method, path, body in calls_on(tid):
        assert platform.send(method, path, body).status_code == 404, path


def test_a_draft_is_not_there(casino, platform):
    draft = world.make(operator=casino.operator, draft=True)
    for method, path, body in calls_on(draft.pk):
        assert platform.send(method, path, body).status_code == 404, path


def test_keys_of_the_wrong_kind_are_refused(casino, platform):
    tid = casino.create()
    internal = internal_key(casino.operator)
    for method, path, body in calls_on(tid):
        assert casino.send(method, path, body).status_code == 401
        assert Api().send(method, path, body).status_code == 401
    for path in ("/api/tournaments", f"/api/tournaments/{tid}"):
        assert Api(internal).get(path).status_code == 401
    header = Api().get(f"/internal/tournaments/{tid}/status", headers={"X-Internal-Api-Key": internal})
    assert header.status_code == 200


def test_a_retry_with_the_same_key_gets_the_first_answer(casino, platform):
    tid = casino.create()
    casino.register(tid, "u-9")
    path, body = f"/internal/tournaments/{tid}/players/u-9", {"reason": "left"}
    first = platform.delete(path, body, headers={"Idempotency-Key": "k-1"})
    again = platform.delete(path, body, headers={"Idempotency-Key": "k-1"})
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == again.json()
    other = platform.delete(path, {"reason": "other"}, headers={"Idempotency-Key": "k-1"})
    assert (other.status_code, other.json()["code"]) == (409, "IDEMPOTENCY_KEY_REUSED")
    assert Fact.objects.filter(type="player.removed").count() == 1


def test_a_completed_tournament_is_completed_here_too(casino, platform):
    tid = casino.running("u-1", "u-2")
    running.complete(int(tid), actor=STAFF, at=NOW)
    body = platform.get(f"/internal/tournaments/{tid}/status").json()
    assert (body["status"], body["current_phase"], body["timing"]["completed_at"]) == ("completed", "finished", T0)
    assert tally.totals(int(tid)).players == 2
    refused = platform.post(
        f"/internal/tournaments/{tid}/events", event("player.score.updated", playerId="u-1", score=5)
    )
    assert (refused.status_code, refused.json()["results"][0]["outcome"]) == (202, "rejected")
