"""What tests of the game's dialect may ask for."""

import pytest

from tests.contracts.matches.game import Game


@pytest.fixture
def game(db, redis) -> Game:
    """A game that polls, of an operator with one key."""
    return Game()
