"""Tournaments of invited players: the operator sees them, and so does who is on the list or in (rounds.md 5.3)."""

import pytest

from apps.core.actors import SYSTEM
from apps.operators.services import players
from apps.operators.services.tenants import put_brand
from apps.tournaments.models import Invitation
from apps.tournaments.services import inviting
from tests.contracts.casino import NOW, Casino, everything

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("on_that_day")]
PAGES = ("", "/status", "/leaderboard", "/prize-pool", "/events", "/players")


@pytest.fixture
def casino():
    return Casino()


@pytest.fixture
def vips(casino):
    """A tournament for ann of the operator's own brand and bo of another one, beside one for all."""
    put_brand(casino.operator.pk, external_id="north", name="North", actor=SYSTEM, at=NOW)
    casino.create(name="For all")
    invited = [
        {"brandId": casino.operator.slug, "playerId": "ann"},
        {"brandId": "north", "playerId": "bo"},
    ]
    scoring = {"source": "rounds", "method": "ROUND_COUNT", "optIn": "INVITED", "invited": invited}
    return casino.create(name="VIPs", scoring=scoring, endTime="2031-05-03T00:00:00Z", entry_fee=0)


def listed(casino, query):
    answer = casino.get(f"/api/tournaments?{query}")
    assert answer.status_code == 200, answer.content
    assert answer.json()["totalCount"] == len(answer.json()["tournaments"])
    return [one["name"] for one in answer.json()["tournaments"]]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["For all", "VIPs"]),
        ("forPlayer=ann", ["For all", "VIPs"]),
        ("for_player=ann", ["For all", "VIPs"]),
        ("forPlayer=mel", ["For all"]),
        ("forPlayer=ANN", ["For all"]),
        ("forPlayer=ann&brandId=north", ["For all"]),
        ("forPlayer=bo", ["For all"]),
        ("forPlayer=bo&brandId=north", ["For all", "VIPs"]),
        ("forPlayer=bo&brand_id=nowhere", ["For all"]),
        ("forPlayer=ann&status=completed", []),
        ("brandId=north", ["For all", "VIPs"]),
    ],
)
def test_a_lobby_made_for_a_player_shows_what_they_may_join(casino, vips, query, names):
    assert listed(casino, query) == names


def test_no_page_made_for_a_player_who_is_not_on_the_list_tells_of_it(casino, vips):
    for page in PAGES:
        path = f"/api/tournaments/{vips}{page}"
        assert casino.get(path).status_code == 200
        assert casino.get(f"{path}?forPlayer=ann").status_code == 200
        refused = casino.get(f"{path}?forPlayer=mel")
        assert (refused.status_code, refused.json()["code"]) == (404, "TOURNAMENT_NOT_FOUND"), page


def test_who_is_in_sees_it_though_they_are_taken_off_the_list_until_they_leave(casino, vips):
    casino.register(vips, "ann")
    invitation = Invitation.objects.get(tournament=vips, player_ref="ann")
    inviting.uninvite(invitation.pk, actor=SYSTEM, at=NOW)
    assert listed(casino, "forPlayer=ann") == ["For all", "VIPs"]
    gone = casino.delete(f"/api/tournaments/{vips}/players/ann", {"reason": "voluntary_exit"})
    assert gone.status_code == 200
    assert listed(casino, "forPlayer=ann") == ["For all"]


def test_a_player_is_known_by_their_other_names_too(casino, vips):
    made = {"user_id": "ann", "display_name": "", "brand_id": None, "eos_id": "", "plyr_id": "ann-the-best"}
    players.create_player(casino.operator.pk, **made, actor=SYSTEM, at=NOW)
    assert listed(casino, "forPlayer=ann-the-best") == ["For all", "VIPs"]


def test_uninvited_players_are_refused_and_nothing_moves(casino, vips):
    before = everything()
    refused = casino.post(f"/api/tournaments/{vips}/players", {"userId": "mel", "displayName": "Mel"})
    assert (refused.status_code, refused.json()["code"]) == (403, "NOT_INVITED")
    assert everything() == before


@pytest.mark.parametrize("query", ["forPlayer=", "forPlayer=%00", f"forPlayer={'x' * 129}"])
def test_whom_nobody_could_be_is_refused(casino, vips, query):
    for path in ("/api/tournaments", f"/api/tournaments/{vips}"):
        assert casino.get(f"{path}?{query}").status_code == 400


def test_a_list_for_a_player_asks_no_more_for_more_tournaments(casino, vips, django_assert_max_num_queries):
    for number in range(5):
        casino.create(name=f"More {number}")
    with django_assert_max_num_queries(12):
        assert len(listed(casino, "forPlayer=ann")) == 7
