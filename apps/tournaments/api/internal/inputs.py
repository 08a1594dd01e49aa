"""What a game platform may send, in any spelling of operators.md 1.3."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from apps.core.api.spellings import Aliases
from apps.core.errors import Invalid
from apps.tournaments.api.casino import inputs as casino
from apps.tournaments.api.casino import spellings
from apps.tournaments.api.casino.fields import Amount, Choice, Identifier, Text, Whole
from apps.tournaments.services.creation import NewTournament

START_CONDITION = "min_players_reached"
FEWEST = 2
# Any moment will do: the create body of the casino dialect needs a start, and a lobby has none.
SOMETIME = "2000-01-01T00:00:00Z"

TOKEN: Aliases = {"token": ()}
ROOM: Aliases = {"roomId": ("room_id",), "roomUrl": ("room_url",)}
LOBBY: Aliases = {
    "operator_id": ("operatorId",),
    "start_condition": ("startCondition",),
    **{name: others for name, others in spellings.TOURNAMENT.items() if name != "scheduled_start"},
}


class TokenIn(serializers.Serializer[Any]):
    """A player token to judge."""

    token = Text()


class RoomIn(serializers.Serializer[Any]):
    """The room a tournament is played in."""

    roomId = Identifier(max_length=200)  # noqa: N815 - the name on the wire
    roomUrl = serializers.RegexField(  # noqa: N815
        r"^https?://\S+$", max_length=500, required=False, allow_null=True, trim_whitespace=False
    )


class ReasonIn(casino.CancellationIn):
    """Why a player leaves."""


class LobbyIn(casino.TournamentIn):
    """A hop-on/off tournament to open. Every field is also read in camelCase."""

    operator_id = Identifier(max_length=32)
    name = Text(max_length=200, required=False, allow_null=True, help_text="Default: the slug of the game.")
    min_players = Whole(min_value=FEWEST, help_text="It starts when this many have registered.")
    entry_fee = Amount(required=False, allow_null=True, help_text="Default 0.")
    start_condition = Choice([START_CONDITION], required=False, allow_null=True)
    scheduled_start = None  # type: ignore[assignment]  # it starts at a count
    rebuy_deadline = None  # type: ignore[assignment]  # there is no start yet to count from


@dataclass(frozen=True, slots=True)
class Lobby:
    """Whose lobby it is to be, and what is to be played."""

    operator_id: str
    new: NewTournament


def token(data: Any) -> str:
    """Return the token to judge (operators.md 11.1). Raises ValidationError, Invalid."""
    text: str = _judged(TokenIn, data, TOKEN)["token"]
    return text


def room(data: Any) -> tuple[str, str | None]:
    """Return a room's id and address (operators.md 11.8). Raises ValidationError, Invalid."""
    fields = _judged(RoomIn, data, ROOM)
    return fields["roomId"], fields.get("roomUrl")


def reason(request: Request) -> str:
    """Return why a player leaves, from the body or the query (operators.md 11.6). Raises ValidationError, Invalid."""
    return casino.cancellation(request)


def lobby(data: Any) -> Lobby:
    """Return what lobby is wanted (operators.md 11.5). Raises ValidationError, Invalid."""
    fields = _judged(LobbyIn, data, LOBBY)
    given = spellings.read(data, LOBBY)
    # Judged above; from here the casino dialect's own reading of a create body takes it.
    body = {name: value for name, value in given.items() if name not in ("operator_id", "start_condition")}
    body["scheduled_start"] = SOMETIME
    body["name"] = fields.get("name") or fields["game"]
    body["entry_fee"] = body.get("entry_fee") or 0
    body.pop("rebuy_deadline", None)
    return Lobby(fields["operator_id"], casino.new_tournament(body))


def events(data: Any) -> list[Any]:
    """Return the bodies of one event or of an array of them (operators.md 11.8). Raises Invalid."""
    if isinstance(data, list):
        return data
    if isinstance(data, Mapping):
        return [data]
    raise Invalid("Send one event or an array of events.", fields={"body": ["Expected an object or an array."]})


def _judged(kind: type[serializers.Serializer[Any]], data: Any, aliases: Aliases) -> dict[str, Any]:
    form = kind(data=spellings.read(data, aliases))
    form.is_valid(raise_exception=True)
    return dict(form.validated_data)
