"""Every spelling of operators.md 1.3 is the same field."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from apps.core.errors import Invalid
from apps.ledger.models import Rail
from apps.tournaments.api.casino import inputs, spellings

NEW = {"name": "Friday Sprint", "game": "crash-classic", "scheduled_start": "2031-05-02T18:30:00Z", "entry_fee": 7}
START = datetime(2031, 5, 2, 18, 30, tzinfo=UTC)


def without(*names):
    return {name: value for name, value in NEW.items() if name not in names}


@pytest.mark.parametrize(
    ("body", "field", "value"),
    [
        ({"external_id": "x"}, "external_id", "x"),
        ({"externalId": "x"}, "external_id", "x"),
        ({"endTime": "2031-05-03T18:30:00Z"}, "ends_at", START.replace(day=3)),
        ({"end_time": "2031-05-03T18:30:00Z"}, "ends_at", START.replace(day=3)),
        ({"scheduled_end": "2031-05-03T18:30:00Z"}, "ends_at", START.replace(day=3)),
        ({"max_players": 9}, "max_players", 9),
        ({"maxPlayers": 9}, "max_players", 9),
        ({"min_players": 3}, "min_players", 3),
        ({"minPlayers": 3}, "min_players", 3),
        ({"prize_pool": {"total": 500}}, "guarantee", Decimal(500)),
        ({"prize_pool": {"totalAmount": 500}}, "guarantee", Decimal(500)),
        ({"prize_pool": {"guaranteedPrize": 500}}, "guarantee", Decimal(500)),
        ({"prize_pool": {"guaranteed_prize": 500}}, "guarantee", Decimal(500)),
        ({"prizePool": {"total": 500}}, "guarantee", Decimal(500)),
        ({"prizePool": {"totalAmount": 500}}, "guarantee", Decimal(500)),
        ({"prizePool": {"guaranteedPrize": 500}}, "guarantee", Decimal(500)),
        ({"prize_pool": {"distribution": {"2": 40, "1": 60}}}, "percentages", [Decimal(60), Decimal(40)]),
        ({"prizePool": {"type": "percentage", "distribution": [60, 40]}}, "percentages", [Decimal(60), Decimal(40)]),
        ({"config": {"maxRounds": 3}}, "config", {"maxRounds": 3}),
        ({"gameConfig": {"maxRounds": 3}}, "config", {"maxRounds": 3}),
        ({"game_config": {"maxRounds": 3}}, "config", {"maxRounds": 3}),
        ({"config": {"tournament_type": "elimination"}}, "tournament_type", "elimination"),
        ({"config": {"tournamentType": "elimination"}}, "tournament_type", "elimination"),
        ({"gameConfig": {"tournamentType": "elimination"}}, "tournament_type", "elimination"),
        ({"tournament_type": "elimination"}, "tournament_type", "elimination"),
        ({"tournamentType": "elimination"}, "tournament_type", "elimination"),
        ({"rebuy_enabled": True}, "rebuy_enabled", True),
        ({"rebuyEnabled": True}, "rebuy_enabled", True),
        ({"entry_settings": {"rebuy_enabled": True}}, "rebuy_enabled", True),
        ({"entrySettings": {"rebuyEnabled": True}}, "rebuy_enabled", True),
        ({"rebuyConfig": {"enabled": True}}, "rebuy_enabled", True),
        ({"rebuy_fee": 5}, "rebuy_fee", Decimal(5)),
        ({"rebuyFee": 5}, "rebuy_fee", Decimal(5)),
        ({"entry_settings": {"rebuy_fee": 5}}, "rebuy_fee", Decimal(5)),
        ({"rebuyConfig": {"fee": 5}}, "rebuy_fee", Decimal(5)),
        ({"max_entries_per_player": 4}, "max_entries", 4),
        ({"maxEntriesPerPlayer": 4}, "max_entries", 4),
        ({"entry_settings": {"max_entries_per_player": 4}}, "max_entries", 4),
        ({"rebuyConfig": {"maxEntriesPerPlayer": 4}}, "max_entries", 4),
        ({"rebuyConfig": {"deadline": "2031-05-02T19:15:30Z"}}, "rebuy_minutes", 45),
        ({"rebuyDeadline": "2031-05-02T20:15:00+01:00"}, "rebuy_minutes", 45),
        ({"features": {"allowLateRegistration": True}}, "late_registration", True),
        ({"operatorConfig": {"features": {"allowLateRegistration": True}}}, "late_registration", True),
        ({"rakePercent": 2.5}, "rake_percent", Decimal("2.5")),
        ({"autoPayout": False}, "needs_approval", True),
        ({"auto_payout": True}, "needs_approval", False),
        ({"rail": "wallet"}, "rail", Rail.WALLET),
        ({"currency": "EUR"}, "currency", "EUR"),
    ],
)
def test_an_optional_field_of_a_tournament(body, field, value):
    exact = {name: Decimal(str(one)) if isinstance(one, float) else one for name, one in body.items()}
    assert getattr(inputs.new_tournament(NEW | exact), field) == value


@pytest.mark.parametrize("name", ["game", "gameSlug", "game_slug"])
def test_the_game(name):
    assert inputs.new_tournament(without("game") | {name: "crash-classic"}).game_slug == "crash-classic"


@pytest.mark.parametrize("name", ["scheduled_start", "scheduledStart", "startTime", "start_time"])
@pytest.mark.parametrize(
    "text",
    [
        "2031-05-02T18:30:00Z",
        "2031-05-02T18:30:00.000Z",
        "2031-05-02T20:30:00+02:00",
        "2031-05-02T18:30Z",
        "2031-05-02T18:30:00",
    ],
)
def test_the_start(name, text):
    assert inputs.new_tournament(without("scheduled_start") | {name: text}).starts_at == START


@pytest.mark.parametrize("name", ["entry_fee", "entryFee"])
def test_the_fee_is_exact(name):
    fee = Decimal("10.10")
    assert inputs.new_tournament(without("entry_fee") | {name: fee}).entry_fee == fee


@pytest.mark.parametrize(
    "body",
    [
        {"user_id": "u-9", "display_name": "Mara", "entry_payment_details": {"payment_id": "p"}, "buy_in_amount": 7},
        {"userId": "u-9", "displayName": "Mara", "entryPaymentDetails": {"paymentId": "p"}, "buyInAmount": 7},
        {"user_id": "u-9", "displayName": "Mara", "entryPaymentDetails": {"payment_id": "p"}, "buyInAmount": 7},
    ],
)
def test_a_registration(body):
    assert inputs.registration(body) == inputs.Registration("u-9", "Mara", Decimal(7), "p", None)


def test_ids_keep_their_spaces_and_names_lose_them():
    new = inputs.registration({"user_id": " u 9 ", "display_name": "  Mara  "})
    assert (new.user_id, new.display_name) == (" u 9 ", "Mara")


def test_unlimited_is_not_the_same_as_unchanged():
    assert inputs.tournament_changes({"max_players": None}).unlimited is True
    assert inputs.tournament_changes({"name": "II"}).unlimited is False


@pytest.mark.parametrize(
    "body", [{"config": 5}, {"prizePool": []}, {"rebuyConfig": "x"}, {"operatorConfig": {"features": 1}}]
)
def test_a_part_that_is_no_object_is_not_overlooked(body):
    with pytest.raises(Invalid):
        spellings.read(body, spellings.TOURNAMENT)
