"""One live process for all tests of the sockets."""

import pytest

from apps.tournaments.live import feeds, hub
from tests.live import running_live


@pytest.fixture(scope="session")
def live_process(django_db_setup, django_db_blocker, tmp_path_factory):
    with django_db_blocker.unblock(), running_live(tmp_path_factory.mktemp("live")) as live:
        yield live


@pytest.fixture
def live(live_process, redis):
    """The process, alive before and after the test, on an empty Redis."""
    live_process.must_live()
    yield live_process
    live_process.must_live()


@pytest.fixture
def quick(monkeypatch):
    """The same hub, ten times as fast."""
    monkeypatch.setattr(feeds, "BOARD_SECONDS", feeds.BOARD_SECONDS / 10)
    for name in ("LOOK_SECONDS", "POLL_SECONDS", "BREATH_SECONDS", "DOOR_SECONDS"):
        monkeypatch.setattr(hub, name, getattr(hub, name) / 10)
