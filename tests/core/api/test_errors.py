"""Every error under /api and /internal has one body (operators.md 10)."""

import logging
from io import StringIO

import pytest
from django.test import Client
from structlog.stdlib import ProcessorFormatter

from apps.operators.models import Player
from tests.factories import Api, OperatorFactory, api, operator_key

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.operators.views")]


@pytest.fixture
def operator():
    return OperatorFactory()


def assert_documented(answer, status, code):
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/json"
    body = answer.json()
    hint = {"hint"} if "hint" in body else set()
    assert set(body) == {"success", "error", "message", "code", "request_id"} | hint
    assert set(body["error"]) == {"code", "message", "details"} | hint
    assert body["success"] is False
    assert body["code"] == body["error"]["code"] == code
    assert body["message"] == body["error"]["message"]
    assert body["request_id"] == answer["X-Request-Id"]
    return body


def test_a_refusal_carries_code_message_details_and_hint(operator):
    answer = api(operator).post("/api/trouble", {"trouble": "refusal"})
    body = assert_documented(answer, 409, "OUT_OF_STOCK")
    assert body["error"]["details"] == {"wanted": 3}
    assert body["message"] == "There is none left."
    assert body["hint"] == body["error"]["hint"] == "Come back tomorrow."


def test_a_bug_is_a_bare_500_and_its_stack_is_logged_under_its_request_id(operator, monkeypatch):
    lines = StringIO()
    (stderr,) = [one for one in logging.getLogger().handlers if isinstance(one.formatter, ProcessorFormatter)]
    monkeypatch.setattr(stderr, "stream", lines)
    client = Api(operator_key(operator), crashes=False)
    answer = client.post("/api/trouble", {"trouble": "bug"})
    body = assert_documented(answer, 500, "INTERNAL_ERROR")
    assert "42" not in answer.content.decode()
    assert body["error"]["details"] == {}
    logged = lines.getvalue()
    assert logged.count("RuntimeError: the secret of the database is 42") == 1
    assert f"request_id={body['request_id']}" in logged


def test_a_bug_looks_the_same_to_those_who_develop(operator, settings):
    settings.DEBUG = True
    client = Api(operator_key(operator), crashes=False)
    assert_documented(client.post("/api/trouble", {"trouble": "bug"}), 500, "INTERNAL_ERROR")


def test_a_bug_outside_of_rest_views_is_json_for_machines_and_html_for_people():
    client = Client(raise_request_exception=False)
    assert_documented(client.get("/api/broken"), 500, "INTERNAL_ERROR")
    assert client.get("/broken")["Content-Type"].startswith("text/html")


@pytest.mark.parametrize(
    "path", ["/api/nowhere", "/api/", "/api", "/internal/nowhere", "/api/players/a/b/c", "/api/%00"]
)
def test_an_address_that_is_none_is_json_for_machines(path):
    assert_documented(Client().get(path), 404, "NOT_FOUND")


def test_an_address_that_is_none_is_html_for_people():
    answer = Client().get("/nowhere")
    assert (answer.status_code, answer["Content-Type"]) == (404, "text/html; charset=utf-8")


def test_a_host_that_is_not_ours_is_refused_in_json():
    answer = Client().get("/api/echo", headers={"Host": "evil.example"})
    assert_documented(answer, 400, "VALIDATION_ERROR")


def test_a_method_that_is_none_of_ours(operator):
    assert_documented(api(operator).put("/api/echo", {}), 405, "METHOD_NOT_ALLOWED")
    assert_documented(api(operator).send("BREW", "/api/echo"), 405, "METHOD_NOT_ALLOWED")
    assert_documented(api(operator).send("DISPATCH", "/api/echo"), 405, "METHOD_NOT_ALLOWED")


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/xml", "application/x-www-form-urlencoded", "nonsense"]
)
def test_a_body_that_is_no_json_by_its_own_account(operator, content_type):
    answer = api(operator).post("/api/players", '{"userId": "u"}', content_type=content_type)
    assert_documented(answer, 415, "UNSUPPORTED_MEDIA_TYPE")
    assert Player.objects.count() == 0


@pytest.mark.parametrize(
    "content_type", ["", "application/json", "application/json; charset=utf-8", "Application/JSON"]
)
def test_json_may_be_called_by_any_of_its_names_or_none(operator, content_type):
    answer = api(operator).post("/api/players", '{"userId": "u"}', content_type=content_type)
    assert answer.status_code == 201


