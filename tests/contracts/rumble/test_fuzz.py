"""No call of the rumble dialect, or of an operator about it, ever fails: Schemathesis with real things to name."""

import itertools
from typing import Any

import pytest
from django.db import transaction

from config.wsgi import application
from tests.contracts.fuzzing import PROMISES, RUMBLE, as_it_comes, one_connection, schema
from tests.contracts.rumble.client import App, basic, settle
from tests.factories import internal_key, operator_key

pytestmark = pytest.mark.django_db


class Rumble:
    """An application with a tournament in several states, a container with something in it, and a player."""

    def __init__(self) -> None:
        self.app = app = App(crashes=False, signing="player")
        self.keys = {"operatorKey": operator_key(app.operator), "internalKey": internal_key(app.operator)}
        self.settings = app.settings()
        few = {"minParticipants": 1, "prizeDistributionRules": [{"minParticipants": 1, "distribution": [100]}]}
        self.tournaments = [app.tournament(**few), app.tournament(**few, registrationFeeInUpx=0)]
        app.join(self.tournaments[1], "racera")
        app.patch(f"/rumble-tournaments/{self.tournaments[1]}/start")
        self.container = app.post("/containers").json()["id"]
        body = {"containerId": self.container, "upxAmount": 5}
        self.transaction = app.post("/user/join", body, auth=app.bearer("racera")).json()["transactionId"]
        settle()
        user = app.user("racera")
        self.ids = {
            "settings": itertools.cycle([self.settings, None]),
            "id": itertools.cycle([*self.tournaments, None]),
            "userId": itertools.cycle([user, None]),
            "containerId": itertools.cycle([str(self.container), None]),
            "transactionId": itertools.cycle([self.transaction, None]),
            "transaction_id": itertools.cycle([self.transaction, None]),
            "app_id": itertools.cycle([str(app.id), None]),
            "user_id": itertools.cycle(["racera", user, None]),
        }
        self.fields = {"settingsId": self.settings, "containerId": self.container, "userId": user}

    def headers(self, security: str) -> dict[str, str]:
        """What proves an application, its player, its operator, or a game platform."""
        for name, key in self.keys.items():
            if name in security:
                return {"Authorization": f"Bearer {key}"}
        proof = self.app.bearer("racera") if "player" in security else basic(self.app.id, self.app.secret)
        return {"Authorization": proof}

    def aim(self, case: Any) -> None:
        """Have a call name something real, most of the time."""
        for name in case.path_parameters or {}:
            kind = "settings" if name == "id" and "-settings/" in case.path else name
            real = next(self.ids[kind]) if kind in self.ids else None
            if real is not None:
                case.path_parameters[name] = real
        if isinstance(case.body, dict):
            self._fill(case.body)

    def _fill(self, body: dict[str, Any]) -> None:
        for name, value in body.items():
            if name in self.fields:
                body[name] = self.fields[name]
            for one in value if isinstance(value, list) else ():
                if isinstance(one, dict):
                    self._fill(one)


@pytest.fixture
def rumble(db) -> Rumble:
    return Rumble()


@schema.include(path_regex=RUMBLE).parametrize()
@as_it_comes
def test_no_call_ever_fails(case, rumble):
    rumble.aim(case)
    headers = rumble.headers(str(case.operation.definition.raw.get("security")))
    with one_connection(), transaction.atomic():
        case.call_and_validate(app=application, headers=headers, checks=PROMISES)
        transaction.set_rollback(True)


def test_every_call_of_the_dialect_is_described_once():
    calls = {
        (method.upper(), path)
        for path, operations in schema.raw_schema["paths"].items()
        for method, operation in operations.items()
        if operation.get("security") in ([{"application": []}], [{"player": []}])
    }
    here = "/developers-api"
    tournament, container = f"{here}/rumble-tournaments/{{id}}", f"{here}/containers/{{containerId}}"
    assert calls == {
        ("POST", f"{here}/auth/otp/init"),
        ("POST", f"{here}/rumble-tournament-settings"),
        ("GET", f"{here}/rumble-tournament-settings"),
        ("GET", f"{here}/rumble-tournament-settings/{{id}}"),
        ("PATCH", f"{here}/rumble-tournament-settings/{{id}}"),
        ("POST", f"{here}/rumble-tournaments"),
        ("GET", tournament),
        *(("POST", f"{tournament}/{call}") for call in ("join", "scores", "resolve", "cancel")),
        *(("PATCH", f"{tournament}/{call}") for call in ("close-registration", "start")),
        *(("GET", f"{tournament}/{call}") for call in ("participants", "prize-distribution", "scoreboard")),
        ("GET", f"{tournament}/participants/{{userId}}"),
        ("POST", f"{here}/containers"),
        ("GET", container),
        *(
            ("POST", f"{container}/{call}")
            for call in ("join", "lock", "unlock", "refresh-expiration-time", "refund", "resolve")
        ),
        ("DELETE", f"{container}/transactions/{{transactionId}}"),
        ("POST", f"{here}/user/join"),
        ("GET", f"{here}/user/profile"),
        ("GET", f"{here}/user/balances"),
        ("GET", f"{here}/app-usage/webhook-calls"),
    }
