"""What every test may ask for."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.conf import settings
from redis import Redis

from config import embedded


def pytest_configure() -> None:
    """Be a user of the embedded services for the whole run; xdist workers share them."""
    embedded.start()


@pytest.fixture
def at() -> datetime:
    """A moment, always the same."""
    return datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def redis() -> Iterator[Redis]:
    """This worker's own Redis database, empty before and after."""
    with Redis.from_url(settings.REDIS_URL) as client:
        client.flushdb()
        yield client
        client.flushdb()
