"""Player tokens: who they speak for, when they end, and what is no token of ours."""

import base64
import hashlib
import hmac
import json
from datetime import timedelta
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.operators.models import SigningKey
from apps.operators.services import signing
from apps.tournaments.models import Entry, Tournament
from apps.tournaments.services import entries, running, tokens
from apps.tournaments.services.tokens import check_token, game_url, issue_token
from tests.racing import race
from tests.tournaments import world
from tests.tournaments.world import AT, STAFF, START

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture
def entry():
    """Ann, registered for a tournament that starts tomorrow and ends two hours later."""
    tournament = world.make(ends_at=START + 2 * HOUR, entry_fee=Decimal("7.50"), rebuy_enabled=True, max_entries=2)
    return world.enter(tournament, "ann")[0]


def claims_of(token):
    return jwt.decode(token, options={"verify_signature": False})


def key():
    return signing.current_key(tokens.PURPOSE, "EdDSA", at=AT)


def signed(claims, **header):
    """A token with our own key and any claims."""
    return jwt.encode(claims, key().signing, algorithm="EdDSA", headers={"kid": key().kid, **header})


def error_of(token, at=AT):
    verdict = check_token(token, at=at)
    assert verdict.valid is (verdict.error == "")
    assert (verdict.entry is None) is not verdict.valid
    return verdict.error


def test_a_token_carries_both_sets_of_claims(entry):
    tournament = entry.tournament
    token = issue_token(entry, at=AT)
    assert jwt.get_unverified_header(token) == {"typ": "JWT", "alg": "EdDSA", "kid": key().kid}
    assert claims_of(token) == {
        "tournament_id": str(tournament.pk),
        "tournamentId": str(tournament.pk),
        "internal_player_id": f"TP_{tournament.pk}_{entry.player_id}_1",
        "playerId": f"TP_{tournament.pk}_{entry.player_id}_1",
        "external_user_id": "ann",
        "display_name": "Ann",
        "operator_id": tournament.operator.public_id,
        "operatorId": tournament.operator.public_id,
        "roomId": f"tournament_{tournament.pk}_crash-classic",
        "gameSlug": "crash-classic",
        "permissions": ["play", "rebuy"],
        "playerInfo": {"displayName": "Ann", "entryCount": 1, "totalPaid": 7.5, "vipLevel": None},
        "iat": int(AT.timestamp()),
        "exp": int((START + 3 * HOUR).timestamp()),
    }


def test_a_token_of_ours_is_valid(entry):
    verdict = check_token(issue_token(entry, at=AT), at=AT)
    assert (verdict.valid, verdict.error, verdict.entry) == (True, "", entry)
    assert verdict.expires_at == START + 3 * HOUR


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ({"starts_at": START, "ends_at": START + HOUR}, START + 2 * HOUR),
        ({"starts_at": START, "ends_at": None}, START + 24 * HOUR),
        ({"starts_at": START, "ends_at": None, "started_at": START - HOUR}, START + 23 * HOUR),
        ({"starts_at": None, "ends_at": None}, AT + 24 * HOUR),
        ({"starts_at": AT - 9 * HOUR, "ends_at": AT - 2 * HOUR}, AT + HOUR),
        ({"starts_at": AT - 99 * HOUR, "ends_at": None}, AT + HOUR),
    ],
)
def test_a_token_lives_as_long_as_the_tournament_and_never_under_an_hour(times, expected):
    assert tokens.expiry_of(Tournament(**times), at=AT) == expected


def test_a_token_ends_at_its_second(entry):
    token = issue_token(entry, at=AT)
    end = START + 3 * HOUR
    assert error_of(token, at=end - timedelta(seconds=1)) == ""
    assert error_of(token, at=end) == "token_expired"


def test_a_token_without_a_signature_is_refused(entry):
    claims = claims_of(issue_token(entry, at=AT))
    plain = jwt.encode(claims, None, algorithm="none", headers={"kid": key().kid})
    assert error_of(plain) == "invalid_signature"
    assert error_of(jwt.encode(claims, None, algorithm="none")) == "invalid_signature"
    head, body, _ = issue_token(entry, at=AT).split(".")
    assert error_of(f"{head}.{body}.") == "invalid_signature"


