"""Schemathesis over the whole description: no call ever answers 5xx, or something else than it says.

Every documented address is tried with what its schema allows, with what it forbids, and with methods it does not know;
most of the ids in a path are real ones. The seed is fixed, so that a failure stays a failure until it is mended.
"""

import itertools
import json

import pytest
from django.db import transaction
from schemathesis.core import NOT_SET

from apps.core import clock
from apps.matches.services import access
from apps.operators.models import CredentialKind
from apps.rooms.api import signatures
from config.wsgi import application
from tests.contracts.casino import Casino, complete
from tests.contracts.fuzzing import PROMISES, RUMBLE, as_it_comes, one_connection, schema
from tests.contracts.rooms.game import GameServer
from tests.factories import internal_key, issue
from tests.matches import world as matches

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("on_that_day")]


@pytest.fixture
def world(db, settings):
    """Keys for every kind of address, and real objects to name in them."""
    settings.ROOM_SYNC_SECONDS = 0.0
    casino = Casino(crashes=False)
    soon = casino.create(rebuy_enabled=True, external_id="x-1")
    casino.register(soon, "ann")
    bob = casino.register(soon, "bob")
    running = casino.running("ann", "bob", rebuy_enabled=True)
    done = casino.running("ann", "bob")
    complete(done)
    game = GameServer(casino.operator, crashes=False)
    room = game.stake(ann_11=3, bob_11=3)
    task = game.post("pay", {"roomId": room, **game.taking(ann_11=1)}).json()["task"]["id"]
    duels, token = matches_of(casino.operator)
    return {
        "operator_id": casino.operator.public_id,
        "game": game,
        "keys": {"/api/game/v1/": token, "/api/": casino.key, "/internal/": internal_key(casino.operator)},
        "duels": itertools.cycle([*duels, None]),
        "ids": {
            "id": itertools.cycle([soon, running, done, None]),
            "player": itertools.cycle(["ann", bob["player_id"], bob["internal_player_id"], None]),
            "userId": itertools.cycle(["ann", "bob", None]),
            "user_id": itertools.cycle(["ann", "bob", None]),
            "slug": itertools.cycle(["crash-classic", None]),
            "roomId": itertools.cycle([room, room, None]),
            "taskId": itertools.cycle([task, None]),
            "plyrId": itertools.cycle(["ann-11", None]),
            "identifier": itertools.cycle(["ann-11", None]),
            "gameId": itertools.cycle([game.game_id, None]),
            "token": itertools.cycle(["gamr", None]),
            "match_id": itertools.cycle([*duels, None]),
            "client_id": itertools.cycle(["kart-duel", None]),
        },
        # What a room call is about, so that some get as far as the room.
        "room": {
            "roomId": room,
            "sessionJwts": list(game.jwts.values()),
            "plyrIds": list(game.jwts),
            "tokens": ["gamr", "gamr"],
            "amounts": [1, 0.5],
            "sessionJwt": next(iter(game.jwts.values())),
        },
        "turns": itertools.cycle([True, True, False]),
    }


def matches_of(operator):
    """A live, an invited and a held match, and the access token of their game."""
    secret = issue(operator, CredentialKind.MATCH_CLIENT, ref="kart-duel").key
    kart = matches.client(operator, "kart-duel")
    live, invited, held = (
        matches.make(kart, {"a": ["user_id_1"], "b": ["user_id_2"]}, **more).match
        for more in ({}, {"confirmed": False}, {"hold_minutes": 30})
    )
    matches.result(held)
    return [live.public_id, invited.public_id, held.public_id], access.grant(
        "kart-duel", secret, address="", at=clock.now()
    ).token


def keyed(case, world):
    """A bearer token, by the kind of address."""
    key = next((key for prefix, key in world["keys"].items() if case.path.startswith(prefix)), None)
    return {"Authorization": f"Bearer {key}"} if key else {}


def signed(case, world):
    """The headers of a game over the body as JavaScript writes it, most fields of which name something real."""
    if isinstance(case.body, dict) and next(world["turns"]):
        case.body |= {name: value for name, value in world["room"].items() if name in case.body}
    body = b"{}" if case.body is NOT_SET else signatures.canonical(json.dumps(case.body).encode())
    return world["game"].headers(body or b"")


@schema.exclude(path_regex=RUMBLE).parametrize()
@as_it_comes
def test_no_call_ever_fails(case, world):
    for name, ids in world["ids"].items():
        real = next(ids)
        if real is not None and name in (case.path_parameters or {}):
            case.path_parameters[name] = real
    if isinstance(case.body, dict) and isinstance(case.body.get("operator_id"), str):
        case.body["operator_id"] = world["operator_id"]
    if isinstance(case.body, dict) and isinstance(case.body.get("match_id"), str):
        case.body["match_id"] = next(world["duels"]) or case.body["match_id"]
    headers = (
        signed(case, world) if "gameKey" in str(case.operation.definition.raw.get("security")) else keyed(case, world)
    )
    with one_connection(), transaction.atomic():
        # Nothing is kept: a key that was revoked or a limit that was lowered would hide what comes after.
        case.call_and_validate(app=application, headers=headers, checks=PROMISES)
        transaction.set_rollback(True)


def test_every_call_of_the_casino_dialect_is_described():
    paths = {(method.upper(), path) for path, calls in schema.raw_schema["paths"].items() for method in calls}
    tournament = "/api/tournaments/{id}"
    assert paths >= {
        ("POST", "/api/tournaments"),
        ("GET", "/api/tournaments"),
        ("GET", tournament),
        ("PUT", tournament),
        ("DELETE", tournament),
        ("POST", f"{tournament}/start"),
        ("GET", f"{tournament}/status"),
        ("POST", f"{tournament}/players"),
        ("GET", f"{tournament}/players"),
        ("GET", f"{tournament}/players/{{player}}"),
        ("DELETE", f"{tournament}/players/{{player}}"),
        ("POST", f"{tournament}/players/{{player}}/rebuy"),
        ("GET", f"{tournament}/leaderboard"),
        ("GET", f"{tournament}/results"),
        ("GET", f"{tournament}/prize-pool"),
        ("GET", f"{tournament}/events"),
        ("GET", "/api/players/{userId}/tournaments"),
    }


def test_every_call_of_rooms_is_described_once_and_signed():
    calls = {
        (method.upper(), path)
        for path, operations in schema.raw_schema["paths"].items()
        for method, operation in operations.items()
        if operation.get("security") == [{"gameKey": [], "gameSignature": [], "gameTimestamp": []}]
    }
    writes = "create join pay earn leave end joinPay earnLeave createJoinPay earnLeaveEnd".split()
    assert calls >= {
        *(("POST", f"/api/game/{call}") for call in writes),
        ("GET", "/api/game/isJoined"),
        ("GET", "/api/game/room/{roomId}"),
        ("GET", "/api/task/status/{taskId}"),
    }
    assert not [path for _, path in calls if not path.startswith("/api/")]
