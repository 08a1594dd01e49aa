"""An integration that sends rounds to an operator, and a tournament that wants them."""

import itertools
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.http import HttpResponse
from django.test import Client

from apps.core import clock
from apps.core.actors import SYSTEM
from apps.operators.models import CredentialKind, Game, Operator
from apps.operators.services.tenants import GameChanges, put_brand, put_game
from apps.rounds.services import watching
from apps.tournaments.models import Tournament
from apps.tournaments.services import creation
from tests.factories import GAME, LONG_AGO, OperatorFactory, issue

BRAND, ROUND_GAME = "superkingz", "EVO_ANDAR_BAHAR_1"
_numbers = itertools.count(1)


def a_round(**more: Any) -> dict[str, Any]:
    """A round as the source text shows one, with an id of its own."""
    return {
        "timestamp": "2022-04-30T04:03:10.200Z",
        "roundId": f"r-{next(_numbers)}",
        "brandId": BRAND,
        "playerId": "Player-4",
        "gameId": ROUND_GAME,
        "roundType": "REGULAR",
        "currency": "EUR",
        "betAmount": 2.5,
        "winAmount": 1,
    } | more


class Integration:
    """`Integration().batch([a_round()])` is a call of `/gamerounds/acme/batch` with the integration's key."""

    def __init__(
        self, operator: Operator | None = None, name: str = "acme", *, crashes: bool = True, watched: bool = True
    ) -> None:
        self.operator = operator or OperatorFactory()
        self.name = name
        issued = issue(self.operator, CredentialKind.INTEGRATION, ref=name)
        self.credential, self.key = issued.credential, issued.key
        self.client = Client(raise_request_exception=crashes)
        told = {"actor": SYSTEM, "at": LONG_AGO}
        self.brand, _ = put_brand(self.operator.pk, external_id=BRAND, name="Super Kingz", **told)
        self.game, _ = put_game(self.operator.pk, ROUND_GAME, GameChanges(display_name="Andar Bahar"), **told)
        if watched:
            self.tournament = self.watch(self.game)

    def watch(self, *games: Game, brands: tuple[int, ...] = (), opens_in: timedelta = timedelta(0)) -> Tournament:
        """A tournament that wants the rounds of these games."""
        at = clock.now()
        plan = creation.NewTournament(name="Sprint", game_slug=GAME, starts_at=at + timedelta(days=1))
        made = creation.create_tournament(plan, operator=self.operator, actor=SYSTEM, at=at)
        watching.watch(
            made.pk,
            operator_id=self.operator.pk,
            games=[game.pk for game in games],
            brands=brands,
            opens_at=at + opens_in,
        )
        return made

    def send(
        self,
        path: str,
        body: Any,
        *,
        headers: Mapping[str, str | None] | None = None,
        method: str = "POST",
        **more: Any,
    ) -> HttpResponse:
        """Send anything; text and bytes go as they are."""
        data = body if isinstance(body, str | bytes) else json.dumps(body)
        sent = {"X-API-Key": self.key} | dict(headers or {})
        return self.client.generic(
            method,
            path.format(id=self.name),
            data,
            content_type=more.pop("content_type", "application/json"),
            headers={name: value for name, value in sent.items() if value is not None},
            **more,
        )

    def single(self, body: Any, **more: Any) -> HttpResponse:
        return self.send("/gamerounds/{id}/single", body, **more)

    def batch(self, body: Any, **more: Any) -> HttpResponse:
        return self.send("/gamerounds/{id}/batch", body, **more)

    def sync_brands(self, body: Any, **more: Any) -> HttpResponse:
        return self.send("/external/{id}/sync-operators-and-brands", body, **more)

    def sync_games(self, body: Any, **more: Any) -> HttpResponse:
        return self.send("/external/{id}/sync-games", body, **more)

    def active_games(self, **more: Any) -> HttpResponse:
        return self.send("/external/{id}/active-games", b"", method="GET", **more)
