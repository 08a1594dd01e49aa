"""The sample bodies of operators.md section 3, sent and answered. Ids and tokens are whatever they are here."""

from datetime import timedelta

import pytest

from apps.events.models import Fact
from apps.tournaments.models import Entry, Tournament
from apps.tournaments.services import settlement
from tests.contracts.casino import NOW, Casino, at_time, complete, everything, report, score
from tests.tournaments import world

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("on_that_day")]

CREATE = {
    "name": "Friday Sprint",
    "startTime": "2031-05-02T18:30:00Z",
    "gameSlug": "crash-classic",
    "maxPlayers": 40,
    "minPlayers": 4,
    "entryFee": 7.5,
    "prizePool": {"type": "percentage", "distribution": [60, 40]},
    "rebuyEnabled": True,
    "rebuyFee": 7.5,
    "maxEntriesPerPlayer": 2,
}
REFERENCE = {
    "name": "Friday Sprint",
    "external_id": "fs-1",
    "game": "crash-classic",
    "scheduled_start": "2031-05-02T18:30:00Z",
    "max_players": 40,
    "min_players": 4,
    "entry_fee": 7.50,
    "prize_pool": {"total": 0, "distribution": {"1": 60, "2": 40}},
    "config": {"tournament_type": "points_based"},
}
PLAYERS = ["u-9", *(f"u-{number}" for number in range(20, 31))]
STARTED = NOW.replace(month=5, day=2, hour=18, minute=21, second=7)
ENDED = STARTED + timedelta(seconds=2940)


@pytest.fixture
def casino():
    return Casino()


@pytest.fixture
def friday(casino):
    """The samples' tournament in its second round: twelve players, one rebuy, three out, Mara first with 640."""
    made = casino.post("/api/tournaments", CREATE | {"config": {"maxRounds": 5}}).json()["tournamentId"]
    for user in PLAYERS:
        name = "Mara" if user == "u-9" else user.title()
        casino.register(made, user, display_name=name, buy_in_amount=7.5)
    with at_time(STARTED):
        casino.post(f"/api/tournaments/{made}/start")
        assert casino.post(f"/api/tournaments/{made}/players/u-9/rebuy", {"additional_entries": 1}).status_code == 200
        report(made, "round.started", round=2)
        score(made, **{user: 10 * place for place, user in enumerate(reversed(PLAYERS[1:]), start=1)})
        score(made, **{"u-9": 640})
        for user in PLAYERS[-3:]:
            report(made, "player.eliminated", playerId=user)
    return made


def mara(tournament):
    return Entry.objects.get(tournament_id=int(tournament), player__external_id="u-9")


def tournament_body(casino, made, **differing):
    return {
        "tournamentId": made,
        "id": made,
        "operator_id": casino.operator.public_id,
        "external_id": None,
        "name": "Friday Sprint",
        "gameSlug": "crash-classic",
        "status": "scheduled",
        "scheduledStart": "2031-05-02T18:30:00Z",
        "scheduledEnd": None,
        "actualStartTime": None,
        "completedAt": None,
        "cancelledAt": None,
        "maxPlayers": 40,
        "minPlayers": 4,
        "min_players": 4,
        "currentPlayers": 0,
        "entryFee": 7.5,
        "currency": "USD",
        "prizePool": {
            "totalAmount": 0,
            "currency": "USD",
            "guaranteedPrize": 0,
            "distribution": {"1": 60, "2": 40},
        },
        "gameConfig": {},
        "games": [{"slug": "crash-classic", "config": {}, "status": "active"}],
        "tournamentType": "points_based",
        "startCondition": None,
        "registrationOpensAt": None,
        "allowLateRegistration": False,
        "rebuyEnabled": True,
        "rebuyFee": 7.5,
        "maxEntriesPerPlayer": 2,
        "rebuyConfig": {
            "enabled": True,
            "fee": 7.5,
            "maxEntriesPerPlayer": 2,
            "deadline": "2031-05-02T19:00:00Z",
        },
        "createdAt": "2031-04-30T09:00:00Z",
    } | differing


