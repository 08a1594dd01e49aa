"""A game server that signs its calls like the original's clients, and players who log in to it."""

import itertools
import json
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.http import HttpResponse
from django.test import Client

from apps.core import clock
from apps.core.actors import SYSTEM
from apps.ledger.money import to_amount
from apps.operators.models import CredentialKind, Operator, Player
from apps.rooms.api import signatures
from apps.rooms.services import sessions
from tests.contracts.casino import an_operator
from tests.factories import PlayerFactory, issue
from tests.rooms.floor import Floor

_numbers = itertools.count(1)


def compact(body: Any) -> str:
    """What JSON.stringify makes of a body."""
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False, default=float)


class GameServer:
    """`GameServer().post("create", {"sync": True})` is a signed call of `/api/game/create`."""

    def __init__(self, operator: Operator | None = None, game_id: str | None = None, *, crashes: bool = True) -> None:
        self.operator = operator or an_operator()
        self.game_id = game_id or f"game-{next(_numbers)}"
        issued = issue(self.operator, CredentialKind.GAME, ref=self.game_id)
        self.credential, self.key, self.secret = issued.credential, issued.key, issued.secret
        self.floor = Floor(self.operator, self.game_id)
        self.jwts: dict[str, str] = {}
        self.client = Client(raise_request_exception=crashes)

    # --- calls --------------------------------------------------------------------------------------------------------

    def headers(self, payload: str | bytes, timestamp: str | None = None) -> dict[str, str]:
        """The three headers over a payload text."""
        timestamp = timestamp or str(int(clock.now().timestamp() * 1000))
        raw = payload.encode() if isinstance(payload, str) else payload
        signature = signatures.sign(self.secret, timestamp, raw)
        return {"apikey": self.key, "signature": signature, "timestamp": timestamp}

    def send(
        self,
        method: str,
        path: str,
        payload: str | bytes = "",
        *,
        signed: str | bytes | None = None,
        headers: Mapping[str, str] | None = None,
        content_type: str = "application/json",
    ) -> HttpResponse:
        """Send a body as it is, signed over `signed` if that is another text."""
        proof = self.headers((payload or "{}") if signed is None else signed)
        return self.client.generic(
            method, path, payload, content_type=content_type, headers=proof | dict(headers or {})
        )

    def post(self, call: str, body: Any = None, *, mount: str = "/api", **more: Any) -> HttpResponse:
        """A call below `/game`, with a body signed as it is sent."""
        path = call if call.startswith("/") else f"/game/{call}"
        return self.send("POST", f"{mount}{path}", compact({} if body is None else body), **more)

    def get(self, path: str, *, mount: str = "/api", **more: Any) -> HttpResponse:
        """A call without a body, signed over `{}`."""
        return self.send("GET", f"{mount}{path}", **more)

    def done(self, call: str, **body: Any) -> dict[str, Any]:
        """A synchronous call that succeeds; its answer."""
        answer = self.post(call, body | {"sync": True})
        assert answer.status_code == 200, answer.content
        return answer.json()

    def task(self, public_id: str) -> HttpResponse:
        return self.get(f"/task/status/{public_id}")

    # --- players ------------------------------------------------------------------------------------------------------

    def player(self, name: str, *, approved: Any = 50, **funds: Any) -> str:
        """A player with 100 gamr (or what is said), of which this game may take 50; return their live session."""
        if name not in self.floor.people:
            known = Player.objects.filter(operator=self.operator, external_id=name).first()
            self.floor.people[name] = known or PlayerFactory(operator=self.operator, external_id=name, handle=name)
        for token, amount in (funds or {"gamr": 100}).items():
            self.floor.player(name, asset=token, funds=amount, approved=None)
            if approved is not None:
                self.approve(name, approved, token)
        return self.log_in(name)

    def log_in(self, name: str, *, seconds: int = 3600) -> str:
        opened = sessions.issue(
            self.floor.people[name], game_id=self.game_id, seconds=seconds, actor=SYSTEM, at=clock.now()
        )
        self.jwts[name] = opened.token
        return opened.token

    def approve(self, name: str, amount: Any, asset: str = "gamr", *, hours: int = 24) -> None:
        self.floor.approve(name, amount, asset=asset, until=clock.now() + timedelta(hours=hours))

    def taking(self, asset: str = "gamr", /, **amounts: Any) -> dict[str, Any]:
        """The arrays of a payment: `taking(ana=3)`."""
        names = [name.replace("_", "-") for name in amounts]
        return {
            "sessionJwts": [self.jwts[name] for name in names],
            "tokens": [asset] * len(names),
            "amounts": list(amounts.values()),
        }

    def giving(self, asset: str = "gamr", /, **amounts: Any) -> dict[str, Any]:
        """The arrays of a payout."""
        names = [name.replace("_", "-") for name in amounts]
        return {"plyrIds": names, "tokens": [asset] * len(names), "amounts": list(amounts.values())}

    def stake(self, **amounts: Any) -> str:
        """A room whose players have joined and paid; its id."""
        for name in amounts:
            if name.replace("_", "-") not in self.jwts:
                self.player(name.replace("_", "-"))
        found: str = self.done("createJoinPay", **self.taking(**amounts))["roomId"]
        return found

    # --- what there is ------------------------------------------------------------------------------------------------

    def wallet(self, name: str, asset: str = "gamr") -> Decimal:
        return to_amount(self.floor.wallet(name, asset), self.floor.asset(asset).scale)

    def everything(self) -> tuple[Any, ...]:
        return self.floor.everything()
