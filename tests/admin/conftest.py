"""Two operators, built once for a module; what a test changes is rolled back after it."""

from collections.abc import Iterator

import pytest
from django.db import transaction

from tests.admin.scenes import Scene


@pytest.fixture(scope="module")
def scenes(django_db_setup, django_db_blocker) -> Iterator[tuple[Scene, Scene]]:
    """Two operators with something of everything."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield Scene("acme"), Scene("nordic")
        transaction.set_rollback(True)


@pytest.fixture
def acme(scenes, db) -> Scene:
    return scenes[0]


@pytest.fixture
def nordic(scenes, db) -> Scene:
    return scenes[1]
