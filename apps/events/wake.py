"""Tell the `live` processes that an operator has newly numbered facts. Only a hint: they look by themselves, too."""

import time

import structlog
from django.db import transaction
from redis.exceptions import RedisError

from apps.core import redis

log = structlog.get_logger(__name__)

# After Redis has failed, nobody waits for it again for a while.
SILENT_SECONDS = 5.0

_silent_until = 0.0


def channel_of(operator_id: int) -> str:
    """Return the name of the Redis channel on which an operator's facts are announced."""
    return f"podium:facts:{operator_id}"


def wake(operator_id: int) -> None:
    """Announce the operator's new facts once the running transaction has committed. Never raises."""
    transaction.on_commit(lambda: _publish(operator_id), robust=True)


def _publish(operator_id: int) -> None:
    global _silent_until  # noqa: PLW0603 - one process, one patience
    if time.monotonic() < _silent_until:
        return
    try:
        redis.client().publish(channel_of(operator_id), b"")
    except RedisError as problem:
        _silent_until = time.monotonic() + SILENT_SECONDS
        log.warning("facts_not_announced", operator_id=operator_id, problem=str(problem))
