"""Who may call what: keys, their forms, their ends, their addresses, their scopes."""

import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction

from apps.core import clock
from apps.core.actors import SYSTEM
from apps.operators.models import Credential, CredentialKind
from apps.operators.services import credentials, tenants
from tests.factories import Api, OperatorFactory, api, internal_api, internal_key, issue, operator_key
from tests.racing import in_parallel

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.operators.views")]

FUTURE = datetime(2999, 1, 1, tzinfo=UTC)


@pytest.fixture
def operator():
    return OperatorFactory()


def refusal(answer):
    return answer.status_code, answer.json()["code"]


@pytest.mark.parametrize(
    "case, header, value",
    [
        ("bearer", "Authorization", "Bearer {key}"),
        ("bearer in lower case", "Authorization", "bearer {key}"),
        ("bearer in capitals, with spaces to spare", "Authorization", "BEARER   {key} "),
        ("a header of its own", "X-API-Key", "{key}"),
        ("a header in lower case", "x-api-key", "{key}"),
    ],
)
@pytest.mark.parametrize("compound", [False, True])
def test_an_operator_key_travels_in_any_documented_way(operator, case, header, value, compound):
    key = operator_key(operator, compound=compound)
    assert key.startswith("pk_" if compound else "sk_live_")
    assert Api().get("/api/echo", headers={header: value.format(key=key)}).status_code == 200


@pytest.mark.parametrize(
    "header, value",
    [("Authorization", "Bearer {key}"), ("authorization", "bearer {key}"), ("X-Internal-Api-Key", "{key}")],
)
def test_an_internal_key_travels_in_any_documented_way(operator, header, value):
    key = internal_key(operator)
    assert key.startswith("internal_")
    assert Api().get("/internal/inside", headers={header: value.format(key=key)}).status_code == 200


def test_a_key_is_nowhere_in_the_database(operator):
    issued = issue(operator, compound=True, scopes=["players.read"])
    game = issue(operator, CredentialKind.GAME, ref="acme")
    stored = " ".join(str(value) for row in Credential.objects.values() for value in row.values())
    for secret in (issued.key, issued.key.partition(":")[2], game.key, game.secret):
        assert secret not in stored
    assert issued.credential.digest == hashlib.sha256(issued.key.encode()).hexdigest()
    assert credentials.signing_secret(game.credential) == game.secret


def test_a_compound_key_is_compared_as_a_whole(operator):
    one, two = operator_key(operator, compound=True), operator_key(operator, compound=True)
    crossed = one.partition(":")[0] + ":" + two.partition(":")[2]
    for wrong in (crossed, one.partition(":")[0], one + "x", one.replace("pk_", "PK_"), two.partition(":")[2]):
        assert refusal(Api(wrong).get("/api/echo")) == (401, "UNAUTHORIZED")
    assert Api(one).get("/api/echo").status_code == 200


def test_every_form_of_key_is_compared_in_constant_time(operator, monkeypatch):
    compared = []

    def watched(one, two):
        compared.append((one, two))
        return one == two

    monkeypatch.setattr(credentials, "compare_digest", watched)
    for compound in (False, True):
        issued = issue(operator, scopes=["players.read"], compound=compound)
        assert Api(issued.key).get("/api/echo").status_code == 200
        assert compared.pop() == (issued.credential.digest, credentials.digest_of(issued.key))
        assert compared == []


@pytest.mark.parametrize(
    "case, headers",
    [
        ("nothing", {}),
        ("an empty bearer", {"Authorization": "Bearer "}),
        ("another scheme", {"Authorization": "Basic {key}"}),
        ("the header of internal keys", {"X-Internal-Api-Key": "{key}"}),
        ("an unknown key", {"Authorization": "Bearer sk_live_unknown"}),
        ("a key with something after it", {"Authorization": "Bearer {key} x"}),
        ("a key that is no text", {"X-API-Key": "pk_\x00:sk_ü"}),
        ("a key as long as a book", {"X-API-Key": "x" * 100_000}),
    ],
)
def test_what_is_no_key_is_refused(operator, case, headers):
    key = operator_key(operator)
    answer = Api().get("/api/echo", headers={name: value.format(key=key) for name, value in headers.items()})
    assert refusal(answer) == (401, "UNAUTHORIZED")
    assert answer["WWW-Authenticate"] == "Bearer"


