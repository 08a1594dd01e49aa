"""Keys, games, brands and settings through the API (podium.md 2)."""

from functools import partial

import pytest

from apps.operators.models import Brand, Credential, CredentialKind, Game
from apps.operators.scopes import EVERY_SCOPE
from tests.factories import Api, OperatorFactory, api, issue, operator_key
from tests.racing import race

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator():
    return OperatorFactory(slug="acme")


def test_a_key_is_issued_shown_once_listed_and_revoked(operator):
    client = api(operator)
    created = client.post(
        "/api/keys",
        {"name": "Till", "role": "Read Only", "expiresAt": "2999-01-01T00:00:00Z", "allowedIps": ["127.0.0.0/8"]},
    )
    assert created.status_code == 201
    body = created.json()
    assert body["key"].startswith(body["prefix"])
    assert body["scopes"] == ["tournaments.read", "players.read", "results.read"]
    assert (body["expiresAt"], body["allowedIps"]) == ("2999-01-01T00:00:00Z", ["127.0.0.0/8"])
    till = Api(body["key"])
    assert till.get("/api/players").status_code == 200
    listed = client.get("/api/keys").json()
    assert [row["id"] for row in listed["keys"]] == [body["id"], str(Credential.objects.order_by("pk")[0].pk)]
    assert "key" not in listed["keys"][0]
    assert listed["keys"][0]["lastUsedAt"]
    revoked = client.delete(f"/api/keys/{body['id']}")
    assert (revoked.status_code, bool(revoked.json()["revokedAt"])) == (200, True)
    assert till.get("/api/players").status_code == 401
    assert len(client.get("/api/keys").json()["keys"]) == 1


def test_scopes_may_be_named_one_by_one(operator):
    answer = api(operator).post("/api/keys", {"name": "x", "scopes": ["wallets.read", "players.read"]})
    assert answer.json()["scopes"] == ["players.read", "wallets.read"]


def test_a_key_passes_on_only_what_it_has(operator):
    client = api(operator, ["keys.write", "players.read"])
    assert client.post("/api/keys", {"name": "x", "scopes": ["players.read"]}).status_code == 201
    answer = client.post("/api/keys", {"name": "x", "scopes": ["players.read", "players.write"]})
    assert (answer.status_code, answer.json()["error"]["details"]) == (403, {"required": "players.write"})
    strong = issue(operator, scopes=list(EVERY_SCOPE))
    assert client.post(f"/api/keys/{strong.credential.pk}/rotate").status_code == 403
    assert Credential.objects.count() == 3


def test_a_key_is_rotated_with_an_overlap(operator):
    client = api(operator)
    old = issue(operator, scopes=["players.read"])
    answer = client.post(f"/api/keys/{old.credential.pk}/rotate", {"overlapSeconds": 60})
    assert answer.status_code == 201
    assert Api(answer.json()["key"]).get("/api/players").status_code == 200
    assert Api(old.key).get("/api/players").status_code == 200
    answer = client.post(f"/api/keys/{old.credential.pk}/rotate", {"overlapSeconds": -1})
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "x"},
        {"name": "x", "scopes": ["players.fly"]},
        {"name": "x", "scopes": "players.read"},
        {"name": "x", "scopes": [["players.read"]]},
        {"name": "x", "scopes": ["players.read"], "role": "Read Only"},
        {"name": "x", "role": "read only"},
        {"name": "x", "role": {"a": 1}},
        {"name": "", "role": "Read Only"},
        {"name": "x", "role": "Read Only", "expiresAt": "2020-01-01T00:00:00Z"},
        {"name": "x", "role": "Read Only", "allowedIps": ["here"]},
        {"name": "x", "role": "Read Only", "allowedIps": {"a": "192.0.2.1"}},
    ],
)
def test_a_key_that_makes_no_sense_is_not_issued(operator, body):
    assert api(operator).post("/api/keys", body).status_code == 400
    assert Credential.objects.count() == 1


def test_keys_of_other_kinds_and_other_operators_are_out_of_reach(operator):
    client = api(operator)
    game = issue(operator, CredentialKind.GAME, ref="acme")
    stranger = issue(OperatorFactory())
    for credential in (game.credential, stranger.credential):
        assert client.delete(f"/api/keys/{credential.pk}").status_code == 404
        assert client.post(f"/api/keys/{credential.pk}/rotate").status_code == 404
    assert len(client.get("/api/keys").json()["keys"]) == 1
    assert Credential.objects.filter(revoked_at=None).count() == 3


