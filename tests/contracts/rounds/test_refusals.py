"""What is refused, with which status, and that nothing is stored then (rounds.md 2, 3.1)."""

import json
from datetime import timedelta

import pytest
from django.db import OperationalError

from apps.core import clock
from apps.core.actors import SYSTEM
from apps.operators.models import Credential, CredentialKind
from apps.operators.services import credentials, lookup
from apps.rounds.models import PendingRound, Round, RoundKey
from apps.rounds.services import intake
from tests.factories import issue, operator_key
from tests.rounds.world import Integration, a_round

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme() -> Integration:
    return Integration()


@pytest.fixture(autouse=True)
def _nothing_is_stored(db):
    yield
    assert not Round.objects.exists()
    assert not RoundKey.objects.exists()
    assert not PendingRound.objects.exists()


def details(response):
    return [(one["index"], one["field"], one["message"]) for one in response.json()["details"]]


# --- what is in a body ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("field", list(a_round()))
def test_every_field_is_required(acme, field):
    told = a_round()
    del told[field]
    response = acme.batch([a_round(), told])
    assert response.status_code == 400
    assert response.json()["error"] == "VALIDATION_FAILED"
    assert details(response) == [(1, field, "required")]
    response = acme.single(told)
    assert (response.status_code, details(response)) == (400, [(0, field, "required")])
    response = acme.single(told | {field: None})
    assert (response.status_code, details(response)) == (400, [(0, field, "required")])


@pytest.mark.parametrize(
    "field, value",
    [
        *((name, "") for name in ("roundId", "brandId", "playerId", "gameId", "roundType", "currency")),
        *((name, 7) for name in ("roundId", "brandId", "playerId", "gameId", "roundType", "currency", "timestamp")),
        ("roundId", "x" * 201),
        ("gameId", "x" * 101),
        ("currency", "EU"),
        ("currency", "ß" * 12),
        ("roundId", "a\x00b"),
        ("timestamp", "yesterday"),
        ("timestamp", "0001-01-01T00:00:00+14:00"),
        ("timestamp", "9999-12-31T23:59:59Z"),
        ("betAmount", -1),
        ("winAmount", -0.01),
        ("betAmount", "much"),
        ("betAmount", "NaN"),
        ("betAmount", "Infinity"),
        ("betAmount", True),
        ("betAmount", [1]),
        ("betAmount", 10**20),
        ("winAmount", {}),
    ],
)
def test_a_bad_value_is_named_by_its_place_and_nothing_is_taken(acme, field, value):
    response = acme.batch([a_round(), a_round(), a_round(**{field: value})])
    assert response.status_code == 400
    assert [(index, name) for index, name, _ in details(response)] == [(2, field)]
    assert acme.single(a_round(**{field: value})).status_code == 400


def test_all_faults_are_told_at_once(acme):
    response = acme.batch([a_round(betAmount=-1, currency=None), a_round(), 7, a_round(timestamp="x", winAmount="NaN")])
    assert response.status_code == 400
    assert [(index, field) for index, field, _ in details(response)] == [
        (0, "currency"),
        (0, "betAmount"),
        (2, ""),
        (3, "timestamp"),
        (3, "winAmount"),
    ]


