"""What is not well formed is refused with 400 (or another 4xx), says where, and writes nothing."""

import json

import pytest

from apps.tournaments.models import Entry, Tournament
from tests.contracts.casino import START, Casino, everything

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("on_that_day")]

NEW = {"name": "Friday Sprint", "game": "crash-classic", "scheduled_start": START, "entry_fee": 7.5}
LONE_SURROGATE = '{"name": "\\ud800"}'
HUGE = "9" * 400

# Bodies that are no JSON object, or one that nothing could store.
NO_OBJECTS = {
    "malformed": "{not json",
    "cut": '{"name": "Friday',
    "two values": "{} {}",
    "NaN": '{"entry_fee": NaN}',
    "Infinity": '{"entry_fee": -Infinity}',
    "latin-1": '{"name": "é"}'.encode("latin-1"),
    "lone surrogate": LONE_SURROGATE,
    "NUL": '{"name": "a\\u0000b"}',
    "NUL in a key": '{"a\\u0000b": 1}',
    "array": "[]",
    "text": '"name"',
    "number": "1",
    "true": "true",
    "null": "null",
    "deep": "[" * 100_000,
    "deep object": '{"config":' * 100 + "1" + "}" * 100,
    "huge integer": f'{{"max_players": {HUGE}}}',
    "huge exponent": '{"entry_fee": 1e999999}',
    "tiny exponent": '{"entry_fee": 1e-999999}',
}

WRONG_IN_A_TOURNAMENT = [
    ("name", None),
    ("name", ""),
    ("name", "   "),
    ("name", "x" * 201),
    ("name", 5),
    ("name", ["x"]),
    ("name", True),
    ("external_id", ""),
    ("external_id", "x" * 129),
    ("external_id", {"a": 1}),
    ("external_id", "a\nb"),
    ("external_id", 1.5),
    ("game", None),
    ("game", "no-such-game"),
    ("game", 5),
    ("scheduled_start", None),
    ("scheduled_start", ""),
    ("scheduled_start", "tomorrow"),
    ("scheduled_start", 1935512467),
    ("scheduled_start", "2031-13-01T00:00:00Z"),
    ("scheduled_start", "2031-05-02"),
    ("scheduled_start", "9999-12-31T23:59:59-23:00"),
    ("scheduled_start", "0001-01-01T00:00:00+23:00"),
    ("scheduled_start", "3500-01-01T00:00:00Z"),
    ("scheduled_end", START),
    ("scheduled_end", "2031-01-01T00:00:00Z"),
    ("scheduled_end", 5),
    ("entry_fee", None),
    ("entry_fee", -1),
    ("entry_fee", -0.01),
    ("entry_fee", 1.001),
    ("entry_fee", "7.50"),
    ("entry_fee", True),
    ("entry_fee", 10**13),
    ("entry_fee", 1e30),
    ("entry_fee", [7.5]),
    ("max_players", 0),
    ("max_players", -1),
    ("max_players", 1.5),
    ("max_players", "100"),
    ("max_players", True),
    ("max_players", 2**31),
    ("min_players", 0),
    ("min_players", 41),
    ("min_players", "4"),
    ("currency", "XXX"),
    ("currency", ""),
    ("currency", 5),
    ("prize_pool", "500"),
    ("prize_pool", 500),
    ("prize_pool", [50, 30, 20]),
    ("prize_pool", {"total": -1}),
    ("prize_pool", {"total": "500"}),
    ("prize_pool", {"total": 0.001}),
    ("prize_pool", {"total": 500, "totalAmount": 600}),
    ("prize_pool", {"type": "fixed"}),
    ("prize_pool", {"distribution": {}}),
    ("prize_pool", {"distribution": []}),
    ("prize_pool", {"distribution": "50/30/20"}),
    ("prize_pool", {"distribution": {"1": 50, "3": 50}}),
    ("prize_pool", {"distribution": {"2": 50, "3": 50}}),
    ("prize_pool", {"distribution": {"0": 50, "1": 50}}),
    ("prize_pool", {"distribution": {"01": 100}}),
    ("prize_pool", {"distribution": {"first": 100}}),
    ("prize_pool", {"distribution": {"1": 50, "2": 30, "3": 19.98}}),
    ("prize_pool", {"distribution": {"1": 50, "2": 30, "3": 20.02}}),
    ("prize_pool", {"distribution": [100, 0]}),
    ("prize_pool", {"distribution": [150, -50]}),
    ("prize_pool", {"distribution": ["50", "50"]}),
    ("prize_pool", {"distribution": [50, None]}),
    ("prize_pool", {"distribution": [[50], [50]]}),
    ("prize_pool", {"distribution": [0.01] * 10_001}),
    ("config", "points_based"),
    ("config", [1]),
    ("config", {"tournament_type": "battle"}),
    ("config", {"tournament_type": 5}),
    ("config", {"maxRounds": 0}),
    ("config", {"maxRounds": "ten"}),
    ("config", {"maxRounds": 1.5}),
    ("tournament_type", "battle"),
    ("rebuy_enabled", "yes"),
    ("rebuy_enabled", 1),
    ("rebuyConfig", True),
    ("rebuy_fee", -1),
    ("rebuy_fee", "5"),
    ("max_entries_per_player", 0),
    ("max_entries_per_player", 1001),
    ("rebuy_deadline", "2031-05-02T18:29:59Z"),
    ("rebuy_deadline", "2033-05-02T18:29:59Z"),
    ("rake_percent", 51),
    ("rake_percent", -1),
    ("rake_percent", 1.005),
    ("tie_policy", "coin"),
    ("enforce_min_players", "true"),
    ("auto_payout", 0),
    ("rail", "chain"),
    ("registration_opens_at", "soon"),
    ("scoring", {"method": "WAGERED_AMOUNT"}),
    ("scoring", "rounds"),
]
# Two spellings of one field that disagree.
CONTRADICTIONS = [
    {"max_players": 10, "maxPlayers": 11},
    {"game": "crash-classic", "gameSlug": "other"},
    {"scheduled_start": START, "startTime": "2031-05-03T18:30:00Z"},
    {"entry_fee": 7.5, "entryFee": 7.51},
    {"prize_pool": {"total": 5}, "prizePool": {"totalAmount": 6}},
    {"config": {"tournament_type": "elimination"}, "tournament_type": "points_based"},
    {"rebuy_enabled": True, "rebuyConfig": {"enabled": False}},
    {"external_id": "x-1", "externalId": None},
]


