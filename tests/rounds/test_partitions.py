"""Partitions are there before they are needed, and nothing breaks where one is not."""

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from django.db import OperationalError, connection

from apps.rounds.models import PendingRound, Round, RoundKey
from apps.rounds.reading import read_batch
from apps.rounds.services import intake, partitions
from apps.rounds.services.partitions import Span
from tests.rounds.world import Integration, a_round

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_partitions(db):
    """Tests that commit leave theirs. They are away until this test's transaction is rolled back."""
    with connection.cursor() as cursor:
        for span in partitions.spans_of_partitions():
            cursor.execute(f"DROP TABLE {span.name}")


@pytest.fixture
def at() -> datetime:
    """A Sunday."""
    return datetime(2037, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _this_process_knows_nothing(monkeypatch):
    monkeypatch.setattr(partitions._Ready, "until", datetime.min.replace(tzinfo=UTC))


@pytest.fixture
def acme() -> Integration:
    return Integration()


def day(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, tzinfo=UTC)


def take(acme, at, *told):
    rounds = read_batch(json.dumps(told or [a_round()]).encode())
    return intake.take(rounds, operator_id=acme.operator.pk, integration=acme.name, at=at)


def homes():
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM rounds_round ORDER BY number")
        return [name for (name,) in cursor.fetchall()]


def test_a_month_of_weeks_is_made_ahead(at):
    assert partitions.prepare(at=at) == [
        "rounds_round_20370223_20370302",
        "rounds_round_20370302_20370309",
        "rounds_round_20370309_20370316",
        "rounds_round_20370316_20370323",
        "rounds_round_20370323_20370330",
        "rounds_round_20370330_20370406",
    ]
    assert partitions.prepare(at=at) == []
    assert partitions.prepare(at=at + timedelta(days=7)) == ["rounds_round_20370406_20370413"]


@pytest.mark.parametrize(
    "width, moment, expected",
    [
        ("day", day(2037, 2, 28), Span(day(2037, 2, 28), day(2037, 3, 1))),
        ("week", day(2037, 1, 1), Span(day(2036, 12, 29), day(2037, 1, 5))),
        ("month", day(2037, 2, 28), Span(day(2037, 2, 1), day(2037, 3, 1))),
        ("month", day(2037, 12, 31), Span(day(2037, 12, 1), day(2038, 1, 1))),
    ],
)
def test_the_width_is_a_setting(settings, width, moment, expected):
    settings.ROUNDS_PARTITION = width
    assert partitions.prepare(at=moment)[0] == expected.name
    assert expected in partitions.spans_of_partitions()


def test_the_width_may_change_while_rounds_come_in(settings, at):
    partitions.prepare(at=at)
    settings.ROUNDS_PARTITION = "month"
    assert partitions.prepare(at=at + timedelta(days=30)) == ["rounds_round_20370406_20370501"]
    settings.ROUNDS_PARTITION = "day"
    made = partitions.prepare(at=at + timedelta(days=32))
    assert made == ["rounds_round_20370501_20370502", "rounds_round_20370502_20370503"]
    spans = sorted(partitions.spans_of_partitions())
    assert all(one.end == other.start for one, other in pairwise(spans))


def test_the_first_round_finds_its_partition(acme, at):
    assert take(acme, at).fresh == 1
    assert homes() == ["rounds_round_20370223_20370302"]


def test_a_round_without_a_partition_is_taken_and_moved_later(acme, at, monkeypatch):
    def fails(**_):
        raise OperationalError("canceling statement due to lock timeout")

    monkeypatch.setattr(partitions, "prepare", fails)
    taken = take(acme, at, a_round(roundId="stray"), a_round())
    assert (taken.fresh, taken.queued) == (2, 2)
    assert homes() == ["rounds_round_default"] * 2
    monkeypatch.undo()
    # Long after, so that only the strays ask for their week.
    partitions.prepare(at=at + timedelta(days=100))
    assert homes() == ["rounds_round_20370223_20370302"] * 2
    assert Round.objects.get(round_id="stray").received_at == at


def test_a_round_id_is_taken_for_ever_also_when_its_partition_is_gone(acme, settings, at):
    told = a_round(roundId="once")
    assert take(acme, at, told).fresh == 1
    settings.ROUNDS_KEPT_DAYS = 30
    later = at + timedelta(days=31)
    assert partitions.expire(at=later) == []  # it waits to be counted
    PendingRound.objects.all().delete()
    assert partitions.expire(at=at + timedelta(days=30)) == []  # its week has not been over for long enough
    assert partitions.expire(at=later) == ["rounds_round_20370223_20370302"]
    assert not Round.objects.exists()
    assert RoundKey.objects.count() == 1
    again = take(acme, later, told)
    assert (again.fresh, again.queued, again.relevant) == (0, 0, True)
    assert not Round.objects.exists()


def test_the_same_id_in_two_partitions_is_one_round(acme, at):
    told = a_round()
    assert take(acme, at, told).fresh == 1
    assert take(acme, at + timedelta(days=7), told).fresh == 0
    assert Round.objects.count() == 1


def test_old_partitions_may_be_detached_to_be_archived(acme, settings, at):
    take(acme, at)
    PendingRound.objects.all().delete()
    settings.ROUNDS_KEPT_DAYS, settings.ROUNDS_EXPIRED = 1, "detach"
    (name,) = partitions.expire(at=at + timedelta(days=3))
    assert not Round.objects.exists()
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {name}")
        assert cursor.fetchone() == (1,)


def test_nothing_expires_unless_told_so(acme, at):
    take(acme, at)
    PendingRound.objects.all().delete()
    assert partitions.expire(at=at + timedelta(days=10_000)) == []
    assert Round.objects.count() == 1


def test_a_look_up_by_key_reads_one_partition(acme, at):
    take(acme, at)
    kept = Round.objects.get()
    plan = Round.objects.filter(pk=kept.pk).explain()
    assert "rounds_round_20370223_20370302" in plan
    assert "rounds_round_default" not in plan
    assert "Append" not in plan
