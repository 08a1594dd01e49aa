"""The portfolio of an integration, and what is active in it (rounds.md 3.2 to 3.4)."""

from datetime import timedelta

import pytest

from apps.operators.models import Brand, BrandGroup, Game
from apps.rounds.services import watching
from tests.factories import GAME, PlayerFactory
from tests.rounds.world import BRAND, ROUND_GAME, Integration, a_round

pytestmark = pytest.mark.django_db

NORTH = {"ref": "op-north", "name": "North Gaming", "brands": [{"ref": "nordspin", "name": "NordSpin"}]}
SOUTH = {"ref": "op-south", "name": "South Gaming", "brands": [{"ref": "solplay", "name": "SolPlay"}]}
FOX = {
    "gameId": "ACME_LUCKY_FOX",
    "displayName": "Lucky Fox",
    "gameProviderDisplayName": "Acme Studios",
    "isEnabled": True,
    "isFreeroundSupported": True,
    "iconUrl": "https://cdn.example.org/fox.png",
    "enabledBrandRefs": ["nordspin", "solplay"],
}
PLAIN = {"gameId": "provider:plain game/1", "displayName": "Plain", "gameProviderDisplayName": "P", "isEnabled": True}


@pytest.fixture
def acme() -> Integration:
    return Integration()


def brands(acme):
    return {brand.external_id: brand for brand in Brand.objects.for_operator(acme.operator.pk).select_related("group")}


def games(acme):
    return {game.slug: game for game in Game.objects.for_operator(acme.operator.pk)}


def details(response):
    return [(one["index"], one["field"]) for one in response.json()["details"]]


# --- operators and brands ---------------------------------------------------------------------------------------------


def test_new_brands_are_added_and_known_ones_updated(acme):
    assert acme.sync_brands([NORTH]).status_code == 200
    assert acme.sync_brands([NORTH | {"name": "North"}, SOUTH]).status_code == 200
    found = brands(acme)
    assert (found["nordspin"].name, found["nordspin"].group.name, found["nordspin"].enabled) == (
        "NordSpin",
        "North",
        True,
    )
    assert found["solplay"].group.external_id == "op-south"


def test_what_a_sync_no_longer_names_is_disabled_and_comes_back_with_its_players(acme):
    acme.sync_brands([NORTH, SOUTH])
    player = PlayerFactory(operator=acme.operator, brand=brands(acme)["solplay"])
    acme.sync_brands([NORTH])
    assert not brands(acme)["solplay"].enabled
    assert not BrandGroup.objects.get(external_id="op-south").enabled
    assert acme.single(a_round(brandId="solplay")).status_code == 200
    assert acme.single(a_round(brandId="nordspin")).status_code == 202
    moved = {"ref": "op-west", "name": "West", "brands": SOUTH["brands"]}
    acme.sync_brands([NORTH, moved])
    back = brands(acme)["solplay"]
    assert (back.enabled, back.group.name, back.pk) == (True, "West", player.brand_id)
    assert acme.single(a_round(brandId="solplay")).status_code == 202


def test_brands_made_by_hand_or_by_another_integration_stay_until_they_are_named(acme):
    other = Integration(acme.operator, "other", watched=False)
    other.sync_brands([SOUTH])
    acme.sync_brands([NORTH])
    assert {ref for ref, brand in brands(acme).items() if brand.enabled} == {
        acme.operator.slug,
        BRAND,
        "nordspin",
        "solplay",
    }
    adopted = {"ref": "op", "name": "O", "brands": [{"ref": BRAND, "name": "Super"}]}
    acme.sync_brands([adopted])
    acme.sync_brands([NORTH])
    assert not brands(acme)[BRAND].enabled


def test_saying_it_twice_writes_nothing_the_second_time(acme, django_assert_max_num_queries):
    acme.sync_brands([NORTH, SOUTH])
    acme.sync_games([FOX, PLAIN])
    before = [(brand.pk, brand.name) for brand in Brand.objects.order_by("pk")]
    with django_assert_max_num_queries(11):
        assert acme.sync_brands([NORTH, SOUTH]).status_code == 200
    assert [(brand.pk, brand.name) for brand in Brand.objects.order_by("pk")] == before


@pytest.mark.parametrize(
    "body, faults",
    [
        ([], [(0, "")]),
        ([NORTH, NORTH | {"brands": []}], [(1, "ref")]),
        ([NORTH, SOUTH | {"brands": NORTH["brands"]}], [(1, "brands[0].ref")]),
        ([NORTH, {"ref": "x"}], [(1, "name"), (1, "brands")]),
        ([NORTH | {"brands": [{"ref": "x"}]}], [(0, "brands[0]")]),
        ([NORTH | {"ref": "x" * 101}], [(0, "ref")]),
        ([NORTH | {"name": "a\x00"}], [(0, "")]),
    ],
)
def test_a_bad_portfolio_of_brands_changes_nothing(acme, body, faults):
    response = acme.sync_brands(body)
    assert (response.status_code, details(response)) == (400, faults)
    assert set(brands(acme)) == {acme.operator.slug, BRAND}
    assert not BrandGroup.objects.exists()


