"""What staff do to matches and clients in the admin."""

import base64
import json
import re

import pytest
from django.contrib.admin.models import LogEntry

from apps.matches.models import Client, HandResult
from apps.matches.services import disputing
from apps.matches.services.access import grant
from tests import factories
from tests.admin.scenes import change, fresh, operation, press, signed_in, text, url
from tests.factories import UserFactory
from tests.matches import world
from tests.matches.world import AT, GAME, RICH

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

ANN_WON = {"ann": 10800, "bob": 9000, "REVENUE": 200}
BOB_WON = {"ann": 9000, "bob": 10800, "REVENUE": 200}


@pytest.fixture
def game():
    return world.client()


@pytest.fixture
def people(game):
    return {
        role: signed_in(factories.staff(game.operator, role)) for role in ("owner", "manager", "finance", "support")
    }


def buttons(client, row):
    return {item["operation"].name for item in client.get(change(row)).context["operations"]}


def test_the_graph_decides_which_buttons_show_and_the_role_to_whom(game, people):
    live = world.make(game).match
    paid = world.make(game).match
    world.result(paid)
    invited = world.make(game, confirmed=False).match
    assert buttons(people["owner"], live) == {"enter-result", "forfeit", "abort"}
    assert buttons(people["manager"], live) == {"enter-result", "forfeit", "abort"}
    assert buttons(people["finance"], live) == {"enter-result", "abort"}
    assert buttons(people["support"], live) == set()
    assert (buttons(people["finance"], paid), buttons(people["manager"], paid)) == ({"correct"}, set())
    assert buttons(people["manager"], invited) == {"cancel"}


def test_the_second_person_enters_without_seeing_what_the_first_did(game, people):
    match = world.make(game).match
    press(people["manager"], operation(match, "enter-result"), leaders=["t-blue"], reason="the server died")
    assert HandResult.objects.get().status == "PROPOSED"
    asked = people["finance"].get(operation(match, "enter-result"))
    assert asked.context["form"]["leaders"].value() in (None, [])
    assert not {"first place", "died"} & set(
        re.findall("first place|died", LogEntry.objects.latest("pk").change_message)
    )
    shown = text(people["finance"].get(change(match)))
    story = shown[shown.index("Entered by hand") :]
    assert "Waits for a second person" in story
    assert "t-blue" not in story
    assert "the server died" not in shown
    again = press(people["manager"], operation(match, "enter-result"), leaders=["t-blue"], reason="me again")
    assert "the second result comes from a second person" in text(again)
    assert fresh(match).status == "LIVE"
    press(people["finance"], operation(match, "enter-result"), leaders=["t-blue"], reason="seen the replay")
    assert (fresh(match).status, world.wallets(game.operator)) == ("FINISHED", BOB_WON)


def test_the_dry_run_shows_every_outcome_and_a_correction_pays_the_chosen_one(game, people):
    match = world.make(game).match
    world.result(match)
    preview = people["finance"].get(operation(match, "correct")).context["preview"]
    plain = [[re.sub("<[^>]+>", "", str(cell)) for cell in row] for row in preview.rows]
    assert plain == [
        ["t-blue", "2.00 USD", "0.00 USD", "18.00 USD"],
        ["t-red", "2.00 USD", "18.00 USD", "0.00 USD"],
        ["t-blue and t-red", "0.00 USD", "10.00 USD", "10.00 USD"],
        ["nobody: refunds", "0.00 USD", "10.00 USD", "10.00 USD"],
    ]
    press(people["finance"], operation(match, "correct"), leaders=["t-blue"], reason="wrong player")
    assert world.wallets(game.operator) == BOB_WON


@pytest.mark.parametrize(
    "decision, leaders, money",
    [("stands", [], ANN_WON), ("refund", [], {"ann": RICH, "bob": RICH}), ("other", ["t-blue"], BOB_WON)],
)
def test_a_dispute_is_decided_on_the_page(game, people, decision, leaders, money):
    match = world.make(game, hold_minutes=30).match
    world.result(match)
    disputing.open_dispute(match.pk, participant_id="bob", note="he cheated", actor=GAME, at=AT)
    assert buttons(people["manager"], match) == {"decide-dispute"}
    assert "he cheated" in text(people["manager"].get(change(match)))
    press(people["manager"], operation(match, "decide-dispute"), decision=decision, leaders=leaders, reason="looked")
    assert world.wallets(game.operator) == money


def test_another_result_names_who_is_first(game, people):
    match = world.make(game, hold_minutes=30).match
    world.result(match)
    disputing.open_dispute(match.pk, participant_id="bob", actor=GAME, at=AT)
    answer = press(people["manager"], operation(match, "decide-dispute"), decision="other", reason="looked")
    assert "Choose who is in first place." in text(answer)
    assert fresh(match).status == "DISPUTED"


def test_abort_and_forfeit_move_the_money_they_show(game, people):
    lost, left = world.make(game).match, world.make(game).match
    press(people["manager"], operation(lost, "abort"), reason="power cut")
    press(people["manager"], operation(left, "forfeit"), team_id="t-red", reason="left the venue")
    assert (fresh(lost).status, fresh(left).status) == ("ABORTED", "FINISHED")
    assert world.wallets(game.operator) == BOB_WON


def test_a_page_is_found_by_the_id_that_subjects_name(game, people):
    match = world.make(game).match
    by_name = url(match, "change", match.public_id)
    assert people["owner"].get(by_name).status_code == 200
    assert people["owner"].get(url(match, "changelist"), {"q": match.public_id}).context["cl"].result_count == 1


def test_a_client_is_registered_with_a_configuration_to_download_once(game):
    client = signed_in(factories.staff(game.operator, "manager"))
    shown = press(client, url(Client, "add"), client_id="kart-duel", fee_bps=500, mode="SYNC", delivery="POLL")
    address = re.search(r'download="developer-config.json" href="data:application/json;base64,([^"]+)"', text(shown))
    config = json.loads(base64.b64decode(address[1].replace("&#x3D;", "=")))
    made = Client.objects.get(client_id="kart-duel")
    assert (made.operator, made.fee_bps) == (game.operator, 500)
    own = config["authentication"]
    assert own["public_key_url"] == f"{config['okletsplay_url']}/auth/realms/kart-duel"
    assert grant("kart-duel", own["client_secret"], address="", at=AT.replace(year=2040)).token
    assert own["client_secret"] not in text(client.get(change(made)))
    assert own["client_secret"] not in LogEntry.objects.latest("pk").change_message


def test_a_client_is_changed_and_given_a_new_secret(game, people):
    press(people["manager"], operation(game, "edit"), fee_bps=250, browser="https://kart.example/?t={match-token}")
    changed = fresh(game)
    assert (changed.fee_bps, changed.launch_urls) == (250, {"browser": "https://kart.example/?t={match-token}"})
    shown = press(people["manager"], operation(game, "new-secret"), overlap_seconds=0)
    assert "developer-config.json" in text(shown)


def test_another_operators_client_id_is_taken(game):
    other = world.client()
    client = signed_in(factories.staff(game.operator, "manager"))
    answer = press(client, url(Client, "add"), client_id=other.client_id, mode="SYNC", delivery="POLL")
    assert "belongs to somebody else" in text(answer)
    assert fresh(other).operator == other.operator


def test_the_platforms_administrator_chooses_the_operator(game):
    client = signed_in(UserFactory(is_superuser=True))
    world.client()
    press(client, url(Client, "add"), operator=game.operator.pk, client_id="x-1", mode="SYNC", delivery="POLL")
    assert Client.objects.get(client_id="x-1").operator == game.operator
