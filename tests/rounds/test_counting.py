"""What came in is counted by integration and minute, and nobody waits for it."""

import pytest
from django.db import DatabaseError

from apps.core import clock
from apps.rounds.models import IntakeMinute
from apps.rounds.services import counting
from tests.rounds.world import Integration, a_round

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_counted(monkeypatch):
    monkeypatch.setattr(counting._Counts, "kept", {})


@pytest.fixture
def acme() -> Integration:
    return Integration()


def counted():
    return [*IntakeMinute.objects.values_list("calls", "rounds", "fresh", "queued", "refused", "shed")]


def test_calls_rounds_repetitions_and_refusals_are_counted(acme, at, monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: at)
    batch = [a_round() for _ in range(10)]
    acme.batch(batch)
    acme.batch([*batch, a_round(gameId="unknown"), a_round()])
    acme.single({})
    acme.single(a_round(), headers={"X-API-Key": "wrong"})
    assert counting.write_down() == 1
    assert counted() == [(3, 22, 11, 11, 1, 0)]
    kept = IntakeMinute.objects.get()
    assert (kept.operator_id, kept.integration, kept.minute) == (acme.operator.pk, "acme", at.replace(second=0))


def test_what_is_written_down_again_is_added(acme, at):
    for _ in range(2):
        counting.count(acme.operator.pk, "acme", rounds=5, at=at)
        assert counting.write_down() == 1
    assert counted() == [(2, 10, 0, 0, 0, 0)]
    assert counting.write_down() == 0


def test_counts_that_could_not_be_written_are_kept(acme, at, monkeypatch):
    counting.count(acme.operator.pk, "acme", rounds=5, at=at)

    def away(*_):
        raise DatabaseError

    with monkeypatch.context() as broken:
        broken.setattr(counting, "_add", away)
        with pytest.raises(DatabaseError):
            counting.write_down()
    counting.count(acme.operator.pk, "acme", rounds=5, at=at)
    assert counting.write_down() == 1
    assert counted() == [(2, 10, 0, 0, 0, 0)]


def test_old_counts_are_forgotten(acme, at):
    counting.count(acme.operator.pk, "acme", at=at)
    counting.write_down()
    assert counting.forget_old(at=at + counting.KEPT) == 0
    assert counting.forget_old(at=at + counting.KEPT * 2) == 1
