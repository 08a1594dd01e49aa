"""Who may call what (operators.md 2.2, 12): no key, wrong scope, other tenant, right one. A refusal moves nothing."""

import pytest

from apps.events.models import Fact
from apps.operators.scopes import EVERY_SCOPE, Scope
from tests.contracts.casino import START, UNLIMITED, Casino, an_operator, complete, everything
from tests.factories import Api, internal_key
from tests.tournaments import world

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("on_that_day")]

NEW = {"name": "Friday Sprint", "game": "crash-classic", "scheduled_start": START, "entry_fee": 7.5}
# method, path, body, the scopes any of which will do, what the right key gets
CALLS = [
    ("POST", "/api/tournaments", NEW, [Scope.TOURNAMENTS_WRITE], 201),
    ("GET", "/api/tournaments", None, [Scope.TOURNAMENTS_READ], 200),
    ("GET", "/api/tournaments/{soon}", None, [Scope.TOURNAMENTS_READ], 200),
    ("PUT", "/api/tournaments/{soon}", {"name": "II"}, [Scope.TOURNAMENTS_WRITE], 200),
    ("DELETE", "/api/tournaments/{soon}", {"reason": "outage"}, [Scope.TOURNAMENTS_DELETE], 200),
    ("POST", "/api/tournaments/{soon}/start", None, [Scope.TOURNAMENTS_WRITE], 200),
    ("GET", "/api/tournaments/{soon}/status", None, [Scope.TOURNAMENTS_READ], 200),
    (
        "POST",
        "/api/tournaments/{soon}/players",
        {"user_id": "new", "display_name": "New"},
        [Scope.PLAYERS_WRITE],
        201,
    ),
    ("GET", "/api/tournaments/{soon}/players", None, [Scope.PLAYERS_READ], 200),
    ("GET", "/api/tournaments/{soon}/players/{player}", None, [Scope.PLAYERS_READ], 200),
    (
        "DELETE",
        "/api/tournaments/{soon}/players/{player}",
        {"reason": "voluntary_exit"},
        [Scope.PLAYERS_WRITE],
        200,
    ),
    ("POST", "/api/tournaments/{soon}/players/{player}/rebuy", None, [Scope.PLAYERS_WRITE], 200),
    ("GET", "/api/tournaments/{soon}/leaderboard", None, [Scope.RESULTS_READ], 200),
    ("GET", "/api/tournaments/{done}/results", None, [Scope.RESULTS_READ], 200),
    ("GET", "/api/tournaments/{soon}/prize-pool", None, [Scope.RESULTS_READ], 200),
    ("GET", "/api/tournaments/{soon}/events", None, [Scope.RESULTS_READ], 200),
    ("GET", "/api/players/{user}/tournaments", None, [Scope.RESULTS_READ, Scope.PLAYERS_READ], 200),
]
NAMES = [f"{method} {path}" for method, path, *_ in CALLS]


@pytest.fixture
def casino():
    return Casino()


@pytest.fixture
def names(casino):
    """The objects that the calls are about: one tournament to come, one completed."""
    soon = casino.create(rebuy_enabled=True)
    casino.register(soon, "ann")
    player = casino.register(soon, "bob")["player_id"]
    done = casino.running("ann", "bob")
    complete(done)
    return {"soon": soon, "done": done, "player": player, "user": "bob"}


def call(client, names, method, path, body):
    return client.send(method, path.format(**names), body)


@pytest.mark.parametrize(("method", "path", "body", "scopes", "status"), CALLS, ids=NAMES)
def test_who_may_call(casino, names, method, path, body, scopes, status):
    before = everything()
    for key in (None, "sk_live_wrong", "pk_no:sk_no", internal_key(casino.operator)):
        answer = call(Api(key), names, method, path, body)
        assert (answer.status_code, answer.json()["code"]) == (401, "UNAUTHORIZED")
        assert answer["WWW-Authenticate"] == "Bearer"
        assert everything() == before

    every_other = Casino(casino.operator, [scope for scope in EVERY_SCOPE if scope not in scopes])
    answer = call(every_other, names, method, path, body)
    assert (answer.status_code, answer.json()["code"]) == (403, "INSUFFICIENT_PERMISSIONS")
    assert all(scope in answer.json()["error"]["details"]["required"] for scope in scopes)
    assert everything() == before

    if "{" in path:
        answer = call(Casino(), names, method, path, body)
        code = "PLAYER_NOT_FOUND" if path.startswith("/api/players") else "TOURNAMENT_NOT_FOUND"
        assert (answer.status_code, answer.json()["code"]) == (404, code)
        assert everything() == before

    for scope in scopes:
        assert call(Casino(casino.operator, [scope]), names, method, path, body).status_code == status


