"""A third-party application over HTTP, as the original's clients write it."""

import base64
from datetime import timedelta
from typing import Any

from django.http import HttpResponse
from django.test import Client

from apps.core import clock, crypto
from apps.core.actors import SYSTEM
from apps.core.api.json import dumps, loads
from apps.events.models import Fact
from apps.operators.models import Operator
from apps.rumble import words
from apps.rumble.services import applications
from apps.rumble.services.applications import ApplicationChanges
from tests.factories import LONG_AGO, OperatorFactory, api
from tests.rumble import world

# The property table of the source text, with the rules of its scenarios.
SETTINGS = {
    "name": "Friday Drag Rumble",
    "description": "One lap, best time points",
    "minParticipants": 4,
    "maxParticipants": 12,
    "registrationFeeInUpx": 100,
    "developerFeePercentage": 5,
    "prizeDistributionRules": [
        {"minParticipants": 4, "distribution": [70, 30]},
        {"minParticipants": 8, "distribution": [50, 25, 15, 10]},
    ],
}
MOUNTS = ("/developers-api", "")
NOWHERE = "6f0f2c1e-8a55-4a0b-9d0c-0b7e2f6a1c11"


def basic(app_id: Any, secret: str) -> str:
    """The header of an application."""
    return "Basic " + base64.b64encode(f"{app_id}:{secret}".encode()).decode()


class App:
    """An application with its key. `mount` is where it calls; a crash in a view is a crash in the test."""

    def __init__(self, operator: Operator | None = None, *, mount: str = MOUNTS[0], crashes: bool = True, **more: Any):
        self.operator = operator or OperatorFactory()
        changes = ApplicationChanges(**({"name": "Drag Races", "developer_eos_id": "devfarm12345"} | more))
        keyed = applications.register(self.operator.pk, changes, actor=SYSTEM, at=LONG_AGO)
        self.row, self.secret = keyed.application, keyed.issued.key
        self.id, self.mount = self.row.app_id, mount
        self.http = Client(raise_request_exception=crashes)
        self.tokens: dict[str, str] = {}

    def send(self, method: str, path: str, body: Any = None, *, auth: str | None = None, **more: Any) -> HttpResponse:
        """Send any request: bytes as they are, everything else as JSON, nothing for None."""
        data = b"" if body is None else body if isinstance(body, bytes) else dumps(body)
        headers = {"Authorization": basic(self.id, self.secret) if auth is None else auth} | more.pop("headers", {})
        kind = more.pop("content_type", "application/json")
        return self.http.generic(method, self.mount + path, data, content_type=kind, headers=headers, **more)

    def get(self, path: str, **query: Any) -> HttpResponse:
        return self.send("GET", path, QUERY_STRING="&".join(f"{name}={value}" for name, value in query.items()))

    def post(self, path: str, body: Any = None, **more: Any) -> HttpResponse:
        return self.send("POST", path, body, **more)

    def patch(self, path: str, body: Any = None, **more: Any) -> HttpResponse:
        return self.send("PATCH", path, body, **more)

    def bearer(self, name: str) -> str:
        """The header of a player; who is not connected yet is now."""
        return f"Bearer {self.tokens.get(name) or self.connect(name)}"

    def connect(self, name: str, units: int = world.RICH) -> str:
        """Connect a player by a code, and return the token that the webhook carries."""
        player = world.player(self.row, name, units=units)
        code = self.post("/auth/otp/init").json()["code"]
        made = api(self.operator).post(f"/api/players/{player.external_id}/connections", {"code": code})
        assert made.status_code == 201, made.content
        fact = Fact.objects.filter(type="rumble.AuthenticationSuccess").latest("pk")
        assert fact.data["code"] == code
        self.tokens[name] = crypto.decrypt(fact.data["sealedToken"])
        return self.tokens[name]

    def user(self, name: str) -> str:
        """A player's id on the wire."""
        return words.user_id(world.player(self.row, name).pk)

    def settings(self, **more: Any) -> str:
        """Make settings."""
        made = self.post("/rumble-tournament-settings", SETTINGS | more)
        assert made.status_code == 201, made.content
        return str(made.json()["id"])

    def tournament(self, **more: Any) -> str:
        """Make a tournament of fresh settings."""
        made = self.post("/rumble-tournaments", {"settingsId": self.settings(**more)})
        assert made.status_code == 201, made.content
        return str(made.json()["id"])

    def join(self, tournament: str, *names: str) -> None:
        """Have players join."""
        for name in names:
            joined = self.post(f"/rumble-tournaments/{tournament}/join", auth=self.bearer(name))
            assert joined.status_code == 204, joined.content

    def running(self, count: int, **more: Any) -> str:
        """A tournament in progress."""
        tournament = self.tournament(**more)
        self.join(tournament, *world.names(count))
        settle()
        assert self.patch(f"/rumble-tournaments/{tournament}/start").status_code == 204
        return tournament

    def score(self, tournament: str, **values: float) -> HttpResponse:
        """Send scores by name."""
        scores = [{"userId": self.user(name), "value": value} for name, value in values.items()]
        return self.post(f"/rumble-tournaments/{tournament}/scores", {"scores": scores})

    def status(self, tournament: str) -> str:
        """Where a tournament stands."""
        return str(self.get(f"/rumble-tournaments/{tournament}").json()["status"])


def settle(seconds: float = 30) -> None:
    """Let the chain do all that is due by then."""
    world.settle(clock.now() + timedelta(seconds=seconds))


def refused(answer: HttpResponse, status: int, words: str = "") -> None:
    """Check a refusal: the documented body and nothing else (rumble.md 9)."""
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/json"
    body = loads(answer.content)
    assert body["statusCode"] == status
    assert isinstance(body["message"], str)
    assert words in body["message"]
    assert set(body) == ({"statusCode", "message"} if status == 401 else {"statusCode", "message", "error"})
