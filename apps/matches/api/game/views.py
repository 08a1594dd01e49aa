"""The game's calls (matches.md 3.5 to 3.11 and the extensions of 7)."""

import hashlib
from datetime import UTC, datetime
from typing import Any

from django.http import HttpResponse
from django.utils.dateparse import parse_datetime
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.exceptions import NotFound, Throttled
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core import clock
from apps.core.api.json import dumps
from apps.core.api.paging import whole
from apps.core.errors import Invalid
from apps.matches.api.game import answers, docs
from apps.matches.api.game.base import GameView
from apps.matches.api.words import match_status
from apps.matches.models import Dispute, DisputeType, GameEventType, Report
from apps.matches.services import disputing, finishing, happening, launching, lookup, said
from apps.operators import limits

BIGGEST_ID = 2**63 - 1
MAX_ID, MAX_NOTE, MAX_EVIDENCE = 128, 2000, 20
NOT_MODIFIED = 304
# The same question may be asked once a second. Its further pages, other questions and those that name the ETag that
# they know may follow at once, within the limit of all of them.
QUESTION_SECONDS = 1
ALL_POLLS = limits.Window("polls", 20, 1)


@extend_schema(tags=["Match game API"])
class FinishView(GameView):
    """Results, forfeits and aborts."""

    @extend_schema(operation_id="game_finish", request=docs.FinishIn, responses=docs.answers(200, docs.FinishOut))
    def post(self, request: Request) -> Response:
        """Report how a match ended. The first report that counts is final; a repeat is answered as the first was."""
        key = request.headers.get("Idempotency-Key", "")
        report = said.read(self.body(), key=key if key.isprintable() else "")
        told = finishing.finish(self.client.pk, report, actor=self.actor, at=clock.now())
        return Response(answers.told_json(told))


@extend_schema(tags=["Match game API"])
class TokenInfoView(GameView):
    """Whom a match token stands for."""

    @extend_schema(
        operation_id="game_token_info", request=docs.TokenInfoIn, responses=docs.answers(200, docs.TokenInfoOut)
    )
    def post(self, request: Request) -> Response:
        """Tell match and player of a match token; 404 for one that is unknown, ended, or another game's."""
        token = self.body().get("token")
        if not isinstance(token, str) or not token:
            raise Invalid("token is missing.")
        return Response(answers.seat_json(launching.look_up(self.client, token, at=clock.now())))


@extend_schema(tags=["Match game API"])
class MatchesView(GameView):
    """The poll."""

    @extend_schema(
        operation_id="game_matches",
        parameters=docs.POLL_PARAMETERS,
        responses={**docs.answers(200, docs.ListOut), 304: OpenApiResponse(description="As its ETag says")},
    )
    def get(self, request: Request) -> Response | HttpResponse:
        """List the game's matches. Answers If-None-Match with 304, and the same question within a second with 429."""
        query = request.query_params
        cursor, known = query.get("cursor"), request.headers.get("If-None-Match", "")
        self._limit(None if cursor or known else request.META.get("QUERY_STRING", ""))
        wanted = {word.strip() for word in query.get("status", "live").split(",")}
        if not wanted or wanted - {"live", "pending"}:
            raise Invalid("Invalid query.", fields={"status": ["live, pending, or both with a comma."]})
        page = lookup.polled(
            self.client.pk,
            live="live" in wanted,
            pending="pending" in wanted,
            user_id=query.get("user_id", ""),
            updated_since=_moment(query.get("updated_since"), "updated_since"),
            after=whole(query, "cursor", default=0, least=0, most=BIGGEST_ID) if cursor else 0,
            limit=whole(query, "limit", default=100, least=1, most=200),
            at=clock.now(),
        )
        told = {
            "matches": [answers.listed_json(match) for match in page.matches],
            "next_cursor": str(page.next_cursor) if page.next_cursor else None,
        }
        tag = f'"{hashlib.sha256(dumps(told)).hexdigest()[:32]}"'
        if tag in _tags(known):
            return HttpResponse(status=NOT_MODIFIED, headers={"ETag": tag})
        return Response(told, headers={"ETag": tag, "Cache-Control": "private, no-cache"})

    def _limit(self, question: str | None) -> None:
        """Count a poll, and the question where it is a new one."""
        windows = [ALL_POLLS]
        if question is not None:
            name = hashlib.sha256(question.encode()).hexdigest()[:16]
            windows.insert(0, limits.Window(f"poll:{name}", 1, QUESTION_SECONDS))
        verdict = limits.take(f"{self.client.operator.public_id}:{self.client.pk}", windows)
        if verdict is not None and not verdict.allowed:
            raise Throttled(verdict.reset_seconds)


