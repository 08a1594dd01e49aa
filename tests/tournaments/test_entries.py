from datetime import timedelta
from decimal import Decimal

import pytest

from apps.core.errors import Invalid
from apps.events.models import Fact
from apps.ledger.models import Journal
from apps.operators.services.admission import PlayerBlocked
from apps.tournaments.models import Entry, StartMode, Tournament
from apps.tournaments.services import creation, entries, running, tally
from apps.tournaments.services.states import InvalidState
from tests.tournaments import world
from tests.tournaments.intake.events import outcomes, points, scored, take
from tests.tournaments.world import AT, STAFF, START

pytestmark = pytest.mark.django_db


def register(tournament, user_id="ann", *, at=AT, **more):
    return entries.register(tournament.pk, user_id=user_id, display_name="Ann", actor=STAFF, at=at, **more)


def nothing_moved(tournament, *, players=0):
    """No money in escrow beyond the players already in, no fact of a registration beyond theirs."""
    assert tally.totals(tournament.pk).players == players
    assert Entry.objects.filter(tournament=tournament).count() == players
    assert Fact.objects.filter(type="player.registered").count() == players
    assert world.escrow(tournament) == players * int(tournament.fee_units)


def test_a_registration_collects_the_fee_into_escrow_and_reports_it():
    tournament = world.make(entry_fee=Decimal("7.50"))
    entry = register(tournament, payment_id="pay-1", buy_in=Decimal("7.5"))
    assert world.money(tournament.operator) == {"CLEARING": -750, "ESCROW": 750}
    assert entry.internal_player_id == f"TP_{tournament.pk}_{entry.player_id}_1"
    fact = Fact.objects.get(type="player.registered")
    assert fact.subject == tournament.subject
    assert fact.data["totalPaid"] == Decimal("7.5")
    assert fact.data["paymentId"] == "pay-1"
    totals = tally.totals(tournament.pk)
    assert (totals.players, totals.entries, totals.collected) == (1, 1, 750)


def test_a_free_tournament_moves_no_money():
    tournament = world.make(entry_fee=Decimal(0))
    register(tournament)
    assert not Journal.objects.exists()


def test_the_same_player_twice_is_refused_with_their_id():
    tournament = world.make()
    first = register(tournament, payment_id="pay-1")
    with pytest.raises(entries.DuplicateRegistration) as refusal:
        register(tournament, payment_id="pay-1")
    assert refusal.value.details == {"player_id": str(first.player_id)}
    nothing_moved(tournament, players=1)


def test_a_wrong_buy_in_is_refused():
    tournament = world.make()
    with pytest.raises(entries.BuyInMismatch):
        register(tournament, buy_in=Decimal("9.99"))
    nothing_moved(tournament)


def test_a_full_tournament_refuses():
    tournament = world.make(max_players=2)
    world.enter(tournament, "ann", "bob")
    with pytest.raises(entries.TournamentFull):
        register(tournament, "cid")
    nothing_moved(tournament, players=2)


@pytest.mark.parametrize("kind", ["SUSPENDED", "SELF_EXCLUDED"])
def test_a_blocked_player_can_not_enter_until_the_block_ends(kind):
    tournament = world.make()
    player = world.enter(world.make(tournament.operator), "ann")[0].player
    until = AT + timedelta(hours=1)
    type(player).objects.filter(pk=player.pk).update(block_kind=kind, blocked_at=AT, blocked_until=until)
    with pytest.raises(PlayerBlocked):
        register(tournament)
    assert world.escrow(tournament) == 0
    register(tournament, at=until)
    assert world.escrow(tournament) == 1000


def test_registration_waits_for_its_window():
    tournament = world.make(registration_opens_at=AT + timedelta(hours=1))
    with pytest.raises(entries.RegistrationClosed):
        register(tournament)
    register(tournament, at=AT + timedelta(hours=1))


def test_nobody_enters_after_registration_closed():
    tournament = world.make()
    running.close_registration(tournament.pk, actor=STAFF, at=AT)
    with pytest.raises(entries.RegistrationClosed):
        register(tournament)
    nothing_moved(tournament)


