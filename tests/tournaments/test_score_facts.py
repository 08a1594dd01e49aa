"""Score updates for queues: one a second for a player, the last one in the end, and nothing for who has no queue."""

from datetime import timedelta
from decimal import Decimal

import pytest

from apps.core.actors import Actor
from apps.events.models import Delivery, Fact, Queue
from apps.events.services import endpoints, numbering, queues
from apps.events.services.queues import Access
from apps.tournaments.admin import story
from apps.tournaments.models import Entry
from apps.tournaments.services import intake, running, score_facts
from tests.factories import OperatorFactory, api
from tests.tournaments import world
from tests.tournaments.world import STAFF

pytestmark = pytest.mark.django_db
GAME = Actor("game", "test")


@pytest.fixture
def operator():
    return OperatorFactory()


@pytest.fixture
def queue(operator, redis) -> Queue:
    return queues.add_queue(operator.pk, Access(name="casino"), events=["*"], actor=STAFF, at=world.START)


@pytest.fixture
def tournament(operator, queue):
    made = world.make(operator)
    world.enter(made, "ann", "bob", "cid")
    return running.start(made.pk, actor=STAFF, at=world.START)


def report(tournament, second: int, **scores: object) -> None:
    """What a game server sends, at that second of play."""
    at = world.START + timedelta(seconds=second)
    events = [
        {
            "eventType": "player.score.updated", "eventId": f"{name}-{second}-{score}", "timestamp": at.isoformat(),
            "data": {"playerId": str(player(tournament, name)), "score": score, "round": 1},
        }
        for name, score in scores.items()
    ]  # fmt: skip
    intake.take_events(tournament.pk, events, actor=GAME, at=at)


def player(tournament, name: str) -> int:
    return Entry.objects.values_list("player_id", flat=True).get(tournament=tournament, player__external_id=name)


def tell(redis, second: int) -> int:
    """A tick; the real ones are a second apart."""
    redis.delete("podium:scores:turn")
    return score_facts.tell_scores(at=world.START + timedelta(seconds=second))


def told(tournament) -> list[tuple[str, Decimal]]:
    rows = Fact.objects.filter(subject=tournament.subject, type="player.score.updated").order_by("id")
    return [(row.data["userId"], row.data["score"]) for row in rows]


def names(tournament) -> list[str]:
    entries = Entry.objects.filter(tournament=tournament).order_by("pk")
    return list(entries.values_list("player__external_id", flat=True))


def test_a_score_is_told_once_and_its_last_value_in_the_end(tournament, redis):
    first, second, *_ = names(tournament)
    report(tournament, 1, **{first: 10, second: 5})
    report(tournament, 1, **{first: 20})
    assert tell(redis, 2) == 2
    assert sorted(told(tournament)) == sorted([(first, 20), (second, 5)])
    assert tell(redis, 3) == 0
    report(tournament, 4, **{first: 30.5})
    assert tell(redis, 5) == 1
    assert told(tournament)[-1] == (first, Decimal("30.5"))
    fact = Fact.objects.filter(type="player.score.updated").latest("id")
    assert set(fact.data) == {"playerId", "userId", "score", "position", "round"}
    assert fact.data["round"] == 1


def test_two_turns_are_never_closer_than_a_second(tournament, redis, monkeypatch):
    assert score_facts.APART == 1000
    monkeypatch.setattr(score_facts, "APART", 3_600_000)  # a busy machine may take a second between two lines
    [first, *_] = names(tournament)
    report(tournament, 1, **{first: 10})
    assert tell(redis, 2) == 1
    report(tournament, 2, **{first: 20})
    assert score_facts.tell_scores(at=world.START + timedelta(seconds=2)) == 0
    assert tell(redis, 3) == 1


def test_who_has_no_queue_that_wants_them_pays_one_query(tournament, queue, redis, django_assert_num_queries):
    [first, *_] = names(tournament)
    report(tournament, 1, **{first: 10})
    queues.change_queue(queue.pk, Access(name="casino"), events=["tournament.*"], actor=STAFF, at=world.START)
    with django_assert_num_queries(1):
        assert tell(redis, 2) == 0
    assert told(tournament) == []


def test_no_webhook_is_sent_for_them(operator, tournament, redis):
    endpoints.create_endpoint(operator.pk, url="https://hooks.example/", events=["*"], actor=STAFF, at=world.START)
    [first, *_] = names(tournament)
    report(tournament, 1, **{first: 10})
    tell(redis, 2)
    numbering.number_facts(operator.pk)
    types = set(Delivery.objects.values_list("fact__type", flat=True))
    assert "tournament.started" in types
    assert "player.score.updated" not in types


def test_they_do_not_bury_what_happened_in_a_tournament(operator, tournament, redis):
    [first, *_] = names(tournament)
    report(tournament, 1, **{first: 10})
    assert tell(redis, 2) == 1
    history, client = f"/api/tournaments/{tournament.pk}/events", api(operator)
    kinds = {event["eventType"] for event in client.get(history).json()["events"]}
    assert "tournament.started" in kinds
    assert "player.score.updated" not in kinds
    asked = client.get(history, {"type": "player.score.updated"}).json()
    assert (len(asked["events"]), asked["pagination"]["total"]) == (1, 1)
    assert "score updated" not in " ".join(line.text for line in story.tell(tournament, [])).lower()


def test_after_the_end_the_results_have_the_last_word(tournament, redis):
    [first, *_] = names(tournament)
    report(tournament, 1, **{first: 10})
    running.complete(tournament.pk, actor=STAFF, at=world.START + timedelta(seconds=2))
    assert tell(redis, 3) == 0


def test_without_redis_scores_are_kept_and_nobody_is_told(tournament, redis, monkeypatch):
    [first, *_] = names(tournament)
    report(tournament, 1, **{first: 10})
    with monkeypatch.context() as away:
        away.setattr(score_facts.redis, "client", broken)
        assert score_facts.tell_scores(at=world.START + timedelta(seconds=2)) == 0
    assert Entry.objects.get(tournament=tournament, player__external_id=first).points == 10
    assert tell(redis, 3) == 1


def broken():
    raise score_facts.RedisError("away")
