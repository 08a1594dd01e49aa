"""One open socket: what waits to be sent to it, within bounds, and how it ends."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from apps.tournaments.live import messages
from apps.tournaments.live.messages import LEADERBOARD, PLAYERS
from apps.tournaments.live.telling import Told

# Facts that may wait for one listener. Whoever has more waiting is told to resume.
MOST_FACTS = 256
# Score messages that may wait, one per player; the board says the same.
MOST_SCORES = 200
# Answers to what the client has said. It can't say more before it takes them: `TOO_MANY_MESSAGES` comes first.
MOST_ANSWERS = 64
BOARD = "board"


@dataclass(frozen=True, slots=True)
class Pass:
    """Who listens to what, as it was proved at the door: by a key, or by a player's token.

    `ends_at` is when the key or token expires. Players hear what is public.
    """

    operator_id: int
    tournament_id: int
    credential_id: int | None = None
    entry_id: int | None = None
    ends_at: datetime | None = None

    @property
    def player(self) -> bool:
        """Whether a player listens."""
        return self.entry_id is not None


@dataclass(frozen=True, slots=True)
class Ending:
    """Why a socket closes."""

    code: int
    reason: str


class Listener:
    """What one socket wants to hear, and what waits for it.

    The hub fills it and never waits; `talk` empties it at the speed of the client. `channels` maps each channel to the
    sequence number through which it has been told.
    """

    def __init__(self, allowed: Pass) -> None:
        """Begin with nothing subscribed."""
        self.allowed = allowed
        self.channels: dict[str, int] = {}
        self.ending: Ending | None = None
        self._busy_since: float | None = None
        self._talking: asyncio.Task[Any] | None = None
        # How far facts have been told again, while they are (`hub.Hub.subscribe`).
        self.replayed: int | None = None
        self._answers: deque[str] = deque()
        self._facts: deque[tuple[Told, str]] = deque()
        # Only the newest of each counts: the board, and a score per player.
        self._newest: dict[str, str] = {}
        self._something = asyncio.Event()
        self._room = asyncio.Event()

    # --- filled by the hub --------------------------------------------------------------------------------------------

    def answer(self, text: str) -> None:
        """Send an answer, a ping or an error before anything else."""
        if len(self._answers) < MOST_ANSWERS:
            self._answers.append(text)
            self._something.set()

    def show(self, text: str) -> None:
        """Send a board; it takes the place of one that still waits."""
        if LEADERBOARD in self.channels:
            self._newest[BOARD] = text
            self._something.set()

    def score(self, player_id: int, text: str) -> None:
        """Send a score; it takes the place of the player's earlier one."""
        name = str(player_id)
        if PLAYERS in self.channels and (len(self._newest) < MOST_SCORES or name in self._newest):
            self._newest[name] = text
            self._something.set()

    def hear(self, told: Told, own: str | None = None) -> None:
        """Send a fact, if it is new on a channel that is subscribed; close the socket if too many wait.

        `own` is what `Told.text_for` takes.
        """
        through = self.channels.get(told.channel)
        if through is None or told.sequence <= through or self.ending:
            return
        if len(self._facts) >= MOST_FACTS:
            self._fall_behind()
        else:
            self.hear_again(told, own)

    def hear_again(self, told: Told, own: str | None = None) -> None:
        """Send a fact, whatever has been told before. Await `room` before a page of them."""
        text = told.text_for(player=self.allowed.player, own=own)
        if text is not None:
            self._facts.append((told, text))
            self._something.set()

    def forget(self, channels: Collection[str]) -> None:
        """Send nothing more on these channels, not even what waits."""
        for name in channels:
            self.channels.pop(name, None)
        self._facts = deque(waiting for waiting in self._facts if waiting[0].channel not in channels)
        if LEADERBOARD in channels:
            self._newest.pop(BOARD, None)
        if PLAYERS in channels:
            self._newest = {name: text for name, text in self._newest.items() if name == BOARD}

    def end(self, code: int, reason: str) -> None:
        """Close the socket; what waits is not sent any more. The first reason counts."""
        if self.ending is None:
            self.ending = Ending(code, reason)
            self._something.set()
            self._room.set()

    def _fall_behind(self) -> None:
        """The close says from where to go on: before the first of those that wait, which are dropped."""
        last = min(told.sequence for told, _ in self._facts) - 1
        if self.replayed is not None:
            last = min(last, self.replayed)
        self.end(messages.FELL_BEHIND, f"fell behind; subscribe again with after={last}")

    # --- pace ---------------------------------------------------------------------------------------------------------

    @property
    def waiting(self) -> int:
        """How many facts wait."""
        return len(self._facts)

    def is_stuck(self, seconds: float) -> bool:
        """Tell whether the client has taken nothing for so long."""
        return self._busy_since is not None and time.monotonic() - self._busy_since > seconds

    async def room(self) -> None:
        """Wait until few facts wait, or until the socket ends."""
        while self.waiting > MOST_FACTS // 2 and self.ending is None:
            self._room.clear()
            await self._room.wait()

    # --- emptied by the socket ----------------------------------------------------------------------------------------

    async def talk(self, send: Callable[[str], Awaitable[None]]) -> Ending:
        """Send what comes, for as long as the socket is to stay open; return why it is to close."""
        self._talking = asyncio.current_task()
        while self.ending is None:
            text = self._next()
            if text is None:
                self._something.clear()
                await self._something.wait()
                continue
            self._busy_since = time.monotonic()
            await send(text)
            self._busy_since = None
        return self.ending

    def abandon(self) -> None:
        """Give up on a client that takes nothing, not even our goodbye."""
        if self._talking is not None:
            self._talking.cancel()

    def _next(self) -> str | None:
        if self._answers:
            return self._answers.popleft()
        if self._facts:
            self._room.set()
            return self._facts.popleft()[1]
        if self._newest:
            return self._newest.pop(next(iter(self._newest)))
        return None
