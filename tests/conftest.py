"""What every test may ask for."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.conf import settings
from django.db import connection
from django.test import TransactionTestCase
from redis import Redis

from config import embedded
from tests import databases


def pytest_configure() -> None:
    """Be a user of the embedded services for the whole run; xdist workers share them."""
    embedded.start()
    flush = TransactionTestCase._fixture_teardown

    def teardown(case: TransactionTestCase) -> None:
        if not databases.empty():
            flush(case)

    TransactionTestCase._fixture_teardown = teardown


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix, django_db_blocker) -> None:
    """Have pytest-django copy its databases from one that is migrated already."""
    with django_db_blocker.unblock():
        connection.settings_dict["TEST"]["TEMPLATE"] = databases.template()


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
