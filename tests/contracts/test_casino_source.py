"""The source text's two JavaScript examples, byte for byte. Only key, base URL and tournament id are filled in."""

import base64
import http.client
import json
import shutil
import subprocess

import pytest

from apps.tournaments.models import Entry, Tournament
from tests.contracts.casino import Casino
from tests.tournaments import world

pytestmark = pytest.mark.django_db(transaction=True)

# As the source text has them, trailing blanks included.
CREATE = """const response = await fetch('/api/tournaments', {
  method: 'POST',
  headers: {
    'Authorization': 'Bearer your-api-key',
    'Content-Type': 'application/json'
  },
  body: JSON.stringify({
    name: 'Daily Championship',
    startTime: '2024-01-15T20:00:00Z',
    gameSlug: 'crash-classic', \n    maxPlayers: 100,
    entryFee: 10.00
  })
});

const tournament = await response.json();
console.log(`Tournament created: ${tournament.tournamentId}`);
"""
REGISTER = """const registration = await fetch(`/api/tournaments/${tournamentId}/players`, {
  method: 'POST',
  headers: {
    'Authorization': 'Bearer your-api-key',
    'Content-Type': 'application/json'
  },
  body: JSON.stringify({
    userId: 'player_123',
    displayName: 'PlayerName',
    buyInAmount: 10.00
  })
});

const result = await registration.json();
// Player receives JWT token and game URL for tournament access
"""
# A browser knows which site a path is on; node has to be told.
SHIM = "const anywhere = fetch; globalThis.fetch = (path, options) => anywhere(process.env.BASE_URL + path, options);\n"
NODE = shutil.which("node")

# What JSON.stringify makes of the bodies, and two ways to write the same numbers.
CREATE_BODIES = [
    '{"name":"Daily Championship","startTime":"2024-01-15T20:00:00Z","gameSlug":"crash-classic","maxPlayers":100,'
    '"entryFee":10}',
    '{"name": "Daily Championship", "startTime": "2024-01-15T20:00:00Z", "gameSlug": "crash-classic", '
    '"maxPlayers": 100, "entryFee": 10.00}',
]
REGISTER_BODIES = [
    '{"userId":"player_123","displayName":"PlayerName","buyInAmount":10}',
    '{"userId": "player_123", "displayName": "PlayerName", "buyInAmount": 10.00}',
]


@pytest.mark.skipif(NODE is None, reason="needs node")
def test_the_examples_run_in_node_as_they_stand(live_server, tmp_path):
    casino = Casino()
    told = "console.log(JSON.stringify({registration: registration.status, tournament, result}));\n"
    script = tmp_path / "examples.mjs"
    glue = "const tournamentId = tournament.tournamentId;\n"
    script.write_text(SHIM + (CREATE + glue + REGISTER).replace("your-api-key", casino.key) + told)
    ran = subprocess.run(
        [NODE, script],
        env={"BASE_URL": live_server.url},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    first, second = ran.stdout.splitlines()
    seen = json.loads(second)
    assert first == f"Tournament created: {seen['tournament']['tournamentId']}"
    _created(seen["tournament"])
    assert seen["registration"] == 201
    _registered(seen["result"], seen["tournament"]["tournamentId"])


@pytest.mark.parametrize("mount", ["/api", "/api/api"])
@pytest.mark.parametrize(("create", "register"), list(zip(CREATE_BODIES, REGISTER_BODIES, strict=True)))
def test_the_examples_requests_work_byte_for_byte_on_the_wire(live_server, mount, create, register):
    casino = Casino()
    status, tournament = _send(live_server, f"{mount}/tournaments", casino.key, create)
    assert status == 201
    _created(tournament)
    path = f"{mount}/tournaments/{tournament['tournamentId']}/players"
    status, result = _send(live_server, path, casino.key, register)
    assert status == 201
    _registered(result, tournament["tournamentId"])
    status, again = _send(live_server, path, casino.key, register)
    assert (status, again["code"]) == (409, "DUPLICATE_REGISTRATION")


def _send(live_server, path, key, body):
    connection = http.client.HTTPConnection(live_server.thread.host, live_server.thread.port, timeout=30)
    connection.putrequest("POST", path)
    connection.putheader("Authorization", f"Bearer {key}")
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body.encode())
    response = connection.getresponse()
    answer = json.loads(response.read())
    connection.close()
    return response.status, answer


def _created(answer):
    """Its start has passed, so it runs; it is the tournament that was asked for."""
    made = Tournament.objects.select_related("game", "asset").get(pk=int(answer["tournamentId"]))
    assert answer["tournament_id"] == answer["tournamentId"]
    assert answer["status"] == answer["tournament"]["status"] == "in_progress"
    assert (made.name, made.game.slug, made.max_players, int(made.fee_units), made.asset.code) == (
        "Daily Championship",
        "crash-classic",
        100,
        1000,
        "USD",
    )
    assert answer["scheduledStart"] == "2024-01-15T20:00:00Z"
    assert answer["estimated_prize_pool"] == 1000


def _registered(answer, tournament_id):
    """The player got a token and the way into the game, and the fee is in escrow."""
    entry = Entry.objects.select_related("player", "tournament").get(tournament_id=int(tournament_id))
    assert (entry.player.external_id, entry.display_name, int(entry.paid_units)) == ("player_123", "PlayerName", 1000)
    assert answer["status"] == "registered"
    assert answer["playerId"] == str(entry.player_id)
    assert answer["tournamentId"] == tournament_id
    token = answer["jwt"]
    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    assert claims["external_user_id"] == "player_123"
    assert claims["tournament_id"] == tournament_id
    assert answer["gameUrl"].endswith(f"?jwt={token}")
    assert answer["crash-classic"] == {"jwt": token, "game_url": answer["gameUrl"]}
    assert world.escrow(entry.tournament) == 1000