def test_create_answers_every_documented_variant_at_once(casino):
    answer = casino.post("/api/tournaments", CREATE)
    assert answer.status_code == 201
    made = str(Tournament.objects.get().pk)
    assert answer.json() == {
        "tournament_id": made,
        "tournamentId": made,
        "status": "scheduled",
        "scheduledStart": "2031-05-02T18:30:00Z",
        "scheduled_start": "2031-05-02T18:30:00Z",
        "estimated_prize_pool": 300,
        "estimatedPrizePool": 300,
        "roomId": None,
        "room_id": None,
        "gameUrl": None,
        "game_url": None,
        "tournament": tournament_body(casino, made),
    }


def test_create_takes_the_reference_pages_spelling(casino):
    answer = casino.post("/api/tournaments", REFERENCE)
    assert answer.status_code == 201
    made = Tournament.objects.get()
    assert (made.external_id, int(made.fee_units), made.max_players, made.min_players) == ("fs-1", 750, 40, 4)
    assert made.prize_rules == [{"minPlayers": 0, "percentages": ["60", "40"]}]
    assert answer.json()["tournament"]["gameConfig"] == {"tournament_type": "points_based"}


@pytest.mark.parametrize(
    ("pool", "estimate"),
    [
        ({"total": 500}, 500),  # TM's sample: the total is told although 50 x 10.50 could be collected
        ({"totalAmount": 500}, 500),
        ({"guaranteedPrize": 500}, 500),
        ({}, 525),
    ],
)
def test_the_estimate_is_the_total_if_there_is_one_else_a_full_fields_fees(casino, pool, estimate):
    body = REFERENCE | {"max_players": 50, "entry_fee": 10.50, "prize_pool": pool}
    assert casino.post("/api/tournaments", body).json()["estimated_prize_pool"] == estimate


def test_the_estimate_of_an_unlimited_field_is_nothing(casino):
    answer = casino.post("/api/tournaments", REFERENCE | {"max_players": None})
    assert answer.json()["estimated_prize_pool"] == 0
    assert answer.json()["tournament"]["maxPlayers"] is None


def test_list_is_modelled_on_the_leaderboards_pages(casino):
    made = casino.post("/api/tournaments", CREATE).json()["tournamentId"]
    answer = casino.get("/api/tournaments")
    assert answer.status_code == 200
    assert answer.json() == {
        "tournaments": [tournament_body(casino, made)],
        "pagination": {"total": 1, "limit": 50, "offset": 0, "hasMore": False},
        "totalCount": 1,
    }


def test_details_show_a_preview_and_the_participation(casino, friday):
    answer = casino.get(f"/api/tournaments/{friday}")
    assert answer.status_code == 200
    body = answer.json()
    pool = {"totalAmount": 97.5, "currency": "USD", "guaranteedPrize": 0, "distribution": {"1": 60, "2": 40}}
    assert body["tournament"] == tournament_body(
        casino,
        friday,
        status="in_progress",
        currentPlayers=12,
        actualStartTime="2031-05-02T18:21:07Z",
        prizePool=pool,
        gameConfig={"maxRounds": 5},
        games=[{"slug": "crash-classic", "config": {"maxRounds": 5}, "status": "active"}],
        rebuyConfig={"enabled": True, "fee": 7.5, "maxEntriesPerPlayer": 2, "deadline": "2031-05-02T18:51:07Z"},
    )
    assert body["player_count"] == 12
    assert body["prize_pool"] == pool
    assert len(body["leaderboard_preview"]) == 10
    assert body["leaderboard_preview"][0] == {
        "position": 1,
        "player_id": str(mara(friday).player_id),
        "display_name": "Mara",
        "points": "640",
        "status": "active",
        "userId": "u-9",
    }
    assert body["participation_stats"] == {
        "total_players": 12,
        "total_entries": 13,
        "average_entries_per_player": 1.08,
        "active_players": 9,
        "eliminated_players": 3,
    }