@pytest.fixture
def casino():
    return Casino(crashes=False)


def refused(answer, status=400, code="VALIDATION_ERROR"):
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.content[:300]
    return answer.json()["error"]["details"]


@pytest.mark.parametrize("raw", NO_OBJECTS.values(), ids=NO_OBJECTS)
def test_a_body_that_is_no_json_object_is_refused_everywhere(casino, raw):
    made = casino.create()
    casino.register(made, "ann")
    path = f"/api/tournaments/{made}"
    before = everything()
    for method, where in [
        ("POST", "/api/tournaments"),
        ("PUT", path),
        ("DELETE", path),
        ("POST", f"{path}/players"),
        ("POST", f"{path}/players/ann/rebuy"),
        ("DELETE", f"{path}/players/ann"),
    ]:
        refused(casino.send(method, where, raw))
    assert everything() == before


def test_a_field_of_the_wrong_type_or_out_of_range_is_named_and_nothing_is_written(casino):
    before = everything()
    whole = NEW | {"max_players": 40}
    for name, value in WRONG_IN_A_TOURNAMENT:
        answer = casino.post("/api/tournaments", whole | {name: value})
        expected = "UNKNOWN_ASSET" if (name, value) == ("currency", "XXX") else "VALIDATION_ERROR"
        assert answer.status_code == 400, (name, value, answer.content[:300])
        assert answer.json()["code"] == expected, (name, value)
        assert answer.json()["error"]["details"]["fields"], (name, value)
    assert everything() == before


@pytest.mark.parametrize("name", sorted(NEW))
def test_what_is_required_is_required(casino, name):
    body = {key: value for key, value in NEW.items() if key != name}
    assert name in refused(casino.post("/api/tournaments", body))["fields"]
    assert not Tournament.objects.exists()


def test_two_spellings_that_disagree_are_refused(casino):
    for body in CONTRADICTIONS:
        assert refused(casino.post("/api/tournaments", NEW | body))["fields"], body
    assert not Tournament.objects.exists()


def test_two_spellings_that_agree_are_one(casino):
    casino.create(maxPlayers=40, max_players=40.0, prizePool={"totalAmount": 5, "guaranteedPrize": 5.00})
    made = Tournament.objects.get()
    assert (made.max_players, int(made.guarantee_units)) == (40, 500)


def test_unknown_fields_are_ignored(casino):
    casino.create(colour="red", players=[1, 2, 3], nested={"deep": {"er": None}})
    assert Tournament.objects.count() == 1


