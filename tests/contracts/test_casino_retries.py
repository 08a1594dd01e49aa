"""Retries do the work once, and everybody at once gets no more than there is."""

from collections import Counter

import pytest

from apps.events.models import Fact
from apps.operators.models import IdempotencyRecord
from apps.tournaments.models import Entry, Tournament
from tests.contracts.casino import START, Casino, everything
from tests.factories import Api
from tests.racing import in_parallel, race
from tests.tournaments import world

NEW = {"name": "Friday Sprint", "game": "crash-classic", "scheduled_start": START, "entry_fee": 7.5}
ONCE = {"Idempotency-Key": "try-1"}
ANN = {"user_id": "ann", "display_name": "Ann"}


@pytest.fixture
def casino():
    return Casino()


def writes(casino):
    """Each write with a key: what it needs, the call, and the fact it leaves once."""
    made = casino.create(rebuy_enabled=True)
    casino.register(made, "bob")
    path = f"/api/tournaments/{made}"
    return {
        "create": ("POST", "/api/tournaments", NEW, 201, "tournament.created"),
        "update": ("PUT", path, {"name": "II"}, 200, "tournament.updated"),
        "register": ("POST", f"{path}/players", ANN, 201, "player.registered"),
        "rebuy": ("POST", f"{path}/players/bob/rebuy", None, 200, "player.rebuy"),
        "remove": ("DELETE", f"{path}/players/bob", {"reason": "voluntary_exit"}, 200, "player.removed"),
        "start": ("POST", f"{path}/start", None, 200, "tournament.started"),
        "cancel": ("DELETE", path, {"reason": "outage"}, 200, "tournament.cancelled"),
    }


NAMES = ["create", "update", "register", "rebuy", "remove", "start", "cancel"]


@pytest.mark.django_db
@pytest.mark.usefixtures("on_that_day")
@pytest.mark.parametrize("name", NAMES)
def test_a_repeated_key_gets_the_first_answer_and_the_work_is_done_once(casino, name):
    method, path, body, status, fact = writes(casino)[name]
    known = Fact.objects.filter(type=fact).count()
    first = casino.send(method, path, body, headers=ONCE)
    assert first.status_code == status
    after = everything()
    again = casino.send(method, path, body, headers=ONCE)
    assert (again.status_code, again.content) == (status, first.content)
    assert everything() == after
    assert Fact.objects.filter(type=fact).count() == known + 1
    if name != "update":  # which may well be done twice
        other = {"Idempotency-Key": "try-2"}
        assert casino.send(method, path, body, headers=other).content != first.content


@pytest.mark.django_db
@pytest.mark.usefixtures("on_that_day")
def test_a_key_used_for_something_else_is_refused(casino):
    casino.post("/api/tournaments", NEW, headers=ONCE)
    before = everything()
    answer = casino.post("/api/tournaments", NEW | {"name": "Other"}, headers=ONCE)
    assert (answer.status_code, answer.json()["code"]) == (409, "IDEMPOTENCY_KEY_REUSED")
    assert everything() == before


@pytest.mark.django_db
@pytest.mark.usefixtures("on_that_day")
def test_a_refusal_is_not_remembered(casino):
    made = casino.create(max_players=1, min_players=1)
    casino.register(made, "bob")
    path = f"/api/tournaments/{made}/players"
    assert casino.post(path, ANN, headers=ONCE).json()["code"] == "TOURNAMENT_FULL"
    casino.delete(f"{path}/bob", {"reason": "voluntary_exit"})
    assert casino.post(path, ANN, headers=ONCE).status_code == 201


@pytest.mark.django_db
@pytest.mark.usefixtures("on_that_day")
def test_a_players_token_is_not_kept_in_the_clear(casino):
    made = casino.create()
    answer = casino.post(f"/api/tournaments/{made}/players", ANN, headers=ONCE)
    kept = bytes(IdempotencyRecord.objects.get().body)
    assert answer.json()["jwt"].encode() not in kept


@pytest.mark.django_db(transaction=True)
def test_thirty_at_once_into_ten_seats_are_exactly_ten(casino):
    made = casino.create(max_players=10)

    def entering(number):
        body = {"userId": f"p{number}", "displayName": f"Player {number}", "buyInAmount": 7.5}
        return lambda: Api(casino.key).post(f"/api/tournaments/{made}/players", body)

    answers = race(*[entering(number) for number in range(30)])
    assert Counter((answer.status_code, answer.json().get("code")) for answer in answers) == {
        (201, None): 10,
        (409, "TOURNAMENT_FULL"): 20,
    }
    tournament = Tournament.objects.get()
    assert Entry.objects.count() == 10
    assert world.escrow(tournament) == 7500
    assert len({answer.json()["player_id"] for answer in answers if answer.status_code == 201}) == 10
    assert casino.get(f"/api/tournaments/{made}/players").json()["totalCount"] == 10
    assert Fact.objects.filter(type="player.registered").count() == 10


@pytest.mark.django_db(transaction=True)
def test_one_registration_ten_times_at_once_is_one_with_or_without_a_key(casino):
    made = casino.create()
    path = f"/api/tournaments/{made}/players"
    keyed = in_parallel(10, lambda: Api(casino.key).post(path, ANN, headers=ONCE))
    assert [answer.status_code for answer in keyed] == [201] * 10
    assert len({answer.content for answer in keyed}) == 1
    bare = in_parallel(10, lambda: Api(casino.key).post(path, {"user_id": "bob", "display_name": "Bob"}))
    assert Counter(answer.status_code for answer in bare) == {201: 1, 409: 9}
    assert world.escrow(Tournament.objects.get()) == 1500


@pytest.mark.django_db(transaction=True)
def test_ten_cancels_at_once_are_one(casino):
    made = casino.create()
    casino.register(made, "ann")
    answers = in_parallel(10, lambda: Api(casino.key).delete(f"/api/tournaments/{made}", {"reason": "outage"}))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 9}
    assert Fact.objects.filter(type="tournament.cancelled").count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_same_external_id_at_once_is_one_tournament(casino):
    body = NEW | {"external_id": "x-1"}
    answers = in_parallel(8, lambda: Api(casino.key).post("/api/tournaments", body))
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 7}
    assert Tournament.objects.count() == 1
