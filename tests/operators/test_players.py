"""Players: made known, found, kept out."""

from datetime import UTC, datetime, timedelta

import pytest

from apps.core.actors import Actor
from apps.core.errors import Invalid
from apps.operators.models import Brand, Player
from apps.operators.services import players
from apps.operators.services.players import PlayerNotFound, SelfExclusionHolds
from tests.factories import Api, OperatorFactory, PlayerFactory, api, operator_key
from tests.racing import in_parallel

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
STAFF = Actor("staff", "7")


@pytest.fixture
def operator():
    return OperatorFactory(slug="acme")


@pytest.fixture
def player(operator):
    return PlayerFactory(operator=operator, external_id="u-9")


def told(at):
    return {"actor": STAFF, "at": at}


def test_a_player_is_made_known_and_shown(operator, time_machine):
    time_machine.move_to(datetime(2026, 3, 1, 12, 0, 7, tzinfo=UTC), tick=False)
    client = api(operator)
    body = {"userId": "u-9", "displayName": "Mara", "eosId": "mara.gm"}
    created = client.post("/api/players", body)
    shown = {
        "userId": "u-9",
        "displayName": "Mara",
        "brandId": "acme",
        "eosId": "mara.gm",
        "plyrId": None,
        "status": "active",
        "reason": None,
        "until": None,
        "createdAt": "2026-03-01T12:00:07Z",
    }
    assert (created.status_code, created.json()) == (201, shown)
    assert client.get("/api/players/u-9").json() == shown


@pytest.mark.parametrize(
    "body",
    [
        {"userId": "u-9", "displayName": "Mara", "brandId": "acme"},
        {"user_id": "u-9", "display_name": "Mara", "brand_id": "acme"},
        {"user_id": "u-9", "userId": "u-9", "displayName": "Mara", "unknown": [1]},
    ],
)
@pytest.mark.parametrize("path", ["/api/players", "/api/players/", "/api/api/players", "/api/api/players/"])
def test_both_spellings_both_mounts_and_a_slash_at_the_end_are_one_call(operator, body, path):
    answer = api(operator).post(path, body)
    assert (answer.status_code, answer.json()["userId"], answer.json()["displayName"]) == (201, "u-9", "Mara")


def test_a_number_is_taken_for_an_id(operator):
    assert api(operator).post("/api/players", {"userId": 803}).json()["userId"] == "803"


def test_two_spellings_that_disagree_are_refused(operator):
    answer = api(operator).post("/api/players", {"userId": "a", "user_id": "b"})
    assert answer.status_code == 400
    assert Player.objects.count() == 0


def test_a_known_player_is_a_conflict(operator, player):
    answer = api(operator).post("/api/players", {"userId": "u-9", "displayName": "Other"})
    assert (answer.status_code, answer.json()["code"]) == (409, "PLAYER_EXISTS")
    assert answer.json()["error"]["details"] == {"user_id": "u-9", "brand_id": "acme"}
    assert Player.objects.get().display_name == player.display_name


@pytest.mark.django_db(transaction=True)
def test_of_those_who_make_a_player_known_at_once_one_does(operator):
    key = operator_key(operator)
    answers = in_parallel(6, lambda: Api(key).post("/api/players", {"userId": "u-9"}).status_code)
    assert sorted(answers) == [201, 409, 409, 409, 409, 409]
    assert Player.objects.count() == 1


def test_brands_have_players_of_their_own_and_the_first_brand_answers(operator):
    other = Brand.objects.create(operator=operator, external_id="acme-two", name="Two")
    client = api(operator)
    assert client.post("/api/players", {"userId": "u-9", "brandId": "acme-two"}).status_code == 201
    assert client.get("/api/players/u-9").json()["brandId"] == "acme-two"
    assert client.post("/api/players", {"userId": "u-9"}).status_code == 201
    assert client.get("/api/players/u-9").json()["brandId"] == "acme"
    assert other.players.count() == 1
    assert client.post("/api/players", {"userId": "u-8", "brandId": "nobody"}).status_code == 400


