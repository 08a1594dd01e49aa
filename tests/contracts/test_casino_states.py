"""State by action (operators.md 4.2), and what the states are called."""

from datetime import timedelta

import pytest

from apps.operators.services import players as operators_players
from apps.tournaments.models import Tournament
from apps.tournaments.services import running, settlement
from tests.contracts.casino import (
    GAME_SERVER,
    NOW,
    START,
    UNLIMITED,
    Casino,
    an_operator,
    at_time,
    complete,
    everything,
)
from tests.tournaments import world

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("on_that_day")]

STATES = ["scheduled", "open", "closed", "in_progress", "settling", "completed", "refunding", "cancelled"]
WORDS = {
    "scheduled": "scheduled",
    "open": "open",
    "closed": "scheduled",
    "in_progress": "in_progress",
    "settling": "completed",
    "completed": "completed",
    "refunding": "cancelled",
    "cancelled": "cancelled",
}
PHASES = {
    "scheduled": "registration",
    "open": "registration",
    "closed": "waiting",
    "in_progress": "waiting",
    "settling": "finished",
    "completed": "finished",
    "refunding": "cancelled",
    "cancelled": "cancelled",
}


@pytest.fixture
def casino():
    return Casino()


def a_tournament(casino, state, **fields):
    """A tournament in a state, with ann, bob and cid."""
    if state == "open":
        fields["registration_opens_at"] = (NOW - timedelta(hours=1)).isoformat()
    made = casino.create(rebuy_enabled=True, max_entries_per_player=5, **fields)
    for user in ("ann", "bob", "cid"):
        casino.register(made, user)
    at, pk = NOW, int(made)
    if state == "closed":
        running.close_registration(pk, actor=GAME_SERVER, at=at)
    if state in ("in_progress", "settling", "completed"):
        running.start(pk, actor=GAME_SERVER, at=at)
    if state in ("settling", "completed"):
        complete(made)
    if state in ("refunding", "cancelled"):
        running.cancel(pk, reason="test", actor=GAME_SERVER, at=at)
    if state in ("completed", "cancelled"):
        settlement.pay_on(pk, at=at)
    return made


# action -> states that allow it, and the code of a refusal
ACTIONS = {
    "view": (STATES, None),
    "update": (["scheduled", "open", "closed"], "TOURNAMENT_NOT_MODIFIABLE"),
    "cancel": (["scheduled", "open", "closed", "in_progress"], "INVALID_STATE"),
    "start": (["scheduled", "open", "closed"], "INVALID_STATE"),
    "register": (["scheduled", "open"], "REGISTRATION_CLOSED"),
    "rebuy": (["scheduled", "open", "closed", "in_progress"], "REBUY_NOT_ALLOWED"),
    "leave": (["scheduled", "open", "closed", "in_progress"], "INVALID_STATE"),
    "eliminate": (["in_progress"], "INVALID_STATE"),
    "results": (["settling", "completed"], "RESULTS_NOT_AVAILABLE"),
}


def act(casino, made, action):
    path = f"/api/tournaments/{made}"
    return {
        "view": lambda: casino.get(path),
        "update": lambda: casino.put(path, {"name": "II"}),
        "cancel": lambda: casino.delete(path, {"reason": "outage"}),
        "start": lambda: casino.post(f"{path}/start"),
        "register": lambda: casino.post(f"{path}/players", {"user_id": "dan", "display_name": "Dan"}),
        "rebuy": lambda: casino.post(f"{path}/players/ann/rebuy"),
        "leave": lambda: casino.delete(f"{path}/players/ann", {"reason": "voluntary_exit"}),
        "eliminate": lambda: casino.delete(f"{path}/players/ann", {"reason": "elimination"}),
        "results": lambda: casino.get(f"{path}/results"),
    }[action]()


