"""Sessions: one per player and game, proven by a token that only we can sign."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from apps.core.actors import SYSTEM
from apps.operators.services import signing
from apps.rooms.models import GameSession
from apps.rooms.services import sessions
from apps.rooms.services.sessions import SessionInvalid
from tests.factories import OperatorFactory, PlayerFactory
from tests.racing import in_parallel

pytestmark = pytest.mark.django_db

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def operator():
    return OperatorFactory(slug="mygame")


@pytest.fixture
def ana(operator):
    return PlayerFactory(operator=operator, external_id="ana", handle="ana-11")


def opened(player, game_id="mygame", seconds=3600, at=AT):
    return sessions.issue(player, game_id=game_id, seconds=seconds, actor=SYSTEM, at=at)


def reasons(operator, *tokens, game_id="mygame", at=AT):
    with pytest.raises(SessionInvalid) as refused:
        sessions.resolve(tokens, game_id=game_id, operator_id=operator.pk, at=at)
    return refused.value.details["invalidPlyrIds"]


def present(operator, *tokens, game_id="mygame", at=AT):
    found = sessions.resolve(tokens, game_id=game_id, operator_id=operator.pk, at=at)
    return [(one.player_id, one.plyr_id) for one in found]


def test_a_token_says_what_the_contract_names_and_nothing_else(operator, ana):
    token = opened(ana).token
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims == {
        "plyrId": "ana-11",
        "nonce": 1,
        "gameId": "mygame",
        "primaryAddress": claims["primaryAddress"],
        "mirrorAddress": claims["mirrorAddress"],
        "iat": 1772366400,
        "exp": 1772370000,
    }
    assert jwt.get_unverified_header(token)["alg"] == "ES256"
    assert claims["primaryAddress"] != claims["mirrorAddress"]
    assert all(
        claims[name].startswith("0x") and len(claims[name]) == 42 for name in ("primaryAddress", "mirrorAddress")
    )


def test_the_public_key_checks_tokens_on_its_own(ana):
    token = opened(ana).token
    assert jwt.decode(token, sessions.public_key(at=AT), algorithms=["ES256"], options={"verify_exp": False})


def test_players_come_in_the_order_of_their_tokens_and_as_often(operator, ana, django_assert_num_queries):
    bo = PlayerFactory(operator=operator, handle="bo-2222")
    a, b = opened(ana).token, opened(bo).token
    sessions.resolve([a, b], game_id="mygame", operator_id=operator.pk, at=AT)
    with django_assert_num_queries(1):
        assert present(operator, a, b, a) == [(ana.pk, "ana-11"), (bo.pk, "bo-2222"), (ana.pk, "ana-11")]


def test_a_new_login_ends_the_session_before_it_in_this_game_only(operator, ana):
    first, other = opened(ana).token, opened(ana, "othergame").token
    second = opened(ana)
    assert second.claims.nonce == 2
    assert reasons(operator, first) == {"ana-11": "JWT nonce is expired"}
    assert present(operator, second.token) == [(ana.pk, "ana-11")]
    assert present(operator, other, game_id="othergame") == [(ana.pk, "ana-11")]


def test_a_session_lasts_until_its_deadline_and_no_longer(operator, ana):
    token = opened(ana).token
    assert present(operator, token, at=AT + HOUR)
    assert reasons(operator, token, at=AT + HOUR + timedelta(seconds=1)) == {"ana-11": "JWT deadline is expired"}


def test_closing_ends_one_game_or_all(operator, ana):
    here, there = opened(ana).token, opened(ana, "othergame").token
    assert sessions.close(ana.pk, game_id="mygame", actor=SYSTEM, at=AT) == 1
    assert reasons(operator, here) == {"ana-11": "JWT nonce is expired"}
    assert present(operator, there, game_id="othergame")
    assert sessions.end_sessions(ana.pk, actor=SYSTEM, at=AT) == 1
    assert reasons(operator, there, game_id="othergame") == {"ana-11": "JWT nonce is expired"}
    assert list(GameSession.objects.values_list("deadline", flat=True)) == [None, None]


def test_a_token_of_another_game_is_refused(operator, ana):
    token = opened(ana, "othergame").token
    assert reasons(operator, token) == {"ana-11": "Invalid gameId"}


def test_a_token_of_a_namesake_at_another_operator_is_nobodys(operator, ana):
    stranger = PlayerFactory(operator=OperatorFactory(), handle="ana-11")
    opened(ana)
    assert reasons(operator, opened(stranger).token) == {"ana-11": "User not found"}


def test_a_player_who_goes_by_another_name_now_is_not_found(operator, ana):
    token = opened(ana).token
    ana.handle = "ana-12"
    ana.save(update_fields=["handle"])
    assert reasons(operator, token) == {"ana-11": "User not found"}


def test_every_bad_token_is_named(operator, ana):
    old, new = opened(ana).token, opened(ana).token
    bo = PlayerFactory(operator=operator, handle="bo-2222")
    other = opened(bo, "othergame").token
    found = reasons(operator, new, old, other, "rubbish")
    assert found == {"ana-11": "JWT nonce is expired", "bo-2222": "Invalid gameId", "unknown": "Invalid sessionJwt"}


def encoded(part):
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def forged(token, attack):
    """The token as an attacker would have it."""
    head, body, signature = token.split(".")
    header = jwt.get_unverified_header(token)
    claims = jwt.decode(token, options={"verify_signature": False})
    pem = sessions.public_key(at=AT)
    own = ec.generate_private_key(ec.SECP256R1())
    return {
        "no algorithm": f"{encoded({**header, 'alg': 'none'})}.{body}.",
        "no algorithm, signed": f"{encoded({**header, 'alg': 'none'})}.{body}.{signature}",
        "our public key as a secret": hs256(header, claims, pem),
        "another key": jwt.encode(claims, own, algorithm="ES256", headers={"kid": header["kid"]}),
        "another key, without its id": jwt.encode(claims, own, algorithm="ES256"),
        "another player": f"{head}.{encoded({**claims, 'plyrId': 'bo-2222'})}.{signature}",
        "another header": f"{encoded({**header, 'typ': 'jwt'})}.{body}.{signature}",
        "an id that is none": f"{encoded({**header, 'kid': ['x']})}.{body}.{signature}",
        "an id with NUL": f"{encoded({**header, 'kid': chr(0)})}.{body}.{signature}",
        "cut": token[:-4],
        "a flipped bit": f"{head}.{body}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}",
        "two parts": f"{head}.{body}",
        "empty": "",
        "not ASCII": "\ud800.ü.ü",
        "endless": "a." * 5000,
    }[attack]


def hs256(header, claims, pem):
    """PyJWT itself refuses to sign with a PEM, so an attacker's own hands do it."""
    signed = f"{encoded({**header, 'alg': 'HS256'})}.{encoded(claims)}"
    proof = hmac.new(pem.encode(), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(proof).rstrip(b'=').decode()}"


