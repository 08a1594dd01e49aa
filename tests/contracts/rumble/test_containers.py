"""Containers for free use, and what a tournament's own refuses (rumble.md 3.18 to 3.27)."""

import pytest

from apps.rumble.models import Deposit
from tests.contracts.rumble.client import NOWHERE, App, refused, settle
from tests.rumble import world

pytestmark = pytest.mark.django_db


@pytest.fixture
def app():
    return App()


def filled(app, **amounts):
    container = app.post("/containers").json()["id"]
    for name, amount in amounts.items():
        put = app.post("/user/join", {"containerId": container, "upxAmount": amount}, auth=app.bearer(name))
        assert put.status_code == 200, put.content
    settle()
    return container


def test_a_container_is_filled_and_shared_out(app):
    made = app.post("/containers", {"userLimitByContainer": 2})
    assert made.status_code == 201
    container = made.json()
    assert {name: container[name] for name in ("appId", "status", "userLimitByContainer")} == {
        "appId": app.id, "status": "created", "userLimitByContainer": 2,
    }  # fmt: skip
    body = {"containerId": container["id"], "upxAmount": 300, "assets": []}
    first = app.post("/user/join", body, auth=app.bearer("racera"))
    assert first.json()["containerReachedUsersLimit"] is False
    second = app.post("/user/join", body | {"upxAmount": 200}, auth=app.bearer("racerb"))
    assert second.json()["containerReachedUsersLimit"] is True
    here = f"/containers/{container['id']}"
    before = app.get(here).json()
    assert (before["upx"], before["status"]) == (0, "locked")
    assert {one["status"] for one in before["assets"]} == {"changing_ownership"}
    settle()
    held = app.get(here).json()
    assert held["upx"] == 500
    assert {(one["ownerEosId"], one["amount"], one["status"], one["category"]) for one in held["assets"]} == {
        ("racera", 300, "in_escrow", "upx"), ("racerb", 200, "in_escrow", "upx"),
    }  # fmt: skip
    assert {one["transactionId"] for one in held["assets"]} == {
        first.json()["transactionId"], second.json()["transactionId"],
    }  # fmt: skip

    short = [{"category": "upx", "amount": 450, "targetEosId": "racera"}]
    refused(app.post(f"{here}/resolve", {"actions": short}), 400)
    refused(app.post(f"{here}/resolve", {"actions": []}), 400)
    refused(
        app.post(f"{here}/resolve", {"actions": [{"category": "uppie", "assetId": 1, "targetEosId": "racera"}]}), 400
    )
    whole = [*short, {"category": "upx", "amount": 50, "targetEosId": "racerb"}]
    resolved = app.post(f"{here}/resolve", {"actions": whole})
    assert resolved.status_code == 200
    assert set(resolved.json()) == {"transactionId"}
    assert app.get(here).json()["status"] == "resolving"
    settle()
    assert app.get(here).json()["status"] == "resolved"
    assert world.wallets(app.operator) == {"racera": 1000 - 300 + 450, "racerb": 1000 - 200 + 50}


def test_a_refund_returns_everything(app):
    container = filled(app, racera=300, racerb=200)
    refunded = app.post(f"/containers/{container}/refund")
    assert refunded.status_code == 200
    assert refunded.json()["transactionId"]
    settle()
    told = app.get(f"/containers/{container}").json()
    assert (told["status"], told["upx"]) == ("resolved", 0)
    assert {one["status"] for one in told["assets"]} == {"refunded"}
    assert world.wallets(app.operator) == {"racera": 1000, "racerb": 1000}


def test_locks_and_one_refresh(app):
    container = app.post("/containers").json()
    here = f"/containers/{container['id']}"
    for call, status in (("lock", "locked"), ("lock", "locked"), ("unlock", "created"), ("unlock", "created")):
        answer = app.post(f"{here}/{call}")
        assert (answer.status_code, answer.content) == (204, b"")
        assert app.get(here).json()["status"] == status
    assert app.post(f"{here}/refresh-expiration-time").status_code == 204
    assert app.get(here).json()["expirationDate"] >= container["expirationDate"]
    refused(app.post(f"{here}/refresh-expiration-time"), 409)
    app.post(f"{here}/lock")
    refused(app.post("/user/join", {"containerId": container["id"], "upxAmount": 5}, auth=app.bearer("racera")), 409)


def test_only_upx_goes_in(app):
    container = app.post("/containers").json()["id"]
    for body in (
        {"containerId": container},
        {"containerId": container, "upxAmount": 0},
        {"containerId": container, "upxAmount": 1.5},
        {"containerId": container, "upxAmount": 1, "assets": [{"id": 77120, "category": "blkexplorer"}]},
        {"upxAmount": 5},
    ):
        refused(app.post("/user/join", body, auth=app.bearer("racera")), 400)
    refused(app.post("/user/join", {"containerId": 99999, "upxAmount": 1}, auth=app.bearer("racera")), 404)
    other = App(app.operator)
    refused(app.post("/user/join", {"containerId": container, "upxAmount": 1}, auth=other.bearer("racerb")), 404)
    assert not Deposit.objects.exists()


def test_what_is_not_signed_can_be_removed():
    app = App(signing="player")
    tournament = app.tournament()
    app.join(tournament, "racera")
    path = f"/rumble-tournaments/{tournament}"
    container = app.get(path).json()["containerId"]
    asked = app.get(f"{path}/participants").json()["results"][0]
    assert asked["status"] == "WAITING_PAYMENT"
    here = f"/containers/{container}/transactions"
    refused(app.send("DELETE", f"{here}/{NOWHERE}"), 404)
    refused(app.send("DELETE", f"{here}/x"), 400)
    assert app.send("DELETE", f"{here}/{asked['registrationTransactionId']}").status_code == 204
    assert app.get(f"{path}/participants/{app.user('racera')}").json()["status"] == "REMOVED"
    assert app.get(f"/containers/{container}").json()["assets"][0]["status"] == "removed"
    refused(app.send("DELETE", f"{here}/{asked['registrationTransactionId']}"), 409)


def test_a_tournaments_container_is_read_and_refreshed_and_nothing_else():
    app = App(developer_eos_id="racera")
    tournament = app.tournament()
    app.join(tournament, "racera")
    settle()
    container = app.get(f"/rumble-tournaments/{tournament}").json()["containerId"]
    here = f"/containers/{container}"
    assert app.get(here).json()["upx"] == 100
    assert app.post(f"{here}/refresh-expiration-time").status_code == 204
    for call, body in (
        ("lock", None), ("unlock", None), ("refund", None), ("join", {"upxAmount": 5}),
        ("resolve", {"actions": [{"category": "upx", "amount": 100, "targetEosId": "racera"}]}),
    ):  # fmt: skip
        refused(app.post(f"{here}/{call}", body), 409)
    refused(app.post("/user/join", {"containerId": container, "upxAmount": 5}, auth=app.bearer("racera")), 409)
    assert app.get(here).json()["upx"] == 100