@extend_schema(tags=["Match game API"])
class MatchView(GameView):
    """One match, read back."""

    @extend_schema(operation_id="game_match", responses=docs.answers(200, docs.MatchOut))
    def get(self, request: Request, match_id: str) -> Response:
        """Return the match with the result that stands."""
        match = lookup.of_client(self.client.pk, match_id)
        reports = Report.objects.filter(match=match).order_by("pk")[:1000]
        return Response(answers.read_back_json(lookup.whole(match), reports))


@extend_schema(tags=["Match game API"])
class DisputesView(GameView):
    """Disputes of a held result."""

    @extend_schema(operation_id="game_disputes", responses=docs.answers(200, docs.DisputesOut))
    def get(self, request: Request, match_id: str) -> Response:
        """List a match's disputes."""
        match = lookup.of_client(self.client.pk, match_id)
        found = Dispute.objects.filter(match=match).select_related("participant").order_by("pk")
        return Response({"disputes": [answers.dispute_json(one) for one in found[:1000]]})

    @extend_schema(operation_id="game_dispute", request=docs.DisputeIn, responses=docs.answers(201, docs.DisputeOut))
    def post(self, request: Request, match_id: str) -> Response:
        """Contest a result while it is held; the escrow stays put until staff decide."""
        match = lookup.of_client(self.client.pk, match_id)
        body = self.body()
        evidence = body.get("evidence") or []
        if not isinstance(evidence, list) or len(evidence) > MAX_EVIDENCE:
            raise Invalid("Invalid body.", fields={"evidence": [f"A list of at most {MAX_EVIDENCE} things."]})
        dispute = disputing.open_dispute(
            match.pk,
            participant_id=_text(body, "participant_id", most=MAX_ID),
            type=_choice(body, "type", DisputeType.values, default=DisputeType.DISPUTE),
            note=_text(body, "note", most=MAX_NOTE, default=""),
            evidence=evidence,
            actor=self.actor,
            at=clock.now(),
        )
        return Response(answers.dispute_json(dispute), status=201)


@extend_schema(tags=["Match game API"])
class EventsView(GameView):
    """What a game tells besides the result."""

    @extend_schema(operation_id="game_event", request=docs.EventIn, responses=docs.answers(200, docs.EventOut))
    def post(self, request: Request) -> Response:
        """Tell an event. None moves money; GONE starts the abort timer, and any later one but STATS stops it."""
        body = self.body()
        payload = body.get("data") or {}
        if not isinstance(payload, dict):
            raise Invalid("Invalid body.", fields={"data": ["An object."]})
        match, new = happening.take(
            self.client.pk,
            match_id=_text(body, "match_id", most=MAX_ID),
            event_type=_choice(body, "event_type", GameEventType.values),
            event_id=_text(body, "event_id", most=MAX_ID, default="") or None,
            occurred_at=_moment(body.get("timestamp"), "timestamp"),
            payload=payload,
            actor=self.actor,
            at=clock.now(),
        )
        told = {"match_id": match.public_id, "match_status": match_status(match.status)}
        return Response({**told, "accepted": True, "duplicate": not new})


class NothingView(GameView):
    """Whatever else lies below the game API: nothing, in its own words."""

    schema = None

    def get(self, request: Request, **_: Any) -> Response:
        """Refuse."""
        raise NotFound("There is nothing at this address.")

    def post(self, request: Request, **_: Any) -> Response:
        """Refuse."""
        raise NotFound("There is nothing at this address.")


def _tags(header: str) -> set[str]:
    return {tag.strip().removeprefix("W/") for tag in header.split(",")}


def _moment(text: Any, name: str) -> datetime | None:
    """Read a moment of RFC 3339; without a zone it is UTC. Raises Invalid."""
    if text in (None, ""):
        return None
    try:
        # A plus sign in a query arrives as a space.
        found = parse_datetime(text.replace(" ", "+")) if isinstance(text, str) else None
        moment = found if found is None or found.tzinfo else found.replace(tzinfo=UTC)
        if moment is not None:
            moment.astimezone(UTC)
    except (ValueError, OverflowError):
        moment = None
    if moment is None:
        raise Invalid("Invalid moment.", fields={name: ["A moment as RFC 3339 writes it."]})
    return moment


def _text(body: dict[str, Any], name: str, *, most: int, default: str | None = None) -> str:
    value = body.get(name, default)
    if value is None:
        value = default
    if not isinstance(value, str) or len(value) > most or (default is None and not value):
        raise Invalid("Invalid body.", fields={name: [f"A text of 1 to {most} characters."]})
    return value


def _choice(body: dict[str, Any], name: str, choices: list[str], *, default: str | None = None) -> str:
    value = body.get(name, default)
    if value not in choices:
        raise Invalid("Invalid body.", fields={name: [f"One of {', '.join(choices)}."]})
    return str(value)