@pytest.mark.parametrize("encoding", ["raw", "pem", "der"])
def test_a_public_key_is_no_secret_to_sign_with(entry, encoding):
    public = key().checking
    secret = {
        "raw": public.public_bytes_raw(),
        "pem": public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo),
        "der": public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo),
    }[encoding]
    claims = claims_of(issue_token(entry, at=AT))
    assert error_of(hmac_token(claims, secret, key().kid)) == "invalid_signature"


def hmac_token(claims, secret, kid):
    """By hand: the library refuses to sign with a public key."""
    parts = [{"typ": "JWT", "alg": "HS256", "kid": kid}, claims]
    text = ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
    mark = hmac.new(secret, text.encode(), hashlib.sha256).digest()
    return f"{text}.{base64.urlsafe_b64encode(mark).decode().rstrip('=')}"


def test_a_tampered_token_is_refused(entry):
    head, body, mark = issue_token(entry, at=AT).split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    claims["internal_player_id"] = "TP_1_1_1"
    other = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    assert error_of(f"{head}.{other}.{mark}") == "invalid_signature"
    first = "A" if mark[0] != "A" else "B"
    assert error_of(f"{head}.{body}.{first}{mark[1:]}") == "invalid_signature"


def test_the_signature_of_one_token_does_not_fit_another_tournaments(entry):
    other = world.enter(world.make(operator=entry.tournament.operator), "ann")[0]
    head, _, mark = issue_token(entry, at=AT).split(".")
    _, body, _ = issue_token(other, at=AT).split(".")
    assert error_of(f"{head}.{body}.{mark}") == "invalid_signature"


def test_claims_that_contradict_each_other_are_refused_though_signed(entry):
    other = world.make()
    claims = claims_of(issue_token(entry, at=AT))
    assert error_of(signed(claims)) == ""
    for lie in (
        {"tournament_id": str(other.pk)},
        {"tournamentId": str(other.pk)},
        {"operator_id": other.operator.public_id},
        {"internal_player_id": f"TP_{other.pk}_{entry.player_id}_1"},
        {"internal_player_id": f"TP_{entry.tournament_id}_{entry.player_id}_2"},
        {"internal_player_id": "TP_x"},
        {"exp": "soon"},
        {"exp": 10**30},
        {"iat": None},
        {"tournament_id": 5},
    ):
        assert error_of(signed(claims | lie)) == "malformed", lie


def test_a_key_of_another_purpose_signs_no_player_tokens(entry):
    foreign = signing.current_key("webhooks", "EdDSA", at=AT)
    claims = claims_of(issue_token(entry, at=AT))
    token = jwt.encode(claims, foreign.signing, algorithm="EdDSA", headers={"kid": foreign.kid})
    assert error_of(token) == "invalid_signature"
    assert error_of(signed(claims, kid="key_unknown")) == "invalid_signature"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "a.b.c",
        "....",
        "eyJhbGciOiJFZERTQSJ9.e30",
        "\ud800",
        "ä.ö.ü",
        "x" * 5000,
        base64.urlsafe_b64encode(b'{"alg":"EdDSA","kid":5}').decode() + ".e30.x",
        base64.urlsafe_b64encode(b"[1]").decode() + ".e30.x",
    ],
)
def test_what_is_no_token_is_malformed(entry, text):
    assert error_of(text) == "malformed"


@pytest.mark.parametrize("kid", ["\\u0000", "\\ud800", "ä" * 10, ""])
def test_a_strange_key_id_finds_no_key(entry, kid):
    head = base64.urlsafe_b64encode(f'{{"alg":"EdDSA","kid":"{kid}"}}'.encode()).decode().rstrip("=")
    assert error_of(f"{head}.e30.AAAA") in ("invalid_signature", "malformed")


def test_who_was_removed_has_a_dead_token_and_a_fresh_one_on_return(entry):
    token = issue_token(entry, at=AT)
    entries.remove_with_refund(entry.pk, reason="left", actor=STAFF, at=AT)
    assert error_of(token) == "player_removed"
    again = world.enter(entry.tournament, "ann")[0]
    assert error_of(token) == "player_removed"
    assert error_of(issue_token(again, at=AT)) == ""


def test_a_cancelled_tournament_has_dead_tokens(entry):
    token = issue_token(entry, at=AT)
    running.cancel(entry.tournament_id, reason="storm", actor=STAFF, at=AT)
    assert error_of(token) == "tournament_cancelled"
    world.pay(entry.tournament)
    assert error_of(token) == "tournament_cancelled"


