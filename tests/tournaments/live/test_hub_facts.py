"""What the hub promises of facts: each once and in order, to all who want it, and again to those who missed it."""

import asyncio

import pytest

from apps.tournaments.live import hub as hubs
from apps.tournaments.live import listener as listeners
from apps.tournaments.live.messages import NotYetReached, TooFarBehind
from tests.tournaments.live.stage import OPERATOR, OTHER, TOURNAMENT, play, until

pytestmark = pytest.mark.usefixtures("quick")


def test_facts_are_read_once_for_all_and_reach_only_their_tournament():
    async def scene(hub, source, enter):
        source.happen(3)
        clients = [await enter() for _ in range(20)]
        other = await enter(tournament=OTHER)
        for client in (*clients, other):
            await client.subscribe("status", "players")
        source.happen(2)
        source.happen(1, OTHER)
        before = source.asked["facts"]
        hub.ring(OPERATOR)
        await until(lambda: other.numbers() and all(len(client.numbers()) == 2 for client in clients))
        assert all(client.numbers() == [4, 5] for client in clients)
        assert other.numbers() == [6]
        assert source.asked["facts"] - before == 1

    play(scene)


def test_facts_come_without_any_bell():
    async def scene(hub, source, enter):
        client = await enter()
        await client.subscribe("players")
        source.happen(250)
        await until(lambda: len(client.numbers()) == 250)
        assert client.numbers() == list(range(1, 251))

    play(scene)


def test_a_lost_bell_is_made_up_for_though_others_ring_without_pause():
    async def scene(hub, source, enter):
        client = await enter()
        await client.subscribe("players")

        async def ring_elsewhere():
            while True:
                hub.ring(OPERATOR + 1)
                await asyncio.sleep(0.001)

        noise = asyncio.create_task(ring_elsewhere())
        source.happen(1)
        await until(client.numbers)
        noise.cancel()

    play(scene)


@pytest.mark.parametrize("after", [0, 7, 399])
def test_resuming_while_facts_arrive_leaves_no_gap_and_tells_nothing_twice(after):
    async def scene(hub, source, enter):
        source.happen(400)

        async def go_on():
            for _ in range(60):
                source.happen(3)
                source.happen(1, OTHER)
                hub.ring(OPERATOR)
                await asyncio.sleep(0.002)

        witness = await enter()
        await witness.subscribe("players")
        more = asyncio.create_task(go_on())
        clients = []
        for _ in range(5):
            client = await enter()
            await client.subscribe("players", after=after)
            clients.append(client)
            await asyncio.sleep(0.01)
        await more
        ours = [told.sequence for told in source.stored if told.tournament_id == TOURNAMENT]
        wanted = [number for number in ours if number > after]
        for client in clients:
            await until(lambda client=client: len(client.numbers()) >= len(wanted))
            assert client.numbers() == wanted
        await until(lambda: witness.numbers()[-1] == wanted[-1])
        assert witness.numbers() == [number for number in ours if number > 400]

    play(scene)


def test_a_number_that_only_the_client_knows_of_yet_is_not_told_again():
    """It heard of 5 over a webhook; this process has read up to 3."""

    async def scene(hub, source, enter):
        source.happen(3)
        client = await enter()
        source.happen(2)
        await client.subscribe("players", after=5)
        source.happen(1)
        hub.ring(OPERATOR)
        await until(client.numbers)
        assert client.numbers() == [6]

    play(scene)


def test_too_much_to_tell_again_subscribes_nothing():
    async def scene(hub, source, enter):
        source.happen(hubs.MOST_REPLAYED + 1)
        client = await enter()
        with pytest.raises(TooFarBehind):
            await client.subscribe("players", after=0)
        with pytest.raises(NotYetReached):
            await client.subscribe("players", after=5000)
        assert client.listener.channels == {}
        await client.subscribe("players", after=1)
        await until(lambda: len(client.numbers()) == hubs.MOST_REPLAYED)

    play(scene)


def test_who_falls_behind_is_told_from_where_to_resume_and_loses_nothing_by_it():
    async def scene(hub, source, enter):
        slow, quick = await enter(), await enter()
        for client in (slow, quick):
            await client.subscribe("players")
        slow.open.clear()
        source.happen(2 * listeners.MOST_FACTS)
        hub.ring(OPERATOR)
        await until(lambda: len(quick.numbers()) == 2 * listeners.MOST_FACTS)
        assert slow.listener.waiting <= listeners.MOST_FACTS
        slow.open.set()
        ending = await slow.task
        assert ending.code == 4408
        last = int(ending.reason.rpartition("=")[2])
        assert slow.numbers() == list(range(1, last + 1))
        hub.leave(slow.listener)
        back = await enter()
        await back.subscribe("players", after=last)
        await until(lambda: len(back.numbers()) == 2 * listeners.MOST_FACTS - last)
        assert slow.numbers() + back.numbers() == quick.numbers()

    play(scene)


def test_a_burst_waits_for_those_who_take_it():
    async def scene(hub, source, enter):
        clients = [await enter() for _ in range(10)]
        for client in clients:
            await client.subscribe("players")
        source.happen(5 * listeners.MOST_FACTS)
        hub.ring(OPERATOR)
        for client in clients:
            await until(lambda client=client: len(client.numbers()) == 5 * listeners.MOST_FACTS)
            assert client.listener.ending is None

    play(scene)
