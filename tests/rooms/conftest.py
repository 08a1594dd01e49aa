"""What tests of rooms may ask for."""

import pytest

from tests.rooms.floor import Floor


@pytest.fixture
def floor(db) -> Floor:
    """A game with two players, ana and bo, who have 100 UPX each and let it take all of it."""
    floor = Floor()
    floor.players("ana", "bo")
    return floor
