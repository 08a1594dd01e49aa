"""Players who prove themselves with codes, at a moment that a test chooses."""

from datetime import UTC, datetime, timedelta

import pyotp
import time_machine

from apps.operators.models import Player
from tests.contracts.rooms.game import GameServer
from tests.factories import Api, operator_key

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class Lobby(GameServer):
    """A game server and its operator, whose API makes players known and sets up their codes."""

    def __init__(self, **more):
        super().__init__(**more)
        self.api = Api(operator_key(self.operator))
        self.secrets: dict[str, str] = {}

    def enrol(self, plyr_id: str) -> Player:
        """Two calls of the operator: a player, and their second factor."""
        assert self.api.post("/api/players", {"userId": plyr_id}).status_code == 201
        made = self.api.post(f"/api/players/{plyr_id}/totp", {})
        assert made.status_code == 201, made.content
        self.secrets[plyr_id] = made.json()["secret"]
        return Player.objects.get(operator=self.operator, handle=plyr_id)

    def code(self, plyr_id: str, at: datetime, steps: int = 0) -> str:
        """What the player's authenticator shows at a moment."""
        return pyotp.TOTP(self.secrets[plyr_id]).at(at + timedelta(seconds=30 * steps))

    def wrong(self, plyr_id: str, at: datetime, place: int = 0) -> str:
        """A code that is nobody's now; another one for each place."""
        right = {self.code(plyr_id, at, steps) for steps in range(-2, 3)}
        return [f"{n:06d}" for n in range(100) if f"{n:06d}" not in right][place]

    def login(self, plyr_id: str = "ana-11", **more):
        """A login with the code of the moment."""
        now = datetime.now(UTC)
        return self.post("/user/login", {"plyrId": plyr_id, "otp": self.code(plyr_id, now), **more})

    def login_now(self, plyr_id: str = "ana-11") -> str:
        """A live session that took no code."""
        self.floor.people[plyr_id] = Player.objects.get(operator=self.operator, handle=plyr_id)
        return self.log_in(plyr_id)


def at_moment(at: datetime = NOON):
    """Stop the clock."""
    return time_machine.travel(at, tick=False)