def test_an_eliminated_player_may_watch_and_buy_again(entry):
    world.enter(entry.tournament, "bob")
    running.start(entry.tournament_id, actor=STAFF, at=START)
    entries.remove(entry.pk, reason="elimination", actor=STAFF, at=START)
    out = Entry.objects.get(pk=entry.pk)
    assert tokens.permissions_of(out, entry.tournament) == ["spectate", "rebuy"]
    out.entry_count = 2
    assert tokens.permissions_of(out, entry.tournament) == ["spectate"]
    assert error_of(issue_token(entry, at=AT)) == ""


def test_hs256_is_a_choice_of_the_installation(entry, settings):
    settings.PLAYER_TOKEN_ALGORITHM = "HS256"
    token = issue_token(entry, at=AT)
    assert jwt.get_unverified_header(token)["alg"] == "HS256"
    assert error_of(token) == ""
    # Tokens of before the change live on: each key knows its own algorithm.
    settings.PLAYER_TOKEN_ALGORITHM = "EdDSA"
    assert error_of(token) == ""
    assert error_of(issue_token(entry, at=AT)) == ""


def test_an_unknown_algorithm_is_a_mistake_of_the_installation(entry, settings):
    settings.PLAYER_TOKEN_ALGORITHM = "none"
    with pytest.raises(ValueError, match="none"):
        issue_token(entry, at=AT)


def test_after_a_rotation_the_old_key_checks_and_does_not_sign(entry):
    old = key()
    token = issue_token(entry, at=AT)
    new = signing.rotate(tokens.PURPOSE, "EdDSA", at=AT + HOUR)
    assert error_of(token, at=AT + HOUR) == ""
    assert jwt.get_unverified_header(issue_token(entry, at=AT + HOUR))["kid"] == new.kid
    late = claims_of(token) | {"iat": int((AT + 2 * HOUR).timestamp())}
    stolen = jwt.encode(late, old.signing, algorithm="EdDSA", headers={"kid": old.kid})
    assert error_of(stolen, at=AT + 2 * HOUR) == "invalid_signature"


def test_private_keys_are_stored_encrypted_and_never_shown(entry):
    issue_token(entry, at=AT)
    row = SigningKey.objects.get()
    assert "PRIVATE" not in row.sealed_private_key
    assert "signing=" not in repr(key())


def test_a_token_costs_one_query_once_the_entry_is_at_hand(entry):
    issue_token(entry, at=AT)
    whole = tokens.find_entry(entry.internal_player_id)
    with CaptureQueriesContext(connection) as queries:
        issue_token(whole, at=AT)
    assert len(queries) == 1


@pytest.mark.django_db(transaction=True)
def test_ten_who_need_the_first_key_at_once_make_one():
    kids = race(*[lambda: signing.current_key("player-token", "EdDSA", at=AT).kid for _ in range(10)])
    assert len(set(kids)) == 1 == SigningKey.objects.count()


@pytest.mark.parametrize(
    ("launch", "expected"),
    [
        ("", "https://play.example/crash-classic?jwt=T.O.K"),
        ("https://g.example/{slug}/start", "https://g.example/crash-classic/start?jwt=T.O.K"),
        ("https://g.example/start?game={slug}&lang=en", "https://g.example/start?game=crash-classic&lang=en&jwt=T.O.K"),
        ("https://g.example/#/{slug}", "https://g.example/?jwt=T.O.K#/crash-classic"),
        ("https://g.example/?", "https://g.example/?jwt=T.O.K"),
        ("https://g.example/{0}{x}", "https://g.example/{0}{x}?jwt=T.O.K"),
    ],
)
def test_the_game_is_reached_with_the_token_in_the_query(entry, settings, launch, expected):
    settings.GAME_LAUNCH_URL = "https://play.example/{slug}"
    entry.tournament.game.launch_url = launch
    found = game_url(entry, "T.O.K")
    assert found == expected
    assert parse_qs(urlsplit(found).query)["jwt"] == ["T.O.K"]


@pytest.mark.parametrize("text", ["TP_1_2", "TP_1_2_3_4", "tp_1_2_3", "TP_-1_2_3", "TP_1_2_x", "TP__2_3", "TP_1_2_٣"])
def test_other_forms_are_no_internal_player_ids(text):
    assert tokens.parse_internal_id(text) is None
