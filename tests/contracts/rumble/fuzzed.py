"""Real things of the rumble dialect, for calls made at random."""

import itertools
from typing import Any

from apps.operators.models import Operator
from tests.contracts.rumble.client import App, basic, settle


class Rumble:
    """An application with a tournament in several states, a container with something in it, and a player."""

    def __init__(self, operator: Operator) -> None:
        self.app = app = App(operator, crashes=False, signing="player")
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
        }
        self.fields = {"settingsId": self.settings, "containerId": self.container, "userId": user}

    def headers(self, security: str) -> dict[str, str]:
        """What proves an application, or its player."""
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