def test_late_registration_ends_with_the_rebuys():
    tournament = world.played(late_registration=True)
    register(tournament, "late", at=START + timedelta(minutes=30))
    with pytest.raises(entries.RegistrationClosed):
        register(tournament, "later", at=START + timedelta(minutes=31))
    early = world.played(operator=tournament.operator)
    with pytest.raises(entries.RegistrationClosed):
        register(early, "late", at=START)


def test_sign_up_ends_with_the_start_time_even_if_nobody_has_started_it_yet():
    tournament = world.make()
    register(tournament, at=START - timedelta(microseconds=1))
    with pytest.raises(entries.RegistrationClosed):
        register(tournament, "late", at=START)
    nothing_moved(tournament, players=1)
    open_late = world.make(tournament.operator, late_registration=True)
    register(open_late, "late", at=START)
    with pytest.raises(entries.RegistrationClosed):
        register(open_late, "later", at=START + timedelta(minutes=31))


def test_who_is_in_and_tries_again_too_late_is_told_that_they_are_in():
    tournament = world.make()
    ann = register(tournament, payment_id="pay-1")
    bob = register(tournament, "bob")
    entries.remove(bob.pk, reason="voluntary_exit", actor=STAFF, at=AT)
    running.close_registration(tournament.pk, actor=STAFF, at=AT)
    with pytest.raises(entries.DuplicateRegistration) as refusal:
        register(tournament, payment_id="pay-1")
    assert refusal.value.details == {"player_id": str(ann.player_id)}
    with pytest.raises(entries.RegistrationClosed):
        register(tournament, "bob")
    assert world.escrow(tournament) == 1000


def test_a_tournament_whose_time_has_come_starts_at_once_and_still_takes_players():
    tournament = world.make(starts_at=AT)
    assert world.state(tournament) == "RUNNING"
    register(tournament, at=AT + timedelta(minutes=5))
    assert list(Fact.objects.order_by("id").values_list("type", flat=True)) == [
        "tournament.created",
        "tournament.started",
        "player.registered",
    ]


def test_a_hop_on_lobby_starts_itself_with_the_last_one_in():
    tournament = world.make(start_mode=StartMode.AT_COUNT, starts_at=None, min_players=3)
    world.enter(tournament, "ann", "bob")
    assert world.state(tournament) == "REGISTERING"
    world.enter(tournament, "cid")
    assert world.state(tournament) == "RUNNING"
    assert Fact.objects.get(type="tournament.started").data["initialPlayerCount"] == 3


def test_a_voluntary_exit_before_the_start_refunds_everything_paid():
    tournament = world.make(rebuy_enabled=True, rebuy_fee=Decimal(5))
    entry = world.enter(tournament, "ann", "bob")[0]
    entries.rebuy(entry.pk, actor=STAFF, at=AT)
    removal = entries.remove(entry.pk, reason="voluntary_exit", actor=STAFF, at=AT)
    assert (removal.refund_units, removal.remaining_players) == (1500, 1)
    assert world.escrow(tournament) == 1000
    totals = tally.totals(tournament.pk)
    assert (totals.players, totals.active, totals.entries, totals.collected) == (1, 1, 1, 1000)
    with pytest.raises(entries.PlayerNotActive):
        entries.remove(entry.pk, reason="voluntary_exit", actor=STAFF, at=AT)
    assert world.escrow(tournament) == 1000


def test_who_withdrew_may_come_back_as_a_new_attempt_and_frees_the_seat():
    tournament = world.make(max_players=2)
    ann, _ = world.enter(tournament, "ann", "bob")
    entries.remove(ann.pk, reason="voluntary_exit", actor=STAFF, at=AT)
    again = register(tournament)
    assert again.internal_player_id == f"TP_{tournament.pk}_{ann.player_id}_2"
    with pytest.raises(entries.TournamentFull):
        register(tournament, "cid")


def test_leaving_after_the_start_eliminates_without_a_refund():
    tournament = world.played()
    entry = Entry.objects.get(player__external_id="ann")
    removal = entries.remove(entry.pk, reason="voluntary_exit", actor=STAFF, at=START)
    assert (removal.refund_units, removal.remaining_players) == (0, 2)
    assert Entry.objects.get(pk=entry.pk).status == "OUT"
    assert world.escrow(tournament) == 3000
    assert Fact.objects.get(type="player.eliminated").data["finalPosition"] == 3