def test_syncs_want_the_key_too(acme):
    for call in (acme.sync_brands, acme.sync_games):
        assert call([], headers={"X-API-Key": "wrong"}).status_code == 401
    assert acme.active_games(headers={"X-API-Key": None}).status_code == 401


# --- games ------------------------------------------------------------------------------------------------------------


def test_games_are_kept_as_they_are_told(acme):
    acme.sync_brands([NORTH, SOUTH])
    assert acme.sync_games([FOX, PLAIN]).status_code == 200
    fox, plain = games(acme)["ACME_LUCKY_FOX"], games(acme)["provider:plain game/1"]
    assert (fox.display_name, fox.provider, fox.icon_url) == (
        "Lucky Fox",
        "Acme Studios",
        "https://cdn.example.org/fox.png",
    )
    assert (fox.enabled, fox.is_freeround_supported, fox.enabled_brands) == (True, True, ["nordspin", "solplay"])
    assert (plain.is_freeround_supported, plain.icon_url, plain.enabled_brands) == (False, "", None)


def test_a_game_may_be_disabled_by_a_flag_by_its_absence_or_for_a_brand(acme):
    acme.sync_brands([NORTH, SOUTH])
    acme.sync_games([FOX | {"enabledBrandRefs": ["nordspin", "nobody"]}])
    acme.watch(games(acme)["ACME_LUCKY_FOX"])
    fox = {"gameId": "ACME_LUCKY_FOX"}
    assert acme.single(a_round(**fox, brandId="nordspin")).status_code == 202
    assert acme.single(a_round(**fox, brandId="solplay")).status_code == 200
    acme.sync_games([FOX | {"enabledBrandRefs": []}])
    assert acme.single(a_round(**fox, brandId="nordspin")).status_code == 200
    acme.sync_games([FOX | {"isEnabled": False}])
    assert acme.single(a_round(**fox, brandId="nordspin")).status_code == 200
    acme.sync_games([FOX])
    assert acme.single(a_round(**fox, brandId="nordspin")).status_code == 202
    acme.sync_games([PLAIN])
    assert acme.single(a_round(**fox, brandId="nordspin")).status_code == 200
    assert games(acme)[GAME].enabled
    assert games(acme)[ROUND_GAME].enabled


@pytest.mark.parametrize(
    "body, faults",
    [
        ([], [(0, "")]),
        ([FOX, FOX], [(1, "gameId")]),
        ([FOX, {"gameId": "x"}], [(1, "displayName"), (1, "gameProviderDisplayName"), (1, "isEnabled")]),
        ([FOX | {"gameId": "x" * 101}], [(0, "gameId")]),
        ([FOX | {"iconUrl": "ftp://x"}], [(0, "iconUrl")]),
        ([FOX | {"isEnabled": "yes"}], [(0, "isEnabled")]),
        ([FOX | {"gameId": "status"}], [(0, "gameId")]),
    ],
)
def test_a_bad_portfolio_of_games_changes_nothing(acme, body, faults):
    response = acme.sync_games(body)
    assert (response.status_code, details(response)) == (400, faults)
    assert set(games(acme)) == {GAME, ROUND_GAME}


def test_a_large_portfolio_fits(acme):
    body = [PLAIN | {"gameId": f"game-{n}", "displayName": "x" * 150} for n in range(5000)]
    assert acme.sync_games(body).status_code == 200
    assert Game.objects.for_operator(acme.operator.pk).filter(enabled=True).count() == 5002


# --- active games -----------------------------------------------------------------------------------------------------


def test_active_games_are_those_that_a_tournament_wants_now_or_soon(acme):
    acme.sync_brands([NORTH, SOUTH])
    acme.sync_games([FOX, PLAIN])
    fox, plain = games(acme)["ACME_LUCKY_FOX"], games(acme)["provider:plain game/1"]
    response = acme.active_games()
    assert response.status_code == 200
    everywhere = sorted([acme.operator.slug, BRAND, "nordspin", "solplay"])
    assert response.json() == [{"gameId": ROUND_GAME, "brandIds": everywhere}]
    assert response["Cache-Control"] == "private, max-age=60"
    acme.watch(fox, opens_in=timedelta(hours=23))
    north = acme.watch(plain, brands=(brands(acme)["nordspin"].pk,))
    acme.watch(plain, brands=(brands(acme)["solplay"].pk,), opens_in=timedelta(hours=25))
    assert acme.active_games().json() == [
        {"gameId": "ACME_LUCKY_FOX", "brandIds": ["nordspin", "solplay"]},
        {"gameId": ROUND_GAME, "brandIds": everywhere},
        {"gameId": "provider:plain game/1", "brandIds": ["nordspin"]},
    ]
    watching.unwatch(north.pk)
    watching.unwatch(acme.tournament.pk)
    acme.sync_games([FOX | {"enabledBrandRefs": ["solplay"]}])
    assert acme.active_games().json() == [{"gameId": "ACME_LUCKY_FOX", "brandIds": ["solplay"]}]


def test_without_a_tournament_nothing_is_active():
    assert Integration(watched=False).active_games().json() == []


def test_another_operators_games_are_not_told(acme):
    assert Integration(name="elsewhere", watched=False).active_games().json() == []
    assert len(acme.active_games().json()) == 1
