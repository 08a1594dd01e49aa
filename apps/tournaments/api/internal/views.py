"""The calls of the game platform. A view reads the request, makes one call, and answers."""

from collections.abc import Iterator
from typing import Any

from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core import clock
from apps.core.api.json import dumps
from apps.operators.api.access import InternalView, actor_of, reach_of
from apps.tournaments.api.casino import queries
from apps.tournaments.api.casino import reads as casino
from apps.tournaments.api.internal import docs, inputs, outputs, reads
from apps.tournaments.models import Tournament
from apps.tournaments.services import entries, hop, intake, rooms, tally, tokens

# More players than this are written out as they are read, so that a list of a hundred thousand needs no memory for it.
STREAM_FROM = 2000


class _View(InternalView):
    request: Request
    kwargs: dict[str, Any]

    def tournament(self) -> Tournament:
        """Return the tournament the path names. Raises TournamentNotFound, for those out of the key's reach too."""
        return reads.tournament(reach_of(self.request), self.kwargs["id"])


class ValidateTokenView(_View):
    """Player tokens."""

    @docs.validate_token
    def post(self, request: Request) -> Response:
        """Tell whether a player token opens the door, and for whom. An invalid one is an answer, not an error."""
        token, at = inputs.token(request.data), clock.now()
        verdict = tokens.check_token(token, at=at)
        entry = verdict.entry
        if entry is None:
            return Response(outputs.refused_token(verdict.error))
        if reach_of(request) not in (None, entry.tournament.operator_id):
            # A key that doesn't reach the tenant must not learn that the token is genuine.
            return Response(outputs.refused_token(tokens.BAD_SIGNATURE))
        won = entry.pk in casino.prizes(entry.tournament, [entry.pk])
        return Response(outputs.valid_token(verdict, entry, won=won, at=at))


class LobbiesView(_View):
    """Hop-on/off tournaments."""

    @docs.open_lobby
    def post(self, request: Request) -> Response:
        """Open a lobby that starts once enough players have registered; 200 with the one that waits, if one does."""
        wanted, at = inputs.lobby(request.data), clock.now()
        operator = reads.operator(reach_of(request), wanted.operator_id)
        lobby, made = hop.open_lobby(wanted.new, operator=operator, actor=actor_of(request), at=at)
        answer = outputs.lobby(lobby, tally.totals(lobby.pk), at=at)
        return Response(answer, status.HTTP_201_CREATED if made else status.HTTP_200_OK)


class ConfigView(_View):
    """How a tournament is played."""

    @docs.get_config
    def get(self, request: Request, **path: str) -> Response:
        """Return the configuration."""
        found = self.tournament()
        return Response(outputs.config(found, tally.totals(found.pk), at=clock.now()))


class StatusView(_View):
    """Where a tournament stands."""

    @docs.get_status
    def get(self, request: Request, **path: str) -> Response:
        """Return status, phase, counts and times."""
        found = self.tournament()
        return Response(outputs.status(found, tally.totals(found.pk), at=clock.now()))


class PlayersView(_View):
    """The players of a tournament."""

    @docs.list_players
    def get(self, request: Request, **path: str) -> HttpResponseBase:
        """List players by position."""
        page, word = queries.players(request)
        found = self.tournament()
        won = casino.prizes(found)
        total, chunks = casino.players(found, word, page, won=won)
        shown = (outputs.listed_players(found, rows, won) for rows in chunks)
        head = outputs.player_list_head(found, total=total)
        if min(total, page.limit or total) > STREAM_FROM:
            return StreamingHttpResponse(_written(head, shown), content_type="application/json")
        return Response({**head, "players": [row for rows in shown for row in rows]})


def _written(head: dict[str, Any], chunks: Iterator[list[dict[str, Any]]]) -> Iterator[bytes]:
    """Write the list piece by piece: the same body that a short list has."""
    yield dumps(head)[:-1] + b',"players":['
    comma = b""
    for rows in chunks:
        yield comma + dumps(rows)[1:-1]
        comma = b","
    yield b"]}"


class PlayerView(_View):
    """One player of a tournament."""

    @docs.refund_player
    def delete(self, request: Request, **path: str) -> Response:
        """Take a player out before the start and give everything back."""
        reason = inputs.reason(request)
        found = self.tournament()
        entry = casino.entry(found, self.kwargs["player"])
        gone = entries.remove_with_refund(entry.pk, reason=reason, actor=actor_of(request), at=clock.now())
        return Response(
            outputs.refunded(
                found, gone.entry, reason=reason, units=gone.refund_units, remaining=gone.remaining_players
            )
        )


class EventsView(_View):
    """What happens in the game."""

    @docs.report_events
    def post(self, request: Request, **path: str) -> Response:
        """Take one event or an array of up to 1000; each counts once, by its id."""
        bodies = inputs.events(request.data)
        taken = intake.take_events(
            casino.row_id(self.kwargs["id"]) or 0,
            bodies,
            within=reach_of(request),
            actor=actor_of(request),
            at=clock.now(),
        )
        return Response(outputs.outcomes(self.tournament(), taken), status.HTTP_202_ACCEPTED)


class RoomView(_View):
    """Where a tournament is played."""

    @docs.set_room
    def post(self, request: Request, **path: str) -> Response:
        """Note the room; the last one reported counts."""
        room_id, room_url = inputs.room(request.data)
        changed = rooms.set_room(
            self.tournament().pk, room_id=room_id, room_url=room_url, actor=actor_of(request), at=clock.now()
        )
        return Response(outputs.room(changed))
