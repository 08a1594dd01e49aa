"""Notices to the game platform (operators.md 11.7): their envelope, their key, their five tries."""

import json

import msgspec
import pytest

from apps.core.exact import dumps
from apps.events import formats
from apps.events.formats import Outgoing, Signing, platform
from apps.events.models import Attempt, Delivery, Endpoint, Fact, Format
from apps.events.relay import lanes
from apps.events.services import health, numbering, platforms
from apps.tournaments.models import Tournament
from apps.tournaments.services import running
from tests.events.relays import make_due, relaying, settled
from tests.factories import OperatorFactory
from tests.receivers import Receiver, Reply
from tests.tournaments import world
from tests.tournaments.world import STAFF
from tests.workers import eventually

URL = "https://games.example/"


def outgoing(fact: Fact, operator) -> Outgoing:
    return Outgoing(
        fact.public_id, fact.type, fact.subject, fact.sequence or 0, msgspec.Raw(dumps(fact.data).encode()),
        fact.occurred_at, operator.public_id,
    )  # fmt: skip


def body(operator, type: str) -> dict:
    fact = Fact.objects.get(operator=operator, type=type)
    return json.loads(formats.of(Format.PLATFORM).envelope(outgoing(fact, operator)))


@pytest.fixture
def operator(db):
    return OperatorFactory()


def test_a_start_is_told_in_the_platforms_own_envelope(operator):
    tournament = world.make(operator, name="Friday Sprint", rebuy_enabled=True, max_players=40)
    world.enter(tournament, "ann", "bob", "cid")
    running.start(tournament.pk, actor=STAFF, at=world.START)
    assert body(operator, "tournament.started") == {
        "event": "tournament.started",
        "tournament_id": str(tournament.pk),
        "tournament_name": "Friday Sprint",
        "game_slug": "crash-classic",
        "started_at": world.START.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "player_count": 3,
        "tournament_config": {
            "tournament_type": "points_based",
            "max_players": 40,
            "entry_settings": {"rebuy_enabled": True, "max_entries_per_player": 3},
        },
    }


def test_a_cancellation_is_told_with_its_reason_and_what_it_was_before(operator):
    tournament = world.played(operator=operator, name="Friday Sprint")
    running.cancel(tournament.pk, reason="Storm", actor=STAFF, at=world.START)
    assert body(operator, "tournament.cancelled") == {
        "event": "tournament.cancelled",
        "tournament_id": str(tournament.pk),
        "tournament_name": "Friday Sprint",
        "game_slug": "crash-classic",
        "cancelled_at": world.START.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "reason": "Storm",
        "status_before_cancellation": "in_progress",
    }


def test_a_fact_from_before_a_field_existed_is_told_all_the_same():
    told = platform.notice("tournament.started", "tournament:5", {"tournamentName": "Old"}, occurred_at="then")
    assert told["started_at"] == "then"
    assert told["tournament_config"]["entry_settings"] == {"rebuy_enabled": False, "max_entries_per_player": 1}


@pytest.mark.parametrize("key, sent", [("", {}), ("internal_abc", {"X-Internal-Api-Key": "internal_abc"})])
def test_the_key_is_sent_when_there_is_one(settings, at, key, sent):
    settings.GAME_PLATFORM_KEY = key
    signing = Signing(secrets=(), token="", attempt="a", at=at)
    assert formats.of(Format.PLATFORM).headers(None, b"{}", signing) == sent


def test_a_notice_is_tried_again_after_one_two_four_eight_and_sixteen_seconds():
    assert list(formats.of(Format.PLATFORM).schedule) == [1, 2, 4, 8, 16]


def test_starts_and_cancellations_are_handed_to_one_endpoint_of_each_operator_and_nothing_else(operator, settings):
    settings.GAME_PLATFORM_URL = URL
    tournament = world.played(operator=operator)
    running.cancel(tournament.pk, reason="Storm", actor=STAFF, at=world.START)
    while numbering.number_facts(operator.pk):
        pass
    endpoint = Endpoint.objects.get(operator=operator)
    assert (endpoint.format, endpoint.url) == ("PLATFORM", "https://games.example/internal/tournament/events")
    told = Delivery.objects.filter(endpoint=endpoint).order_by("sequence").values_list("fact__type", flat=True)
    assert list(told) == ["tournament.started", "tournament.cancelled"]
    assert Fact.objects.filter(operator=operator).count() > len(told)


@pytest.mark.django_db(transaction=True)
def test_a_platform_gets_its_notice_with_its_key_and_is_tried_six_times_in_all(settings, monkeypatch):
    monkeypatch.setattr(lanes, "LONGEST_REST", 0.01)
    settings.GAME_PLATFORM_KEY = "internal_abc"
    operator = OperatorFactory()
    with Receiver(lambda *_: Reply(500)) as platform_server, relaying():
        settings.GAME_PLATFORM_URL = platform_server.url.removesuffix("/hooks") + "/"
        tournament = world.played(operator=operator)
        numbering.number_facts(operator.pk)
        for n in range(1, 7):
            platform_server.wait_for(n)
            eventually(lambda n=n: Attempt.objects.count() == n)
            make_due()
        settled(Endpoint.objects.get(), EXHAUSTED=1)
    assert {got.path for got in platform_server.got} == {"/internal/tournament/events"}
    assert {got.headers["x-internal-api-key"] for got in platform_server.got} == {"internal_abc"}
    assert {got.body for got in platform_server.got} == {platform_server.got[0].body}
    assert platform_server.got[0].json["event"] == "tournament.started"
    assert platform_server.got[0].json["tournament_id"] == str(tournament.pk)
    # Whatever the platform answers, the tournament goes on.
    assert len(platform_server.got) == 6
    assert Tournament.objects.get(pk=tournament.pk).status == "RUNNING"
    assert "internal_abc" not in json.dumps(Attempt.objects.first().request_headers)


def test_the_operator_is_not_told_the_platforms_address(operator, settings):
    settings.GAME_PLATFORM_URL = "http://games.internal.example"
    platforms.ensure(operator.pk)
    health.note_failure(Endpoint.objects.get().pk, "answered 410", at=world.START, gone=True)
    alert = Fact.objects.get(type="system.alert").data
    assert alert["message"] == "Notices to the game platform have stopped: the receiver answered 410 Gone"


def test_without_a_platform_nobody_is_told(operator):
    world.played(operator=operator)
    numbering.number_facts(operator.pk)
    assert not Endpoint.objects.exists()
