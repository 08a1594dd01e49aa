"""What a client of a socket hears, through a real live process."""

import json
import socket as sockets
from contextlib import suppress
from datetime import timedelta

import pgtrigger
import pytest
from django.db import transaction
from websockets.exceptions import ConnectionClosed

from apps.core import clock
from apps.core.actors import SYSTEM
from apps.events.models import Fact
from apps.events.services import numbering
from apps.events.services.recording import NewFact, record_many
from apps.operators.scopes import Scope
from apps.operators.services import credentials
from apps.tournaments.models import Tournament
from apps.tournaments.services import entries, running, tokens
from tests.factories import api, issue, operator_key
from tests.live import running_live, token_query
from tests.tournaments import world
from tests.tournaments.world import STAFF, START

pytestmark = pytest.mark.django_db(transaction=True)

ALL = ("leaderboard", "status", "players")


@pytest.fixture
def tournament():
    return world.make()


@pytest.fixture
def key(tournament):
    return operator_key(tournament.operator, [Scope.RESULTS_READ])


@pytest.fixture
def listener(live, tournament, key):
    with live.listen(tournament.pk, key) as one:
        one.until("connected")
        yield one


def happen(tournament, *names, type="player.eliminated"):
    """Facts about a tournament, numbered."""
    with transaction.atomic():
        facts = [NewFact(type, tournament.subject, {"playerId": name}) for name in names]
        record_many(facts, operator_id=tournament.operator_id, actor=SYSTEM, at=START)
    numbering.number_new_facts()


def handshake_of(tournament, key, channels):
    """What a client sends first, byte for byte."""
    return (
        f"GET /ws/tournaments/{tournament.pk}?channels={channels} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        f"Authorization: Bearer {key}\r\n\r\n"
    ).encode()


# --- the board --------------------------------------------------------------------------------------------------------


def test_a_subscriber_gets_the_board_at_once_and_again_when_it_changes(listener, tournament):
    world.enter(tournament, "ann", "bob")
    running.start(tournament.pk, actor=STAFF, at=START)
    numbering.number_new_facts()
    assert listener.subscribe("leaderboard")["channels"] == ["leaderboard"]
    first = listener.until("leaderboard.updated")
    over_http = api(tournament.operator).get(f"/api/tournaments/{tournament.pk}/leaderboard").json()
    assert first == {"type": "leaderboard.updated", **over_http}
    assert [row["points"] for row in first["leaderboard"]] == [0, 0]
    world.score(tournament, bob=70)
    second = listener.until("leaderboard.updated")
    assert [(row["userId"], row["points"]) for row in second["leaderboard"]] == [("bob", 70), ("ann", 0)]


def test_a_score_is_told_to_those_who_follow_the_players(listener, tournament):
    [ann] = world.enter(tournament, "ann")
    running.start(tournament.pk, actor=STAFF, at=START)
    listener.subscribe("leaderboard", "players")
    listener.until("leaderboard.updated")
    world.score(tournament, ann="12.5")
    assert listener.until("player.score.updated") == {
        "type": "player.score.updated",
        "tournamentId": str(tournament.pk),
        "playerId": str(ann.player_id),
        "internalPlayerId": ann.internal_player_id,
        "score": 12.5,
        "position": 1,
        "round": 0,
    }


# --- facts ------------------------------------------------------------------------------------------------------------


def test_facts_carry_their_id_and_number_and_the_documented_fields(listener, tournament):
    listener.subscribe("status", "players")
    world.enter(tournament, "ann", "bob")
    running.start(tournament.pk, actor=STAFF, at=START)
    numbering.number_new_facts()
    assert listener.until("player.registered")["displayName"] == "Ann"
    started = listener.until("tournament.started")
    fact = Fact.objects.get(type="tournament.started")
    assert (started["eventId"], started["sequence"]) == (fact.public_id, fact.sequence)
    assert started["tournamentId"] == str(tournament.pk)
    assert (started["startTime"], started["playerCount"]) == ("2031-05-02T12:00:00Z", 2)
    running.cancel(tournament.pk, reason="venue outage", actor=STAFF, at=START)
    numbering.number_new_facts()
    assert listener.until("tournament.cancelled")["reason"] == "venue outage"


def test_channels_are_told_apart_and_can_be_left(listener, tournament):
    listener.subscribe("players")
    happen(tournament, "a", type="tournament.updated")
    happen(tournament, "b")
    assert listener.next()["playerId"] == "b"
    listener.say(type="unsubscribe", channels=["players"])
    assert listener.until("unsubscribed") == {"type": "unsubscribed", "channels": []}
    happen(tournament, "c")
    listener.say(type="ping")
    assert listener.next() == {"type": "pong"}


