"""The demo's integration and cashier: what they send is what the dialect takes, and nothing is paid twice."""

import random
import threading
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from apps.core.api.json import dumps
from apps.rounds.reading import read_batch
from config.demo import rounds as demo
from config.demo.cashier import CLOSED, UNREACHABLE, Cashier

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class Told:
    """Stands in for the operator's client."""

    def __init__(self):
        self.calls = []

    def call(self, method, path, body):
        self.calls.append((method, path, body))


@pytest.fixture
def cashier():
    with Cashier() as server:
        operator = Told()
        server.start(operator)
        yield server, operator
        server.shutdown()


def test_made_up_rounds_are_rounds_of_the_dialect_in_their_order():
    played = demo.Spins(None, None, None, print, threading.Event(), _dice=random.Random(1))
    told = read_batch(dumps([*played.spins(80, since=NOON, until=NOON + timedelta(hours=1))]))
    assert len({one.round_id for one in told}) == 80
    moments = [one.timestamp for one in told]
    assert moments == sorted(moments)
    assert NOON <= moments[0] < moments[-1] < NOON + timedelta(hours=1)
    assert {(one.brand_id, one.round_type) for one in told} == {("acme", "REGULAR")}
    assert {one.currency for one in told} == {"EUR", "SEK"}


def test_the_cashier_tells_the_platform_where_it_is_and_pays_each_reference_once(cashier):
    server, operator = cashier
    assert [path for _, path, _ in operator.calls] == ["/api/callback-keys", "/api/callback-keys", "/api/settings"]
    asked = {"payoutRef": "6a4f0c1e", "playerId": "ann", "amount": 10, "currency": "EUR", "promoName": "March"}

    def send(key=server.key, **more):
        return httpx.post(server.at("payouts"), json=asked | more, headers={"X-API-Key": key})

    first, again = send(), send()
    assert (first.status_code, first.json()) == (200, {"transactionId": "tx-6a4f0c1e"})
    assert again.json() == first.json()
    assert send("wrong").status_code == 401
    refused = [send(payoutRef=name, playerId=name).status_code for name in (CLOSED, UNREACHABLE)]
    assert refused == [400, 503]
    assert server.prizes_of("March") == {"ann": [(10, "EUR")]}