def test_another_operators_tournaments_are_not_listed(casino, names):
    assert Casino().get("/api/tournaments").json()["totalCount"] == 0


def test_two_operators_may_have_the_same_external_id_and_the_same_user(casino):
    stranger = Casino()
    mine = casino.create(external_id="x-1")
    theirs = stranger.create(external_id="x-1")
    assert casino.register(mine, "ann")["player_id"] != stranger.register(theirs, "ann")["player_id"]
    assert casino.get("/api/tournaments", {"external_id": "x-1"}).json()["totalCount"] == 1


def test_an_operator_may_let_writers_cancel():
    writer = [Scope.TOURNAMENTS_READ, Scope.TOURNAMENTS_WRITE]
    strict = Casino(an_operator(), writer)
    made = strict.create()
    assert strict.delete(f"/api/tournaments/{made}", {"reason": "outage"}).status_code == 403
    lenient = Casino(an_operator(preferences=UNLIMITED | {"writeImpliesDelete": True}), writer)
    made = lenient.create()
    assert lenient.delete(f"/api/tournaments/{made}", {"reason": "outage"}).status_code == 200


def test_the_key_may_come_in_either_header_and_any_case(casino):
    for header in ["Bearer {}", "bearer {}", "BEARER  {}"]:
        headers = {"Authorization": header.format(casino.key)}
        assert Api().get("/api/tournaments", headers=headers).status_code == 200
    assert Api().get("/api/tournaments", headers={"X-API-Key": casino.key}).status_code == 200


@pytest.mark.parametrize("mount", ["/api", "/api/api"])
@pytest.mark.parametrize("slash", ["", "/"])
def test_every_call_is_at_both_mounts_and_with_a_slash(mount, slash):
    for method, path, body, *_ in CALLS:
        elsewhere = f"{mount}{path.removeprefix('/api')}{slash}"
        # An address that is not there would be 404: nobody is asked for a key there.
        assert call(Api(), {"soon": 1, "done": 1, "player": 1, "user": 1}, method, elsewhere, body).status_code == 401
    assert Api().get(f"{mount}/tournaments/1/nothing{slash}").status_code == 404


def test_a_whole_tournament_at_the_second_mount(casino):
    made = casino.post("/api/api/tournaments/", NEW).json()["tournamentId"]
    body = {"userId": "ann", "displayName": "Ann"}
    assert casino.post(f"/api/api/tournaments/{made}/players/", body).status_code == 201
    assert casino.post(f"/api/api/tournaments/{made}/start/").status_code == 200
    complete(made)
    assert casino.get(f"/api/api/tournaments/{made}/results/").status_code == 200


def test_a_method_that_an_address_does_not_know_is_405(casino, names):
    before = everything()
    for method, path in [
        ("PATCH", "/api/tournaments/{soon}"),
        ("DELETE", "/api/tournaments"),
        ("PUT", "/api/tournaments/{soon}/players"),
        ("GET", "/api/tournaments/{soon}/start"),
        ("POST", "/api/tournaments/{soon}/leaderboard"),
        ("OPTIONS", "/api/tournaments"),
        ("TRACE", "/api/tournaments"),
    ]:
        answer = call(casino, names, method, path, None)
        assert (answer.status_code, answer.json()["code"]) == (405, "METHOD_NOT_ALLOWED")
    assert everything() == before


# --- the order of the checks: key, rate, method, permission, body, existence, state -----------------------------------


