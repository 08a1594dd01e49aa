"""The same rounds at the same moment, from many sides."""

import random
from datetime import UTC, datetime

import pytest

from apps.rounds.models import PendingRound, Round, RoundKey
from apps.rounds.services import partitions
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


def test_partitions_may_be_made_while_rounds_come_in(monkeypatch):
    at = datetime(2031, 3, 1, tzinfo=UTC)
    acme = Integration()
    monkeypatch.setattr(partitions, "be_ready", lambda **_: None)
    works = [lambda: acme.batch([a_round() for _ in range(20)]).status_code] * 4
    outcomes = race(*works, lambda: partitions.prepare(at=at), lambda: partitions.prepare(at=at))
    assert outcomes[:4] == [202] * 4
    assert Round.objects.count() == 80
    assert not any(isinstance(outcome, Exception) for outcome in outcomes)
