"""Chips: tokens that a game makes for itself (rooms.md 3.41)."""

import itertools

import pytest

from apps.events.models import Fact
from apps.ledger.models import Asset, Journal
from apps.ledger.services.reports import out_of_balance, trial_balance
from apps.operators.models import Player
from apps.rooms.models import Chip
from tests.contracts.rooms.game import GameServer
from tests.factories import PlayerFactory, api
from tests.racing import in_parallel, race

pytestmark = pytest.mark.django_db


@pytest.fixture
def game():
    game = GameServer(game_id="mygame")
    for name in ("ana-11", "bo-2222"):
        game.floor.people[name] = PlayerFactory(operator=game.operator, external_id=name, handle=name)
    return game


def make(game, symbol="GOLD", **more):
    answer = game.post("/game/chip/create", {"name": "Gold coin", "symbol": symbol, **more})
    assert answer.status_code == 200, answer.content
    return answer.json()["data"]["chip"]


@pytest.fixture
def gold(game):
    return make(game)


def mint(game, chip, **amounts):
    return move(game, "mint", chip, **amounts)


def move(game, verb, chip, **amounts):
    names = [name.replace("_", "-") for name in amounts]
    body = {"chips": [chip] * len(names), "plyrIds": names, "amounts": list(amounts.values())}
    return game.post(f"/game/chip/{verb}", body)


def transfer(game, chip, source, target, amount):
    body = {"chips": [chip], "fromPlyrIds": [source], "toPlyrIds": [target], "amounts": [amount]}
    return game.post("/game/chip/transfer", body)


def held(game, chip, name):
    return game.get(f"/game/chip/balance?plyrId={name}&chip={chip}").json()["balance"]


def supply(game, chip):
    return game.get(f"/game/chip/info?chip={chip}").json()["totalSupply"]


def state(game):
    mine = trial_balance(game.operator.pk)
    return mine, Journal.objects.count(), Fact.objects.count(), Chip.objects.count(), Asset.objects.count()


def refused(answer):
    return answer.status_code, answer.json()["code"]


def test_a_chip_is_made_of_which_there_is_none_yet(game):
    answer = game.post("/game/chip/create", {"name": "Gold coin", "symbol": "GOLD", "image": "https://x.example/g.png"})
    body = answer.json()
    address = body["data"]["chip"]
    assert answer.status_code == 200
    assert body["data"] == {
        "chip": address,
        "symbol": "GOLD",
        "name": "Gold coin",
        "apiId": Chip.objects.get().asset.code,
    }
    assert (body["status"], body["result"]) == ("SUCCESS", body["data"])
    assert game.task(body["taskId"]).json()["status"] == "SUCCESS"
    shown = {
        "chip": address,
        "address": address,
        "gameId": "mygame",
        "name": "Gold coin",
        "symbol": "GOLD",
        "image": "https://x.example/g.png",
        "decimals": 18,
        "apiId": body["data"]["apiId"],
        "totalSupply": "0",
    }
    assert game.get("/game/chip/info").json() == {"chips": [shown]}
    assert game.get(f"/game/chip/info?chip={address}").json() == {**shown, "chips": [shown]}
    listed = {token["apiId"]: token for token in game.get("/tokenlist").json()["tokens"]}[shown["apiId"]]
    assert (listed["address"], listed["symbol"], listed["category"]) == (address, "GOLD", "chip")