def test_the_method_is_looked_at_before_the_permission(casino, names):
    assert Casino(casino.operator, []).patch(f"/api/tournaments/{names['soon']}", {}).status_code == 405


def test_the_permission_is_looked_at_before_the_body(casino, names):
    reader = Casino(casino.operator, [Scope.TOURNAMENTS_READ])
    assert reader.put(f"/api/tournaments/{names['soon']}", "{not json").status_code == 403


def test_the_body_is_looked_at_before_the_tournament_exists(casino):
    assert casino.put("/api/tournaments/999999", {"max_players": "many"}).status_code == 400
    assert casino.put("/api/tournaments/999999", {"max_players": 5}).status_code == 404


def test_the_body_is_looked_at_before_the_state(casino, names):
    path = f"/api/tournaments/{names['done']}"
    assert casino.delete(path, {}).status_code == 400
    assert casino.delete(path, {"reason": "too late"}).status_code == 409


def test_the_tournament_is_looked_up_before_the_player(casino, names):
    unknown = casino.get("/api/tournaments/999999/players/nobody")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "TOURNAMENT_NOT_FOUND")
    unknown = casino.get(f"/api/tournaments/{names['soon']}/players/nobody")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "PLAYER_NOT_FOUND")


def test_what_is_no_id_of_ours_is_not_there(casino, names):
    for ref in ["0", "-1", "007", "1e3", "abc", "999999999999999999999999", "%00", "１", "1.0", "%2e", "TP_1_1"]:
        assert casino.get(f"/api/tournaments/{ref}").status_code == 404
        assert casino.get(f"/api/tournaments/{names['soon']}/players/{ref}").status_code == 404
        assert casino.get(f"/api/players/{ref}/tournaments").status_code == 404


def test_a_draft_is_nobodys_to_see(casino):
    draft = world.make(casino.operator, draft=True)
    assert casino.get("/api/tournaments").json()["totalCount"] == 0
    assert casino.get(f"/api/tournaments/{draft.pk}").status_code == 404
    refused = casino.post(f"/api/tournaments/{draft.pk}/players", {"user_id": "ann", "display_name": "Ann"})
    assert refused.status_code == 404
    assert not Fact.objects.filter(type="player.registered").exists()


# --- rates ------------------------------------------------------------------------------------------------------------

LIMITS = {"tournamentCreation": 1, "registration": 2, "results": 3, "standard": 4}


@pytest.mark.parametrize(
    ("limit", "method", "path", "body"),
    [
        (1, "POST", "/api/tournaments", NEW),
        (2, "POST", "/api/tournaments/1/players", {}),
        (2, "POST", "/api/tournaments/1/players/1/rebuy", {}),
        (3, "GET", "/api/tournaments/1/leaderboard", None),
        (3, "GET", "/api/tournaments/1/results", None),
        (3, "GET", "/api/tournaments/1/prize-pool", None),
        (3, "GET", "/api/tournaments/1/events", None),
        (3, "GET", "/api/players/ann/tournaments", None),
        (4, "GET", "/api/tournaments", None),
        (4, "GET", "/api/tournaments/1", None),
        (4, "PUT", "/api/tournaments/1", {}),
        (4, "DELETE", "/api/tournaments/1", {}),
        (4, "POST", "/api/tournaments/1/start", None),
        (4, "GET", "/api/tournaments/1/status", None),
        (4, "GET", "/api/tournaments/1/players", None),
        (4, "GET", "/api/tournaments/1/players/1", None),
        (4, "DELETE", "/api/tournaments/1/players/1", {}),
    ],
)
def test_every_call_counts_against_its_class(redis, limit, method, path, body):
    rates = UNLIMITED["rateLimits"] | LIMITS
    casino = Casino(an_operator(preferences={"rateLimits": rates}))
    for _ in range(limit):
        assert casino.send(method, path, body).status_code != 429
    refused = casino.send(method, path, body)
    assert (refused.status_code, refused.json()["code"]) == (429, "RATE_LIMIT_EXCEEDED")
    assert 0 < int(refused["Retry-After"]) <= 60
    assert refused["X-RateLimit-Limit"] == str(limit)
    assert refused["X-RateLimit-Remaining"] == "0"
