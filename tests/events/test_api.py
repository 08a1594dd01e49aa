"""`GET /api/events`: the operator's facts by number (podium.md 6, operators.md 5)."""

import json
from decimal import Decimal

import pytest

from apps.events import streams
from apps.events.models import Fact
from apps.events.services import numbering
from apps.operators.scopes import EVERY_SCOPE, Scope
from tests.events.factories import NOON, write
from tests.factories import Api, OperatorFactory, api, internal_key

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(redis):
    return OperatorFactory()


@pytest.fixture
def client(operator):
    return api(operator, [Scope.EVENTS_READ])


def read(client, **query):
    answer = client.get("/api/events", query)
    assert answer.status_code == 200, answer.content
    return answer.json()


def numbers(body):
    return [event["sequence"] for event in body["events"]]


def test_an_event_is_the_envelope_and_its_number(operator, client):
    fact = write(operator, "tournament.started", "tournament:50017", {"initialPlayerCount": 12})[0]
    numbering.number_new_facts()
    assert read(client) == {
        "events": [
            {
                "eventType": "tournament.started",
                "eventId": fact.public_id,
                "timestamp": "2026-03-01T12:00:00Z",
                "tournamentId": "50017",
                "operatorId": operator.public_id,
                "data": {"n": 0, "initialPlayerCount": 12},
                "sequence": 1,
            }
        ],
        "lastSequence": 1,
        "hasMore": False,
    }


def test_an_event_about_anything_else_has_no_tournament(operator, client):
    write(operator, "job.succeeded", "job:4")
    numbering.number_new_facts()
    assert read(client)["events"][0]["tournamentId"] is None


def test_amounts_leave_digit_for_digit_as_numbers(operator, client):
    amount = Decimal("12345678901234567890.000000000000000001")
    write(operator, data={"prizeAmount": amount, "fee": Decimal("7.50")})
    numbering.number_new_facts()
    raw = client.get("/api/events").content
    assert b'"prizeAmount":12345678901234567890.000000000000000001' in raw
    assert json.loads(raw, parse_float=Decimal)["events"][0]["data"]["fee"] == Decimal("7.5")


def test_a_reader_who_goes_on_from_the_last_number_misses_nothing_and_gets_nothing_twice(operator, client):
    write(operator, count=7)
    numbering.number_new_facts()
    seen, after = [], 0
    while True:
        page = read(client, after=after, limit=3)
        seen += numbers(page)
        after = page["lastSequence"]
        if not page["hasMore"]:
            break
    assert seen == [1, 2, 3, 4, 5, 6, 7]
    assert read(client, after=7) == {"events": [], "lastSequence": 7, "hasMore": False}

    write(operator)
    assert read(client, after=7)["events"] == []  # not numbered yet
    numbering.number_new_facts()
    assert numbers(read(client, after=7)) == [8]


def test_a_full_page_that_is_the_last_says_so(operator, client):
    write(operator, count=4)
    numbering.number_new_facts()
    assert [read(client, after=after, limit=2)["hasMore"] for after in (0, 2)] == [True, False]


def test_the_default_page_has_a_hundred(operator, client):
    write(operator, count=130)
    numbering.number_new_facts()
    first = read(client)
    assert (len(first["events"]), first["lastSequence"], first["hasMore"]) == (100, 100, True)
    assert len(read(client, limit=1000)["events"]) == 130


def test_a_number_that_is_not_given_yet_is_answered_with_nothing(operator, client):
    write(operator, count=2)
    numbering.number_new_facts()
    assert read(client, after=2**63 - 1) == {"events": [], "lastSequence": 2**63 - 1, "hasMore": False}


def test_an_operator_without_facts_has_an_empty_stream(client):
    assert read(client) == {"events": [], "lastSequence": 0, "hasMore": False}