def test_a_bearer_of_another_scheme_leaves_the_key_header_to_speak(operator):
    headers = {"Authorization": "Basic abc", "X-API-Key": operator_key(operator)}
    assert Api().get("/api/echo", headers=headers).status_code == 200


def test_each_kind_of_key_opens_its_own_door_only(operator):
    assert refusal(Api(internal_key(operator)).get("/api/echo")) == (401, "UNAUTHORIZED")
    assert refusal(Api(operator_key(operator)).get("/internal/inside")) == (401, "UNAUTHORIZED")
    for kind in (
        CredentialKind.INTEGRATION,
        CredentialKind.GAME,
        CredentialKind.MATCH_CLIENT,
        CredentialKind.APPLICATION,
    ):
        key = issue(operator, kind, ref="acme").key
        assert refusal(Api(key).get("/api/echo")) == (401, "UNAUTHORIZED")
        assert refusal(Api(key).get("/internal/inside")) == (401, "UNAUTHORIZED")


def test_an_expired_key_says_so(operator):
    key = operator_key(operator, expires_at=datetime(2020, 6, 1, tzinfo=UTC))
    assert refusal(Api(key).get("/api/echo")) == (401, "KEY_EXPIRED")


def test_a_revoked_key_is_as_good_as_unknown(operator):
    issued = issue(operator, scopes=["players.read"])
    credentials.revoke(issued.credential.pk, operator_id=operator.pk, actor=SYSTEM, at=clock.now())
    assert refusal(Api(issued.key).get("/api/echo")) == (401, "UNAUTHORIZED")


def test_a_suspended_operator_gets_403_on_everything_until_it_is_resumed(operator):
    told = {"actor": SYSTEM, "at": clock.now()}
    outside, inside = api(operator), internal_api(operator)
    tenants.suspend_operator(operator.pk, reason="unpaid", **told)
    assert refusal(outside.get("/api/echo")) == (403, "OPERATOR_SUSPENDED")
    assert refusal(inside.get("/internal/inside")) == (403, "OPERATOR_SUSPENDED")
    tenants.resume_operator(operator.pk, reason="paid", **told)
    assert outside.get("/api/echo").status_code == 200


@pytest.mark.parametrize(
    "case, proxies, remote, forwarded, expected",
    [
        ("the address itself", 0, "192.0.2.7", None, 200),
        ("an address of the network", 0, "198.51.100.77", None, 200),
        ("an address outside", 0, "198.51.101.1", None, 403),
        ("IPv4 told as IPv6", 0, "::ffff:192.0.2.7", None, 200),
        ("an address of the IPv6 network", 0, "2001:db8:1::5", None, 200),
        ("no address, as behind a Unix socket", 0, "", None, 403),
        ("a claim that nobody vouches for", 0, "203.0.113.9", "192.0.2.7", 403),
        ("what our proxy saw", 1, "10.0.0.1", "192.0.2.7", 200),
        ("a claim in front of what our proxy saw", 1, "10.0.0.1", "192.0.2.7, 203.0.113.9", 403),
        ("what the outer of two proxies saw", 2, "10.0.0.1", "8.8.8.8, 192.0.2.7, 10.0.0.2", 200),
        ("garbage from the proxy", 1, "192.0.2.7", "garbage", 403),
        ("a proxy that says nothing", 1, "192.0.2.7", None, 200),
    ],
)
def test_a_key_with_an_allow_list_works_from_there_only(operator, settings, case, proxies, remote, forwarded, expected):
    settings.TRUSTED_PROXIES = proxies
    key = operator_key(operator, allowed_ips=["192.0.2.7", "198.51.100.0/24", "2001:db8:1::/48"])
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    answer = Api(key).get("/api/echo", headers=headers, REMOTE_ADDR=remote)
    assert answer.status_code == expected
    if expected == 403:
        assert answer.json()["code"] == "ADDRESS_NOT_ALLOWED"


@pytest.mark.parametrize(
    "case, method, path, scopes, expected",
    [
        ("the scope", "GET", "/api/echo", ["players.read"], 200),
        ("writing implies no reading", "GET", "/api/echo", ["players.write"], 403),
        ("reading implies no writing", "POST", "/api/echo", ["players.read"], 403),
        ("no scope at all", "GET", "/api/echo", [], 403),
        ("one of two", "DELETE", "/api/echo", ["results.read"], 204),
        ("the other of two", "DELETE", "/api/echo", ["keys.read"], 204),
        ("neither of two", "DELETE", "/api/echo", ["players.write"], 403),
        ("HEAD needs what GET needs", "HEAD", "/api/echo", ["players.write"], 403),
        ("an unknown method comes before permission", "PUT", "/api/echo", [], 405),
        ("OPTIONS is no method of ours", "OPTIONS", "/api/echo", ["players.read"], 405),
        ("cancelling needs delete", "DELETE", "/api/cancel", ["tournaments.write"], 403),
        ("cancelling with delete", "DELETE", "/api/cancel", ["tournaments.delete"], 200),
    ],
)
def test_who_may(operator, case, method, path, scopes, expected):
    assert api(operator, scopes).send(method, path).status_code == expected