def test_update_changes_what_is_named(casino):
    made = casino.create(max_players=40, min_players=4)
    answer = casino.put(f"/api/tournaments/{made}", {"name": "Friday Sprint II", "max_players": 60})
    assert answer.status_code == 200
    assert set(answer.json()) == {"tournament"}
    assert answer.json()["tournament"]["name"] == "Friday Sprint II"
    assert answer.json()["tournament"]["maxPlayers"] == 60
    changed = Tournament.objects.get()
    assert (changed.name, changed.max_players, changed.min_players) == ("Friday Sprint II", 60, 4)


@pytest.mark.parametrize("where", ["body", "query"])
def test_cancel_refunds_entries_and_rebuys_of_everyone(casino, friday, where):
    said = {"reason": "venue outage"}
    path = f"/api/tournaments/{friday}"
    answer = casino.delete(path, said) if where == "body" else casino.delete(f"{path}?reason=venue%20outage")
    assert answer.status_code == 200
    assert answer.json() == {
        "cancelled": True,
        "reason": "venue outage",
        "refunds": {"totalRefunded": 97.5, "playersRefunded": 12},
    }
    cancelled = Tournament.objects.get()
    settlement.pay_on(cancelled.pk, at=NOW)
    assert world.escrow(cancelled) == 0
    assert world.state(cancelled) == "CANCELED"
    assert casino.get(f"{path}/status").json()["current_phase"] == "cancelled"


def test_start_by_hand(casino):
    made = casino.post("/api/tournaments", CREATE).json()["tournamentId"]
    for user in PLAYERS:
        casino.register(made, user)
    with at_time(STARTED):
        answer = casino.post(f"/api/tournaments/{made}/start")
    assert answer.status_code == 200
    body = answer.json()
    assert body["tournament"]["status"] == "in_progress"
    assert {name: body[name] for name in body if name != "tournament"} == {
        "actual_start_time": "2031-05-02T18:21:07Z",
        "final_player_count": 12,
        "final_prize_pool": 90,
        "message": "started",
    }


def test_status_tells_phase_and_counts(casino, friday):
    assert casino.get(f"/api/tournaments/{friday}/status").json() == {
        "tournament_id": friday,
        "tournamentId": friday,
        "status": "in_progress",
        "current_phase": "round_2",
        "currentPhase": "round_2",
        "player_counts": {"total_registered": 12, "active_players": 9, "eliminated_players": 3},
        "active_games": [
            {"slug": "crash-classic", "status": "active", "room_id": f"tournament_{friday}_crash-classic"}
        ],
    }


@pytest.mark.parametrize(
    "body",
    [
        {"userId": "u-9", "displayName": "Mara", "buyInAmount": 7.5},
        {"user_id": "u-9", "display_name": "Mara", "buy_in_amount": 7.50},
        {"user_id": "u-9", "display_name": "Mara", "entry_payment_details": {"payment_id": "pay-1"}},
        {"userId": "u-9", "displayName": "Mara", "entryPaymentDetails": {"paymentId": "pay-1"}},
    ],
)
def test_register_answers_with_the_token_in_all_its_places(casino, body):
    made = casino.create()
    answer = casino.post(f"/api/tournaments/{made}/players", body)
    assert answer.status_code == 201
    entry, told = mara(made), answer.json()
    token = told["jwt"]
    url = f"https://play.example/crash-classic?jwt={token}"
    internal = f"TP_{made}_{entry.player_id}_1"
    assert told == {
        "player_id": str(entry.player_id),
        "playerId": str(entry.player_id),
        "internal_player_id": internal,
        "internalPlayerId": internal,
        "tournament_id": made,
        "tournamentId": made,
        "status": "registered",
        "crash-classic": {"jwt": token, "game_url": url},
        "jwt": token,
        "gameUrl": url,
        "game_url": url,
        "message": "registered",
    }
    assert token.count(".") == 2
    assert entry.payment_id == ("pay-1" if "payment" in str(body).lower() else "")