@pytest.mark.parametrize("state", STATES)
def test_what_each_state_allows(casino, state):
    for action, (allowed, code) in ACTIONS.items():
        made = a_tournament(casino, state)
        before = everything()
        answer = act(casino, made, action)
        if state in allowed:
            assert answer.status_code == (201 if action == "register" else 200), (action, answer.content)
        else:
            assert (answer.status_code, answer.json()["code"]) == (409, code), (action, answer.content)
            assert everything() == before, action


@pytest.mark.parametrize("state", STATES)
def test_every_state_has_its_words(casino, state):
    made = a_tournament(casino, state)
    path = f"/api/tournaments/{made}"
    status = casino.get(f"{path}/status").json()
    assert (status["status"], status["current_phase"]) == (WORDS[state], PHASES[state])
    assert casino.get(path).json()["tournament"]["status"] == WORDS[state]
    assert casino.get(f"{path}/leaderboard").json()["status"] == WORDS[state]
    assert [game["slug"] for game in status["active_games"]] == (["crash-classic"] if state == "in_progress" else [])
    for word in {*WORDS.values(), "active"}:
        listed = casino.get("/api/tournaments", {"status": word}).json()["totalCount"]
        assert listed == (1 if word == WORDS[state] or (word, state) == ("active", "in_progress") else 0), word


def test_a_tournament_that_needs_attention_is_told_by_how_it_ended(casino):
    made, other = a_tournament(casino, "settling"), a_tournament(casino, "refunding")
    for pk in (int(made), int(other)):
        failed = Tournament.objects.get(pk=pk)
        failed.need_attention(problem="test")
        failed.save()
    assert casino.get(f"/api/tournaments/{made}/status").json()["status"] == "completed"
    assert casino.get(f"/api/tournaments/{other}/status").json()["status"] == "cancelled"
    assert casino.get("/api/tournaments", {"status": "completed"}).json()["totalCount"] == 1
    assert casino.get("/api/tournaments", {"status": "cancelled"}).json()["totalCount"] == 1


def test_before_its_window_registration_is_closed_and_the_tournament_scheduled(casino):
    made = casino.create(registrationOpensAt="2031-05-01T00:00:00Z")
    body = {"user_id": "ann", "display_name": "Ann"}
    refused = casino.post(f"/api/tournaments/{made}/players", body)
    assert (refused.status_code, refused.json()["code"]) == (409, "REGISTRATION_CLOSED")
    status = casino.get(f"/api/tournaments/{made}/status").json()
    assert (status["status"], status["current_phase"]) == ("scheduled", "waiting")
    with at_time(NOW.replace(month=5, day=1)):
        assert casino.get(f"/api/tournaments/{made}/status").json()["status"] == "open"
        assert casino.post(f"/api/tournaments/{made}/players", body).status_code == 201


def test_late_registration_where_it_is_allowed(casino):
    made = a_tournament(casino, "in_progress", allowLateRegistration=True)
    assert act(casino, made, "register").status_code == 201
    with at_time(NOW + timedelta(minutes=31)):
        body = {"user_id": "eve", "display_name": "Eve"}
        assert casino.post(f"/api/tournaments/{made}/players", body).json()["code"] == "REGISTRATION_CLOSED"


@pytest.mark.parametrize("start", ["2031-04-30T09:00:00Z", "2024-01-15T20:00:00Z", "2031-04-30T11:00:00+02:00"])
def test_a_start_that_has_come_is_made_at_creation(casino, start):
    body = {"name": "Now", "gameSlug": "crash-classic", "startTime": start, "entryFee": 1}
    answer = casino.post("/api/tournaments", body).json()
    assert answer["status"] == "in_progress"
    assert answer["tournament"]["actualStartTime"] == "2031-04-30T09:00:00Z"
    casino.register(answer["tournamentId"], "ann")


def test_nobody_registered_is_not_enough_to_start_by_hand(casino):
    made = casino.create()
    before = everything()
    answer = casino.post(f"/api/tournaments/{made}/start")
    assert (answer.status_code, answer.json()["code"]) == (409, "NOT_ENOUGH_PLAYERS")
    assert everything() == before


