"""Hear on Redis that facts have been numbered. A bell that is not heard costs a second, nothing else."""

import asyncio
from collections.abc import Callable, Collection

import structlog
from django.conf import settings
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from apps.events.wake import channel_of

log = structlog.get_logger(__name__)

# How soon a new operator's channel is subscribed, at the latest.
ADJUST_SECONDS = 0.5
# Redis is away: the pause before the next try.
PAUSE_SECONDS = 2.0
CONNECT_SECONDS = 1.0


async def listen(operators: Callable[[], Collection[int]], heard: Callable[[int], None]) -> None:
    """Call `heard` for each of the operators that has news, until cancelled; `operators` may change meanwhile.

    Never raises for what Redis does: without it nothing is heard.
    """
    away = False
    while True:
        try:
            async with (
                Redis.from_url(settings.REDIS_URL, socket_connect_timeout=CONNECT_SECONDS) as client,
                client.pubsub() as ears,
            ):
                await _hear(ears, operators, heard)
        except (RedisError, OSError) as problem:
            if not away:
                log.warning("bell_not_heard", problem=str(problem))
            away = True
            await asyncio.sleep(PAUSE_SECONDS)


async def _hear(ears: PubSub, operators: Callable[[], Collection[int]], heard: Callable[[int], None]) -> None:
    by_channel: dict[str, int] = {}
    while True:
        wanted = {channel_of(operator_id): operator_id for operator_id in operators()}
        if new := wanted.keys() - by_channel.keys():
            await ears.subscribe(*new)
        if old := by_channel.keys() - wanted.keys():
            await ears.unsubscribe(*old)
        by_channel = wanted
        if not by_channel:
            await asyncio.sleep(ADJUST_SECONDS)
            continue
        message = await ears.get_message(ignore_subscribe_messages=True, timeout=ADJUST_SECONDS)
        if message is not None and (operator_id := by_channel.get(message["channel"].decode())) is not None:
            heard(operator_id)