@pytest.mark.parametrize(
    "attack",
    [
        "no algorithm",
        "no algorithm, signed",
        "our public key as a secret",
        "another key",
        "another key, without its id",
        "another player",
        "another header",
        "an id that is none",
        "an id with NUL",
        "cut",
        "a flipped bit",
        "two parts",
        "empty",
        "not ASCII",
        "endless",
    ],
)
def test_a_forged_token_is_refused(operator, ana, attack):
    PlayerFactory(operator=operator, handle="bo-2222")
    token = opened(ana).token
    assert present(operator, token)
    assert reasons(operator, forged(token, attack)) == {"unknown": "Invalid sessionJwt"}


def test_a_token_signed_for_another_purpose_is_refused(operator, ana):
    claims = jwt.decode(opened(ana).token, options={"verify_signature": False})
    key = signing.current_key("something.else", signing.ES256, at=AT)
    token = jwt.encode(claims, key.signing, algorithm="ES256", headers={"kid": key.kid})
    assert reasons(operator, token) == {"unknown": "Invalid sessionJwt"}


def test_after_a_rotation_old_tokens_live_on_and_new_ones_of_the_old_key_are_refused(operator, ana, monkeypatch):
    before = signing.current_key(sessions.PURPOSE, signing.ES256, at=AT)
    token = opened(ana).token
    pem = sessions.public_key(at=AT)
    signing.rotate(sessions.PURPOSE, signing.ES256, at=AT + HOUR / 2)
    monkeypatch.setattr(sessions, "_known", {})
    assert sessions.public_key(at=AT + HOUR / 2) != pem
    assert present(operator, token, at=AT + HOUR)
    claims = jwt.decode(token, options={"verify_signature": False})
    stolen = jwt.encode(
        {**claims, "iat": claims["iat"] + 1800}, before.signing, algorithm="ES256", headers={"kid": before.kid}
    )
    assert reasons(operator, stolen, at=AT + HOUR) == {"unknown": "Invalid sessionJwt"}


@pytest.mark.django_db(transaction=True)
def test_of_many_logins_at_once_one_session_is_left(operator, ana):
    made = in_parallel(6, lambda: opened(ana))
    assert sorted(one.claims.nonce for one in made) == [1, 2, 3, 4, 5, 6]
    live = [one for one in made if one.claims.nonce == 6]
    assert present(operator, live[0].token) == [(ana.pk, "ana-11")]
    assert all(reasons(operator, one.token) for one in made if one.claims.nonce < 6)
