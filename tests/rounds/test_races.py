"""The same rounds at the same moment, from many sides."""

import json
import random
from datetime import UTC, datetime

import pytest
from django.db import connection

from apps.rounds.models import PendingRound, Round, RoundKey
from apps.rounds.reading import read_batch
from apps.rounds.services import intake, partitions
from tests.racing import in_parallel, race
from tests.rounds.world import Integration, a_round

pytestmark = pytest.mark.django_db(transaction=True)


def test_twenty_identical_batches_at_once_are_stored_once():
    acme = Integration()
    batch = [a_round() for _ in range(100)]
    answers = in_parallel(20, lambda: acme.batch(batch).status_code)
    assert answers == [202] * 20
    assert Round.objects.count() == RoundKey.objects.count() == PendingRound.objects.count() == 100
    assert set(Round.objects.values_list("round_id", flat=True)) == {told["roundId"] for told in batch}


def test_batches_that_overlap_in_any_order_never_wait_for_each_other_in_a_circle():
    acme = Integration()
    rounds = [a_round() for _ in range(60)]
    dice = random.Random(7)
    batches = [dice.sample(rounds, 40) for _ in range(8)]
    answers = race(*[lambda batch=batch: acme.batch(batch).status_code for batch in batches])
    assert answers == [202] * 8
    sent = {told["roundId"] for batch in batches for told in batch}
    assert set(Round.objects.values_list("round_id", flat=True)) == sent
    assert Round.objects.count() == len(sent)


def test_partitions_may_be_made_while_rounds_come_in_for_them(monkeypatch):
    acme = Integration()
    monkeypatch.setattr(partitions, "be_ready", lambda **_: None)
    moments = [datetime(2031, 3, 1, 0, 0, second, tzinfo=UTC) for second in range(40)]

    def send():
        return sum(take(acme, moment) for moment in moments)

    def make():
        return partitions.prepare(at=moments[0])

    outcomes = race(send, send, send, make, make)
    assert outcomes[:3] == [800] * 3
    assert sorted(map(len, outcomes[3:])) == [0, 6]
    assert Round.objects.count() == 2400
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM rounds_round_default")
        assert cursor.fetchone() == (0,)


def take(acme, at):
    rounds = read_batch(json.dumps([a_round() for _ in range(20)]).encode())
    return intake.take(rounds, operator_id=acme.operator.pk, integration=acme.name, at=at).fresh