def test_nobody_hears_of_another_tournament(listener, tournament):
    listener.subscribe("status", "players")
    other, foreign = world.make(tournament.operator), world.make()
    for elsewhere in (other, foreign):
        happen(elsewhere, "secret")
    happen(tournament, "mine")
    assert listener.until("player.eliminated")["playerId"] == "mine"


def test_a_player_hears_what_is_public_and_the_operator_everything(live, listener, tournament):
    [ann] = world.enter(tournament, "ann")
    query = token_query(tokens.issue_token(ann, at=clock.now())) + "&channels=status,players&after=0"
    listener.subscribe("status", "players", after=0)
    with transaction.atomic():
        alarm = NewFact("system.alert", tournament.subject, {"message": "money is missing"})
        removed = NewFact("player.removed", tournament.subject, {"playerId": "7", "reason": "fraud", "refundAmount": 5})
        record_many([alarm, removed], operator_id=tournament.operator_id, actor=SYSTEM, at=START)
    numbering.number_new_facts()
    assert listener.until("player.registered")["userId"] == "ann"
    assert listener.until("system.alert")["message"] == "money is missing"
    assert listener.until("player.removed")["reason"] == "fraud"
    with live.listen(tournament.pk, query=query) as player:
        registered = player.until("player.registered")
        assert registered["playerId"] == str(ann.player_id)
        assert not {"userId", "paymentId", "totalPaid"} & registered.keys()
        removed = player.next()
        assert (removed["type"], removed["playerId"]) == ("player.removed", "7")
        assert not {"reason", "refundAmount"} & removed.keys()


def test_a_player_is_told_how_it_ended_for_them(live):
    tournament = world.make(percentages=[100])
    key = operator_key(tournament.operator)
    ann, bob = world.enter(tournament, "ann", "bob")
    running.start(tournament.pk, actor=STAFF, at=START)
    world.score(tournament, ann=10, bob=30)
    query = [token_query(tokens.issue_token(entry, at=clock.now())) + "&channels=status" for entry in (ann, bob)]
    numbering.number_new_facts()
    with live.listen(tournament.pk, query=query[0]) as first, live.listen(tournament.pk, key) as operator:
        first.until("subscribed")
        operator.subscribe("status")
        running.complete(tournament.pk, actor=STAFF, at=START)
        numbering.number_new_facts()
        assert first.until("tournament.completed")["finalResults"] == {"position": 2, "points": 10, "prizeAmount": 0}
        assert "finalResults" not in operator.until("tournament.completed")
    with live.listen(tournament.pk, query=query[1] + "&after=0") as second:
        ended = second.until("tournament.completed")
    assert ended["finalResults"] == {"position": 1, "points": 30, "prizeAmount": 20}
    assert ended["winners"][0]["displayName"] == "Bob"


# --- resume -----------------------------------------------------------------------------------------------------------


def test_a_client_that_comes_back_hears_what_it_missed_once_and_in_order(live, tournament, key):
    numbering.number_new_facts()
    with live.listen(tournament.pk, key) as before:
        start = before.until("connected")["sequence"]
        before.subscribe("players")
        happen(tournament, "0", "1")
        assert [before.next()["playerId"] for _ in range(2)] == ["0", "1"]
        seen = start + 2
    happen(tournament, *map(str, range(2, 300)))
    with live.listen(tournament.pk, key, f"?channels=players&after={seen}") as after:
        heard = [after.until("player.eliminated") for _ in range(150)]
        happen(tournament, *map(str, range(300, 330)))
        heard += [after.until("player.eliminated") for _ in range(178)]
    assert [fact["playerId"] for fact in heard] == list(map(str, range(2, 330)))
    assert [fact["sequence"] for fact in heard] == list(range(seen + 1, seen + 329))


def test_too_far_behind_is_told_where_to_read(listener, tournament):
    happen(tournament, *map(str, range(1001)))
    listener.say(type="subscribe", channels=["players"], after=0)
    error = listener.until("error")["error"]
    assert (error["code"], error["details"]["after"]) == ("TOO_FAR_BEHIND", 0)
    assert "/api/events?after=" in error["hint"]
    listener.say(type="subscribe", channels=["players"], after=10**17)
    assert listener.until("error")["error"]["code"] == "UNKNOWN_SEQUENCE"
    happen(tournament, "after")
    listener.say(type="ping")
    assert listener.next() == {"type": "pong"}


def test_redis_may_forget_everything(listener, tournament, redis):
    listener.subscribe("leaderboard", "players")
    listener.until("leaderboard.updated")
    redis.flushdb()
    ours = redis.connection_pool.connection_kwargs.get("db", 0)
    for ear in redis.client_list(_type="pubsub"):
        if int(ear["db"]) == ours:  # those of other test runs share the server
            redis.client_kill_filter(_id=ear["id"])
    happen(tournament, "ann")
    assert listener.until("player.eliminated")["playerId"] == "ann"
    world.enter(tournament, "bob")
    assert listener.until("leaderboard.updated")["pagination"]["total"] == 1


