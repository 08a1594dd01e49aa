"""The same rounds at the same moment, from many sides."""

import json
import random
from datetime import UTC, datetime

import pytest
from django.db import DataError, connection

from apps.core import clock
from apps.core.actors import SYSTEM
from apps.operators.services.tenants import GameChanges, put_game
from apps.rounds.models import PendingRound, Round, RoundKey
from apps.rounds.reading import read_batch, read_single
from apps.rounds.services import intake, partitions
from tests.factories import LONG_AGO
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


def test_single_rounds_at_once_are_each_answered_as_if_they_had_come_alone():
    acme, other = Integration(), Integration(name="other")
    quiet, _ = put_game(acme.operator.pk, "QUIET", GameChanges(display_name="Quiet"), actor=SYSTEM, at=LONG_AGO)
    again = a_round()
    assert acme.single(again).status_code == 202
    rounds = {
        "new": (acme, a_round(), 202),
        "told again": (acme, again, 202),
        "of a game without a tournament": (acme, a_round(gameId=quiet.slug), 200),
        "of an unknown brand": (acme, a_round(brandId="nobody"), 200),
        "of somebody else": (other, again, 202),
        "faulty": (acme, a_round(betAmount=-1), 400),
    }
    sent = [*rounds.items()] * 5
    answers = race(*[lambda to=to, body=body: to.single(body).status_code for _, (to, body, _) in sent])
    assert {what: status for (what, _), status in zip(sent, answers, strict=True)} == {
        what: status for what, (_, _, status) in rounds.items()
    }
    assert answers == [status for _, (_, _, status) in sent]
    assert Round.objects.count() == RoundKey.objects.count() == 4
    assert PendingRound.objects.count() == 3


def test_what_one_statement_stores_for_many_is_told_to_each():
    acme, other = Integration(), Integration(name="other")
    quiet, _ = put_game(acme.operator.pk, "QUIET", GameChanges(display_name="Quiet"), actor=SYSTEM, at=LONG_AGO)
    twice = a_round()
    bodies = [
        (acme, twice),
        (acme, a_round(gameId=quiet.slug)),
        (other, a_round()),
        (acme, twice),
        (acme, a_round(brandId="x")),
    ]
    singles = [
        intake._Single(read_single(json.dumps(body).encode())[0], to.operator.pk, to.name, clock.now())
        for to, body in bodies
    ]
    for _ in range(2):
        assert intake._take_singles(singles) == [True, False, True, True, False]
    assert Round.objects.count() == 3
    assert PendingRound.objects.count() == 2


def test_a_round_among_others_that_the_database_refuses_is_refused_alone(monkeypatch):
    acme = Integration(crashes=False)
    write = intake._write

    def refuse(parameters):
        if "poison" in parameters[0]:
            raise DataError("no")
        return write(parameters)

    monkeypatch.setattr(intake, "_write", refuse)
    rounds = [a_round() for _ in range(19)] + [a_round(playerId="poison")]
    assert race(*[lambda body=body: acme.single(body).status_code for body in rounds]) == [202] * 19 + [500]
    assert Round.objects.count() == 19


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