@pytest.mark.parametrize("key_id", ["0", "999999999999999999", "99999999999999999999999", "x", "-1"])
def test_a_key_that_never_was_is_404(operator, key_id):
    assert api(operator).delete(f"/api/keys/{key_id}").status_code == 404


def test_a_game_is_added_changed_and_listed(operator):
    client = api(operator)
    added = client.put("/api/games/Evo_Andar.1", {"displayName": "Andar", "provider": "EVO"})
    shown = {
        "slug": "Evo_Andar.1",
        "displayName": "Andar",
        "provider": "EVO",
        "enabled": True,
        "isFreeroundSupported": False,
        "iconUrl": "",
        "launchUrl": "",
    }
    assert (added.status_code, added.json()) == (201, shown)
    changed = client.put("/api/games/Evo_Andar.1/", {"enabled": False, "is_freeround_supported": True})
    assert (changed.status_code, changed.json()) == (200, shown | {"enabled": False, "isFreeroundSupported": True})
    listed = client.get("/api/games").json()["games"]
    assert [game["slug"] for game in listed] == ["Evo_Andar.1", "crash-classic"]
    trail = Game.objects.get(slug="Evo_Andar.1").history.get()
    assert (trail.enabled, trail.history_change_reason.startswith("key:sk_live_")) == (False, True)


@pytest.mark.parametrize(
    "slug, body",
    [
        ("jwt", {"displayName": "x"}),
        ("GAME_URL", {"displayName": "x"}),
        ("-x", {"displayName": "x"}),
        ("x y", {"displayName": "x"}),
        ("x" * 81, {"displayName": "x"}),
        ("ok", {}),
        ("ok", {"displayName": ""}),
        ("ok", {"displayName": "x", "iconUrl": "javascript:alert(1)"}),
        ("ok", {"displayName": "x", "iconUrl": "http://[oops"}),
        ("ok", {"displayName": "x", "launchUrl": "https://play.example/{slug}/{player}"}),
        ("ok", {"displayName": "x", "enabled": "perhaps"}),
        ("ok", []),
    ],
)
def test_a_game_that_makes_no_sense_is_not_added(operator, slug, body):
    assert api(operator).put(f"/api/games/{slug}", body).status_code == 400
    assert Game.objects.count() == 1


def test_the_catalogue_is_each_operators_own(operator):
    stranger = api(OperatorFactory())
    api(operator).put("/api/games/mine", {"displayName": "Mine"})
    assert [game["slug"] for game in stranger.get("/api/games").json()["games"]] == ["crash-classic"]


def test_a_brand_is_added_renamed_and_listed(operator):
    client = api(operator)
    assert client.post("/api/brands", {"brandId": "two", "name": "Two"}).status_code == 201
    assert client.post("/api/brands", {"brand_id": "two", "name": "Zwei"}).status_code == 200
    assert client.get("/api/brands").json() == {
        "brands": [{"brandId": "acme", "name": operator.name}, {"brandId": "two", "name": "Zwei"}]
    }
    assert client.post("/api/brands", {"brandId": "no good", "name": "x"}).status_code == 400
    assert Brand.objects.get(external_id="two").history.get().name == "Zwei"


DEFAULTS = {
    "rateLimits": {
        "standard": 100,
        "tournamentCreation": 10,
        "registration": 200,
        "results": 500,
        "ceiling": 1000,
        "burstPerTenSeconds": 100,
        "internal": 5000,
        "internalBurstPerTenSeconds": 500,
        "rooms": 60000,
        "roomPolls": 600000,
        "rounds": 600000,
    },
    "rakePercent": 0,
    "enforceMinPlayers": False,
    "writeImpliesDelete": False,
    "tiePolicy": "unique",
    "branding": {"primaryColor": "", "logoUrl": ""},
    "features": {"allowLateRegistration": False, "showTimer": True, "showLeaderboard": True},
    "allowedOrigins": [],
    "payoutUrl": "",
    "debitUrl": "",
    "approval": {"always": False, "fromTotal": None},
}


def test_settings_begin_with_the_defaults_of_the_contract(operator):
    assert api(operator).get("/api/settings").json() == DEFAULTS