def test_the_list_has_pages_and_a_search(operator):
    for number in range(5):
        PlayerFactory(operator=operator, external_id=f"u-{number}", display_name=f"Name {number}")
    client = api(operator)
    body = client.get("/api/players", {"limit": 2, "offset": 2}).json()
    assert [player["userId"] for player in body["players"]] == ["u-2", "u-3"]
    assert body["pagination"] == {"total": 5, "limit": 2, "offset": 2, "hasMore": True}
    found = client.get("/api/players", {"search": "NAME 4"}).json()
    assert [player["userId"] for player in found["players"]] == ["u-4"]
    assert found["pagination"] == {"total": 1, "limit": 50, "offset": 0, "hasMore": False}
    assert client.get("/api/players", {"search": "%"}).json()["players"] == []


def test_a_page_costs_the_same_however_many_it_shows(operator, django_assert_num_queries):
    PlayerFactory.create_batch(20, operator=operator)
    client = api(operator)
    client.get("/api/players")
    with django_assert_num_queries(3):
        client.get("/api/players")


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=201",
        "limit=x",
        "limit=-1",
        "offset=-1",
        "offset=1e3",
        "limit=",
        "offset=99999999999999999999",
        "limit=²",
    ],
)
def test_a_page_out_of_bounds_is_refused(operator, query):
    assert api(operator).get(f"/api/players?{query}").status_code == 400


@pytest.mark.parametrize(
    "method, path, body",
    [
        ("GET", "/api/players/u-9", None),
        ("POST", "/api/players/u-9/suspend", {"reason": "cheating"}),
        ("POST", "/api/players/u-9/self-exclude", {}),
        ("POST", "/api/players/u-9/reinstate", {"reason": "mercy"}),
    ],
)
def test_another_operators_player_does_not_exist(player, method, path, body):
    answer = api(OperatorFactory()).send(method, path, body)
    assert (answer.status_code, answer.json()["code"]) == (404, "PLAYER_NOT_FOUND")
    player.refresh_from_db()
    assert player.block_kind == ""


def test_a_suspension_is_shown_and_ends_by_itself(operator, player, time_machine):
    time_machine.move_to(datetime(2026, 3, 1, 12, 0, tzinfo=UTC), tick=False)
    client = api(operator)
    answer = client.post("/api/players/u-9/suspend", {"reason": "cheating", "until": "2026-03-02T12:00:00+00:00"})
    assert answer.status_code == 200
    blocked = (answer.json()["status"], answer.json()["reason"], answer.json()["until"])
    assert blocked == ("suspended", "cheating", "2026-03-02T12:00:00Z")
    time_machine.move_to(datetime(2026, 3, 2, 12, 0, tzinfo=UTC), tick=False)
    after = client.get("/api/players/u-9").json()
    assert (after["status"], after["reason"], after["until"]) == ("active", None, None)


def test_a_suspension_without_an_end_is_lifted_by_reinstating(operator, player):
    client = api(operator)
    assert client.post("/api/players/u-9/suspend", {"reason": "cheating"}).json()["until"] is None
    assert client.post("/api/players/u-9/reinstate", {"reason": "a mistake"}).json()["status"] == "active"
    assert client.post("/api/players/u-9/reinstate", {"reason": "again"}).json()["status"] == "active"


def test_a_self_exclusion_with_an_end_is_not_lifted_before_it(operator, player, time_machine):
    time_machine.move_to(datetime(2026, 3, 1, 12, 0, tzinfo=UTC), tick=False)
    client = api(operator)
    until = "2026-03-08T12:00:00Z"
    assert client.post("/api/players/u-9/self-exclude", {"until": until}).json()["status"] == "self_excluded"
    answer = client.post("/api/players/u-9/reinstate", {"reason": "they asked again"})
    assert (answer.status_code, answer.json()["code"]) == (409, "SELF_EXCLUSION_HOLDS")
    assert answer.json()["error"]["details"] == {"until": until}
    assert client.get("/api/players/u-9").json()["status"] == "self_excluded"
    time_machine.move_to(datetime(2026, 3, 8, 12, 0, tzinfo=UTC), tick=False)
    assert client.post("/api/players/u-9/reinstate", {"reason": "it is over"}).status_code == 200


def test_a_self_exclusion_without_an_end_may_be_lifted(player, at):
    players.self_exclude(player.pk, reason="", until=None, **told(at))
    assert players.reinstate(player.pk, reason="they asked", **told(at)).status_at(at) == "active"


