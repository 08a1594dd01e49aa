"""/healthz, /readyz, /metrics, and the API description."""

import time

import pytest
from django.contrib.staticfiles import finders
from django.db import DatabaseError
from django.test import Client
from redis.exceptions import ConnectionError as RedisConnectionError

from apps.core.api import health
from apps.core.tasks import HEARTBEAT, heartbeat

client = Client()


def test_healthz_asks_nobody(django_assert_num_queries, db):
    with django_assert_num_queries(0):
        answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert client.post("/healthz").status_code == 405


def test_readyz_is_200_when_all_parts_answer(db, redis):
    heartbeat()
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "parts": {"database": "ok", "redis": "ok", "worker": "ok"}, "failing": []}
    assert "no-cache" in answer["Cache-Control"]


@pytest.mark.parametrize(
    "case, beat, state",
    [
        ("never", None, "no heartbeat"),
        ("long ago", lambda: time.time() - 90, "last heartbeat 90 s ago"),
        ("garbled", lambda: "soon", "no readable heartbeat"),
    ],
)
def test_readyz_names_a_worker_that_is_silent(db, redis, case, beat, state):
    if beat:
        redis.set(HEARTBEAT, beat())
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["failing"]) == (503, ["worker"])
    assert answer.json()["parts"] == {"database": "ok", "redis": "ok", "worker": state}


def test_readyz_names_the_database_and_keeps_its_address_to_itself(monkeypatch, redis):
    def gone():
        message = "connection to 10.1.2.3 failed"
        raise DatabaseError(message)

    redis.set(HEARTBEAT, int(time.time()))
    monkeypatch.setitem(health.PARTS, "database", gone)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["failing"]) == (503, ["database"])
    assert answer.json()["parts"]["database"] == "unreachable"
    assert "10.1.2.3" not in answer.content.decode()


def test_readyz_names_redis(db, monkeypatch):
    class Away:
        def __getattr__(self, name):
            message = "away"
            raise RedisConnectionError(message)

    monkeypatch.setattr(health, "client", Away)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["failing"]) == (503, ["redis", "worker"])


def test_metrics_are_for_prometheus():
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert b"django_http_requests_before_middlewares_total" in answer.content


def test_the_documentation_needs_nothing_from_elsewhere():
    page = client.get("/api/docs/").content.decode()
    assert "https://" not in page.replace("https://www.w3.org", "")
    for asset in ("swagger-ui.css", "swagger-ui-bundle.js", "swagger-ui-standalone-preset.js"):
        assert f"/static/drf_spectacular_sidecar/swagger-ui-dist/{asset}" in page
        assert finders.find(f"drf_spectacular_sidecar/swagger-ui-dist/{asset}")


@pytest.fixture(scope="module")
def described():
    return client.get("/api/schema/?format=json").json()


def test_the_description_names_each_call_once_and_without_a_slash_at_its_end(described):
    paths = list(described["paths"])
    assert {"/api/players", "/api/keys/{key_id}", "/api/settings", "/api/games/{slug}"} <= set(paths)
    assert not [
        path for path in paths if path.startswith(("/api/api", "/api/internal", "/api/schema")) or path.endswith("/")
    ]


def test_every_call_of_operators_says_which_keys_open_it(described):
    assert described["paths"]["/api/players"]["get"]["security"] == [{"operatorKey": []}, {"operatorKeyHeader": []}]
    schemes = described["components"]["securitySchemes"]
    assert schemes["operatorKey"]["scheme"] == "bearer"
    assert schemes["operatorKeyHeader"]["name"] == "X-API-Key"


def test_every_call_describes_its_errors_and_every_write_its_idempotency_key(described):
    call = described["paths"]["/api/players"]["post"]
    assert {"201", "400", "401", "403", "404", "405", "409", "413", "415", "429", "500"} <= set(call["responses"])
    refusal = call["responses"]["409"]["content"]["application/json"]["schema"]
    assert refusal == {"$ref": "#/components/schemas/Error"}
    assert [parameter["name"] for parameter in call["parameters"]] == ["Idempotency-Key"]
    names = [parameter["name"] for parameter in described["paths"]["/api/players"]["get"]["parameters"]]
    assert sorted(names) == ["limit", "offset", "search"]


def test_settings_are_described_field_by_field(described):
    answer = described["paths"]["/api/settings"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert answer["properties"]["rateLimits"]["properties"]["standard"]["default"] == 100
    assert answer["properties"]["approval"]["properties"]["fromTotal"] == {
        "default": None,
        "type": "integer",
        "minimum": 0,
        "nullable": True,
    }
