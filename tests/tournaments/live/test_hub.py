"""What the hub promises of boards and sockets: who hears what, how often, and at whose expense."""

import asyncio
from datetime import timedelta

import pytest

from apps.core import clock
from apps.tournaments.live import feeds
from apps.tournaments.live import hub as hubs
from apps.tournaments.live.messages import said
from tests.tournaments.live.stage import OTHER, TOURNAMENT, play, until

pytestmark = pytest.mark.usefixtures("quick")


# --- boards -----------------------------------------------------------------------------------------------------------


def test_a_board_is_read_once_however_many_listen_and_all_get_the_same_text():
    async def scene(hub, source, enter):
        clients = [await enter() for _ in range(50)]
        for client in clients:
            await client.subscribe("leaderboard")
        await until(lambda: all(client.boards() == [0] for client in clients))
        assert source.asked["picture"] == 1
        source.board = 1
        await until(lambda: all(client.boards() == [0, 1] for client in clients))
        assert source.asked["picture"] == 2
        assert len({id(client.heard[-1]) for client in clients}) == 1

    play(scene)


def test_nothing_is_read_or_sent_while_nothing_changes():
    async def scene(hub, source, enter):
        client = await enter()
        await client.subscribe("leaderboard")
        await until(client.boards)
        looks = source.asked["marks"]
        await until(lambda: source.asked["marks"] > looks + 10)
        assert (client.boards(), source.asked["picture"]) == ([0], 1)

    play(scene)


def test_a_board_that_never_rests_is_read_at_most_so_often(monkeypatch):
    monkeypatch.setattr(feeds, "BOARD_SECONDS", 3600)

    async def scene(hub, source, enter):
        client = await enter()
        await client.subscribe("leaderboard")
        await until(client.boards)
        source.board = 1
        looks = source.asked["marks"]
        await until(lambda: source.asked["marks"] > looks + 5)
        assert client.boards() == [0]

    play(scene)


def test_whoever_comes_later_gets_the_board_at_once_but_never_one_that_nobody_watched():
    async def scene(hub, source, enter):
        first = await enter()
        await first.subscribe("leaderboard")
        await until(first.boards)
        second = await enter()
        await second.subscribe("leaderboard")
        await until(second.boards)
        assert source.asked["picture"] == 1
        for client in (first, second):
            hub.unsubscribe(client.listener, ("leaderboard",))
        source.board = 1
        await first.subscribe("leaderboard")
        await until(lambda: first.boards()[1:])
        assert first.boards() == [0, 1]

    play(scene)


def test_a_slow_client_gets_the_newest_board_and_keeps_nobody_waiting():
    async def scene(hub, source, enter):
        slow, quick = await enter(), await enter()
        for client in (slow, quick):
            await client.subscribe("leaderboard")
            await until(client.boards)
        slow.open.clear()
        for number in range(1, 6):
            source.board = number
            await until(lambda number=number: quick.boards()[-1] == number)
        slow.open.set()
        await until(lambda: slow.boards()[-1] == 5)
        # One was on its way when it stopped taking; the others were replaced.
        assert slow.boards() == [0, 1, 5]

    play(scene)


def test_scores_are_told_when_they_change():
    async def scene(hub, source, enter):
        client = await enter()
        await client.subscribe("players")
        await until(lambda: source.asked["picture"])
        source.board = 1
        await until(lambda: client.heard[-1] == said("score", number=1))
        assert [text for text in client.heard if "score" in text] == [said("score", number=1)]

    play(scene)


def test_a_tournament_that_is_gone_closes_its_sockets_and_no_others():
    async def scene(hub, source, enter):
        here, there = await enter(), await enter(tournament=OTHER)
        for client in (here, there):
            await client.subscribe("leaderboard")
        source.gone = {TOURNAMENT}
        assert (await here.task).code == 4404
        assert not there.task.done()

    play(scene)


# --- sockets ----------------------------------------------------------------------------------------------------------


def test_an_outage_of_the_source_closes_nobody():
    async def scene(hub, source, enter):
        client = await enter()
        await client.subscribe("leaderboard", "players")
        await until(client.boards)
        source.broken = True
        asked = source.asked.total()
        await until(lambda: source.asked.total() > asked + 2)
        source.broken, source.board = False, 1
        source.happen(1)
        await until(lambda: client.boards() == [0, 1] and client.numbers() == [1])

    play(scene)


def test_everybody_is_pinged(monkeypatch):
    monkeypatch.setattr(hubs, "PING_SECONDS", 0)

    async def scene(hub, source, enter):
        client = await enter()
        await until(lambda: any('"ping"' in text for text in client.heard))

    play(scene)


def test_tokens_end_at_their_end_and_keys_when_they_die():
    async def scene(hub, source, enter):
        now = clock.now()
        past = await enter(entry_id=1, ends_at=now)
        dead = await enter(credential_id=7, ends_at=now + timedelta(hours=1))
        fine = await enter(credential_id=8)
        source.dead_keys = {7}
        assert (await past.task).code == (await dead.task).code == 4401
        assert not fine.task.done()

    play(scene)


def test_a_client_that_takes_nothing_is_abandoned(monkeypatch):
    monkeypatch.setattr(hubs, "STUCK_SECONDS", 0.1)

    async def scene(hub, source, enter):
        stuck, fine = await enter(), await enter()
        for client in (stuck, fine):
            client.open.clear()
            await client.subscribe("leaderboard")
        fine.open.set()
        await asyncio.wait([stuck.task])
        assert stuck.task.cancelled()
        assert not fine.task.done()

    play(scene)


def test_goodbye_reaches_everybody_and_who_comes_meanwhile():
    async def scene(hub, source, enter):
        clients = [await enter() for _ in range(10)]

        async def leave(client):
            assert (await client.task).code == 1001
            hub.leave(client.listener)

        leaving = [asyncio.create_task(leave(client)) for client in clients]
        await hub.farewell()
        await asyncio.gather(*leaving)
        assert (await (await enter()).task).code == 1001

    play(scene)


def test_nothing_is_kept_of_those_who_left():
    async def scene(hub, source, enter):
        clients = [await enter() for _ in range(3)] + [await enter(tournament=OTHER)]
        for client in clients:
            await client.subscribe("leaderboard", "players")
            await client.close()
        assert (hub._desks, hub._listeners) == ({}, set())
        hub.leave(clients[0].listener)
        source.happen(5)
        back = await enter()
        await back.subscribe("players")
        source.happen(1)
        await until(back.numbers)
        assert back.numbers() == [6]

    play(scene)
