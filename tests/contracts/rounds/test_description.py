"""The description says what the calls take and answer."""

import pytest
from drf_spectacular.generators import SchemaGenerator

from tests.rounds.world import Integration, a_round

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def description():
    return SchemaGenerator().get_schema(request=None, public=True)


def test_every_call_is_described_with_its_key(description):
    calls = {
        (method.upper(), path): call
        for path, methods in description["paths"].items()
        for method, call in methods.items()
        if path.startswith(("/gamerounds/", "/external/"))
    }
    assert set(calls) >= {
        ("POST", "/gamerounds/{INTEGRATION_ID}/single"),
        ("POST", "/gamerounds/{INTEGRATION_ID}/batch"),
        ("POST", "/external/{INTEGRATION_ID}/sync-operators-and-brands"),
        ("POST", "/external/{INTEGRATION_ID}/sync-games"),
        ("GET", "/external/{INTEGRATION_ID}/active-games"),
    }
    assert all(call["security"] == [{"integrationKey": []}] for call in calls.values())
    assert description["components"]["securitySchemes"]["integrationKey"]["name"] == "X-API-Key"


def test_a_round_is_described_by_the_fields_that_it_needs(description):
    shape = description["components"]["schemas"]["GameRound"]
    assert set(shape["required"]) == set(shape["properties"]) == set(a_round())
    acme = Integration()
    assert acme.batch([shape["example"]]).status_code == 202


@pytest.mark.parametrize(
    "path", ["/gamerounds/acme", "/gamerounds/acme/many", "/external/acme/x", "/gamerounds//batch"]
)
def test_other_addresses_answer_in_the_same_words(path):
    response = Integration().send(path, [])
    assert (response.status_code, response.json()["error"]) == (404, "NOT_FOUND")