@pytest.mark.parametrize("accept", ["text/html", "application/xml;q=0.9", "nonsense", "image/*"])
def test_the_answer_is_json_whatever_the_client_would_rather_have(operator, accept):
    answer = api(operator).get("/api/echo", headers={"Accept": accept})
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")


@pytest.mark.parametrize(
    "case, body",
    [
        ("half a body", '{"userId": "u"'),
        ("no JSON", "userId=u"),
        ("a list", '[{"userId": "u"}]'),
        ("a word", '"u"'),
        ("null", "null"),
        ("nothing", ""),
        ("not a number", '{"userId": NaN}'),
        ("infinity", '{"userId": "u", "displayName": -Infinity}'),
        ("a NUL", '{"userId": "u\\u0000"}'),
        ("a NUL in an unknown field", '{"userId": "u", "x": {"y": ["\\u0000"]}}'),
        ("half a character", '{"userId": "\\ud800"}'),
        ("bytes that are no text", b'{"userId": "\xff\xfe"}'),
        ("a huge number", '{"userId": %s}' % ("9" * 5000)),
        ("a huge exponent", '{"userId": "u", "x": 1e999999999}'),
        ("deep nesting", f'{{"userId": "u", "x": {"[" * 100}{"]" * 100}}}'),
        ("absurd nesting", "[" * 200_000),
        ("a wrong type", '{"userId": {"a": 1}}'),
        ("another wrong type", '{"userId": true}'),
        ("yet another", '{"userId": ["u"]}'),
        ("a fraction for an id", '{"userId": 1.5}'),
        ("null for a required field", '{"userId": null}'),
        ("blank", '{"userId": "  "}'),
        ("too long", '{"userId": "%s"}' % ("u" * 129)),
        ("too long a name", '{"userId": "u", "displayName": "%s"}' % ("u" * 65)),
    ],
)
def test_a_body_that_is_malformed_or_hostile_is_a_400_and_changes_nothing(operator, case, body):
    answer = api(operator).post("/api/players", body)
    assert_documented(answer, 400, "VALIDATION_ERROR")
    assert Player.objects.count() == 0


@pytest.mark.parametrize("size", [1024 * 1024 + 1, 3 * 1024 * 1024])
@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "k"}])
def test_a_body_that_is_too_large_is_refused(operator, size, headers):
    answer = api(operator).post("/api/players", '{"userId": "%s"}' % ("u" * size), headers=headers)
    assert answer.status_code in {400, 413}
    assert answer.json()["success"] is False
    assert Player.objects.count() == 0


def test_missing_fields_are_named(operator):
    answer = api(operator).post("/api/players", {})
    body = assert_documented(answer, 400, "VALIDATION_ERROR")
    assert body["error"]["details"] == {"fields": {"userId": ["This field is required."]}}


@pytest.mark.parametrize("path", ["/api/players/%00", "/api/players/a%00b", "/api/games/%00"])
def test_a_nul_in_an_address_finds_nothing(operator, path):
    method = "PUT" if "games" in path else "GET"
    assert_documented(api(operator).send(method, path, {}), 404, "NOT_FOUND")


def test_a_nul_in_a_query_is_refused(operator):
    assert_documented(api(operator).get("/api/players?search=%00"), 400, "VALIDATION_ERROR")
    assert_documented(api(operator).get("/api/players?%00=1"), 400, "VALIDATION_ERROR")


@pytest.mark.parametrize("user_id", ["%F0%9F%8E%B2", "%ff%fe", "..", "%2e%2e", "a%20b", "%27%3B--", "x" * 2000])
def test_a_strange_id_is_only_not_found(operator, user_id):
    assert api(operator).get(f"/api/players/{user_id}").status_code == 404


@pytest.mark.parametrize(
    "given, kept",
    [("mine-1", True), ("x" * 64, True), ("x" * 65, False), ("a b", False), ("<script>", False), ("", False)],
)
def test_a_request_id_is_kept_when_it_is_well_formed(given, kept):
    answer = Client().get("/api/nowhere", headers={"X-Request-Id": given})
    assert (answer["X-Request-Id"] == given) is kept
    assert answer.json()["request_id"] == answer["X-Request-Id"] != ""
