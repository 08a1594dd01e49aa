"""What one process knows of the tournaments that somebody listens to, and who listens: see the package."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable, Mapping
from contextlib import suppress
from datetime import datetime

import structlog
from prometheus_client import Gauge

from apps.core import clock
from apps.tournaments.live import messages
from apps.tournaments.live.feeds import Desk, Feed
from apps.tournaments.live.listener import Listener
from apps.tournaments.live.messages import CHANNELS, LEADERBOARD, Subscribe, said
from apps.tournaments.live.source import Facts, Source
from apps.tournaments.live.telling import Told

log = structlog.get_logger(__name__)

# How often the hub looks whether boards have changed, all at once.
LOOK_SECONDS = 0.1
# How often the hub looks for facts though no bell has rung.
POLL_SECONDS = 1.0
# Facts read and handed out at once.
PAGE = 100
# How far a socket tells again: this many facts of its tournament, among the last `streams.WINDOW` of the operator.
MOST_REPLAYED = 1000
PING_SECONDS = 30.0
# A client that takes nothing for so long is gone.
STUCK_SECONDS = 20.0
# How often keys and entries are looked at, all at once.
DOOR_SECONDS = 5.0
# While most listeners have much waiting, the next page of facts waits up to so long for them.
BREATH_SECONDS = 2.0
FAREWELL_SECONDS = 3.0
GOODBYE = messages.SHUTDOWN, "the server is restarting; connect again"

SOCKETS = Gauge("podium_live_sockets", "Live sockets that are open in this process.")


class Hub:
    """Every listener of a process. All of it runs in one event loop; only the source works elsewhere."""

    def __init__(self, source: Source, *, bell: Callable[..., Awaitable[None]] | None = None) -> None:
        """Begin idle: the first listener starts the work."""
        self._source = source
        self._bell = bell
        self._desks: dict[int, Desk] = {}
        self._listeners: set[Listener] = set()
        self._news = asyncio.Event()
        self._rung: set[int] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._polled = self._pinged = time.monotonic()
        self._doors = time.monotonic()
        self._left = asyncio.Event()
        self.closing = False

    # --- listeners ----------------------------------------------------------------------------------------------------

    async def join(self, listener: Listener) -> int:
        """Take a listener in; return the sequence number up to which everything has happened before."""
        self._start()
        allowed = listener.allowed
        desk = self._desks.setdefault(allowed.operator_id, Desk(allowed.operator_id))
        desk.guests += 1
        try:
            async with desk.lock:
                if desk.through is None:
                    desk.through = (await self._source.heads([desk.operator_id]))[desk.operator_id]
                feed = desk.feeds.setdefault(allowed.tournament_id, Feed(allowed.tournament_id))
                feed.listeners.add(listener)
                self._listeners.add(listener)
                SOCKETS.inc()
                if self.closing:
                    listener.end(*GOODBYE)
                return desk.through
        finally:
            desk.guests -= 1
            self._clear(desk)

    def leave(self, listener: Listener) -> None:
        """Forget a listener, and what only it has listened to."""
        if listener not in self._listeners:
            return
        self._listeners.remove(listener)
        SOCKETS.dec()
        desk = self._desks[listener.allowed.operator_id]
        feed = desk.feeds[listener.allowed.tournament_id]
        feed.listeners.remove(listener)
        if not feed.listeners:
            del desk.feeds[feed.tournament_id]
        self._clear(desk)
        if not self._listeners:
            self._left.set()

    def _clear(self, desk: Desk) -> None:
        if not desk.feeds and not desk.guests:
            self._desks.pop(desk.operator_id, None)

    def count(self, entry_id: int) -> int:
        """Return how many sockets a player has open here."""
        return sum(one.allowed.entry_id == entry_id for one in self._listeners)

    async def subscribe(self, listener: Listener, wish: Subscribe) -> None:
        """Begin to tell about channels; with `after`, tell again first what has happened since, without a gap.

        Raises NotYetReached and TooFarBehind, and then nothing is subscribed.
        """
        desk, feed = self._place(listener)
        if not feed.watched:
            feed.forget()
        if wish.after is None:
            through = desk.through or 0
            for name in wish.channels:
                listener.channels.setdefault(name, through)
            listener.answer(self._subscribed(listener, through))
        else:
            await self._replay(listener, desk, wish.channels, wish.after)
        if LEADERBOARD in wish.channels and feed.picture is not None:
            listener.show(feed.picture.text)

    def unsubscribe(self, listener: Listener, channels: Collection[str]) -> None:
        """Tell no more about channels."""
        listener.forget(channels)
        listener.answer(said("unsubscribed", channels=self._named(listener)))

    def _place(self, listener: Listener) -> tuple[Desk, Feed]:
        desk = self._desks[listener.allowed.operator_id]
        return desk, desk.feeds[listener.allowed.tournament_id]

    def _named(self, listener: Listener) -> list[str]:
        return [name for name in CHANNELS if name in listener.channels]

    def _subscribed(self, listener: Listener, sequence: int) -> str:
        return said("subscribed", channels=self._named(listener), sequence=sequence)

    async def _replay(self, listener: Listener, desk: Desk, channels: tuple[str, ...], after: int) -> None:
        """Tell again, page by page, until nothing is left that the desk has handed out; from there on, hear live.

        Between the last look at `desk.through` and the subscription nothing is awaited: no fact comes twice or never.
        """
        head = (await self._source.heads([desk.operator_id]))[desk.operator_id]
        if after > head:
            raise messages.NotYetReached(last=head)
        first = await self._again(listener, after, limit=MOST_REPLAYED)
        if first.more:
            raise messages.TooFarBehind(after=after, last=head)
        listener.forget(channels)
        named = [name for name in CHANNELS if name in listener.channels or name in channels]
        listener.answer(said("subscribed", channels=named, sequence=after))
        listener.replayed, found = after, first
        while True:
            for start in range(0, len(found.told), PAGE):
                await listener.room()
                for told in found.told[start : start + PAGE]:
                    if told.channel in channels:
                        finals = await self._finals(told, [listener])
                        listener.hear_again(told, finals.get(listener.allowed.entry_id))
                    listener.replayed = told.sequence
            listener.replayed = found.through
            if found.through >= (desk.through or 0) or listener.ending:
                break
            found = await self._again(listener, found.through, limit=PAGE)
        listener.replayed = None
        for name in channels:
            listener.channels[name] = found.through

    async def _again(self, listener: Listener, after: int, *, limit: int) -> Facts:
        allowed = listener.allowed
        return await self._source.facts(allowed.operator_id, [allowed.tournament_id], after=after, limit=limit)

    # --- work ---------------------------------------------------------------------------------------------------------

    def _start(self) -> None:
        if self._tasks:
            return
        self._keep("boards", self._look_at_boards, LOOK_SECONDS)
        self._keep("facts", self._look_for_facts, 0)
        self._keep("sockets", self._look_after_sockets, 1.0)
        if self._bell is not None:
            bell = self._bell
            self._keep("bell", lambda: bell(lambda: tuple(self._desks), self.ring), 1.0)

    def _keep(self, name: str, step: Callable[[], Awaitable[None]], pause: float) -> None:
        """Do something again and again; a mistake or an outage is logged and does not end it."""

        async def work() -> None:
            while True:
                try:
                    await step()
                except Exception:
                    log.exception("live_hub_stumbled", work=name)
                    await asyncio.sleep(1)
                await asyncio.sleep(pause)

        self._spawn(work())

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def stop(self) -> None:
        """End the work."""
        for task in self._tasks:
            task.cancel()

    # --- boards -------------------------------------------------------------------------------------------------------

    async def _look_at_boards(self) -> None:
        """Look whether boards have changed, and have those read that have: one question for all of them."""
        watched = {
            feed.tournament_id: (desk, feed)
            for desk in self._desks.values()
            for feed in desk.feeds.values()
            if feed.watched
        }
        if not watched:
            return
        found = await self._source.marks(watched)
        now = time.monotonic()
        for tournament_id, (desk, feed) in watched.items():
            mark = found.get(tournament_id)
            if mark is None or mark.operator_id != desk.operator_id:
                for listener in feed.listeners:
                    listener.end(messages.GONE, "there is no such tournament any more")
            elif feed.is_due(mark.sign, now):
                feed.reading = True
                self._spawn(self._read_board(desk, feed, mark.sign))

    async def _read_board(self, desk: Desk, feed: Feed, sign: object) -> None:
        try:
            picture = await self._source.picture(desk.operator_id, feed.tournament_id)
        except Exception:
            log.exception("live_board_not_read", tournament_id=feed.tournament_id)
        else:
            feed.sign = sign
            feed.show(picture)
        finally:
            feed.reading, feed.read = False, time.monotonic()

    # --- facts --------------------------------------------------------------------------------------------------------

    def ring(self, operator_id: int) -> None:
        """Look for the operator's new facts now."""
        self._rung.add(operator_id)
        self._news.set()

    async def _look_for_facts(self) -> None:
        """Wait for a bell, or a second; then read on for every operator who has new facts."""
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, self._polled + POLL_SECONDS - time.monotonic())):
                await self._news.wait()
        rung, self._rung = self._rung, set()
        self._news.clear()
        # Every second, however many bells ring: the bell of another operator may have been lost.
        if self._desks and time.monotonic() - self._polled >= POLL_SECONDS:
            heads = await self._source.heads(tuple(self._desks))
            rung |= {operator_id for operator_id, head in heads.items() if self._is_behind(operator_id, head)}
        if time.monotonic() - self._polled >= POLL_SECONDS:
            self._polled = time.monotonic()
        for operator_id in rung & self._desks.keys():
            desk = self._desks[operator_id]
            desk.rung = True
            if not desk.reading:
                desk.reading = True
                self._spawn(self._read_facts(desk))

    def _is_behind(self, operator_id: int, head: int) -> bool:
        desk = self._desks.get(operator_id)
        return desk is not None and desk.through is not None and desk.through < head

    async def _read_facts(self, desk: Desk) -> None:
        """Hand out an operator's new facts page by page, until there are none and no bell has rung meanwhile."""
        try:
            while desk.rung and desk.feeds:
                desk.rung = False
                if await self._read_page(desk):
                    desk.rung = True
                    await self._breathe(desk)
        except Exception:
            # The next bell, or the next second, reads from the same number.
            log.exception("live_facts_not_read", operator_id=desk.operator_id)
        finally:
            desk.reading = False

    async def _read_page(self, desk: Desk) -> bool:
        """Hand out a page of facts, each to whoever wants it; tell whether there are more."""
        async with desk.lock:
            if desk.through is None:
                return False
            found = await self._source.facts(desk.operator_id, list(desk.feeds), after=desk.through, limit=PAGE)
            desk.through = found.through
            for told in found.told:
                feed = desk.feeds.get(told.tournament_id)
                if feed is None:
                    continue
                finals = await self._finals(told, feed.listeners)
                for listener in feed.listeners:
                    listener.hear(told, finals.get(listener.allowed.entry_id))
            return found.more

    async def _finals(self, told: Told, listeners: Iterable[Listener]) -> Mapping[int | None, str]:
        """Return how a tournament ended for each player who listens, by entry; nothing for any other fact."""
        if not told.personal:
            return {}
        entry_ids = {one.allowed.entry_id for one in listeners if one.allowed.entry_id is not None}
        return await self._source.finals(entry_ids) if entry_ids else {}

    async def _breathe(self, desk: Desk) -> None:
        """Let the listeners take what waits. A minority that is slow keeps nobody waiting."""
        until = time.monotonic() + BREATH_SECONDS
        while time.monotonic() < until:
            everybody = [one for feed in desk.feeds.values() for one in feed.listeners]
            late = sum(one.waiting > PAGE for one in everybody)
            if late * 2 <= len(everybody):
                return
            await asyncio.sleep(0.01)

    # --- sockets ------------------------------------------------------------------------------------------------------

    async def _look_after_sockets(self) -> None:
        """Close sockets whose token has ended or whose client is gone, and ping the others."""
        now, moment = time.monotonic(), clock.now()
        pings = now - self._pinged >= PING_SECONDS
        ping = said("ping", timestamp=clock.iso(moment))
        if pings:
            self._pinged = now
        for listener in tuple(self._listeners):
            if _is_over(listener.allowed.ends_at, moment):
                listener.end(messages.TOKEN_EXPIRED, "the token has expired")
            elif pings:
                listener.answer(ping)
            if listener.is_stuck(STUCK_SECONDS):
                listener.abandon()
        if now - self._doors >= DOOR_SECONDS:
            self._doors = now
            await self._look_at_doors()

    async def _look_at_doors(self) -> None:
        """Close the sockets of keys that were revoked and of players who were removed."""
        keys = {one.allowed.credential_id for one in self._listeners if one.allowed.credential_id is not None}
        entries = {one.allowed.entry_id for one in self._listeners if one.allowed.entry_id is not None}
        if not keys and not entries:
            return
        dead_keys, dead_entries = await self._source.dead(keys, entries)
        for listener in tuple(self._listeners):
            allowed = listener.allowed
            if allowed.credential_id in dead_keys or allowed.entry_id in dead_entries:
                listener.end(messages.TOKEN_EXPIRED, "the key or token no longer opens this door")

    async def farewell(self) -> None:
        """Let nobody in any more, close every socket with 1001, and return when they are closed, or soon."""
        self.closing = True
        if not self._listeners:
            return
        self._left.clear()
        for listener in tuple(self._listeners):
            listener.end(*GOODBYE)
        try:
            async with asyncio.timeout(FAREWELL_SECONDS):
                await self._left.wait()
        except TimeoutError:
            # The server would wait for them for ever.
            log.info("live_sockets_abandoned", sockets=len(self._listeners))
            for listener in tuple(self._listeners):
                listener.abandon()


def _is_over(ends_at: datetime | None, at: datetime) -> bool:
    return ends_at is not None and ends_at <= at