def test_null_is_not_given_where_a_field_may_be_left_out(casino):
    casino.create(
        external_id=None,
        max_players=None,
        min_players=None,
        prize_pool=None,
        config=None,
        endTime=None,
        rebuyEnabled=None,
        rebuyFee=None,
        maxEntriesPerPlayer=None,
        currency=None,
        scoring=None,
    )
    made = Tournament.objects.get()
    assert (made.external_id, made.max_players, made.config, made.max_entries) == (None, None, {}, 1)


def test_a_scoring_that_is_reported_is_what_everybody_has(casino):
    casino.create(scoring={"source": "reported"})
    assert Tournament.objects.get().scoring_source == "REPORTED"


@pytest.mark.parametrize(("currency", "fee", "fine"), [("UPX", 5, True), ("UPX", 5.5, False), ("EUR", 5.55, True)])
def test_an_amount_has_no_more_decimals_than_its_currency(casino, currency, fee, fine):
    answer = casino.post("/api/tournaments", NEW | {"currency": currency, "entry_fee": fee})
    assert answer.status_code == (201 if fine else 400)
    if fine:
        assert answer.json()["tournament"]["entryFee"] == fee


def test_a_tokens_eighteen_decimals_come_back_as_they_went_in(casino):
    body = json.dumps(NEW | {"currency": "gamr", "entry_fee": 0}).replace(
        '"entry_fee": 0', '"entry_fee": 123456789012.000000000000000001'
    )
    answer = casino.post("/api/tournaments", body)
    assert answer.status_code == 201
    assert b'"entryFee":123456789012.000000000000000001,' in answer.content
    assert int(Tournament.objects.get().fee_units) == 123456789012000000000000000001


def test_numbers_go_out_as_short_as_they_are(casino):
    answer = casino.post(
        "/api/tournaments",
        f'{{"name": "Short", "game": "crash-classic", "scheduled_start": "{START}", "entry_fee": 10.50,'
        ' "max_players": 100, "prize_pool": {"total": 870.00}}',
    )
    assert b'"entryFee":10.5,' in answer.content
    assert b'"estimated_prize_pool":870,' in answer.content


WRONG_IN_A_REGISTRATION = [
    {},
    {"user_id": "ann"},
    {"display_name": "Ann"},
    {"user_id": "", "display_name": "Ann"},
    {"user_id": "  ", "display_name": "Ann"},
    {"user_id": None, "display_name": "Ann"},
    {"user_id": "x" * 129, "display_name": "Ann"},
    {"user_id": 1.5, "display_name": "Ann"},
    {"user_id": True, "display_name": "Ann"},
    {"user_id": ["ann"], "display_name": "Ann"},
    {"user_id": "a\tb", "display_name": "Ann"},
    {"user_id": "ann", "display_name": ""},
    {"user_id": "ann", "display_name": " "},
    {"user_id": "ann", "display_name": "x" * 65},
    {"user_id": "ann", "display_name": 5},
    {"user_id": "ann", "userId": "bob", "display_name": "Ann"},
    {"user_id": "ann", "display_name": "Ann", "buyInAmount": "7.50"},
    {"user_id": "ann", "display_name": "Ann", "buyInAmount": -7.5},
    {"user_id": "ann", "display_name": "Ann", "buyInAmount": 7.505},
    {"user_id": "ann", "display_name": "Ann", "buyInAmount": True},
    {"user_id": "ann", "display_name": "Ann", "buyInAmount": 10**40},
    {"user_id": "ann", "display_name": "Ann", "entry_payment_details": "pay-1"},
    {"user_id": "ann", "display_name": "Ann", "entry_payment_details": {"payment_id": {}}},
    {"user_id": "ann", "display_name": "Ann", "entry_payment_details": {"payment_id": "x" * 129}},
]


def test_a_registration_that_is_not_well_formed_registers_nobody(casino):
    made = casino.create()
    before = everything()
    for body in WRONG_IN_A_REGISTRATION:
        refused(casino.post(f"/api/tournaments/{made}/players", body))
    assert everything() == before


def test_a_number_is_taken_where_an_id_is_expected(casino):
    made = casino.create(external_id=77)
    casino.register(made, "x", user_id=12345, entry_payment_details={"payment_id": 99})
    entry = Entry.objects.select_related("player").get()
    assert (entry.player.external_id, entry.payment_id) == ("12345", "99")
    assert casino.get(f"/api/tournaments/{made}").json()["tournament"]["external_id"] == "77"