# --- hostile clients --------------------------------------------------------------------------------------------------

NONSENSE = [
    "",
    "{",
    "null",
    "[]",
    "17",
    '"ping"',
    "{}",
    '{"type":null}',
    '{"type":["ping"]}',
    '{"type":"join"}',
    '{"type":"subscribe"}',
    '{"type":"subscribe","channels":[]}',
    '{"type":"subscribe","channels":"leaderboard"}',
    '{"type":"subscribe","channels":[[]]}',
    '{"type":"subscribe","channels":["leaderboard","a","b","c"]}',
    '{"type":"subscribe","channels":["status"],"after":-1}',
    '{"type":"subscribe","channels":["status"],"after":1.5}',
    '{"type":"subscribe","channels":["status"],"after":true}',
    '{"type":"subscribe","channels":["status"],"after":1e400}',
    '{"type":"subscribe","channels":["status"],"after":' + "9" * 60 + "}",
    '{"type":"pi\\u0000ng"}',
    '{"type":"\\ud800"}',
    '{"type":NaN}',
    "[" * 4000,
    b"\x00\xff\xfe",
    b"",
]


def test_nonsense_is_answered_and_does_no_harm(listener):
    for k, text in enumerate(NONSENSE):
        listener.connection.send(text)
        error = listener.next()
        assert (error["type"], error["error"]["code"]) == ("error", "VALIDATION_ERROR"), (k, error)
    listener.say(type="ping")
    assert listener.next() == {"type": "pong"}


def test_a_client_that_does_not_stop_talking_is_closed(listener):
    with suppress(ConnectionClosed):
        for _ in range(100):
            listener.say(type="ping")
    assert listener.close_code()[0] == 4429


@pytest.mark.parametrize("size", [4097, 2_000_000])
def test_a_message_that_is_too_big_closes_the_socket(listener, size):
    listener.connection.send(json.dumps({"type": "x" * size}))
    assert listener.close_code()[0] == 1009


def test_a_client_that_vanishes_or_breaks_the_protocol_is_forgotten(live, listener, tournament, key):
    handshake = handshake_of(tournament, key, "leaderboard")
    for last_words in (b"", b"\xff" * 100, b"\x81\x05hello", b"\x8f\x80\x00\x00\x00\x00"):
        with sockets.create_connection(("127.0.0.1", live.port)) as bare:
            bare.sendall(handshake)
            bare.recv(100)
            bare.sendall(last_words)
    listener.say(type="ping")
    assert listener.next() == {"type": "pong"}


# --- the end ----------------------------------------------------------------------------------------------------------


def test_a_key_that_expires_or_is_revoked_closes_its_sockets(live, tournament):
    soon = operator_key(tournament.operator, expires_at=clock.now() + timedelta(seconds=2))
    issued = issue(tournament.operator, scopes=["results.read"])
    [ann] = world.enter(tournament, "ann")
    token = tokens.issue_token(ann, at=clock.now())
    with (
        live.listen(tournament.pk, soon) as expiring,
        live.listen(tournament.pk, issued.key) as revoked,
        live.listen(tournament.pk, query=token_query(token)) as removed,
    ):
        for one in (expiring, revoked, removed):
            one.until("connected")
        credentials.revoke(issued.credential.pk, operator_id=tournament.operator_id, actor=STAFF, at=clock.now())
        entries.remove(ann.pk, reason="voluntary", actor=STAFF, at=clock.now())
        assert expiring.close_code() == (4401, "the token has expired")
        assert revoked.close_code() == (4401, "the key or token no longer opens this door")
        assert removed.close_code() == (4401, "the key or token no longer opens this door")


def test_a_tournament_that_is_gone_closes_its_sockets(listener, tournament):
    listener.subscribe("leaderboard")
    listener.until("leaderboard.updated")
    with pgtrigger.ignore(), transaction.atomic():
        Tournament.objects.filter(pk=tournament.pk).update(status="DRAFT")
    assert listener.close_code() == (4404, "there is no such tournament any more")


def test_a_server_that_stops_says_goodbye_to_all_but_those_who_take_nothing(tmp_path, tournament, key, redis):
    with running_live(tmp_path) as live, sockets.socket() as stuck, live.listen(tournament.pk, key) as fine:
        stuck.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
        stuck.connect(("127.0.0.1", live.port))
        stuck.sendall(handshake_of(tournament, key, "players"))
        stuck.recv(100)
        others = [live.listen(tournament.pk, key) for _ in range(20)]
        for one in (fine, *others):
            one.until("connected")
        fine.subscribe("players")
        happen(tournament, *["x" * 200_000] * 40)
        for _ in range(40):
            assert len(fine.until("player.eliminated")["playerId"]) == 200_000
        assert live.terminate() == 0
        assert {one.close_code()[0] for one in (fine, *others)} == {1001}
        for one in others:
            one.close()