@pytest.mark.parametrize("amount", ["1e400", "1e99999999999999999999", "1e-400", "-1e-999999999999999999"])
def test_absurd_exponents_are_refused(acme, amount):
    body = json.dumps(a_round(betAmount=0.125)).replace("0.125", amount)
    assert acme.single(body).status_code == 400


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[", b"[1,]", b"null", b"7", b'"x"', b"{}", b"\xff\xfe", b"[" * 100_000, b'{"roundId":"\\ud800"}'],
)
def test_what_is_no_json_of_the_right_form_is_refused(acme, body):
    assert acme.batch(body).status_code == 400
    assert acme.single(body).status_code == 400


def test_an_array_is_no_single_round_and_an_object_no_batch(acme):
    assert acme.single([a_round()]).status_code == 400
    assert acme.batch(a_round()).status_code == 400


def test_more_than_a_hundred_are_too_many(acme):
    for bad in ({}, {"currency": 1}):
        response = acme.batch([a_round(**bad) for _ in range(101)])
        assert (response.status_code, response.json()["error"]) == (400, "TOO_MANY_ROUNDS")


def test_a_body_beyond_a_mebibyte_is_too_large(acme):
    response = acme.batch(b" " * (1024 * 1024 + 1))
    assert (response.status_code, response.json()["error"]) == (413, "BODY_TOO_LARGE")


# --- who calls --------------------------------------------------------------------------------------------------------


def test_no_key_a_wrong_key_and_anothers_key_are_refused_alike(acme):
    other = Integration(acme.operator, "acme-prod", watched=False)
    bodies = []
    for key in (None, "", "wrong", "x" * 300, other.key, operator_key(acme.operator)):
        response = acme.single(a_round(), headers={"X-API-Key": key})
        assert response.status_code == 401
        bodies.append(response.content)
    assert len(set(bodies)) == 1
    assert acme.single(a_round(), headers={"X-API-Key": acme.key.upper()}).status_code == 401
    assert acme.send("/gamerounds/unknown/single", a_round()).status_code == 401
    assert acme.send("/gamerounds/a%00b/single", a_round()).status_code == 401


def test_a_revoked_key_an_expired_key_and_a_suspended_operator_are_refused(acme):
    at = clock.now()
    spare = issue(acme.operator, CredentialKind.INTEGRATION, ref=acme.name).key
    credentials.revoke(acme.credential.pk, operator_id=acme.operator.pk, actor=SYSTEM, at=at)
    assert acme.single(a_round()).status_code == 401
    Credential.objects.filter(pk=acme.credential.pk).update(revoked_at=None, expires_at=at - timedelta(1))
    assert acme.single(a_round()).status_code == 401
    acme.operator.suspended_at = at
    acme.operator.save()
    assert acme.single(a_round(), headers={"X-API-Key": spare}).status_code == 403


def test_an_address_that_is_not_allowed_is_refused_before_the_key(acme):
    Credential.objects.filter(pk=acme.credential.pk).update(allowed_ips=["203.0.113.0/24"])
    assert acme.single(a_round()).status_code == 403
    assert acme.single(a_round(), headers={"X-API-Key": "wrong"}).status_code == 403
    assert acme.single(a_round(), headers={"X-API-Key": "wrong"}, REMOTE_ADDR="203.0.113.9").status_code == 401
    assert acme.single({}, REMOTE_ADDR="203.0.113.9").status_code == 400


def test_production_wants_tls_and_an_allow_list_and_never_redirects(acme, settings):
    settings.INTEGRATIONS_REQUIRE_HTTPS = True
    response = acme.single(a_round())
    assert (response.status_code, response.json()["error"]) == (403, "HTTPS_REQUIRED")
    settings.INTEGRATIONS_REQUIRE_ALLOW_LIST = True
    response = acme.single(a_round(), secure=True)
    assert (response.status_code, response.json()["error"]) == (403, "ADDRESS_NOT_ALLOWED")


def test_other_methods_are_not_known(acme):
    for method in ("GET", "PUT", "DELETE", "PATCH", "OPTIONS"):
        response = acme.send("/gamerounds/{id}/batch", b"", method=method)
        assert (response.status_code, response["Allow"]) == (405, "POST")


# --- what the client should send again --------------------------------------------------------------------------------


@pytest.mark.usefixtures("redis")
def test_too_many_calls_are_told_to_come_back_and_not_that_they_erred(acme):
    acme.operator.preferences = {"rateLimits": {"rounds": 1}}
    acme.operator.save()
    assert acme.batch([]).status_code == 200
    response = acme.batch([a_round()])
    assert (response.status_code, response.json()["error"]) == (503, "BUSY")
    assert 1 <= int(response["Retry-After"]) <= 60


def test_a_database_that_is_away_is_503(acme, monkeypatch):
    def away(*_, **__):
        raise OperationalError("the connection is gone")

    monkeypatch.setattr(intake, "take", away)
    response = acme.batch([a_round()])
    assert (response.status_code, response.json()["error"]) == (503, "UNAVAILABLE")


def test_a_bug_is_500_in_the_same_words(acme, monkeypatch):
    def broken(*_, **__):
        raise ZeroDivisionError

    monkeypatch.setattr(intake, "take", broken)
    careless = Integration(acme.operator, "careless", crashes=False, watched=False)
    response = careless.batch([a_round()])
    assert (response.status_code, response.json()["error"]) == (500, "INTERNAL")


# --- keys that are kept for a moment ----------------------------------------------------------------------------------


def test_what_is_kept_of_keys_lets_in_for_a_moment_and_keeps_nobody_out(acme, settings, django_assert_num_queries):
    settings.INTEGRATION_KEYS_SECONDS = 60
    lookup._kept.clear()
    assert acme.batch([]).status_code == 200
    with django_assert_num_queries(0):
        assert acme.batch([]).status_code == 200
        assert acme.batch("{").status_code == 400
    spare = issue(acme.operator, CredentialKind.INTEGRATION, ref=acme.name).key
    assert acme.batch([], headers={"X-API-Key": spare}).status_code == 200
    assert acme.batch([], headers={"X-API-Key": "wrong"}).status_code == 401
    credentials.revoke(acme.credential.pk, operator_id=acme.operator.pk, actor=SYSTEM, at=clock.now())
    lookup._kept.clear()  # its time has run out
    assert acme.batch([]).status_code == 401


def test_no_session_and_no_cookie_comes_with_an_answer(acme):
    response = acme.batch([])
    assert not response.cookies
    assert response["X-Request-Id"]
    assert response["Content-Length"] == str(len(response.content))
    assert "Vary" not in response
