"""Register, list, look at, remove players and sell them rebuys (operators.md 3.8 to 3.12)."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core import clock
from apps.core.api.json import dumps
from apps.operators.api.access import actor_of
from apps.operators.scopes import Scope
from apps.tournaments.api.casino import docs, inputs, outputs, queries, reads
from apps.tournaments.api.casino.views.base import CasinoView
from apps.tournaments.models import Entry
from apps.tournaments.services import boards, buyins, entries, quoting, tally, viewing
from apps.tournaments.services.entries import PlayerNotFound, TournamentNotFound
from apps.tournaments.services.tokens import game_url, issue_token
from apps.tournaments.services.viewing import Viewer

# More players than this are written out as they are read, so that a list of a hundred thousand needs no memory for it.
STREAM_FROM = 2000


class PlayersView(CasinoView):
    """The players of a tournament."""

    scopes = {"post": Scope.PLAYERS_WRITE, "get": Scope.PLAYERS_READ}
    rate_class = {"post": "registration"}
    # The answer to a registration holds the player's token.
    seals_answers = True

    @docs.register_player
    def post(self, request: Request, **path: str) -> Response:
        """Register a player and return the way into the game; 202 while the operator is being asked for the fee."""
        new, at = inputs.registration(request.data), clock.now()
        found = self.tournament()
        if buyins.collects(found):
            return self._buy_in(request, found.pk, new, at)
        entry = entries.register(
            found.pk,
            user_id=new.user_id,
            display_name=new.display_name,
            buy_in=new.buy_in,
            payment_id=new.payment_id,
            brand_id=new.brand_id,
            quote=new.quote,
            actor=actor_of(request),
            at=at,
        )
        return self._registered(entry, at)

    def _buy_in(self, request: Request, tournament_id: int, new: inputs.Registration, at: datetime) -> Response:
        asked = buyins.enter(
            tournament_id,
            user_id=new.user_id,
            display_name=new.display_name,
            buy_in=new.buy_in,
            payment_id=new.payment_id,
            brand_id=new.brand_id,
            currency=new.currency,
            quote=new.quote,
            actor=actor_of(request),
            at=at,
        )
        if asked.entry is None:
            return Response(outputs.buy_in(asked), status.HTTP_202_ACCEPTED)
        return self._registered(asked.entry, at)

    @staticmethod
    def _registered(entry: Entry, at: datetime) -> Response:
        token = issue_token(entry, at=at)
        answer = outputs.registered(entry.tournament, entry, jwt=token, game_url=game_url(entry, token))
        return Response(answer, status.HTTP_201_CREATED)

    @docs.list_players
    def get(self, request: Request, **path: str) -> HttpResponseBase:
        """List players by position."""
        page, word = queries.players(request)
        found = self.tournament()
        won = reads.prizes(found)
        total, chunks = reads.players(found, word, page, won=won)
        shown = (outputs.listed_players(found, rows, won) for rows in chunks)
        if min(total, page.limit or total) > STREAM_FROM:
            return StreamingHttpResponse(_written(shown, total), content_type="application/json")
        return Response({"players": [row for rows in shown for row in rows], "totalCount": total})


def _written(chunks: Iterator[list[dict[str, Any]]], total: int) -> Iterator[bytes]:
    """Write the list piece by piece: the same body that a short list has."""
    yield b'{"players":['
    comma = b""
    for rows in chunks:
        yield comma + dumps(rows)[1:-1]
        comma = b","
    yield b'],"totalCount":%d}' % total


class PlayerView(CasinoView):
    """One player of a tournament."""

    scopes = {"get": Scope.PLAYERS_READ, "delete": Scope.PLAYERS_WRITE}

    @docs.get_player
    def get(self, request: Request, **path: str) -> Response:
        """Return where a player stands; 202 while the operator is being asked for the buy-in."""
        try:
            entry = self.entry()
        except PlayerNotFound:
            asked = reads.buy_in(self.tournament(), self.kwargs["player"])
            if asked is None:
                raise
            buyins.raise_if_over(asked)
            return Response(outputs.buy_in(asked), status.HTTP_202_ACCEPTED)
        won = entry.pk in reads.prizes(entry.tournament, [entry.pk])
        position = boards.position_of(entry)
        return Response(outputs.player_status(entry.tournament, entry, position=position, won=won))

    @docs.remove_player
    def delete(self, request: Request, **path: str) -> Response:
        """Take a player out: refunded before the start, eliminated after it."""
        wanted = inputs.removal(request)
        gone = entries.remove(
            self.entry().pk, reason=wanted.reason, details=wanted.details, actor=actor_of(request), at=clock.now()
        )
        return Response(outputs.removed(gone.entry, reason=wanted.reason, remaining=gone.remaining_players))


class FeeView(CasinoView):
    """What entering costs."""

    scopes = {"get": Scope.TOURNAMENTS_READ}

    @docs.fee
    def get(self, request: Request, **path: str) -> Response:
        """Return the fee of a player in their currency; nothing is fixed by it."""
        currency, brand_id = queries.fee(request)
        viewer = Viewer(self.kwargs["player"], brand_id)
        found = self.tournament()
        if not viewing.sees(viewer, found):
            raise TournamentNotFound
        player = viewing.known(found.operator_id, viewer)
        told = quoting.fee_of(found, player, currency=currency, at=clock.now())
        return Response(outputs.fee(found, viewer.user_id, told))


class RebuyView(CasinoView):
    """More entries for a player."""

    scopes = {"post": Scope.PLAYERS_WRITE}
    rate_class = "registration"

    @docs.rebuy
    def post(self, request: Request, **path: str) -> Response:
        """Add entries; an eliminated player comes back with their points."""
        wanted = inputs.rebuy(request.data)
        entry = entries.rebuy(
            self.entry().pk,
            additional_entries=wanted.additional_entries,
            payment_id=wanted.payment_id,
            actor=actor_of(request),
            at=clock.now(),
        )
        totals = tally.totals(entry.tournament_id)
        return Response(outputs.rebought(entry.tournament, entry, totals, additional=wanted.additional_entries))

    def handle_exception(self, exc: Exception) -> Response:
        """A refusal also says so in the words of a rebuy."""
        answer: Response = super().handle_exception(exc)
        if answer.status_code == status.HTTP_409_CONFLICT:
            answer.data["rebuy_approved"] = False
        return answer
