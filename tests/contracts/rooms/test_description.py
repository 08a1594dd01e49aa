"""The API description and the answers name the same fields, and the base of every call is described once."""

import pytest
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

from tests.contracts.rooms.game import GameServer

pytestmark = pytest.mark.django_db
SIGNED = [{"gameKey": [], "gameSignature": [], "gameTimestamp": []}]


@pytest.fixture(scope="module")
def description():
    return SchemaGenerator().get_schema(request=None, public=True)


def described(value, shape, description, where):
    """Every field of the answer is described, and none is missing that must be there."""
    while "$ref" in shape or "allOf" in shape:
        name = shape.get("$ref") or shape["allOf"][0]["$ref"]
        shape = description["components"]["schemas"][name.rpartition("/")[2]]
    if isinstance(value, list):
        for one in value:
            described(one, shape["items"], description, where)
    elif isinstance(value, dict) and "properties" in shape:
        assert set(value) <= set(shape["properties"]), where
        assert set(value) >= set(shape["required"]), where
        for name, one in value.items():
            described(one, shape["properties"][name], description, f"{where} {name}")


def test_answers_have_the_documented_fields(description):
    game = GameServer()
    game.player("ana-11")
    room = game.stake(ana_11=3)
    schemas = description["components"]["schemas"]

    def told(answer, shape):
        described(answer.json(), {"$ref": f"#/components/schemas/{shape}"}, description, shape)

    told(game.post("earn", {"roomId": room, **game.giving(ana_11=1), "sync": True}), "RoomOperationDone")
    queued = game.post("earn", {"roomId": room, **game.giving(ana_11=1)})
    told(queued, "RoomTaskQueued")
    told(game.task(queued.json()["task"]["id"]), "RoomTask")
    told(game.post("end", {"roomId": room, "sync": True}), "RoomOperationRefused")
    told(game.task("nobody"), "RoomTaskNotFound")
    told(game.post("create", {"sync": "perhaps"}), "RoomError")
    told(game.get(f"/game/room/{room}"), "RoomShown")
    told(game.get(f"/game/isJoined?roomId={room}&plyrId=ana-11"), "RoomIsJoined")
    assert schemas["RoomOperationAnswer"]["oneOf"] == [
        {"$ref": "#/components/schemas/RoomTaskQueued"},
        {"$ref": "#/components/schemas/RoomOperationDone"},
    ]


def test_every_error_of_a_room_call_has_the_dialects_body(description):
    schemas = description["components"]["schemas"]
    for path, operations in description["paths"].items():
        for operation in operations.values():
            if operation.get("security") == SIGNED:
                errors = {status: answer for status, answer in operation["responses"].items() if status != "200"}
                assert {"400", "401", "403", "404", "405", "409", "413", "429", "500"} <= set(errors), path
                for answer in errors.values():
                    name = answer["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
                    assert {"error", "errors", "code"} <= set(schemas[name]["required"]), path


def test_the_description_of_everything_is_what_openapi_allows(description):
    """One bad schema, of whichever dialect, breaks the generated clients of all."""
    validate_schema(description)
