"""Contract tests happen on one day, so that times in answers are exact."""

from collections.abc import Iterator

import pytest

from tests.contracts.casino import NOW, Casino, at_time
from tests.factories import Api, internal_api


@pytest.fixture
def on_that_day() -> Iterator[None]:
    """Everything happens when the contract's samples do."""
    with at_time(NOW):
        yield


@pytest.fixture
def casino() -> Casino:
    """The operator's side."""
    return Casino()


@pytest.fixture
def platform(casino) -> Api:
    """The game platform's side of the same operator."""
    return internal_api(casino.operator)