def test_a_second_registration_names_the_first(casino):
    made = casino.create()
    first = casino.register(made, "u-9", payment_id="pay-1")
    before = everything()
    answer = casino.post(
        f"/api/tournaments/{made}/players", {"userId": "u-9", "displayName": "Mara", "payment_id": "pay-1"}
    )
    assert answer.status_code == 409
    body = answer.json()
    assert body == {
        "success": False,
        "error": {
            "code": "DUPLICATE_REGISTRATION",
            "message": body["message"],
            "details": {"player_id": first["player_id"]},
        },
        "message": body["message"],
        "code": "DUPLICATE_REGISTRATION",
        "request_id": answer["X-Request-Id"],
    }
    assert everything() == before


def test_players_are_listed_with_their_position(casino, friday):
    answer = casino.get(f"/api/tournaments/{friday}/players")
    assert answer.status_code == 200
    body = answer.json()
    assert body["totalCount"] == len(body["players"]) == 12
    entry = mara(friday)
    assert body["players"][0] == {
        "playerId": str(entry.player_id),
        "userId": "u-9",
        "internalPlayerId": f"TP_{friday}_{entry.player_id}_1",
        "displayName": "Mara",
        "status": "active",
        "registeredAt": "2031-04-30T09:00:00Z",
        "entryCount": 2,
        "totalPaid": 15,
        "currentPosition": 1,
        "currentScore": 640,
        "eliminatedAt": None,
        "prizeAmount": None,
    }
    assert [row["currentPosition"] for row in body["players"]] == list(range(1, 13))
    assert [row["status"] for row in body["players"]].count("eliminated") == 3


@pytest.mark.parametrize("ref", ["player id", "internal id", "user id"])
def test_a_players_status_by_any_of_their_ids(casino, friday, ref):
    entry = mara(friday)
    name = {"player id": str(entry.player_id), "internal id": entry.internal_player_id, "user id": "u-9"}[ref]
    answer = casino.get(f"/api/tournaments/{friday}/players/{name}")
    assert answer.status_code == 200
    assert answer.json() == {
        "player_id": str(entry.player_id),
        "internal_player_id": f"TP_{friday}_{entry.player_id}_1",
        "display_name": "Mara",
        "tournament_id": friday,
        "status": "active",
        "points": "640",
        "position": 1,
        "current_round": "2",
        "current_group": None,
        "elimination_round": None,
        "user_id": "u-9",
    }


@pytest.mark.parametrize("where", ["body", "query"])
def test_leaving_before_the_start_withdraws_and_refunds(casino, where):
    made = casino.create()
    for user in PLAYERS:
        casino.register(made, user)
    path = f"/api/tournaments/{made}/players/u-9"
    if where == "body":
        answer = casino.delete(path, {"reason": "voluntary_exit", "details": "asked to leave"})
    else:
        answer = casino.delete(f"{path}?reason=voluntary_exit&details=asked+to+leave")
    assert answer.status_code == 200
    entry = mara(made)
    assert answer.json() == {
        "player_id": str(entry.player_id),
        "tournament_id": made,
        "status": "withdrawn",
        "reason": "voluntary_exit",
        "remaining_players": 11,
        "message": "removed",
    }
    assert entry.status == "WITHDRAWN"
    assert world.escrow(entry.tournament) == 11 * 750
    fact = Fact.objects.get(type="player.removed")
    assert (fact.data["refundAmount"], fact.data["details"]) == (7.5, "asked to leave")


@pytest.mark.parametrize("reason", ["voluntary_exit", "elimination"])
def test_leaving_after_the_start_eliminates_without_a_refund(casino, friday, reason):
    held = world.escrow(Tournament.objects.get())
    answer = casino.delete(f"/api/tournaments/{friday}/players/u-9", {"reason": reason})
    assert answer.status_code == 200
    assert (answer.json()["status"], answer.json()["remaining_players"]) == ("eliminated", 8)
    assert mara(friday).status == "OUT"
    assert world.escrow(Tournament.objects.get()) == held