def test_a_full_field_takes_nobody_more(casino):
    made = casino.create(max_players=2)
    casino.register(made, "ann")
    casino.register(made, "bob")
    before = everything()
    answer = casino.post(f"/api/tournaments/{made}/players", {"user_id": "cid", "display_name": "Cid"})
    assert (answer.status_code, answer.json()["code"]) == (409, "TOURNAMENT_FULL")
    assert everything() == before


def test_another_buy_in_than_the_fee_is_refused(casino):
    made = casino.create()
    before = everything()
    for amount in (7, 7.51, 75, 0):
        body = {"user_id": "ann", "display_name": "Ann", "buyInAmount": amount}
        answer = casino.post(f"/api/tournaments/{made}/players", body)
        assert (answer.status_code, answer.json()["code"]) == (400, "BUY_IN_MISMATCH")
    assert everything() == before


def test_the_same_external_id_twice_is_refused(casino):
    casino.create(external_id="x-1")
    before = everything()
    body = {"name": "II", "game": "crash-classic", "scheduled_start": START, "entry_fee": 1, "externalId": "x-1"}
    answer = casino.post("/api/tournaments", body)
    assert (answer.status_code, answer.json()["code"]) == (409, "DUPLICATE_EXTERNAL_ID")
    assert everything() == before


def test_a_field_can_not_be_made_smaller_than_it_is_full(casino):
    made = a_tournament(casino, "scheduled")
    before = everything()
    assert casino.put(f"/api/tournaments/{made}", {"max_players": 2}).status_code == 409
    assert everything() == before
    assert casino.put(f"/api/tournaments/{made}", {"maxPlayers": 3}).status_code == 200
    assert casino.put(f"/api/tournaments/{made}", {"maxPlayers": None}).json()["tournament"]["maxPlayers"] is None


def test_money_is_fixed_once_somebody_is_registered(casino):
    made = casino.create()
    changes = [{"entry_fee": 5}, {"prizePool": {"totalAmount": 100}}, {"prize_pool": {"distribution": [100]}}]
    for change in changes:
        assert casino.put(f"/api/tournaments/{made}", change).status_code == 200
    told = casino.get(f"/api/tournaments/{made}").json()["tournament"]
    assert (told["entryFee"], told["prizePool"]["guaranteedPrize"]) == (5, 100)
    assert told["prizePool"]["distribution"] == {"1": 100}
    casino.register(made, "ann")
    before = everything()
    for change in [{"entry_fee": 6}, {"prizePool": {"totalAmount": 200}}, {"prize_pool": {"distribution": [60, 40]}}]:
        answer = casino.put(f"/api/tournaments/{made}", change)
        assert (answer.status_code, answer.json()["code"]) == (409, "TOURNAMENT_NOT_MODIFIABLE")
    assert everything() == before


def test_the_configuration_and_the_type_in_it_change_together(casino):
    made = casino.create(config={"maxRounds": 5, "eliminationRate": 0.5})
    config = {"tournament_type": "elimination", "maxRounds": 7, "eliminationRate": 0.25}
    told = casino.put(f"/api/tournaments/{made}", {"gameConfig": config}).json()["tournament"]
    assert (told["gameConfig"], told["tournamentType"]) == (config, "elimination")
    assert casino.get(f"/api/tournaments/{made}/leaderboard").json()["totalRounds"] == 7
    before = everything()
    assert casino.put(f"/api/tournaments/{made}", {"config": {"tournament_type": "battle"}}).status_code == 400
    assert everything() == before


def test_whoever_is_out_can_not_leave_again_and_comes_back_by_a_rebuy(casino):
    made = a_tournament(casino, "in_progress")
    assert act(casino, made, "eliminate").status_code == 200
    before = everything()
    answer = act(casino, made, "leave")
    assert (answer.status_code, answer.json()["code"]) == (409, "PLAYER_NOT_ACTIVE")
    assert everything() == before
    assert casino.get(f"/api/tournaments/{made}/players/ann").json()["status"] == "eliminated"
    assert act(casino, made, "rebuy").status_code == 200
    assert casino.get(f"/api/tournaments/{made}/players/ann").json()["status"] == "active"