@pytest.mark.parametrize(
    ("types", "expected"),
    [
        ("", [1, 2, 3, 4, 5]),
        ("*", [1, 2, 3, 4, 5]),
        ("tournament.started", [1]),
        ("tournament.*", [1, 3]),
        ("player.score.*", [4]),
        ("player.*,tournament.started", [1, 2, 4]),
        (" player.registered , tournaments.closed ", [2, 5]),
        ("tournament", []),
        ("tournament_.*", []),
        ("nothing.like.it", []),
    ],
)
def test_types_are_names_or_prefixes(operator, client, types, expected):
    names = ("tournament.started", "player.registered", "tournament.completed", "player.score.adjusted")
    for name in (*names, "tournaments.closed"):
        write(operator, name)
    numbering.number_new_facts()
    page = read(client, types=types)
    assert numbers(page) == expected
    assert (page["lastSequence"], page["hasMore"]) == (5, False)  # all of it was looked at


def test_a_search_for_a_rare_type_comes_back_with_what_it_has_looked_at(operator, client, monkeypatch):
    monkeypatch.setattr(streams, "WINDOW", 10)
    write(operator, "player.registered", count=25)
    write(operator, "tournament.started")
    numbering.number_new_facts()
    pages, after = [], 0
    while not pages or pages[-1]["hasMore"]:
        pages.append(read(client, after=after, types="tournament.*"))
        after = pages[-1]["lastSequence"]
    assert [(numbers(page), page["lastSequence"], page["hasMore"]) for page in pages] == [
        ([], 10, True),
        ([], 20, True),
        ([26], 26, False),
    ]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"after": "-1"}, "after"),
        ({"after": "x"}, "after"),
        ({"after": ""}, "after"),
        ({"after": "1.5"}, "after"),
        ({"after": str(2**63)}, "after"),
        ({"after": "9" * 5000}, "after"),
        ({"limit": "0"}, "limit"),
        ({"limit": "1001"}, "limit"),
        ({"limit": "all"}, "limit"),
        ({"types": "tournament.**"}, "types"),
        ({"types": "tournament.started,,player.*"}, "types"),
        ({"types": "*.started"}, "types"),
        ({"types": "a'b"}, "types"),
        ({"types": "té.*"}, "types"),
        ({"types": ",".join(["a.b"] * 51)}, "types"),
    ],
)
def test_a_malformed_question_is_refused(client, query, field):
    answer = client.get("/api/events", query)
    assert answer.status_code == 400
    assert answer.json()["code"] == "VALIDATION_ERROR"
    assert list(answer.json()["error"]["details"]["fields"]) == [field]


def test_another_operators_facts_stay_unseen(operator, client):
    write(OperatorFactory(), count=3)
    write(operator)
    numbering.number_new_facts()
    assert numbers(read(client)) == [1]


@pytest.mark.parametrize("path", ["/api/events", "/api/events/", "/api/api/events", "/api/api/events/"])
def test_the_stream_answers_at_every_mount(operator, client, path):
    assert client.get(path).status_code == 200


@pytest.mark.parametrize(
    ("scopes", "expected"),
    [([Scope.EVENTS_READ], 200), ([scope for scope in EVERY_SCOPE if scope != Scope.EVENTS_READ], 403)],
)
def test_only_the_scope_of_events_opens_the_stream(operator, scopes, expected):
    assert api(operator, scopes).get("/api/events").status_code == expected


def test_keys_of_others_do_not_open_the_stream(operator):
    assert Api().get("/api/events").status_code == 401
    assert Api(internal_key(operator)).get("/api/events").status_code == 401


def test_the_stream_is_read_only(client):
    assert client.post("/api/events", {}).status_code == 405


def test_a_page_costs_the_same_however_long_it_is(operator, client, django_assert_max_num_queries):
    write(operator, count=300)
    numbering.number_new_facts()
    read(client)
    with django_assert_max_num_queries(6) as few:
        read(client, limit=1)
    with django_assert_max_num_queries(len(few)):
        assert len(read(client, limit=300)["events"]) == 300


def test_the_story_of_one_subject_includes_what_has_no_number_yet(operator):
    write(operator, "tournament.created", "tournament:1")
    write(operator, "tournament.created", "tournament:2")
    numbering.number_new_facts()
    write(operator, "tournament.started", "tournament:1", at=NOON)
    write(OperatorFactory(), "tournament.started", "tournament:1")
    facts = list(Fact.objects.about(operator.pk, "tournament:1"))
    assert [(fact.type, fact.sequence) for fact in facts] == [("tournament.created", 1), ("tournament.started", None)]
