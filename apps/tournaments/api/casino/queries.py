"""What a client may ask for in the query: filters and pages (operators.md 3.2, 3.9, 3.13, 3.16, 3.17).

The serializers are also the parameters of the API description.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from apps.core.api.spellings import Aliases, canonical
from apps.core.errors import Invalid
from apps.events.api.serializers import TypesField
from apps.tournaments.api.casino import spellings, words
from apps.tournaments.api.casino.fields import EARLIEST, LATEST, Identifier
from apps.tournaments.services.viewing import Viewer

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
# Further than any list goes, and within what PostgreSQL counts to.
MAX_OFFSET = 1_000_000_000


class Count(serializers.IntegerField):
    """A whole number as a query writes it: digits only."""

    default_error_messages = {"digits": "A whole number is required."}

    def to_internal_value(self, data: Any) -> int:
        """Return the number."""
        text = str(data)
        if not text.removeprefix("-").isdecimal() or not text.isascii():
            self.fail("digits")
        return super().to_internal_value(text)


class Instant(serializers.DateTimeField):
    """An ISO 8601 time or date (its midnight in UTC)."""

    default_error_messages = {"range": "Must be between 1970 and 2999."}

    def to_internal_value(self, value: Any) -> datetime:
        """Return the moment."""
        # A plus sign that a client forgot to escape arrives as a space.
        text = str(value).replace(" ", "+")
        moment: datetime = super().to_internal_value(f"{text}T00:00:00Z" if len(text) == len("2024-01-15") else text)
        if not EARLIEST <= moment <= LATEST:
            self.fail("range")
        return moment


class Words(serializers.CharField):
    """A comma list of known words."""

    default_error_messages = {"unknown": "Unknown value {word}."}

    def __init__(self, known: Sequence[str], **kwargs: Any) -> None:
        """Keep the words."""
        self.known = known
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> list[str]:  # type: ignore[override]
        """Return the words that were named."""
        named = [word.strip() for word in super().to_internal_value(data).split(",")]
        for word in named:
            if word not in self.known:
                self.fail("unknown", word=word[:40])
        return named


class PageQuery(serializers.Serializer[Any]):
    """Where a page begins and how long it is."""

    limit = Count(required=False, min_value=1, max_value=MAX_LIMIT, help_text="Default 50; also `per_page`.")
    offset = Count(required=False, min_value=0, max_value=MAX_OFFSET, help_text="Default 0.")
    page = Count(required=False, min_value=1, max_value=MAX_OFFSET, help_text="Counted from 1, instead of `offset`.")


class ViewerQuery(serializers.Serializer[Any]):
    """For whom it is shown."""

    forPlayer = Identifier(  # noqa: N815 - as on the wire
        required=False,
        max_length=128,
        help_text="The operator's user id of the player it is shown to: tournaments of invited players are there only "
        "for those who are on the list, or in. Default: everything.",
    )
    brandId = Identifier(required=False, max_length=100, help_text="Their brand, if several have such a player.")  # noqa: N815


class TournamentQuery(PageQuery, ViewerQuery):
    """Which tournaments to list."""

    status = Words(words.TOURNAMENT_FILTERS, required=False, help_text="One or several, comma separated.")
    gameSlug = serializers.CharField(required=False, max_length=80)  # noqa: N815 - the documents' names
    startDate = Instant(required=False, help_text="Starts after this time.")  # noqa: N815
    endDate = Instant(required=False, help_text="Starts before this time.")  # noqa: N815
    external_id = Identifier(required=False, max_length=128)


class PlayerQuery(PageQuery):
    """Which players to list; all of them without a limit."""

    limit = Count(required=False, min_value=1, max_value=MAX_OFFSET, help_text="Default: everyone.")
    status = serializers.ChoiceField(words.ENTRY_FILTERS, required=False)


class BoardQuery(PageQuery):
    """Which part of a leaderboard to show."""

    limit = Count(required=False, min_value=1, help_text="Default 50; above 200 is 200.")
    includeEliminated = serializers.BooleanField(required=False, default=False)  # noqa: N815
    around = Identifier(required=False, max_length=128, help_text="A player, with five neighbours each way.")


class FeeQuery(serializers.Serializer[Any]):
    """Whose fee to tell, and in which currency."""

    currency = serializers.CharField(
        required=False, max_length=12, help_text="In which the operator would debit it; default: the last one used."
    )
    brandId = Identifier(required=False, max_length=100, help_text="The player's brand.")  # noqa: N815


class EventQuery(PageQuery):
    """Which events to list."""

    type = TypesField(required=False, max_length=4000, help_text="Names or prefixes (`player.*`), comma separated.")
    since = Instant(required=False, help_text="At or after this time.")


class HistoryQuery(serializers.Serializer[Any]):
    """Which page of a player's history to show."""

    page = Count(required=False, min_value=1, max_value=MAX_OFFSET // MAX_LIMIT)
    per_page = Count(required=False, min_value=1, max_value=MAX_LIMIT, help_text="Default 50; also `limit`.")


@dataclass(frozen=True, slots=True)
class Page:
    """A stretch of a list; without a limit it goes on to the end."""

    limit: int | None
    offset: int

    @property
    def stop(self) -> int | None:
        """Where a slice ends."""
        return None if self.limit is None else self.offset + self.limit


def _judged(kind: type[serializers.Serializer[Any]], request: Request, aliases: Aliases) -> dict[str, Any]:
    form = kind(data=canonical(request.query_params.dict(), aliases))
    form.is_valid(raise_exception=True)
    return dict(form.validated_data)


def _page(fields: dict[str, Any], *, default: int | None = DEFAULT_LIMIT) -> Page:
    limit = fields.get("limit", default)
    if "page" not in fields:
        return Page(limit, fields.get("offset", 0))
    if "offset" in fields:
        raise Invalid("Invalid request parameters.", fields={"page": ["Give a page or an offset, not both."]})
    size = DEFAULT_LIMIT if limit is None else limit
    offset = (fields["page"] - 1) * size
    if offset > MAX_OFFSET:
        raise Invalid("Invalid request parameters.", fields={"page": ["There is no such page."]})
    return Page(size, offset)


@dataclass(frozen=True, slots=True)
class TournamentFilter:
    """Which tournaments, in the order of their start."""

    page: Page
    statuses: Sequence[str] | None
    game_slug: str | None
    starts_after: datetime | None
    starts_before: datetime | None
    external_id: str | None
    viewer: Viewer | None = None


@dataclass(frozen=True, slots=True)
class BoardFilter:
    """Which part of a board; `around` names a player and then the page is theirs."""

    page: Page
    include_eliminated: bool
    around: str | None


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events, oldest first."""

    page: Page
    types: Sequence[str]
    since: datetime | None


def tournaments(request: Request) -> TournamentFilter:
    """Return the filter of the tournament list (operators.md 3.2). Raises ValidationError, Invalid."""
    fields = _judged(TournamentQuery, request, spellings.TOURNAMENT_FILTERS)
    return TournamentFilter(
        page=_page(fields),
        statuses=fields.get("status"),
        game_slug=fields.get("gameSlug"),
        starts_after=fields.get("startDate"),
        starts_before=fields.get("endDate"),
        external_id=fields.get("external_id"),
        viewer=_viewer(fields),
    )


def viewer(request: Request) -> Viewer | None:
    """Return for whom something is shown, None for the operator's own eyes. Raises ValidationError, Invalid."""
    if not any(name in request.query_params for name in _FOR_PLAYER):  # most calls, and the fastest ones
        return None
    return _viewer(_judged(ViewerQuery, request, spellings.VIEWER))


_FOR_PLAYER = ("forPlayer", *spellings.VIEWER["forPlayer"])


def _viewer(fields: dict[str, Any]) -> Viewer | None:
    return Viewer(fields["forPlayer"], fields.get("brandId")) if "forPlayer" in fields else None


def players(request: Request) -> tuple[Page, str | None]:
    """Return the stretch and the status word of the player list (operators.md 3.9). Raises ValidationError, Invalid."""
    fields = _judged(PlayerQuery, request, spellings.PLAYER_FILTERS)
    return _page(fields, default=None), fields.get("status")


def board(request: Request) -> BoardFilter:
    """Return which part of the board is wanted (operators.md 3.13); a limit above 200 is 200. Raises likewise."""
    fields = _judged(BoardQuery, request, spellings.BOARD_FILTERS)
    if "limit" in fields:
        fields["limit"] = min(fields["limit"], MAX_LIMIT)
    return BoardFilter(_page(fields), fields["includeEliminated"], fields.get("around"))


def fee(request: Request) -> tuple[str | None, str | None]:
    """Return the currency and the brand that were named for a fee. Raises ValidationError, Invalid."""
    fields = _judged(FeeQuery, request, spellings.FEE_FILTERS)
    return fields.get("currency"), fields.get("brandId")


def rounds(request: Request) -> Page:
    """Return which of a player's rounds are wanted; a limit above 200 is refused. Raises ValidationError, Invalid."""
    return _page(_judged(PageQuery, request, spellings.PAGE))


def events(request: Request) -> EventFilter:
    """Return the filter of the event history (operators.md 3.16). Raises ValidationError, Invalid."""
    fields = _judged(EventQuery, request, spellings.EVENT_FILTERS)
    return EventFilter(_page(fields), fields.get("type", ()), fields.get("since"))


def history(request: Request) -> tuple[int, int]:
    """Return the page number and size of a player's history (operators.md 3.17). Raises ValidationError, Invalid."""
    fields = _judged(HistoryQuery, request, spellings.HISTORY_FILTERS)
    return fields.get("page", 1), fields.get("per_page", DEFAULT_LIMIT)