def test_settings_are_merged_in_either_spelling_and_null_returns_the_default(operator):
    client = api(operator)
    patch = {"rate_limits": {"tournament_creation": 20}, "enforce_min_players": True, "rake": 5, "tiePolicy": "split"}
    wanted = DEFAULTS | {
        "rateLimits": DEFAULTS["rateLimits"] | {"tournamentCreation": 20},
        "enforceMinPlayers": True,
        "rakePercent": 5,
        "tiePolicy": "split",
    }
    assert client.patch("/api/settings", patch).json() == wanted
    answer = client.patch("/api/settings", {"rateLimits": {"standard": 7, "tournamentCreation": None}, "rake": None})
    wanted |= {"rateLimits": DEFAULTS["rateLimits"] | {"standard": 7}, "rakePercent": 0}
    assert answer.json() == wanted
    assert client.get("/api/settings").json() == wanted
    operator.refresh_from_db()
    assert operator.preferences == {"rateLimits": {"standard": 7}, "enforceMinPlayers": True, "tiePolicy": "split"}
    assert operator.history.count() == 2


@pytest.mark.django_db(transaction=True)
def test_patches_at_once_do_not_undo_each_other(operator):
    key = operator_key(operator)
    names = ["standard", "tournamentCreation", "registration", "results"]
    patches = [{"rateLimits": {name: 40 + n}} for n, name in enumerate(names)]
    answers = race(*[partial(Api(key).patch, "/api/settings", patch) for patch in patches])
    assert [getattr(answer, "status_code", answer) for answer in answers] == [200, 200, 200, 200]
    operator.refresh_from_db()
    assert operator.preferences == {"rateLimits": {name: 40 + n for n, name in enumerate(names)}}


@pytest.mark.parametrize(
    "patch, path",
    [
        ({"colour": "red"}, "colour"),
        ({"rateLimits": {"standerd": 1}}, "rateLimits.standerd"),
        ({"rateLimits": {"standard": "many"}}, "rateLimits.standard"),
        ({"rateLimits": {"standard": 0}}, "rateLimits.standard"),
        ({"rateLimits": {"standard": 1.5}}, "rateLimits.standard"),
        ({"rateLimits": 5}, "rateLimits"),
        ({"rake": 51}, "rakePercent"),
        ({"tiePolicy": "coin"}, "tiePolicy"),
        ({"branding": {"logoUrl": "javascript:alert(1)"}}, "branding.logoUrl"),
        ({"allowedOrigins": ["https://a.example", 5]}, "allowedOrigins[1]"),
        ({"approval": {"fromTotal": -1}}, "approval.fromTotal"),
        ({"rateLimits": {"standard": 5, "stan_dard": 6}}, "rateLimits.stanDard"),
        ({"payoutUrl": "a", "payout_url": "b"}, "payoutUrl"),
        ([], "body"),
        ("text", "body"),
    ],
)
def test_a_setting_that_is_unknown_or_ill_typed_is_refused_by_its_path(operator, patch, path):
    answer = api(operator).patch("/api/settings", '"text"' if patch == "text" else patch)
    assert answer.status_code == 400
    assert list(answer.json()["error"]["details"]["fields"]) == [path]
    operator.refresh_from_db()
    assert operator.preferences == {}


@pytest.mark.parametrize(
    "case, method, path, scope",
    [
        ("list keys", "GET", "/api/keys", "keys.read"),
        ("issue a key", "POST", "/api/keys", "keys.write"),
        ("revoke a key", "DELETE", "/api/keys/1", "keys.write"),
        ("list games", "GET", "/api/games", "games.read"),
        ("put a game", "PUT", "/api/games/x", "games.write"),
        ("list brands", "GET", "/api/brands", "settings.read"),
        ("put a brand", "POST", "/api/brands", "settings.write"),
        ("read settings", "GET", "/api/settings", "settings.read"),
        ("change settings", "PATCH", "/api/settings", "settings.write"),
        ("list players", "GET", "/api/players", "players.read"),
        ("add a player", "POST", "/api/players", "players.write"),
    ],
)
def test_each_call_wants_its_own_scope_and_no_other(operator, case, method, path, scope):
    others = [other for other in EVERY_SCOPE if other != scope]
    refused = api(operator, others).send(method, path)
    assert (refused.status_code, refused.json()["error"]["details"]) == (403, {"required": scope})
    assert api(operator, [scope]).send(method, path).status_code != 403
    assert Api().send(method, path).status_code == 401
