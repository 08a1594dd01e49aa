"""Rounds come in; the catalogue is synchronised; active games are told (rounds.md 3.1 to 3.4)."""

from django.http import HttpRequest, HttpResponse

from apps.core import clock
from apps.rounds import reading
from apps.rounds.api.base import MIB, IntegrationView, answer
from apps.rounds.services import catalogue, counting, intake


class _Rounds(IntegrationView):
    @staticmethod
    def taken(*, relevant: bool) -> HttpResponse:
        """Answer 202 if any round counts for a tournament, and 200 if none does; both are final for the client."""
        return answer(202 if relevant else 200, {})

    def note(self, kind: str) -> None:
        """Count calls of a proven key that were refused, or told to come back; strangers are not anybody's calls."""
        proven = getattr(self, "credential", None)
        if proven is not None:
            shed = int(kind == "unavailable")
            counting.count(proven.operator_id, proven.ref, refused=1 - shed, shed=shed, at=clock.now())


class SingleView(_Rounds):
    """`POST /gamerounds/{INTEGRATION_ID}/single`: one round."""

    def post(self, request: HttpRequest) -> HttpResponse:
        """Take it in."""
        (told,) = reading.read_single(self.body(request))
        key = self.credential
        relevant = intake.take_single(told, operator_id=key.operator_id, integration=key.ref, at=clock.now())
        return self.taken(relevant=relevant)


class BatchView(_Rounds):
    """`POST /gamerounds/{INTEGRATION_ID}/batch`: up to 100 rounds, all or none."""

    def post(self, request: HttpRequest) -> HttpResponse:
        """Take them in."""
        rounds = reading.read_batch(self.body(request))
        key = self.credential
        taken = intake.take(rounds, operator_id=key.operator_id, integration=key.ref, at=clock.now())
        return self.taken(relevant=taken.relevant)


class BrandsView(IntegrationView):
    """`POST /external/{INTEGRATION_ID}/sync-operators-and-brands`: the whole portfolio."""

    body_limit = 16 * MIB

    def post(self, request: HttpRequest) -> HttpResponse:
        """Make ours like it."""
        catalogue.sync_brands(
            reading.read_groups(self.body(request)),
            operator_id=self.credential.operator_id,
            integration=self.credential.ref,
            actor=self.actor,
            at=clock.now(),
        )
        return answer(200, {})


class GamesView(IntegrationView):
    """`POST /external/{INTEGRATION_ID}/sync-games`: the whole portfolio."""

    body_limit = 16 * MIB

    def post(self, request: HttpRequest) -> HttpResponse:
        """Make ours like it."""
        catalogue.sync_games(
            reading.read_games(self.body(request)),
            operator_id=self.credential.operator_id,
            integration=self.credential.ref,
            actor=self.actor,
            at=clock.now(),
        )
        return answer(200, {})


class ActiveGamesView(IntegrationView):
    """`GET /external/{INTEGRATION_ID}/active-games`: what is worth sending."""

    http_method_names = ["get"]

    def get(self, request: HttpRequest) -> HttpResponse:
        """Tell the games, and on which brands each is active."""
        found = catalogue.active_games(operator_id=self.credential.operator_id, at=clock.now())
        body = [{"gameId": game, "brandIds": brands} for game, brands in found]
        return answer(200, body, Cache_Control="private, max-age=60")


def nothing_here(_: HttpRequest, **_rest: str) -> HttpResponse:
    """Answer 404 in this dialect for everything else below its two beginnings."""
    return answer(404, {"error": "NOT_FOUND", "message": "There is nothing at this address.", "details": []})
