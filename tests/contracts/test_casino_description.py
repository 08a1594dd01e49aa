"""The API description and the answers name the same fields, none more and none less."""

import pytest
from drf_spectacular.generators import SchemaGenerator

from tests.contracts.casino import START, Casino, complete, score
from tests.tournaments.operator_rail import SPINS, with_spins

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("on_that_day")]

NEW = {"name": "Friday Sprint", "game": "crash-classic", "scheduled_start": START, "entry_fee": 7.5}
TOURNAMENT = "/api/tournaments/{id}"
CALLS = [
    ("POST", "/api/tournaments", NEW),
    ("GET", "/api/tournaments", None),
    ("GET", TOURNAMENT, None),
    ("GET", f"{TOURNAMENT}/players", None),
    ("GET", f"{TOURNAMENT}/players/{{player}}", None),
    ("GET", f"{TOURNAMENT}/leaderboard", None),
    ("GET", f"{TOURNAMENT}/prize-pool", None),
    ("GET", f"{TOURNAMENT}/events", None),
    ("POST", f"{TOURNAMENT}/players", {"user_id": "dan", "display_name": "Dan"}),
    ("POST", f"{TOURNAMENT}/players/{{player}}/rebuy", None),
    ("PUT", TOURNAMENT, {"name": "II"}),
    ("POST", f"{TOURNAMENT}/start", None),
    ("GET", f"{TOURNAMENT}/status", None),
    ("DELETE", f"{TOURNAMENT}/players/{{player}}", {"reason": "elimination"}),
    ("POST", f"{TOURNAMENT}/players/{{player}}/rebuy", {"additional_entries": 1000}),
    ("DELETE", TOURNAMENT, {"reason": "outage"}),
    ("GET", "/api/players/{userId}/tournaments", None),
    ("GET", f"{TOURNAMENT}/results", None),
]


@pytest.fixture(scope="module")
def description():
    return SchemaGenerator().get_schema(request=None, public=True)


def test_answers_have_the_documented_fields(description):
    casino = Casino()
    made = casino.create(rebuy_enabled=True)
    casino.register(made, "ann")
    names = {"id": made, "player": "ann", "userId": "ann"}
    for method, path, body in CALLS:
        if path.endswith("results"):
            names["id"] = casino.running("ann", "bob")
            score(names["id"], ann=2)
            complete(names["id"])
        answer = casino.send(method, path.format(**names), body)
        documented = description["paths"][path][method.lower()]["responses"][str(answer.status_code)]
        shape = documented["content"]["application/json"]["schema"]
        same_fields(answer.json(), shape, description, f"{method} {path} {answer.status_code}")


TABLE = [
    {
        "rankFrom": 1,
        "rankTo": 1,
        "prizes": [
            {"type": "CASH", "amount": 12.5},
            {"type": "FREEROUND", "count": 40, "gameId": SPINS, "value": 0.25, "validHours": 48},
        ],
    },
    {"rankFrom": 2, "rankTo": 3, "prizes": [{"type": "POOL_SHARE", "percent": 7.5}]},
]


def test_prizes_by_rank_are_described_as_they_are_given_and_told(description):
    casino = Casino()
    with_spins(casino.operator)
    made = casino.running("ann", "bob", prize_pool={"total": 100, "prizes": TABLE})
    score(made, ann=2)
    given = description["components"]["schemas"]["PrizePoolIn"]["properties"]["prizes"]
    same_fields(TABLE, given, description, "a body")
    complete(made)
    for path in (TOURNAMENT, f"{TOURNAMENT}/prize-pool", f"{TOURNAMENT}/results"):
        answer = casino.get(path.format(id=made)).json()
        shape = description["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        same_fields(answer, shape, description, path)
    assert answer["prizePool"]["prizes"] == TABLE
    # 115 are in the pool: 100 that are fixed and two fees.
    assert [winner["prizeAmount"] for winner in answer["winners"]] == [12.5, 8.62]
    assert [winner.get("freeRounds") for winner in answer["winners"]] == [
        [{"count": 40, "gameId": SPINS, "value": 0.25, "validHours": 48}],
        None,
    ]


def test_what_a_change_does_not_take_is_not_described(description):
    shapes = description["components"]["schemas"]
    assert shapes["ChangesIn"]["properties"]["prize_pool"] == {"$ref": "#/components/schemas/PrizeSharesIn"}
    assert set(shapes["PrizeSharesIn"]["properties"]) == {"total", "distribution", "type"}


# Only where the number of rounds is limited (podium.md 3), and where prizes go by a table (rounds.md 5.6).
AT_TIMES = {"roundsLeft", "prizes", "freeRounds"}
MAY_LACK = AT_TIMES | {"hint", "rankTo"}


def same_fields(value, shape, description, where):
    while {"$ref", "allOf", "discriminator"} & set(shape):
        if "discriminator" in shape:
            name = shape["discriminator"]["mapping"][value[shape["discriminator"]["propertyName"]]]
        else:
            name = shape.get("$ref") or shape["allOf"][0]["$ref"]
        shape = description["components"]["schemas"][name.rpartition("/")[2]]
    if isinstance(value, list):
        assert value, f"{where}: nothing to compare"
        for one in value:
            same_fields(one, shape["items"], description, where)
    elif isinstance(value, dict) and "properties" in shape:
        # The answer to a registration has one field more, named like the game (operators.md 3.8).
        left_out = AT_TIMES - set(value)
        assert set(value) - {"crash-classic"} == set(shape["properties"]) - left_out, where
        assert set(shape["required"]) | MAY_LACK == set(shape["properties"]) | MAY_LACK, where
        for name, one in value.items():
            if name in shape["properties"]:
                same_fields(one, shape["properties"][name], description, f"{where} {name}")
