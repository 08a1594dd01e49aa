"""The requests of the source text, in its order, with its rules and its scenarios."""

import pytest

from tests.contracts.rumble.client import MOUNTS, SETTINGS, App, settle
from tests.rumble import world

pytestmark = pytest.mark.django_db
MOMENT = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"


@pytest.fixture(params=MOUNTS)
def app(request):
    return App(mount=request.param)


def test_a_tournament_from_its_settings_to_its_prizes(app):
    made = app.post("/rumble-tournament-settings", SETTINGS)
    assert made.status_code == 201
    settings = made.json()
    assert settings["developerFee"] == {"percentage": 5, "targetEosId": "devfarm12345"}
    assert settings["status"] == "ACTIVE"
    assert {name: settings[name] for name in SETTINGS if name in settings} == {
        name: value for name, value in SETTINGS.items() if name != "developerFeePercentage"
    }

    created = app.post("/rumble-tournaments", {"settingsId": settings["id"]})
    assert created.status_code == 201
    tournament = created.json()
    assert tournament["status"] == "WAITING_FOR_PARTICIPANTS"
    assert tournament["appId"] == app.id
    assert tournament["baseSettingsSnapshot"] == {
        "minParticipants": 4,
        "maxParticipants": 12,
        "registrationFeeInUpx": 100,
        "developerFeePercentage": 5,
        "stakeholderFeePercentage": 0,
        "prizeDistributionRules": SETTINGS["prizeDistributionRules"],
    }
    assert not {"startedAt", "endedAt", "resolutionTransactionId"} & set(tournament)

    # Second and third scenario: with two players it can't start, with seven the first rule holds.
    here = f"/rumble-tournaments/{tournament['id']}"
    app.join(tournament["id"], "racera", "racerb")
    settle()
    assert app.patch(f"{here}/start").status_code == 409
    assert app.patch(f"{here}/close-registration").status_code == 409
    app.join(tournament["id"], *world.names(7)[2:])
    settle()
    assert app.get(f"{here}/prize-distribution").json() == {
        "developerFeeInUpx": 35,
        "stakeholderFeeInUpx": 0,
        "distribution": [{"place": 1, "prize": 441}, {"place": 2, "prize": 189}],
    }
    assert app.patch(f"{here}/close-registration").status_code == 204
    assert app.status(tournament["id"]) == "REGISTRATION_CLOSED"
    assert app.patch(f"{here}/start").status_code == 204
    assert app.status(tournament["id"]) == "IN_PROGRESS"

    # All the scores at once, or split.
    assert app.score(tournament["id"], racera=812, racerb=640.5).status_code == 204
    assert app.post(f"{here}/resolve", {}).status_code == 400
    assert app.score(tournament["id"], racerc=5, racerd=4, racere=3, racerf=2, racerg=0).status_code == 204
    resolved = app.post(f"{here}/resolve")
    assert resolved.status_code == 200
    board = {
        "participantsAmount": 7,
        "developerFeeInUpx": 35,
        "totalPrizePoolInUpx": 630,
        "prizeDistributions": [
            {"place": 1, "userId": app.user("racera"), "userEosId": "racera", "score": 812, "prizeInUpx": 441},
            {"place": 2, "userId": app.user("racerb"), "userEosId": "racerb", "score": 640.5, "prizeInUpx": 189},
        ],
    }
    assert resolved.json() == board
    assert app.status(tournament["id"]) == "DISTRIBUTING_PRIZES"
    assert app.post(f"{here}/resolve").status_code == 409
    settle()
    closed = app.get(here).json()
    assert closed["status"] == "CLOSED"
    assert closed["resolutionTransactionId"]
    assert closed["startedAt"] <= closed["endedAt"]
    assert app.get(f"{here}/scoreboard").json() == board
    assert world.wallets(app.operator)["racera"] == 900 + 441
    assert world.wallets(app.operator)["racerb"] == 900 + 189


def test_the_override_and_the_stakeholder_of_a_tournament(app):
    settings = app.settings(stakeholderFeePercentage=2)
    made = app.post(
        "/rumble-tournaments",
        {"settingsId": settings, "registrationFeeInUpx": 120, "stakeholderEosId": "brandacct123"},
    )
    assert made.status_code == 201
    assert made.json()["baseSettingsSnapshot"]["registrationFeeInUpx"] == 120
    assert made.json()["baseSettingsSnapshot"]["stakeholderFeePercentage"] == 2
    plain = app.settings()
    assert app.post("/rumble-tournaments", {"settingsId": plain, "stakeholderEosId": "brandacct123"}).status_code == 400


def test_an_edit_touches_later_tournaments_only(app):
    settings = app.settings()
    before = app.post("/rumble-tournaments", {"settingsId": settings}).json()["id"]
    edited = app.patch(f"/rumble-tournament-settings/{settings}", {"registrationFeeInUpx": 150, "maxParticipants": 16})
    assert edited.status_code == 200
    assert (edited.json()["registrationFeeInUpx"], edited.json()["maxParticipants"]) == (150, 16)
    assert edited.json()["updatedAt"] > edited.json()["createdAt"]
    after = app.post("/rumble-tournaments", {"settingsId": settings}).json()
    assert after["baseSettingsSnapshot"]["registrationFeeInUpx"] == 150
    kept = app.get(f"/rumble-tournaments/{before}").json()["baseSettingsSnapshot"]
    assert (kept["registrationFeeInUpx"], kept["maxParticipants"]) == (100, 12)


def test_a_cancellation_refunds_and_one_without_fees_is_over_at_once(app):
    empty = app.tournament()
    answer = app.post(f"/rumble-tournaments/{empty}/cancel")
    assert (answer.status_code, answer.json()["id"], answer.json()["status"]) == (200, empty, "CANCELED")
    paid = app.tournament()
    app.join(paid, "racera")
    # A payment in progress on the blockchain forbids it.
    assert app.post(f"/rumble-tournaments/{paid}/cancel").status_code == 409
    settle()
    assert app.post(f"/rumble-tournaments/{paid}/cancel").json()["status"] == "REFUNDING_PARTICIPANTS"
    settle()
    assert app.status(paid) == "CANCELED"
    assert world.wallets(app.operator) == {"racera": world.RICH}
    assert app.get(f"/rumble-tournaments/{paid}/scoreboard").status_code == 409
