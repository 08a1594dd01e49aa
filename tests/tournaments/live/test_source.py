"""What the hub reads of PostgreSQL and of the boards."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import transaction

from apps.core.actors import SYSTEM
from apps.events.services import numbering
from apps.events.services.recording import NewFact, record_many
from apps.operators.services import credentials
from apps.tournaments import board
from apps.tournaments.live import source
from apps.tournaments.services import entries, running
from tests.factories import internal_key, issue
from tests.tournaments import world
from tests.tournaments.world import AT, STAFF, START

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def tournament(redis):
    made = world.played()
    assert board.rebuild(made.pk)
    return made


def sign_of(tournament):
    return source.marks([tournament.pk])[tournament.pk].sign


def test_a_mark_differs_whenever_the_board_does(tournament):
    signs = [sign_of(tournament)]
    assert sign_of(tournament) == signs[0]
    world.score(tournament, ann=99)
    signs.append(sign_of(tournament))
    running.complete(tournament.pk, actor=STAFF, at=START)
    signs.append(sign_of(tournament))
    assert None not in signs
    assert len(set(signs)) == 3


def test_a_late_push_of_an_earlier_change_is_news_too(tournament):
    entry = world.Entry.objects.filter(tournament=tournament).first()
    before = sign_of(tournament)
    entry.score_version += 1
    entry.changed_at -= timedelta(days=1)
    entry.points = Decimal(7)
    board.push(tournament.pk, [entry])
    assert sign_of(tournament) != before


def test_without_a_board_nobody_can_tell(tournament, redis):
    redis.flushdb()
    assert source.marks([tournament.pk])[tournament.pk] == source.Mark(tournament.operator_id, None)
    assert source.marks([0]) == {}


def test_facts_are_those_of_the_tournaments_that_are_asked_for(tournament):
    numbering.number_new_facts()
    known = source.facts(tournament.operator_id, [tournament.pk], after=0, limit=1000)
    other = world.make(tournament.operator)
    with transaction.atomic():
        facts = [
            NewFact("player.joined", made.subject, {"playerId": str(n), "type": "mine", "sequence": "mine"})
            for n, made in enumerate((tournament, other, tournament))
        ] + [NewFact("x.y", "room:1", {})]
        record_many(facts, operator_id=tournament.operator_id, actor=SYSTEM, at=AT)
    numbering.number_new_facts()
    found = source.facts(tournament.operator_id, [tournament.pk], after=known.through, limit=1000)
    assert [told.tournament_id for told in found.told] == [tournament.pk] * 2
    assert (found.through - known.through, found.more) == (5, False)
    assert f'"sequence":{found.told[0].sequence}' in found.told[0].full
    assert '"type":"player.joined"' in found.told[0].full
    assert "mine" not in found.told[0].full
    assert found.told[0].public is None


def test_scores_come_from_the_board_alone_and_their_facts_cost_no_replay(tournament):
    numbering.number_new_facts()
    known = source.facts(tournament.operator_id, [tournament.pk], after=0, limit=1000)
    kinds = ["player.score.updated", "prize.distributed", "player.refunded", "payout.paid"]
    with transaction.atomic():
        facts = [NewFact(kind, tournament.subject, {"playerId": "7"}) for kind in kinds for _ in range(3)]
        facts.append(NewFact("player.score.adjusted", tournament.subject, {"playerId": "7"}))
        record_many(facts, operator_id=tournament.operator_id, actor=SYSTEM, at=AT)
    numbering.number_new_facts()
    found = source.facts(tournament.operator_id, [tournament.pk], after=known.through, limit=1)
    assert [told.type for told in found.told] == ["player.score.adjusted"]
    # Twelve that are not told don't count against the thousand that a socket tells again.
    assert (found.through - known.through, found.more) == (13, False)


def test_dead_are_keys_and_entries_that_would_not_be_let_in_now(tournament):
    operator = tournament.operator
    fine = issue(operator, scopes=["results.read"]).credential
    weak = issue(operator, scopes=["tournaments.read"]).credential
    revoked = issue(operator, scopes=["results.read"]).credential
    ended = issue(operator, scopes=["results.read"], expires_at=START).credential
    credentials.revoke(revoked.pk, operator_id=operator.pk, actor=STAFF, at=AT)
    internal_key(operator)
    platform = type(fine).objects.get(kind="INTERNAL")
    lobby = world.make(operator)
    stays, leaves = world.enter(lobby, "ann", "bob")
    entries.remove(leaves.pk, reason="voluntary", actor=STAFF, at=AT)
    keys = [fine.pk, weak.pk, revoked.pk, ended.pk, platform.pk, 0]
    assert source.dead(keys, [stays.pk, leaves.pk, 0], at=START) == ({weak.pk, revoked.pk, ended.pk, 0}, {leaves.pk, 0})
    operator.suspended_at = AT
    operator.save()
    assert source.dead([fine.pk], [stays.pk], at=START) == ({fine.pk}, {stays.pk})