@pytest.mark.parametrize("body", [None, {"additional_entries": 1}, {"additionalEntries": 1}, {}])
def test_a_rebuy_is_approved_and_counted(casino, body):
    made = casino.running(*PLAYERS, rebuyEnabled=True, rebuyFee=7.5, maxEntriesPerPlayer=2)
    answer = casino.post(f"/api/tournaments/{made}/players/u-9/rebuy", body)
    assert answer.status_code == 200
    assert answer.json() == {
        "rebuy_approved": True,
        "new_entry_count": 2,
        "total_paid": 15,
        "additional_entries": 1,
        "entry_statistics": {"total_players": 12, "total_entries": 13, "average_entries_per_player": 1.08},
        "message": "rebuy recorded",
    }
    assert world.escrow(Tournament.objects.get()) == 9750


def test_a_refused_rebuy_says_so_twice(casino, friday):
    before = everything()
    answer = casino.post(f"/api/tournaments/{friday}/players/u-9/rebuy")
    assert answer.status_code == 409
    assert answer.json()["rebuy_approved"] is False
    assert answer.json()["code"] == answer.json()["error"]["code"] == "REBUY_LIMIT_REACHED"
    assert everything() == before


def test_the_leaderboard(casino, friday):
    with at_time(STARTED + timedelta(minutes=5)):
        answer = casino.get(f"/api/tournaments/{friday}/leaderboard")
    assert answer.status_code == 200
    body = answer.json()
    rows = body.pop("leaderboard")
    assert body == {
        "tournamentId": friday,
        "status": "in_progress",
        "currentRound": 2,
        "totalRounds": 5,
        "lastUpdated": "2031-05-02T18:21:07Z",
        "pagination": {"total": 9, "limit": 50, "offset": 0, "hasMore": False},
        "prizePool": {"totalAmount": 97.5, "distribution": {"1st": 58.5, "2nd": 39}},
    }
    assert len(rows) == 9
    assert rows[0] == {
        "position": 1,
        "playerId": str(mara(friday).player_id),
        "userId": "u-9",
        "displayName": "Mara",
        "points": 640,
        "status": "active",
        "entryCount": 2,
        "totalPaid": 15,
        "currentRound": 2,
        "lastActivity": "2031-05-02T18:21:07Z",
    }


def test_the_results_are_fixed_at_completion(casino, friday):
    assert casino.get(f"/api/tournaments/{friday}/results").json()["code"] == "RESULTS_NOT_AVAILABLE"
    with at_time(ENDED):
        complete(friday)
    answer = casino.get(f"/api/tournaments/{friday}/results")
    assert answer.status_code == 200
    body = answer.json()
    second = Entry.objects.get(player__external_id=PLAYERS[1])
    assert body == {
        "tournamentId": friday,
        "name": "Friday Sprint",
        "status": "completed",
        "completedAt": "2031-05-02T19:10:07Z",
        "duration": 2940,
        "totalPlayers": 12,
        "totalRounds": body["totalRounds"],
        "prizePool": {
            "totalAmount": 97.5,
            "currency": "USD",
            "guaranteedPrize": 0,
            "distribution": {"1": 60, "2": 40},
        },
        "winners": [
            {
                "position": 1,
                "playerId": str(mara(friday).player_id),
                "displayName": "Mara",
                "finalScore": 640,
                "prizeAmount": 58.5,
                "netWinnings": 43.5,
                "entryCount": 2,
                "totalPaid": 15,
            },
            {
                "position": 2,
                "playerId": str(second.player_id),
                "displayName": second.display_name,
                "finalScore": 110,
                "prizeAmount": 39,
                "netWinnings": 31.5,
                "entryCount": 1,
                "totalPaid": 7.5,
            },
        ],
        "statistics": {
            # (640 + 10 + 20 + … + 110) / 12
            "averageScore": 108.33,
            "totalEntryFees": 90,
            "totalRebuys": 1,
            "operatorRevenue": 0,
        },
    }
    assert body["totalRounds"] in (2, 5)
    listed = casino.get(f"/api/tournaments/{friday}/players?status=winner").json()
    assert [(row["displayName"], row["prizeAmount"]) for row in listed["players"]] == [
        ("Mara", 58.5),
        (second.display_name, 39),
    ]


