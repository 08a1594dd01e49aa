"""Who gets an access token, and every token that is none (matches.md 2, 3.1)."""

import base64
import json
from datetime import timedelta
from urllib.parse import urlencode

import jwt
import pytest
import time_machine

from apps.core import clock
from apps.core.actors import SYSTEM
from apps.matches.api.game import realm
from apps.matches.services import access, clients
from apps.operators.models import Credential
from apps.operators.services import credentials, signing
from tests.contracts.matches.game import FORM, Game, two
from tests.matches import world

pytestmark = pytest.mark.django_db


def test_basic_credentials_do_as_well(game):
    own = game.config["authentication"]
    basic = base64.b64encode(f"{own['client_id']}:{own['client_secret']}".encode()).decode()
    answer = game.browser.post(
        game.path(own["token_url"]),
        "grant_type=client_credentials",
        content_type=FORM,
        headers={"Authorization": f"Basic {basic}"},
    )
    assert (answer.status_code, answer.json()["scope"]) == (200, "olp-report-api")


@pytest.mark.parametrize(
    "fields, status, error",
    [
        ({"client_secret": "5d0c1e5e-2a63-4d0e-9a6a-0b6d5b7f1c11"}, 401, "unauthorized_client"),
        ({"client_secret": None}, 401, "unauthorized_client"),
        ({"client_id": "nobody"}, 401, "unauthorized_client"),
        ({"client_id": None}, 400, "invalid_request"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": None}, 400, "invalid_request"),
        ({"scope": "everything"}, 400, "invalid_scope"),
    ],
)
def test_what_is_no_request_for_a_token_is_refused_as_oauth_has_it(game, fields, status, error):
    answer = game.ask_token(**fields)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert set(answer.json()) == {"error", "error_description"}
    assert answer["Cache-Control"] == "no-store"


def test_without_a_scope_the_same_scope_is_granted(game):
    assert game.ask_token(scope=None).json()["scope"] == "olp-report-api"


def test_too_many_requests_are_slowed_down_by_address_so_that_nobody_else_uses_a_clients_up(game, monkeypatch):
    monkeypatch.setattr(realm, "TOKENS_A_MINUTE", 2)
    own = game.config["authentication"]
    form = {"client_id": own["client_id"], "client_secret": "guess", "grant_type": "client_credentials"}

    def ask(secret, address):
        return game.browser.post(
            game.path(own["token_url"]), urlencode(form | {"client_secret": secret}), content_type=FORM,
            REMOTE_ADDR=address,
        )  # fmt: skip

    guesses = [ask("guess", "203.0.113.7") for _ in range(3)]
    assert [answer.status_code for answer in guesses] == [401, 401, 429]
    assert (guesses[2].json()["error"], int(guesses[2]["Retry-After"]) > 0) == ("slow_down", True)
    assert ask(own["client_secret"], "198.51.100.2").status_code == 200


def test_json_is_no_form(game):
    answer = game.browser.post(
        game.path(game.config["authentication"]["token_url"]), {"client_id": "x"}, content_type="application/json"
    )
    assert (answer.status_code, answer.json()["error"]) == (415, "invalid_request")


def test_one_clients_secret_opens_no_other_realm(game):
    other = Game("Other")
    own = other.config["authentication"]
    answer = game.ask_token(client_id=own["client_id"], client_secret=own["client_secret"])
    assert (answer.status_code, answer.json()["error"]) == (401, "unauthorized_client")


def test_an_unknown_realm_is_404(game):
    answer = game.browser.get("/auth/realms/nobody")
    assert (answer.status_code, answer.json()) == (
        404,
        {"error": "not_found", "error_description": "Realm does not exist."},
    )


def test_the_realm_document_is_keycloaks_and_the_same_key_stands_in_its_key_set(game):
    address = game.path(game.config["authentication"]["public_key_url"])
    realm = game.browser.get(address)
    assert set(realm.json()) == {"realm", "public_key", "token-service", "account-service", "tokens-not-before"}
    assert "\n" not in realm.json()["public_key"]
    assert realm["Cache-Control"] == "public, max-age=300"
    found = game.browser.get(f"{address}/.well-known/openid-configuration").json()
    (key,) = game.browser.get(game.path(found["jwks_uri"])).json()["keys"]
    token = access.webhook_token(clients.known(game.client_id, at=clock.now()), at=clock.now())
    assert jwt.decode(token, jwt.PyJWK(key), algorithms=["RS256"], audience=game.client_id)["iss"] == found["issuer"]


# --- attacks --------------------------------------------------------------------------------------------------------


def claims(game, **changed):
    now = int(clock.now().timestamp())
    own = game.client_id
    whole = {
        "iss": clients.realm_url(own), "sub": own, "aud": own, "azp": own, "iat": now, "exp": now + 600,
        "scope": "olp-report-api", "cred": Credential.objects.get(kind="MATCH_CLIENT", ref=own).pk,
    }  # fmt: skip
    return {name: value for name, value in (whole | changed).items() if value is not None}


def signed(content):
    key = signing.current_key(access.ACCESS, "RS256", at=clock.now())
    return jwt.encode(content, key.signing, algorithm="RS256", headers={"kid": key.kid})


def none(game):
    kid = jwt.get_unverified_header(game.token)["kid"]
    return jwt.encode(claims(game), None, algorithm="none", headers={"kid": kid})


def hs256_with_the_public_key(game):
    """By hand: PyJWT itself would not sign so."""
    kid = jwt.get_unverified_header(game.token)["kid"]
    realm = game.browser.get(game.path(game.config["authentication"]["public_key_url"])).json()
    secret = f"-----BEGIN PUBLIC KEY-----\n{realm['public_key']}\n-----END PUBLIC KEY-----".encode()
    head, body = (
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=")
        for part in ({"alg": "HS256", "typ": "JWT", "kid": kid}, claims(game))
    )
    mark = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256).sign(head + b"." + body, secret)
    return (head + b"." + body + b"." + base64.urlsafe_b64encode(mark).rstrip(b"=")).decode()


