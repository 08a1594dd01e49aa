"""What staff set up in the admin: drafts, preferences, keys, people, games, and who may not play."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.contrib.admin.models import LogEntry

from apps.core import clock
from apps.events.models import Fact
from apps.ledger.models import Asset
from apps.operators.models import Brand, Credential, CredentialKind, Game, Membership, Operator, Player, Role, User
from apps.operators.services import credentials
from apps.operators.services.credentials import Unauthorized
from apps.tournaments.models import Tournament
from tests.admin.scenes import change, fresh, operation, press, signed_in, text, url
from tests.factories import GAME, UserFactory
from tests.tournaments import world

# --- tournaments ------------------------------------------------------------------------------------------------------


def test_a_draft_is_created_as_it_was_typed(acme):
    client = signed_in(acme.staff["manager"])
    answer = press(
        client,
        url(Tournament, "add"),
        name="Spring Cup",
        game=GAME,
        external_id="spring-26",
        start_mode="AT_TIME",
        starts_at="2031-06-01T18:30",
        ends_at="2031-06-01T20:00",
        min_players=4,
        max_players=100,
        asset="EUR",
        entry_fee="12.50",
        guarantee="1000",
        percentages="60, 25, 15",
        rake_percent="7.5",
        rail="WALLET",
        needs_approval="on",
        rebuy_enabled="on",
        max_entries=3,
    )
    made = Tournament.objects.get(name="Spring Cup")
    assert answer["Location"] == change(made)
    assert (made.status, made.operator, made.external_id) == ("DRAFT", acme.operator, "spring-26")
    assert (made.starts_at, made.ends_at) == (
        datetime(2031, 6, 1, 18, 30, tzinfo=UTC),
        datetime(2031, 6, 1, 20, 0, tzinfo=UTC),
    )
    assert (made.asset.code, int(made.fee_units), int(made.guarantee_units)) == ("EUR", 1250, 100_000)
    assert made.prize_rules == [{"minPlayers": 0, "percentages": ["60", "25", "15"]}]
    assert (made.rake_bps, made.rail, made.needs_approval, made.max_entries) == (750, "WALLET", True, 3)
    assert not Fact.objects.filter(subject=made.subject).exists(), "nobody is told of a draft"
    said = LogEntry.objects.latest("pk").change_message
    assert said.startswith("Create draft; name: Spring Cup; game: Crash Classic; external id: spring-26; ")


WRONG = [
    ({"percentages": "60, 30"}, "Prize percentages must add up to 100."),
    ({"percentages": "a lot"}, "Numbers with commas between them"),
    ({"starts_at": ""}, "A start time is needed."),
    ({"entry_fee": "0.001"}, "at most 2 decimal places"),
    ({"min_players": 9, "max_players": 3}, "min_players exceeds max_players."),
    ({"game": "another-game"}, "Select a valid choice"),
    ({"asset": "XAU"}, "Select a valid choice"),
]


@pytest.mark.parametrize("said, words", WRONG, ids=lambda case: str(case)[:30])
def test_a_draft_that_makes_no_sense_is_refused_with_the_reason(acme, said, words):
    number = Tournament.objects.count()
    usual = {"name": "Cup", "game": GAME, "starts_at": "2031-06-01T18:30", "asset": "USD"}
    answer = press(signed_in(acme.staff["owner"]), url(Tournament, "add"), **(usual | said))
    assert answer.status_code == 200
    assert words in text(answer)
    assert Tournament.objects.count() == number


def test_who_may_create_for_several_operators_is_asked_for_which_first(acme, nordic):
    client = signed_in(UserFactory(is_superuser=True))
    asked = client.get(url(Tournament, "add"))
    assert {operator.pk for operator in asked.context["operators"]} >= {acme.operator.pk, nordic.operator.pk}
    page = url(Tournament, "add") + f"?operator={nordic.operator.pk}"
    press(client, page, name="Northern Cup", game=GAME, starts_at="2031-06-01T18:30", asset="USD")
    assert Tournament.objects.get(name="Northern Cup").operator == nordic.operator


def test_a_person_cant_create_for_an_operator_they_do_not_belong_to(acme, nordic):
    page = url(Tournament, "add") + f"?operator={nordic.operator.pk}"
    answer = signed_in(acme.staff["owner"]).get(page)
    assert answer.context["operators"] == []


def test_an_upcoming_tournament_is_changed_and_only_what_was_changed_is_told(acme):
    client = signed_in(acme.staff["manager"])
    press(client, operation(acme.upcoming, "edit"), name="Friday Final", max_players=50)
    changed = fresh(acme.upcoming)
    assert (changed.name, changed.max_players) == ("Friday Final", 50)
    fact = Fact.objects.get(subject=acme.upcoming.subject, type="tournament.updated")
    assert set(fact.data["changes"]) == {"name", "maxPlayers"}


def test_money_is_fixed_once_a_player_is_registered(acme):
    answer = press(signed_in(acme.staff["owner"]), operation(acme.upcoming, "edit"), entry_fee="20")
    assert "Fees and prizes are fixed once a player is registered." in text(answer)
    assert int(fresh(acme.upcoming).fee_units) == 1000


@pytest.mark.parametrize("field", ["status", "fee_units", "points", "paid_units", "units", "name"])
def test_no_page_takes_money_results_or_states_as_fields(acme, field):
    client = signed_in(UserFactory(is_superuser=True))
    payout_before = acme.rows(type(acme.running)).first()
    for row in (acme.running, acme.entries[0], payout_before):
        answer = client.post(change(row), {field: "1", "_save": "Save"})
        assert answer.status_code == 403, row


# --- operators --------------------------------------------------------------------------------------------------------


def test_preferences_are_changed_by_form_and_their_history_says_from_what_to_what(acme):
    client = signed_in(acme.staff["owner"])
    origins = "https://a.example\nhttps://b.example"
    said = {"rake_percent": 5, "approve_from_total": 1000, "allowed_origins": origins}
    press(client, operation(acme.operator, "preferences"), **said)
    wishes = fresh(acme.operator).settings
    assert (wishes.rake_percent, wishes.approval.from_total) == (5, 1000)
    assert wishes.allowed_origins == ["https://a.example", "https://b.example"]
    assert fresh(acme.operator).preferences.keys() == {"rakePercent", "approval", "allowedOrigins"}
    page = text(client.get(change(acme.operator)))
    assert f"staff:{acme.staff['owner']}" in page


def test_a_preference_that_is_not_well_formed_is_refused_and_nothing_is_stored(acme):
    answer = press(
        signed_in(acme.staff["owner"]), operation(acme.operator, "preferences"), rake_percent=5, primary_color="red"
    )
    assert answer.status_code == 200
    assert "primaryColor" in text(answer)
    assert fresh(acme.operator).preferences == {}


@pytest.mark.parametrize("role", ["manager", "finance", "support", "auditor"])
def test_only_owners_change_preferences(acme, role):
    assert signed_in(acme.staff[role]).get(operation(acme.operator, "preferences")).status_code == 403


def test_only_the_platform_suspends_an_operator(acme):
    assert signed_in(acme.staff["owner"]).get(operation(acme.operator, "suspend")).status_code == 403
    press(signed_in(UserFactory(is_superuser=True)), operation(acme.operator, "suspend"), reason="unpaid bills")
    assert Operator.objects.get(pk=acme.operator.pk).suspended_at is not None


# --- keys -------------------------------------------------------------------------------------------------------------


def shown_key(page: str) -> str:
    return re.search(r'id="secret-key">([^<]+)<', page)[1]


def test_a_key_is_shown_once_and_works(acme):
    client = signed_in(acme.staff["owner"])
    issued = press(client, url(Credential, "add"), kind="OPERATOR", name="Cashier", scopes=["tournaments.read"])
    assert issued.status_code == 200
    assert "no-store" in issued["Cache-Control"]
    key = shown_key(text(issued))
    assert key.startswith("sk_live_")
    found = credentials.authenticate(key, kind=CredentialKind.OPERATOR, address="10.0.0.1", at=clock.now())
    assert (found.operator, found.scopes, found.created_by) == (
        acme.operator,
        ["tournaments.read"],
        f"staff:{acme.staff['owner']}",
    )
    for page in (change(found), url(Credential, "changelist"), url(Credential, "history", found.pk)):
        shown = text(client.get(page))
        assert key not in shown
        assert found.digest not in shown


def test_sending_the_form_again_issues_no_second_key_and_shows_none(acme):
    client = signed_in(acme.staff["owner"])
    ticket = client.get(url(Credential, "add")).context["form"]["ticket"].value()
    said = {"operator": acme.operator.pk, "kind": "OPERATOR", "name": "Cashier", "role": "Read Only", "ticket": ticket}
    client.post(url(Credential, "add"), said)
    again = client.post(url(Credential, "add"), said, follow=True)
    assert Credential.objects.filter(name="Cashier").count() == 1
    assert "secret-key" not in text(again)


def test_a_role_stands_for_its_scopes(acme):
    said = {"kind": "OPERATOR", "name": "Reader", "role": "Read Only", "compound": "on"}
    press(signed_in(acme.staff["owner"]), url(Credential, "add"), **said)
    made = Credential.objects.get(name="Reader")
    assert made.scopes == ["tournaments.read", "players.read", "results.read"]
    assert made.prefix.startswith("pk_")


def test_rotation_gives_a_new_key_and_the_old_one_an_end(acme):
    client = signed_in(acme.staff["owner"])
    old = acme.key.credential
    page = press(client, operation(old, "rotate"), overlap_seconds=3600)
    fresh_key = shown_key(text(page))
    later = clock.now() + timedelta(hours=2)
    assert credentials.authenticate(fresh_key, kind=old.kind, address="10.0.0.1", at=later).name == old.name
    assert fresh(old).expires_at <= later


def test_revoking_needs_a_reason_and_ends_the_key_now(acme):
    client = signed_in(acme.staff["owner"])
    press(client, operation(acme.key.credential, "revoke"), reason="laptop stolen")
    with pytest.raises(Unauthorized):
        credentials.authenticate(acme.key.key, kind=CredentialKind.OPERATOR, address="10.0.0.1", at=clock.now())
    assert LogEntry.objects.latest("pk").change_message == "Revoke; reason: laptop stolen"
    assert client.get(change(acme.key.credential)).context["operations"] == []


@pytest.mark.parametrize("role", ["manager", "finance", "support", "auditor"])
def test_only_owners_deal_with_keys(acme, role):
    client = signed_in(acme.staff[role])
    key = acme.key.credential
    for page in (url(Credential, "add"), operation(key, "rotate"), operation(key, "revoke")):
        assert client.get(page).status_code == 403


def test_a_key_that_reaches_every_operator_is_the_platforms_to_give_and_to_rotate(acme):
    owner, administrator = signed_in(acme.staff["owner"]), signed_in(UserFactory(is_superuser=True))
    assert "all_operators" not in owner.get(url(Credential, "add")).context["form"].fields
    press(owner, url(Credential, "add"), kind="INTERNAL", name="Sly", all_operators="on")
    assert not Credential.objects.get(name="Sly").all_operators
    said = {"operator": acme.operator.pk, "kind": "INTERNAL", "name": "Platform", "all_operators": "on"}
    press(administrator, url(Credential, "add"), **said)
    crossing = Credential.objects.get(name="Platform")
    assert crossing.all_operators
    assert owner.get(change(crossing)).context["operations"] == []
    assert owner.post(operation(crossing, "rotate"), {"overlap_seconds": 0, "ticket": "t"}).status_code == 403


# --- people -----------------------------------------------------------------------------------------------------------


def test_an_owner_adds_a_member_whose_password_is_shown_once(acme):
    client = signed_in(acme.staff["owner"])
    page = press(client, url(Membership, "add"), email="New.Person@acme.example", role="support")
    made = Membership.objects.get(user__email="new.person@acme.example")
    assert (made.operator, made.role) == (acme.operator, "support")
    password = re.search(r'id="secret-password">([^<]+)<', text(page))[1]
    assert made.user.check_password(password)
    assert password not in text(client.get(change(made)))


def test_a_role_is_changed_and_ended_and_holds_from_the_next_click(acme):
    owner, manager = signed_in(acme.staff["owner"]), signed_in(acme.staff["manager"])
    membership = acme.staff["manager"].memberships.get()
    press(owner, operation(membership, "role"), role="auditor")
    assert manager.get(operation(acme.running, "cancel")).status_code == 403
    ended = press(owner, operation(membership, "end"))
    assert ended["Location"] == url(Membership, "changelist")
    assert manager.get(change(acme.running)).status_code in {302, 403}


def test_an_operator_keeps_an_owner(acme):
    client = signed_in(acme.staff["owner"])
    mine = acme.staff["owner"].memberships.get()
    for name, said in (("role", {"role": "auditor"}), ("end", {})):
        assert "An operator keeps at least one owner." in text(press(client, operation(mine, name), **said))
    assert fresh(mine).role == Role.OWNER


@pytest.mark.parametrize("role", ["manager", "finance", "support", "auditor"])
def test_only_owners_manage_members(acme, role):
    client = signed_in(acme.staff[role])
    membership = acme.staff["support"].memberships.get()
    for page in (url(Membership, "add"), operation(membership, "role"), operation(membership, "end")):
        assert client.get(page).status_code == 403
    assert fresh(membership).role == "support"


def test_logins_are_made_and_their_passwords_set_by_the_platform_only(acme):
    administrator = signed_in(UserFactory(is_superuser=True))
    press(administrator, url(User, "add"), email="ops@podium.example", password="a-long-pass-phrase-1")
    made = User.objects.get(email="ops@podium.example")
    assert made.check_password("a-long-pass-phrase-1")
    assert "a-long-pass-phrase-1" not in LogEntry.objects.latest("pk").change_message
    assert "too short" in text(press(administrator, operation(made, "password"), password="x"))
    owner = signed_in(acme.staff["owner"])
    for page in (url(User, "changelist"), url(User, "add")):
        assert owner.get(page).status_code == 403
    assert owner.get(operation(made, "password")).status_code in {302, 403}


# --- players, brands, games, assets -----------------------------------------------------------------------------------


def test_a_player_is_suspended_until_a_day_and_reinstated_each_with_a_reason(acme):
    client = signed_in(acme.staff["support"])
    press(client, operation(acme.player, "suspend"), reason="chargeback", until="2032-01-01T00:00")
    blocked = Player.objects.get(pk=acme.player.pk)
    assert (blocked.block_kind, blocked.block_reason) == ("SUSPENDED", "chargeback")
    assert blocked.blocked_until == datetime(2032, 1, 1, tzinfo=UTC)
    page = text(client.get(change(blocked)))
    assert "chargeback" in page
    assert "Suspended" in page
    press(client, operation(acme.player, "reinstate"), reason="paid up")
    assert Player.objects.get(pk=acme.player.pk).block_kind == ""


def test_a_self_exclusion_with_an_end_is_lifted_by_nobody(acme):
    client = signed_in(acme.staff["owner"])
    press(client, operation(acme.player, "self-exclude"), reason="asked by phone", until="2032-01-01T00:00")
    answer = press(client, operation(acme.player, "reinstate"), reason="changed their mind")
    assert "The player has excluded themselves until a moment that has not come yet" in text(answer)
    assert Player.objects.get(pk=acme.player.pk).block_kind == "SELF_EXCLUDED"


def test_a_player_page_shows_the_wallet_and_the_entries(acme):
    page = text(signed_in(acme.staff["auditor"]).get(change(acme.player)))
    assert "125.50" in page
    assert "115.50" in page, "what is held is not available"
    assert "acme running" in page


def test_brands_and_games_are_added_and_changed_by_those_who_may(acme):
    client = signed_in(acme.staff["manager"])
    press(client, url(Brand, "add"), external_id="vip", name="VIP Room")
    brand = Brand.objects.get(external_id="vip")
    press(client, operation(brand, "rename"), name="VIP Lounge")
    assert (fresh(brand).name, fresh(brand).operator) == ("VIP Lounge", acme.operator)
    press(client, url(Game, "add"), slug="plinko", display_name="Plinko", enabled="on")
    game = Game.objects.get(slug="plinko")
    press(client, operation(game, "edit"), display_name="Plinko Party", launch_url="https://play.example/{slug}")
    assert (fresh(game).display_name, fresh(game).launch_url) == ("Plinko Party", "https://play.example/{slug}")
    refused = press(client, url(Game, "add"), slug="jwt", display_name="A reserved word")
    assert "No usable slug." in text(refused)
    assert signed_in(acme.staff["support"]).get(url(Game, "add")).status_code == 403


def test_an_asset_is_added_with_a_scale_that_is_fixed_for_good(acme):
    client = signed_in(acme.staff["finance"])
    press(client, url(Asset, "add"), code="BTC", name="Bitcoin", scale=8)
    asset = Asset.objects.get(code="BTC")
    client.post(change(asset), {"name": "Bitcoins", "enabled": "on", "scale": 2, "code": "XXX"})
    assert (fresh(asset).name, fresh(asset).scale, fresh(asset).code) == ("Bitcoins", 8, "BTC")
    page = text(signed_in(acme.staff["auditor"]).get(change(asset)))
    assert "_save" not in page


def test_entering_money_with_decimals_is_exact(acme):
    plyr = {"name": "Token Cup", "game": GAME, "starts_at": "2031-06-01T18:30", "asset": "plyr"}
    press(signed_in(acme.staff["owner"]), url(Tournament, "add"), **plyr, entry_fee="0.000000000000000001")
    made = Tournament.objects.get(name="Token Cup")
    assert int(made.fee_units) == 1
    assert "0.000000000000000001 plyr" in text(signed_in(acme.staff["owner"]).get(change(made)))
    assert world.state(made) == "DRAFT"
    assert Decimal(made.fee_units) == Decimal(1)
