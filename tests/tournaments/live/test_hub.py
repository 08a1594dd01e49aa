"""What the hub promises, with a source that does as the test says: who hears what, how often, and at whose expense."""

import asyncio
from collections import Counter
from datetime import timedelta

import pytest

from apps.core import clock
from apps.tournaments.live import hub as hubs
from apps.tournaments.live import listener as listeners
from apps.tournaments.live.hub import Hub
from apps.tournaments.live.listener import Listener, Pass
from apps.tournaments.live.messages import NotYetReached, Subscribe, TooFarBehind, said
from apps.tournaments.live.source import Facts, Mark, Picture
from apps.tournaments.live.telling import Told

OPERATOR, TOURNAMENT, OTHER = 1, 17, 18


class Script:
    """A source: its board and facts are what the test has put there."""

    def __init__(self):
        self.board, self.stored, self.asked = 0, [], Counter()
        self.dead_keys: set[int] = set()
        self.gone: set[int] = set()
        self.broken = False

    def happen(self, many=1, tournament=TOURNAMENT, channel="players"):
        for _ in range(many):
            number = len(self.stored) + 1
            self.stored.append(Told(number, tournament, channel, said("fact", sequence=number), None))

    async def marks(self, tournament_ids):
        self._count("marks")
        return {pk: Mark(OPERATOR, (self.board,)) for pk in tournament_ids if pk not in self.gone}

    async def picture(self, operator_id, tournament_id):
        self._count("picture")
        board = self.board
        await asyncio.sleep(0)
        return Picture(said("board", number=board), {5: said("score", number=board), 6: said("score", number=0)})

    async def heads(self, operator_ids):
        self._count("heads")
        return dict.fromkeys(operator_ids, len(self.stored))

    async def facts(self, operator_id, tournament_ids, *, after, limit):
        self._count("facts")
        head = len(self.stored)
        await asyncio.sleep(0.001)
        wanted = [told for told in self.stored[after:head] if told.tournament_id in tournament_ids]
        if len(wanted) > limit:
            return Facts(wanted[:limit], wanted[limit - 1].sequence, more=True)
        return Facts(wanted, head, more=False)

    async def dead(self, credential_ids, entry_ids):
        self._count("dead")
        return self.dead_keys & set(credential_ids), set()

    def _count(self, what):
        self.asked[what] += 1
        if self.broken:
            raise ConnectionError("the database is away")


class Client:
    """A socket: takes what it is sent, unless it is told to hold still."""

    def __init__(self, hub, **allowed):
        self.hub, self.heard, self.open = hub, [], asyncio.Event()
        self.listener = Listener(Pass(OPERATOR, allowed.pop("tournament", TOURNAMENT), **allowed))
        self.open.set()
        self.task = asyncio.create_task(self.listener.talk(self._take))

    async def _take(self, text):
        await self.open.wait()
        self.heard.append(text)

    async def subscribe(self, *channels, after=None):
        await self.hub.subscribe(self.listener, Subscribe(channels, after))

    def numbers(self):
        return [int(text.rsplit(":", 1)[1][:-1]) for text in self.heard if '"fact"' in text]

    def boards(self):
        return [int(text.rsplit(":", 1)[1][:-1]) for text in self.heard if '"board"' in text]

    async def close(self):
        self.task.cancel()
        self.hub.leave(self.listener)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """The same hub, ten times as fast."""
    for name in ("LOOK_SECONDS", "BOARD_SECONDS", "POLL_SECONDS", "BREATH_SECONDS", "DOOR_SECONDS"):
        monkeypatch.setattr(hubs, name, getattr(hubs, name) / 10)


def play(scene):
    """Run a scene with a hub, a source and a way to let clients in."""

    async def run():
        source = Script()
        hub = Hub(source)

        async def enter(**allowed):
            client = Client(hub, **allowed)
            await hub.join(client.listener)
            return client

        try:
            await asyncio.wait_for(scene(hub, source, enter), 20)
        finally:
            hub.stop()

    asyncio.run(run())


async def until(what):
    while not what():  # noqa: ASYNC110 - any condition
        await asyncio.sleep(0.005)


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
    monkeypatch.setattr(hubs, "BOARD_SECONDS", 3600)

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


# --- facts ------------------------------------------------------------------------------------------------------------


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