def own_webhook_token(game):
    return access.webhook_token(clients.known(game.client_id, at=clock.now()), at=clock.now())


ATTACKS = {
    "nothing": lambda _: "",
    "no token at all": lambda _: "garbage",
    "algorithm none": none,
    "HS256 with the public key": hs256_with_the_public_key,
    "expired": lambda game: signed(claims(game, exp=int(clock.now().timestamp()) - 60)),
    "without an end": lambda game: signed(claims(game, exp=None)),
    "from the future": lambda game: signed(claims(game, iat=int(clock.now().timestamp()) + 600)),
    "wrong audience": lambda game: signed(claims(game, aud="somebody-else")),
    "several audiences": lambda game: signed(claims(game, aud=[game.client_id, "x"])),
    "wrong issuer": lambda game: signed(claims(game, iss="https://evil.example")),
    "another's name over our credential": lambda game: signed(
        claims(game, azp="x", aud="x", iss=clients.realm_url("x"))
    ),
    "an unknown credential": lambda game: signed(claims(game, cred=0)),
    "our own webhook token": own_webhook_token,
    "a broken signature": lambda game: game.token[:-8] + "AAAAAAAA",
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_token_that_is_none_is_refused_and_nothing_moves(game, attack):
    match = game.create()["matchId"]
    before = world.everything(game.operator)
    answer = game.finish(two(match), token=ATTACKS[attack](game) or " ")
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "unauthorized")
    assert answer["WWW-Authenticate"] == "Bearer"
    assert world.everything(game.operator) == before


def test_another_clients_token_finds_no_match_of_ours(game):
    match = game.create()["matchId"]
    before = world.everything(game.operator)
    other = Game("Other")
    for answer in (
        game.finish(two(match), token=other.token),
        game.send("GET", f"/api/game/v1/matches/{match}", token=other.token),
        game.send("POST", "/api/game/v1/events", {"match_id": match, "event_type": "GONE"}, token=other.token),
    ):
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "match_not_found")
    assert world.everything(game.operator) == before


def test_a_token_without_the_scope_is_refused(game):
    answer = game.finish(two("x"), token=signed(claims(game, scope="openid")))
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "scope_missing")


def test_a_token_dies_with_its_time_and_its_secret(game):
    match = game.create()["matchId"]
    token = game.token
    with time_machine.travel(clock.now() + timedelta(seconds=600 + 31)):
        assert game.finish(two(match), token=token).status_code == 401
    credential = Credential.objects.get(kind="MATCH_CLIENT", operator=game.operator)
    credentials.revoke(credential.pk, operator_id=game.operator.pk, actor=SYSTEM, at=clock.now())
    assert game.finish(two(match), token=token).status_code == 401
    assert game.state(match)["state"] == "live"


def test_the_keys_that_sign_for_us_and_to_the_game_are_different(game):
    webhook = jwt.get_unverified_header(own_webhook_token(game))["kid"]
    other = jwt.get_unverified_header(own_webhook_token(Game("Other")))["kid"]
    assert len({webhook, other, jwt.get_unverified_header(game.token)["kid"]}) == 3


def test_a_page_that_a_client_has_registered_may_call_from_a_browser(game):
    game.set(launchUrl="https://kart.example/play?token={match-token}")
    asked = game.browser.options("/api/game/v1/token-info", headers={"Origin": "https://kart.example"})
    assert (asked.status_code, asked["Access-Control-Allow-Origin"]) == (204, "https://kart.example")
    assert "Authorization" in asked["Access-Control-Allow-Headers"]
    stranger = game.browser.options("/api/game/v1/token-info", headers={"Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in stranger
    answer = game.send("POST", "/api/game/v1/token-info", {"token": "x"}, Origin="https://kart.example")
    assert (answer.status_code, answer["Access-Control-Allow-Origin"]) == (404, "https://kart.example")
