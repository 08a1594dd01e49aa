"""A stage for the hub: a source that does as the test says, and clients without a network."""

import asyncio
from collections import Counter

from apps.tournaments.live.hub import Hub
from apps.tournaments.live.listener import Listener, Pass
from apps.tournaments.live.messages import Subscribe, said
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

    async def finals(self, entry_ids):
        raise AssertionError("nothing has ended")

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