def test_the_last_one_standing_wins_where_points_and_rounds_say_nothing():
    tournament = world.played(tournament_type="elimination", points={"ann": 0, "bob": 0, "cid": 0})
    for name in ("ann", "bob"):
        entry = Entry.objects.get(player__external_id=name)
        entries.remove(entry.pk, reason="elimination", actor=STAFF, at=START)
    assert Entry.objects.filter(tournament=tournament).ranked()[0].player.external_id == "cid"


def test_an_elimination_needs_a_running_tournament():
    tournament = world.make()
    entry = world.enter(tournament, "ann")[0]
    with pytest.raises(InvalidState):
        entries.remove(entry.pk, reason="elimination", actor=STAFF, at=AT)
    assert Entry.objects.get(pk=entry.pk).status == "IN"


def test_the_last_one_standing_ends_an_elimination():
    tournament = world.played(tournament_type="elimination")
    for name in ("cid", "bob"):
        entry = Entry.objects.get(player__external_id=name)
        entries.remove(entry.pk, reason="elimination", actor=STAFF, at=START)
    assert world.state(tournament) == "SETTLING"


def test_a_rebuy_adds_an_entry_and_returns_an_eliminated_player_with_points_kept():
    tournament = world.played(rebuy_enabled=True)
    entry = Entry.objects.get(player__external_id="ann")
    entries.remove(entry.pk, reason="elimination", actor=STAFF, at=START)
    back = entries.rebuy(entry.pk, additional_entries=2, actor=STAFF, at=START + timedelta(minutes=30))
    assert (back.status, back.entry_count, int(back.paid_units), back.points) == ("IN", 3, 3000, Decimal(30))
    assert world.escrow(tournament) == 5000
    totals = tally.totals(tournament.pk)
    assert (totals.players, totals.active, totals.entries, totals.rebuy_units) == (3, 3, 5, 2000)


@pytest.mark.parametrize(
    ("wishes", "late", "count", "refusal"),
    [
        ({}, 0, 1, entries.RebuyNotAllowed),
        ({"rebuy_enabled": True, "max_entries": 2}, 0, 2, entries.RebuyLimitReached),
        ({"rebuy_enabled": True}, 31, 1, entries.RebuyDeadlinePassed),
    ],
)
def test_rebuys_that_are_refused_cost_nothing(wishes, late, count, refusal):
    tournament = world.played(**wishes)
    entry = Entry.objects.get(player__external_id="ann")
    with pytest.raises(refusal):
        entries.rebuy(entry.pk, additional_entries=count, actor=STAFF, at=START + timedelta(minutes=late))
    assert world.escrow(tournament) == 3000
    assert Entry.objects.get(pk=entry.pk).entry_count == 1
    assert not Fact.objects.filter(type="player.rebuy").exists()


def test_removal_with_refund_ends_with_the_start():
    tournament = world.make()
    ann, bob = world.enter(tournament, "ann", "bob")
    assert entries.remove_with_refund(ann.pk, reason="left", actor=STAFF, at=AT).refund_units == 1000
    running.start(tournament.pk, actor=STAFF, at=AT)
    with pytest.raises(InvalidState):
        entries.remove_with_refund(bob.pk, reason="left", actor=STAFF, at=AT)
    assert world.escrow(tournament) == 1000


def test_a_score_is_adjusted_with_its_reason_on_record():
    tournament = world.played()
    fact = Fact.objects.filter(type="player.score.adjusted").order_by("id").first()
    assert (fact.data["before"], fact.data["after"], fact.data["reason"]) == (0, 30, "test")
    running.complete(tournament.pk, actor=STAFF, at=START)
    with pytest.raises(InvalidState):
        world.score(tournament, ann=99)


def test_a_report_from_before_an_adjustment_does_not_undo_it():
    tournament = world.played(points={"ann": 0, "bob": 0})
    cheated = Entry.objects.get(player__external_id="ann")
    take(tournament, scored("ann", 900, after=5))
    noon = START + timedelta(seconds=20)
    entries.adjust_score(cheated.pk, points=Decimal(0), reason="cheated", actor=STAFF, at=noon)
    assert outcomes(tournament, scored("ann", 950, after=19)) == ["stale"]
    assert points(tournament)["ann"] == 0
    assert outcomes(tournament, scored("ann", 1, after=21)) == ["accepted"]