def test_no_later_block_shortens_a_self_exclusion(player, at):
    week = at + 7 * DAY
    players.self_exclude(player.pk, reason="", until=week, **told(at))
    assert players.self_exclude(player.pk, reason="", until=at + DAY, **told(at)).blocked_until == week
    assert players.suspend(player.pk, reason="fraud", until=at + DAY, **told(at)).blocked_until == week
    with pytest.raises(SelfExclusionHolds):
        players.reinstate(player.pk, reason="mercy", **told(at + 6 * DAY))
    assert players.reinstate(player.pk, reason="mercy", **told(week)).block_kind == ""


def test_a_self_exclusion_without_an_end_is_not_ended_by_a_suspension_with_one(player, at):
    players.self_exclude(player.pk, reason="", until=None, **told(at))
    assert players.suspend(player.pk, reason="fraud", until=at + DAY, **told(at)).blocked_until is None


def test_excluding_oneself_is_no_way_out_of_a_suspension(player, at):
    players.suspend(player.pk, reason="fraud", until=None, **told(at))
    excluded = players.self_exclude(player.pk, reason="", until=at + DAY, **told(at))
    assert (excluded.status_at(at + 2 * DAY), excluded.excluded_until) == ("self_excluded", at + DAY)
    assert players.reinstate(player.pk, reason="cleared", **told(at + DAY)).status_at(at + DAY) == "active"


def test_a_self_exclusion_may_be_prolonged_without_losing_its_end(player, at):
    players.self_exclude(player.pk, reason="", until=at + DAY, **told(at))
    players.self_exclude(player.pk, reason="", until=None, **told(at))
    with pytest.raises(SelfExclusionHolds):
        players.reinstate(player.pk, reason="mercy", **told(at))
    player.refresh_from_db()
    assert player.is_blocked(at + 100 * DAY)


@pytest.mark.parametrize(
    "verb, body",
    [
        ("suspend", {}),
        ("suspend", {"reason": ""}),
        ("suspend", {"reason": "   "}),
        ("suspend", {"reason": "x", "until": "2020-01-01T00:00:00Z"}),
        ("suspend", {"reason": "x", "until": "tomorrow"}),
        ("suspend", {"reason": "x", "until": 5}),
        ("suspend", {"reason": "x", "until": "0001-01-01T00:00:00+14:00"}),
        ("suspend", {"reason": "x", "until": "9999-12-31T23:59:59-14:00"}),
        ("suspend", {"reason": "x" * 201}),
        ("suspend", {"reason": ["x"]}),
        ("suspend", []),
        ("self-exclude", {"until": "2020-01-01T00:00:00Z"}),
        ("reinstate", {}),
    ],
)
def test_a_block_that_makes_no_sense_changes_nothing(operator, player, verb, body):
    assert api(operator).post(f"/api/players/u-9/{verb}", body).status_code == 400
    player.refresh_from_db()
    assert (player.block_kind, player.history.count()) == ("", 0)


def test_the_verbs_want_a_reason_from_staff_too(player, at):
    with pytest.raises(Invalid):
        players.suspend(player.pk, reason=" ", until=None, **told(at))
    with pytest.raises(Invalid):
        players.reinstate(player.pk, reason="", **told(at))
    with pytest.raises(PlayerNotFound):
        players.suspend(-1, reason="x", until=None, **told(at))


def test_every_change_of_a_block_leaves_a_trail(player, at):
    players.suspend(player.pk, reason="cheating", until=None, **told(at))
    players.reinstate(player.pk, reason="a mistake", **told(at + DAY))
    trail = [
        (row.block_kind, row.history_change_reason, row.history_date) for row in player.history.order_by("history_id")
    ]
    assert trail == [
        ("SUSPENDED", "staff:7: Suspended by the operator: cheating", at),
        ("", "staff:7: a mistake", at + DAY),
    ]


def test_reading_and_blocking_need_their_scopes(operator, player):
    reader, writer = api(operator, ["players.read"]), api(operator, ["players.write"])
    assert reader.get("/api/players/u-9").status_code == 200
    assert writer.get("/api/players/u-9").status_code == 403
    for verb in ("suspend", "self-exclude", "reinstate"):
        assert reader.post(f"/api/players/u-9/{verb}", {"reason": "x"}).status_code == 403
    player.refresh_from_db()
    assert player.block_kind == ""
