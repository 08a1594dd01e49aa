"""A game back-end that talks to us, and the operator whose players play on it."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.test import Client as Browser

from apps.core.actors import SYSTEM
from apps.ledger.services.tenants import open_operator
from apps.matches.models import Match
from apps.matches.services import clients, delivering
from apps.operators.models import CredentialKind, Operator, Player
from tests.contracts.casino import UNLIMITED
from tests.factories import LONG_AGO, Api
from tests.matches import world
from tests.receivers import Receiver, Reply

MATCHES = "/api/game/v1/matches"
FORM = "application/x-www-form-urlencoded"


class GameServer(Receiver):
    """The game's webhook: it answers with these statuses, one after the other, the last for ever."""

    def __init__(self, *statuses: int) -> None:
        wanted = statuses or (200,)
        super().__init__(lambda _, n: Reply(wanted[min(n, len(wanted)) - 1]))


class Game:
    """An operator as `create_operator` makes one, their key, and the game with its developer-config."""

    def __init__(self, name: str = "Acme", **settings: Any) -> None:
        opened = open_operator(name=name, slug=None, currency="USD", actor=SYSTEM, at=LONG_AGO)
        self.operator: Operator = opened.operator
        self.operator.preferences = UNLIMITED
        self.operator.save(update_fields=["preferences"])
        self.key = opened.credentials[CredentialKind.OPERATOR].key
        self.api = Api(self.key)
        client = opened.credentials[CredentialKind.MATCH_CLIENT]
        self.client_id = client.credential.ref
        self.config = clients.developer_config(self.client_id, client.key)
        self.browser = Browser()
        self._token = ""
        self.set(feeBps=1000, **settings)

    def set(self, **settings: Any) -> dict[str, Any]:
        """Change how the client works."""
        answer = self.api.put(f"/api/match-clients/{self.client_id}", settings)
        assert answer.status_code == 200, answer.content
        return answer.json()

    # --- as the game ---------------------------------------------------------------------------------------------

    def path(self, url: str) -> str:
        """An address of the configuration, as the test client wants it."""
        return url.removeprefix(self.config["okletsplay_url"])

    def ask_token(self, **fields: str) -> HttpResponse:
        """Ask the token endpoint, with the documented four fields unless told otherwise."""
        own = self.config["authentication"]
        form = {
            "client_id": own["client_id"],
            "client_secret": own["client_secret"],
            "grant_type": "client_credentials",
            "scope": "olp-report-api",
        } | fields
        form = {name: value for name, value in form.items() if value is not None}
        return self.browser.post(self.path(own["token_url"]), urlencode(form), content_type=FORM)

    @property
    def token(self) -> str:
        """An access token, asked for once."""
        if not self._token:
            self._token = self.ask_token().json()["access_token"]
        return self._token

    def send(self, method: str, path: str, body: Any = None, *, token: str | None = None, **headers: str) -> Any:
        """Call the game API with an access token."""
        game = Api(self.token if token is None else token)
        return game.send(method, path, body, headers=headers)

    def finish(self, body: Any, **more: Any) -> HttpResponse:
        """Report."""
        return self.send("POST", "/api/game/v1/finish", body, **more)

    # --- as the operator -----------------------------------------------------------------------------------------

    def create(self, teams: dict[str, list[str]] | None = None, **fields: Any) -> dict[str, Any]:
        """Create a confirmed match of ann against bob for ten dollars each, unless told otherwise."""
        teams = teams or {"team_id_1": ["user_id_1"], "team_id_2": ["user_id_2"]}
        for name in [name for names in teams.values() for name in names]:
            if not Player.objects.filter(operator=self.operator, external_id=name).exists():
                world.rich(self.operator, name)
        body = {
            "clientId": self.client_id,
            "teams": [{"id": team, "participants": [{"id": name} for name in names]} for team, names in teams.items()],
            "entryFee": "10.00",
            "currency": "USD",
            "mode": "sync",
            "confirmed": True,
        } | fields
        answer = self.api.post("/api/matches", body)
        assert answer.status_code == 201, answer.content
        return answer.json()

    def state(self, match_id: str) -> dict[str, Any]:
        """The match as the operator reads it."""
        return self.api.get(f"/api/matches/{match_id}").json()

    def wallets(self) -> dict[str, int]:
        """Who has what, in cents."""
        return world.wallets(self.operator)

    def deliver(self, at: Any) -> int:
        """Make every webhook call that is due at a moment; return how many."""
        return sum(delivering.deliver(notice_id, at=at) for notice_id in delivering.due(at))

    def row(self, match_id: str) -> Match:
        """The match's row."""
        return Match.objects.get(public_id=match_id)


def two(match_id: str, *, first: int = 300, second: int = 100, ranks: tuple[int, int] = (1, 2)) -> dict[str, Any]:
    """The source's result of two players."""
    return {
        "match_id": match_id,
        "participants": [{"id": "user_id_1", "score": first}, {"id": "user_id_2", "score": second}],
        "teams": [
            {"id": "team_id_1", "score": first, "ranking": ranks[0]},
            {"id": "team_id_2", "score": second, "ranking": ranks[1]},
        ],
    }
