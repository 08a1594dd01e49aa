"""Clients of others' making, over a real connection: Node as in the documented quickstart, and curl with openssl."""

import json
import shutil
import subprocess
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connection

from apps.core import clock
from apps.core.actors import SYSTEM
from apps.operators.services import otp
from apps.rooms.services import tasks
from tests.contracts.rooms.game import GameServer

pytestmark = pytest.mark.django_db(transaction=True)
NODE = shutil.which("node")
SCRIPT = Path(__file__).parents[1] / "clients" / "rooms.mjs"


@contextmanager
def a_worker():
    """Somebody who does what is queued, as the worker does."""
    stop = threading.Event()

    def work():
        try:
            while not stop.wait(0.02):
                at = clock.now()
                for room_id in tasks.waiting(at=at):
                    tasks.execute_all(room_id, at=at)
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@pytest.fixture
def game():
    game = GameServer()
    for name in ("ana-11", "bo-2222"):
        game.player(name, approved=None)
    return game


@pytest.mark.skipif(NODE is None, reason="needs node")
@pytest.mark.parametrize("mount", ["/api", "/api/api", ""])
def test_a_node_client_plays_two_games(live_server, game, mount):
    secrets = {
        name: otp.enrol(player.pk, actor=SYSTEM, at=clock.now()).secret for name, player in game.floor.people.items()
    }
    environment = {
        "BASE_URL": live_server.url + mount,
        "API_KEY": game.key,
        "API_SECRET": game.secret,
        "GAME_ID": game.game_id,
        "PLAYERS": json.dumps([{"plyrId": name, "secret": secret} for name, secret in secrets.items()]),
    }
    with a_worker():
        ran = subprocess.run([NODE, SCRIPT], env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    seen = json.loads(ran.stdout)
    singles = "createGameRoom joinGameRoom batchPayGameRoom batchEarnGameRoom leaveGameRoom endGameRoom"
    assert seen["steps"] == singles.split()
    assert seen["joined"] == {"isJoined": True, "data": {"isJoined": True}}
    assert seen["full"]["plyrIds"] == ["ana-11", "bo-2222"]
    assert seen["full"]["balances"] == {"gamr": "3.0000001"}
    assert seen["created"]["status"] == seen["settled"]["status"] == "SUCCESS"
    assert seen["created"]["taskData"]["result"]["roomId"] == seen["created"]["roomId"]
    assert [line["amount"] for line in seen["created"]["payments"]] == [5, 2.5]
    assert [line["amount"] for line in seen["settled"]["distributions"]] == [7.5, 0]
    assert seen["refused"] == {"status": 400, "code": "ROOM_ENDED"}
    assert str(game.wallet("ana-11")).rstrip("0") == "102.5000001"
    assert game.floor.allowance("ana-11", "gamr") == 12 * 10**18


CURL = """
BODY='{"sessionJwts":["'$ANA'","'$BO'"],"tokens":["gamr","gamr"],"amounts":[3,3],"sync":true}'
TS=$(date +%s)000
SIGNATURE=$(printf '%s%s' "$TS" "$BODY" | openssl dgst -sha256 -hmac "$SECRET" | sed 's/^.* //')
curl -sS -X POST "$BASE/api/game/createJoinPay" \\
  -H "apikey: $KEY" -H "timestamp: $TS" -H "signature: $SIGNATURE" \\
  -H 'Content-Type: application/json' -d "$BODY"
"""


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("openssl")), reason="needs curl and openssl")
def test_curl_with_openssl_creates_joins_and_pays(live_server, game):
    for name in ("ana-11", "bo-2222"):
        game.approve(name, 10)
    environment = {
        "PATH": "/usr/bin:/bin:/usr/local/bin",
        "BASE": live_server.url,
        "KEY": game.key,
        "SECRET": game.secret,
        "ANA": game.jwts["ana-11"],
        "BO": game.jwts["bo-2222"],
    }
    ran = subprocess.run(["sh", "-c", CURL], env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    answer = json.loads(ran.stdout)
    assert (answer["status"], answer["plyrIds"]) == ("SUCCESS", ["ana-11", "bo-2222"])
    assert game.wallet("ana-11") == 97