def test_the_prize_pool_adds_up(casino, friday):
    with at_time(STARTED.replace(minute=40, second=0)):
        answer = casino.get(f"/api/tournaments/{friday}/prize-pool")
    assert answer.status_code == 200
    assert answer.json() == {
        "tournamentId": friday,
        "currency": "USD",
        "totalAmount": 97.5,
        "guaranteedPrize": 0,
        "entryFees": 90,
        "rebuyFees": 7.5,
        "rakePercent": 0,
        "rakeAmount": 0,
        "totalEntries": 13,
        "playerCount": 12,
        "isFinal": False,
        "distribution": {"1": 60, "2": 40},
        "payouts": [
            {"position": 1, "percentage": 60, "amount": 58.5},
            {"position": 2, "percentage": 40, "amount": 39},
        ],
        "prizePool": {
            "totalAmount": 97.5,
            "currency": "USD",
            "guaranteedPrize": 0,
            "distribution": {"1st": 58.5, "2nd": 39},
        },
        "calculatedAt": "2031-05-02T18:40:00Z",
    }


def test_the_events_have_the_webhooks_envelope_and_the_newest_is_last(casino):
    made = casino.create()
    with at_time(NOW + timedelta(days=1)):
        player = casino.register(made, "u-9")["player_id"]
    answer = casino.get(f"/api/tournaments/{made}/events", {"type": "player.registered"})
    assert answer.status_code == 200
    fact = Fact.objects.get(type="player.registered")
    body = answer.json()
    assert body["tournamentId"] == made
    assert body["pagination"] == {"total": 1, "limit": 50, "offset": 0, "hasMore": False}
    (event,) = body["events"]
    assert event.pop("data")["playerId"] == player
    assert event == {
        "eventType": "player.registered",
        "eventId": fact.public_id,
        "timestamp": "2031-05-01T09:00:00Z",
        "tournamentId": made,
        "operatorId": casino.operator.public_id,
    }
    everything_said = casino.get(f"/api/tournaments/{made}/events").json()["events"]
    assert [one["eventType"] for one in everything_said] == ["tournament.created", "player.registered"]
    late = casino.get(f"/api/tournaments/{made}/events", {"since": "2031-05-01T00:00:00Z"}).json()
    assert [one["eventType"] for one in late["events"]] == ["player.registered"]
    assert late["pagination"]["total"] == 1


def test_a_players_history(casino, friday):
    with at_time(ENDED):
        complete(friday)
    running = casino.running("u-9", "u-20", name="Later")
    answer = casino.get("/api/players/u-9/tournaments")
    assert answer.status_code == 200
    assert answer.json() == {
        "player_id": str(mara(friday).player_id),
        "external_id": "u-9",
        "display_name": "Mara",
        "tournament_history": {
            "data": [
                {
                    "tournament_id": running,
                    "tournament_name": "Later",
                    "tournament_type": "points_based",
                    "status": "in_progress",
                    "started_at": "2031-04-30T09:00:00Z",
                    "ended_at": None,
                    "player_status": "active",
                    "points_earned": "0",
                    "final_position": None,
                    "total_players": 2,
                },
                {
                    "tournament_id": friday,
                    "tournament_name": "Friday Sprint",
                    "tournament_type": "points_based",
                    "status": "completed",
                    "started_at": "2031-05-02T18:21:07Z",
                    "ended_at": "2031-05-02T19:10:07Z",
                    "player_status": "winner",
                    "points_earned": "640",
                    "final_position": 1,
                    "total_players": 12,
                },
            ],
            "current_page": 1,
            "per_page": 50,
            "total": 2,
            "last_page": 1,
        },
        "performance_statistics": {
            "total_tournaments": 2,
            "completed_tournaments": 1,
            "average_position": 1,
            "best_position": 1,
            "total_points_earned": 640,
        },
    }