@pytest.mark.parametrize(
    ("method", "tail", "bodies"),
    [
        ("PUT", "", [{}, {"colour": "red"}, {"name": None}, {"name": "x" * 201}, {"max_players": 0}]),
        ("PUT", "", [{"scheduled_start": "soon"}, {"prize_pool": []}, {"min_players": None}, {"prizePool": {}}]),
        ("PUT", "", [{"prizePool": {"distribution": [50]}}, {"entry_fee": -1}, {"entry_fee": 0.001}]),
        ("DELETE", "", [None, {}, {"reason": ""}, {"reason": " "}, {"reason": None}, {"reason": 5}]),
        ("DELETE", "", [{"reason": "x" * 501}, {"reason": ["x"]}]),
        ("DELETE", "/players/ann", [None, {}, {"reason": "bored"}, {"reason": 5}, {"reason": ["elimination"]}]),
        ("DELETE", "/players/ann", [{"reason": "voluntary_exit", "details": 5}]),
        ("DELETE", "/players/ann", [{"reason": "voluntary_exit", "details": "x" * 201}]),
        ("POST", "/players/ann/rebuy", [{"additional_entries": 0}, {"additional_entries": -1}]),
        ("POST", "/players/ann/rebuy", [{"additional_entries": "1"}, {"additional_entries": 1.5}]),
        ("POST", "/players/ann/rebuy", [{"additional_entries": True}, {"additional_entries": 10**9}]),
        ("POST", "/players/ann/rebuy", [{"additional_entries": 1, "additionalEntries": 2}]),
    ],
)
def test_every_other_body_is_judged_too(casino, method, tail, bodies):
    made = casino.create(rebuy_enabled=True)
    casino.register(made, "ann")
    before = everything()
    for body in bodies:
        refused(casino.send(method, f"/api/tournaments/{made}{tail}", body))
    assert everything() == before


def test_body_and_query_of_a_delete_may_not_disagree(casino):
    made = casino.create()
    before = everything()
    refused(casino.delete(f"/api/tournaments/{made}?reason=this", {"reason": "that"}))
    refused(casino.delete(f"/api/tournaments/{made}?reason="))
    assert everything() == before
    assert casino.delete(f"/api/tournaments/{made}?reason=this", {"reason": "this"}).status_code == 200


def test_other_content_types_are_refused_and_none_is_taken_for_json(casino):
    path, body = "/api/tournaments", json.dumps(NEW)
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/xml"):
        refused(casino.send("POST", path, body, content_type=kind), 415, "UNSUPPORTED_MEDIA_TYPE")
    assert not Tournament.objects.exists()
    for kind in ("", "application/json; charset=utf-8", "Application/JSON"):
        assert casino.send("POST", path, body, content_type=kind).status_code == 201


def test_a_body_over_a_mebibyte_is_refused(casino):
    body = json.dumps(NEW | {"config": {"text": "x" * (1024 * 1024)}})
    answer = casino.post("/api/tournaments", body)
    assert answer.status_code in (400, 413)
    assert not Tournament.objects.exists()


BAD_QUERIES = {
    "": [
        "status=running",
        "status=",
        "status=scheduled,nonsense",
        "limit=0",
        "limit=-1",
        "limit=201",
        "limit=ten",
        "limit=1e2",
        "limit=99999999999999999999",
        "limit=",
        "limit=１０",
        "limit=5&per_page=6",
        "offset=-1",
        "offset=99999999999999999999",
        "page=0",
        "page=2&offset=50",
        "page=1000000000&per_page=200",
        "startDate=soon",
        "startDate=2031-02-30",
        "endDate=9999-12-31T23:59:59-23:00",
        "gameSlug=a&game=b",
        "external_id=%00",
        "external_id=" + "x" * 129,
        "gameSlug=" + "x" * 81,
    ],
    "/{made}/players": ["status=lurking", "status=registered,active", "limit=0", "limit=x", "offset=-1"],
    "/{made}/leaderboard": [
        "limit=0",
        "limit=-5",
        "limit=many",
        "offset=-1",
        "offset=99999999999999999999",
        "includeEliminated=perhaps",
        "includeEliminated=true&include_eliminated=false",
        "around=",
    ],
    "/{made}/events": ["limit=0", "limit=201", "offset=-1", "since=yesterday", "type=;drop table", "type=%00"],
}


def test_a_query_that_is_not_well_formed_is_refused(casino):
    made = casino.create()
    for tail, queries in BAD_QUERIES.items():
        for query in queries:
            answer = casino.get(f"/api/tournaments{tail.format(made=made)}?{query}")
            assert answer.status_code == 400, (tail, query, answer.content[:200])
            assert answer.json()["code"] == "VALIDATION_ERROR"
    casino.register(made, "ann")
    for query in ("page=0", "per_page=0", "per_page=201", "page=x", "per_page=10&limit=11"):
        assert casino.get(f"/api/players/ann/tournaments?{query}").status_code == 400