def test_whoever_withdrew_has_no_position_and_may_come_again(casino):
    made = a_tournament(casino, "scheduled")
    first = casino.get(f"/api/tournaments/{made}/players/ann").json()
    assert act(casino, made, "leave").status_code == 200
    gone = casino.get(f"/api/tournaments/{made}/players/ann").json()
    assert (gone["status"], gone["position"]) == ("withdrawn", None)
    assert act(casino, made, "rebuy").json()["code"] == "PLAYER_NOT_ACTIVE"
    again = casino.register(made, "ann")
    assert again["internal_player_id"] == first["internal_player_id"][:-1] + "2"
    # The player's ids mean the latest registration, the internal id its own.
    assert casino.get(f"/api/tournaments/{made}/players/ann").json()["status"] == "registered"
    old = casino.get(f"/api/tournaments/{made}/players/{first['internal_player_id']}").json()
    assert old["status"] == "withdrawn"


@pytest.mark.parametrize(
    ("fields", "later", "code"),
    [
        ({"rebuy_enabled": False}, 0, "REBUY_NOT_ALLOWED"),
        ({"rebuy_enabled": True, "max_entries_per_player": 1}, 0, "REBUY_LIMIT_REACHED"),
        ({"rebuy_enabled": True}, 31, "REBUY_DEADLINE_PASSED"),
        ({"rebuyConfig": {"enabled": True, "deadline": "2031-05-02T18:40:00Z"}}, 11, "REBUY_DEADLINE_PASSED"),
    ],
)
def test_rebuys_have_their_limits(casino, fields, later, code):
    made = casino.running("ann", "bob", **fields)
    before = everything()
    with at_time(NOW + timedelta(minutes=later)):
        answer = casino.post(f"/api/tournaments/{made}/players/ann/rebuy")
    assert (answer.status_code, answer.json()["code"]) == (409, code)
    assert answer.json()["rebuy_approved"] is False
    assert everything() == before


def test_a_blocked_player_is_neither_entered_nor_sold_a_rebuy_but_gets_refunds(casino):
    made = a_tournament(casino, "scheduled")
    player = operators_players.resolve_player(casino.operator.pk, "ann")
    operators_players.suspend(player.pk, reason="fraud", until=None, actor=GAME_SERVER, at=NOW)
    before = everything()
    assert act(casino, made, "rebuy").status_code in (403, 409)
    other = casino.create()
    before = everything()
    refused = casino.post(f"/api/tournaments/{other}/players", {"user_id": "ann", "display_name": "Ann"})
    assert refused.status_code in (403, 409)
    assert everything() == before
    answer = act(casino, made, "cancel").json()
    assert answer["refunds"] == {"totalRefunded": 22.5, "playersRefunded": 3}


def test_staff_approve_where_the_operator_wishes_it(casino):
    made = casino.running("ann", "bob", autoPayout=False)
    complete(made)
    settlement.pay_on(int(made), at=NOW)
    tournament = Tournament.objects.get(pk=int(made))
    assert (tournament.status, world.escrow(tournament)) == ("SETTLING", 1500)
    results = casino.get(f"/api/tournaments/{made}/results").json()
    assert [row["prizeAmount"] for row in results["winners"]] == [9.38, 5.62]


def test_too_few_players_cancel_where_the_operator_enforces_it():
    casino = Casino(an_operator(preferences=UNLIMITED | {"enforceMinPlayers": True}))
    made = casino.create(min_players=3)
    casino.register(made, "ann")
    answer = casino.post(f"/api/tournaments/{made}/start")
    assert (answer.status_code, answer.json()["code"]) == (409, "NOT_ENOUGH_PLAYERS")
    lenient = casino.create(min_players=3, enforceMinPlayers=False)
    casino.register(lenient, "ann")
    assert casino.post(f"/api/tournaments/{lenient}/start").status_code == 200