def test_a_refusal_names_the_permission_that_is_missing(operator):
    body = api(operator, ["players.read"]).post("/api/echo", {}).json()
    assert body["error"]["details"] == {"required": "players.write"}
    assert body["code"] == "INSUFFICIENT_PERMISSIONS"


def test_an_operator_may_let_writers_cancel(operator):
    writer = api(operator, ["tournaments.write"])
    tenants.change_preferences(operator.pk, {"writeImpliesDelete": True}, actor=SYSTEM, at=clock.now())
    assert writer.delete("/api/cancel").status_code == 200


def test_a_view_that_names_no_scope_is_a_crash_and_not_an_open_door(operator):
    with pytest.raises(ImproperlyConfigured, match="Forgot names no scope for GET"):
        api(operator).get("/api/forgot")


def test_the_checks_come_in_the_documented_order(operator):
    weak = api(operator, [])
    assert Api().put("/api/echo", "{").status_code == 401  # the key before the method
    assert weak.put("/api/echo", "{").status_code == 405  # the method before the permission
    assert weak.post("/api/echo", "{").status_code == 403  # the permission before the body
    assert api(operator).post("/api/echo", "{").status_code == 400


def test_the_actor_is_the_visible_part_of_the_key_with_the_id_of_the_request(operator):
    issued = issue(operator, scopes=["players.read"])
    answer = Api(issued.key).get("/api/echo", headers={"X-Request-Id": "mine-1"})
    assert answer.json() == {"actor": f"key:{issued.credential.prefix}", "request": "mine-1"}
    assert answer["X-Request-Id"] == "mine-1"
    assert issued.key.startswith(issued.credential.prefix)
    assert len(issued.key) - len(issued.credential.prefix) == 35


def test_an_internal_key_reaches_everybody_or_its_own_operator(operator):
    assert internal_api(operator).get("/internal/inside").json()["reach"] is None
    assert internal_api(operator, all_operators=False).get("/internal/inside").json()["reach"] == operator.pk


def test_a_call_asks_the_database_once_for_its_key(operator, django_assert_num_queries):
    for compound in (False, True):
        client = Api(operator_key(operator, compound=compound))
        client.get("/api/echo")  # the first use of the minute is noted
        with django_assert_num_queries(1):
            assert client.get("/api/echo").status_code == 200


def test_the_last_use_is_noted_once_a_minute(operator, time_machine, django_assert_num_queries):
    time_machine.move_to(datetime(2026, 3, 1, 12, 0, tzinfo=UTC), tick=False)
    issued = issue(operator, scopes=["players.read"])

    def noted():
        return Credential.objects.values_list("last_used_at", "last_used_ip").get(pk=issued.credential.pk)

    client = Api(issued.key)
    client.get("/api/echo", REMOTE_ADDR="192.0.2.1")
    first = (datetime(2026, 3, 1, 12, 0, tzinfo=UTC), "192.0.2.1")
    assert noted() == first
    time_machine.shift(timedelta(seconds=59))
    client.get("/api/echo", REMOTE_ADDR="192.0.2.2")
    assert noted() == first
    time_machine.shift(timedelta(seconds=1))
    client.get("/api/echo", REMOTE_ADDR="192.0.2.3")
    assert noted() == (datetime(2026, 3, 1, 12, 1, tzinfo=UTC), "192.0.2.3")


@pytest.mark.django_db(transaction=True)
def test_noting_the_last_use_never_waits_for_a_locked_key(operator):
    issued = issue(operator, scopes=["players.read"])
    with transaction.atomic():
        Credential.objects.select_for_update().get(pk=issued.credential.pk)
        (answer,) = in_parallel(1, lambda: Api(issued.key).get("/api/echo"))
    assert answer.status_code == 200
    assert Credential.objects.get(pk=issued.credential.pk).last_used_at is None