def test_chips_are_minted_moved_and_burned(game, gold):
    answer = mint(game, gold, ana_11=10, bo_2222="0.5")
    body = answer.json()
    assert (answer.status_code, body["status"]) == (200, "SUCCESS")
    assert body["data"] == {
        "entries": [
            {"chip": gold, "symbol": "GOLD", "plyrId": "ana-11", "amount": 10},
            {"chip": gold, "symbol": "GOLD", "plyrId": "bo-2222", "amount": 0.5},
        ]
    }
    assert (held(game, gold, "ana-11"), held(game, "gold", "bo-2222"), supply(game, gold)) == ("10", "0.5", "10.5")
    assert transfer(game, gold, "ana-11", "bo-2222", 4).status_code == 200
    assert (held(game, gold, "ana-11"), held(game, gold, "bo-2222"), supply(game, gold)) == ("6", "4.5", "10.5")
    assert move(game, "burn", gold, bo_2222="4.5").status_code == 200
    assert (held(game, gold, "bo-2222"), supply(game, gold)) == ("0", "6")
    assert out_of_balance(trial_balance(game.operator.pk)) == {}
    facts = Fact.objects.filter(type__startswith="chip.").order_by("pk").values_list("type", flat=True)
    assert list(facts) == ["chip.created", "chip.minted", "chip.transferred", "chip.burned"]


def test_entries_of_one_player_add_up_and_a_circle_moves_nothing(game, gold):
    body = {"chips": [gold, "GOLD"], "plyrIds": ["ana-11", "ANA-11"], "amounts": [1, 2]}
    assert game.post("/game/chip/mint", body).status_code == 200
    assert held(game, gold, "ana-11") == "3"
    journals = Journal.objects.count()
    assert transfer(game, gold, "ana-11", "ana-11", 3).status_code == 200
    assert (held(game, gold, "ana-11"), Journal.objects.count()) == ("3", journals)


def test_all_balances_of_a_player(game, gold):
    silver = make(game, "SILVER")
    mint(game, gold, ana_11=3)
    answer = game.get("/game/chip/balance?plyrId=ana-11").json()
    assert answer == {"plyrId": "ana-11", "balances": {gold: "3", silver: "0"}}


def test_chips_are_played_for_in_rooms(game, gold):
    mint(game, gold, ana_11=10, bo_2222=10)
    code = Chip.objects.get().asset.code
    for name in ("ana-11", "bo-2222"):
        game.approve(name, 50, code)
        game.log_in(name)
    body = {"sessionJwts": [game.jwts["ana-11"], game.jwts["bo-2222"]], "tokens": [gold, code], "amounts": [3, 3]}
    room = game.done("createJoinPay", **body)["roomId"]
    game.done("earnLeaveEnd", roomId=room, plyrIds=["ana-11"], tokens=[gold], amounts=[6])
    assert (held(game, gold, "ana-11"), held(game, gold, "bo-2222"), supply(game, gold)) == ("13", "7", "20")


def test_a_repeated_call_mints_once(game, gold):
    body = {"chips": [gold], "plyrIds": ["ana-11"], "amounts": [5]}
    first, again = (game.post("/game/chip/mint", body, headers={"Idempotency-Key": "k"}).json() for _ in "ab")
    assert (first, held(game, gold, "ana-11")) == (again, "5")


@pytest.mark.parametrize(
    ("verb", "more", "expected"),
    [
        ("mint", {"chips": ["nix"]}, (401, "TOKEN_INVALID")),
        ("mint", {"chips": ["gamr"]}, (401, "TOKEN_INVALID")),
        ("mint", {"plyrIds": ["nobody-1"]}, (404, "USER_NOT_FOUND")),
        ("mint", {"plyrIds": ["ana-11", "bo-2222"]}, (400, "LENGTH_MISMATCH")),
        ("mint", {"amounts": [0]}, (400, "AMOUNT_INVALID")),
        ("mint", {"amounts": [-1]}, (400, "AMOUNT_INVALID")),
        ("mint", {"amounts": ["1e-19"]}, (400, "AMOUNT_INVALID")),
        ("mint", {"amounts": [1e40]}, (400, "AMOUNT_INVALID")),
        ("mint", {"amounts": []}, (400, "LENGTH_MISMATCH")),
        ("mint", {"chips": []}, (400, "INVALID_PARAMS")),
        ("burn", {"amounts": ["5.000000000000000001"]}, (400, "INSUFFICIENT_BALANCE")),
        ("burn", {"plyrIds": ["bo-2222"]}, (400, "INSUFFICIENT_BALANCE")),
    ],
)
def test_what_is_refused_moves_nothing(game, gold, verb, more, expected):
    mint(game, gold, ana_11=5)
    before = state(game)
    body = {"chips": [gold], "plyrIds": ["ana-11"], "amounts": [1], **more}
    assert refused(game.post(f"/game/chip/{verb}", body)) == expected
    assert state(game) == before


