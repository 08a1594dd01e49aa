"""Contract tests happen on one day, so that times in answers are exact."""

from collections.abc import Iterator

import pytest

from tests.contracts.casino import NOW, at_time


@pytest.fixture
def on_that_day() -> Iterator[None]:
    """Everything happens when the contract's samples do."""
    with at_time(NOW):
        yield
