"""One socket from handshake to close, as ASGI has it."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import structlog

from apps.core.errors import DomainError, Invalid
from apps.tournaments.live import doors, messages
from apps.tournaments.live.hub import Hub
from apps.tournaments.live.listener import Ending, Listener, Pass
from apps.tournaments.live.messages import Ping, Subscribe, Unsubscribe, heard, refusal, said, wished
from apps.tournaments.live.source import in_thread

log = structlog.get_logger(__name__)

# A client says a few things in its life; more than this in ten seconds is an attack or a loop.
MOST_MESSAGES = 30
MESSAGE_SECONDS = 10.0
# Sockets of one player in one process: tabs and devices.
MOST_PER_PLAYER = 10
# How long a client may take to take our goodbye.
CLOSE_SECONDS = 2.0
QUIET_SECONDS = 0.1

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class TooManySockets(DomainError):
    """Too many sockets of this player are open."""

    kind = "unavailable"
    code = "TOO_MANY_SOCKETS"


class ShuttingDown(DomainError):
    """The server is restarting; connect again."""

    kind = "unavailable"
    code = "SHUTTING_DOWN"


class Sockets:
    """The ASGI application of `/ws/tournaments/{id}`."""

    def __init__(self, hub: Hub) -> None:
        """Serve what the hub knows."""
        self._hub = hub

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one socket until it closes."""
        await receive()  # websocket.connect
        request = doors.request_of(scope)
        listener: Listener | None = None
        try:
            listener = await self._admitted(await in_thread(doors.admit, request, scope["url_route"]["kwargs"]["id"]))
            wish = wished(request.GET.dict())
            sequence = await self._hub.join(listener)
        except Exception as problem:  # noqa: BLE001 - every one is answered; what is a bug is logged
            await _deny(send, problem, *doors.denial(problem, request))
            return
        try:
            await self._serve(listener, wish, sequence, receive, send)
        finally:
            self._hub.leave(listener)

    async def _admitted(self, allowed: Pass) -> Listener:
        if self._hub.closing:
            raise ShuttingDown
        if allowed.entry_id is not None and self._hub.count(allowed.entry_id) >= MOST_PER_PLAYER:
            raise TooManySockets
        return Listener(allowed)

    async def _serve(
        self, listener: Listener, wish: Subscribe | None, sequence: int, receive: Receive, send: Send
    ) -> None:
        """Talk and listen until either ends: the client leaves, or there is a reason to close."""
        with suppress(RuntimeError):  # gone already, which the next one to look finds out
            await send({"type": "websocket.accept"})
        listener.answer(said("connected", tournamentId=str(listener.allowed.tournament_id), sequence=sequence))
        loop = asyncio.get_running_loop()
        hearing = loop.create_task(self._hear(listener, wish, receive))

        async def say(text: str) -> None:
            await send({"type": "websocket.send", "text": text})

        talking = loop.create_task(listener.talk(say))
        try:
            await asyncio.wait((hearing, talking), return_when=asyncio.FIRST_COMPLETED)
            if hearing.done() and not hearing.cancelled() and (problem := hearing.exception()) is not None:
                log.error("live_socket_crashed", exc_info=problem)
                listener.end(messages.BROKEN, "something went wrong on our side")
                await asyncio.wait((talking,), timeout=CLOSE_SECONDS)
            if talking.done() and not talking.cancelled() and talking.exception() is None:
                # granian can't send the close while it waits for a message.
                await _cancel(hearing)
                await _close(send, talking.result())
        finally:
            await _cancel(hearing, talking)

    async def _hear(self, listener: Listener, wish: Subscribe | None, receive: Receive) -> None:
        """Do what the client says, one thing after the other, until it leaves."""
        if wish is not None:
            await self._obey(listener, wish)
        budget, since = float(MOST_MESSAGES), time.monotonic()
        while True:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                return
            now = time.monotonic()
            budget = min(MOST_MESSAGES, budget + (now - since) * MOST_MESSAGES / MESSAGE_SECONDS) - 1
            since = now
            if budget < 0:
                await _hush(receive)
                listener.end(messages.TOO_MANY_MESSAGES, f"at most {MOST_MESSAGES} messages in {MESSAGE_SECONDS:.0f} s")
                await asyncio.Event().wait()  # until the close is out
            text = message.get("text")
            if len(text if text is not None else message.get("bytes") or b"") > messages.LONGEST_MESSAGE:
                listener.end(messages.TOO_BIG, f"at most {messages.LONGEST_MESSAGE} characters in a message")
                await asyncio.Event().wait()
            try:
                said_by_client = heard(text)
            except Invalid as problem:
                listener.answer(refusal(problem))
            else:
                await self._obey(listener, said_by_client)

    async def _obey(self, listener: Listener, wish: messages.Said) -> None:
        if isinstance(wish, Ping):
            listener.answer(said("pong"))
        elif isinstance(wish, Unsubscribe):
            self._hub.unsubscribe(listener, wish.channels)
        elif isinstance(wish, Subscribe):
            try:
                await self._hub.subscribe(listener, wish)
            except DomainError as problem:
                listener.answer(refusal(problem))


async def _cancel(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _hush(receive: Receive) -> None:
    """Let a client that talks finish: what nobody has read when we close makes the kernel hang up before our words."""
    with suppress(TimeoutError):
        async with asyncio.timeout(CLOSE_SECONDS):
            while True:
                async with asyncio.timeout(QUIET_SECONDS):
                    if (await receive())["type"] == "websocket.disconnect":
                        return


async def _close(send: Send, ending: Ending) -> None:
    with suppress(Exception):  # gone already, or not listening
        async with asyncio.timeout(CLOSE_SECONDS):
            await send({"type": "websocket.close", "code": ending.code, "reason": ending.reason})


async def _deny(send: Send, problem: Exception, status: int, headers: dict[str, str], body: bytes) -> None:
    """Answer the handshake as HTTP would: the server must know ASGI's denial extension, which granian does."""
    if status >= 500 and not isinstance(problem, DomainError):  # noqa: PLR2004 - ours
        log.error("live_socket_not_admitted", exc_info=problem)
    fields = {"content-type": "application/json", **headers}
    with suppress(RuntimeError):  # gone already
        await send(
            {
                "type": "websocket.http.response.start",
                "status": status,
                "headers": [(name.lower().encode(), value.encode()) for name, value in fields.items()],
            }
        )
        await send({"type": "websocket.http.response.body", "body": body})