def test_all_entries_or_none(game, gold):
    mint(game, gold, ana_11=5)
    before = state(game)
    body = {"chips": [gold] * 2, "fromPlyrIds": ["ana-11", "bo-2222"], "toPlyrIds": ["bo-2222", "ana-11"]}
    assert refused(game.post("/game/chip/transfer", {**body, "amounts": [2, 3]})) == (400, "INSUFFICIENT_BALANCE")
    assert state(game) == before


def test_nothing_is_taken_of_a_suspended_player(game, gold):
    mint(game, gold, ana_11=5)
    api(game.operator).post("/api/players/ana-11/suspend", {"reason": "chargeback"})
    before = state(game)
    assert refused(move(game, "burn", gold, ana_11=1)) == (403, "PLAYER_BLOCKED")
    assert refused(transfer(game, gold, "ana-11", "bo-2222", 1)) == (403, "PLAYER_BLOCKED")
    assert state(game) == before
    assert mint(game, gold, ana_11=1).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {"symbol": "X"},
        {"name": "Gold"},
        {"name": "x" * 61, "symbol": "X"},
        {"name": "Gold", "symbol": "no spaces"},
        {"name": "Gold", "symbol": "x" * 21},
        {"name": "Gold", "symbol": "X", "image": "javascript:alert(1)"},
        {"name": "Gold", "symbol": "X", "image": "https://"},
        {"name": "Gold", "symbol": "X", "image": "http://["},
    ],
)
def test_a_chip_that_can_not_be(game, body):
    before = state(game)
    assert refused(game.post("/game/chip/create", body)) == (400, "INVALID_PARAMS")
    assert state(game) == before


def test_a_symbol_is_taken_in_its_game_only(game, gold):
    before = state(game)
    assert refused(game.post("/game/chip/create", {"name": "Other", "symbol": "gold"})) == (400, "CHIP_EXISTS")
    assert state(game) == before
    other = GameServer(operator=game.operator, game_id="othergame")
    theirs = make(other)
    assert theirs != gold
    assert refused(mint(other, gold, ana_11=1)) == (401, "TOKEN_INVALID")
    assert refused(mint(game, theirs, ana_11=1)) == (401, "TOKEN_INVALID")


@pytest.mark.django_db(transaction=True)
def test_more_than_is_held_is_never_burned(game, gold):
    mint(game, gold, ana_11=5)
    answers = in_parallel(6, lambda: move(game, "burn", gold, ana_11=2))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 400, 400, 400, 400]
    assert (held(game, gold, "ana-11"), supply(game, gold)) == ("1", "1")


@pytest.mark.django_db(transaction=True)
def test_chips_that_go_round_at_once_stay_as_many(game, gold):
    mint(game, gold, ana_11=5, bo_2222=5)
    there = [lambda: transfer(game, gold, "ana-11", "bo-2222", 2) for _ in range(4)]
    back = [lambda: transfer(game, gold, "bo-2222", "ana-11", 2) for _ in range(4)]
    answers = race(*itertools.chain(*zip(there, back, strict=True)))
    assert all(answer.status_code in {200, 400} for answer in answers)
    assert float(held(game, gold, "ana-11")) + float(held(game, gold, "bo-2222")) == 10
    assert supply(game, gold) == "10"
    assert out_of_balance(trial_balance(game.operator.pk)) == {}


@pytest.mark.django_db(transaction=True)
def test_of_many_who_make_a_chip_at_once_one_does(game):
    answers = in_parallel(5, lambda: game.post("/game/chip/create", {"name": "Gold", "symbol": "GOLD"}))
    assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400, 400]
    assert Asset.objects.filter(operator=game.operator, code__startswith="chip-").count() == 1
    assert Player.objects.filter(operator=game.operator).count() == 2
