"""What tests of the game's dialect may ask for."""

import itertools

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from apps.operators.services import signing
from tests.contracts.matches.game import Game


@pytest.fixture(scope="session")
def rsa_keys():
    """Keys made once: a new one takes longer than most tests do."""
    return [rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(4)]


@pytest.fixture(autouse=True)
def quick_keys(rsa_keys, monkeypatch):
    """Every key that a test makes is another one, up to four."""
    made = itertools.cycle(rsa_keys)
    monkeypatch.setitem(signing._MAKERS, signing.RS256, lambda: next(made))


@pytest.fixture
def game(db, redis) -> Game:
    """A game that polls, of an operator with one key."""
    return Game()