def test_fields_can_shrink_only_to_who_is_in():
    tournament = world.make(max_players=100)
    world.enter(tournament, "ann", "bob", "cid")
    with pytest.raises(creation.FieldTooSmall):
        change(tournament, max_players=2)
    change(tournament, max_players=3)
    with pytest.raises(entries.TournamentFull):
        register(tournament, "dan")
    change(tournament, unlimited=True)
    register(tournament, "dan")
    assert tally.totals(tournament.pk).players == 4


def change(tournament, **changes):
    return creation.update_tournament(tournament.pk, creation.TournamentChanges(**changes), actor=STAFF, at=AT)


def test_money_is_fixed_once_somebody_has_paid():
    tournament = world.make()
    change(tournament, entry_fee=Decimal(20))
    world.enter(tournament, "ann")
    with pytest.raises(creation.TournamentNotModifiable):
        change(tournament, entry_fee=Decimal(30))
    running.start(tournament.pk, actor=STAFF, at=AT)
    with pytest.raises(creation.TournamentNotModifiable):
        change(tournament, name="Too late")
    assert Tournament.objects.get(pk=tournament.pk).fee_units == 2000


def test_a_change_is_told_in_the_operators_words_and_major_units():
    tournament = world.make(rebuy_enabled=True)
    change(
        tournament,
        entry_fee=Decimal("12.50"),
        guarantee=Decimal(500),
        percentages=[Decimal(60), Decimal(40)],
        starts_at=START + timedelta(hours=1),
        max_players=9,
        config={"maxRounds": 4},
    )
    assert Fact.objects.get(type="tournament.updated").data["changes"] == {
        "entryFee": Decimal("12.50"),
        "rebuyFee": Decimal("12.50"),
        "guaranteedPrize": 500,
        "distribution": {"1": 60, "2": 40},
        "scheduledStart": "2031-05-02T13:00:00Z",
        "maxPlayers": 9,
        "gameConfig": {"maxRounds": 4},
    }


def test_a_change_to_what_holds_already_is_none():
    tournament = world.make()
    change(tournament, name=tournament.name, entry_fee=Decimal("10.00"))
    assert not Fact.objects.filter(type="tournament.updated").exists()


@pytest.mark.parametrize(
    ("before", "after", "rounds"),
    [({}, {"maxRounds": 5}, 5), ({"maxRounds": 10}, {"maxRounds": 5}, 5), ({"maxRounds": 10}, {}, None)],
)
def test_the_last_round_follows_the_configuration(before, after, rounds):
    tournament = world.make(config={"speed": 1, **before})
    change(tournament, config={"speed": 2, **after})
    assert Tournament.objects.get(pk=tournament.pk).max_rounds == rounds


def test_a_configuration_without_sense_changes_nothing():
    tournament = world.make(config={"maxRounds": 10})
    with pytest.raises(Invalid):
        change(tournament, config={"maxRounds": "many"})
    kept = Tournament.objects.get(pk=tournament.pk)
    assert (kept.config, kept.max_rounds) == ({"maxRounds": 10}, 10)


@pytest.mark.parametrize(("rebuy_fee", "expected"), [(None, 2000), (Decimal(4), 400)])
def test_a_rebuy_costs_the_entry_fee_unless_it_has_its_own_price(rebuy_fee, expected):
    tournament = world.make(rebuy_enabled=True, rebuy_fee=rebuy_fee)
    change(tournament, entry_fee=Decimal(20))
    assert Tournament.objects.get(pk=tournament.pk).rebuy_fee_units == expected


def test_a_lobby_starts_when_its_minimum_comes_down_to_who_is_there():
    tournament = world.make(start_mode=StartMode.AT_COUNT, starts_at=None, min_players=5)
    world.enter(tournament, "ann", "bob", "cid")
    change(tournament, min_players=4)
    assert world.state(tournament) == "REGISTERING"
    change(tournament, min_players=3)
    assert world.state(tournament) == "RUNNING"
    assert Fact.objects.get(type="tournament.started").data["initialPlayerCount"] == 3
