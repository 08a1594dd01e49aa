import pytest

from tests.ledger import factories


@pytest.fixture
def operator(db):
    return factories.an_operator()


@pytest.fixture
def usd(operator):
    return factories.an_asset(operator)
