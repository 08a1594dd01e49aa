"""A game's own chips (rooms.md 3.41)."""

from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from apps.core import clock
from apps.rooms.api import values
from apps.rooms.api.base import GameView
from apps.rooms.api.game.answers import record
from apps.rooms.api.people import answers, inputs
from apps.rooms.api.people.docs import users as docs
from apps.rooms.errors import InvalidParams
from apps.rooms.models import Task
from apps.rooms.services import chips, profiles

MOST_TEXT = 500


def answer(task: Task) -> Response:
    """Return the documented answer and the record of the task."""
    told = record(task)
    return Response({**told, "data": told["result"]})


class CreateChipView(GameView):
    """Make a chip."""

    http_method_names = ["post"]

    @docs.CREATE_CHIP
    def post(self, request: Request) -> Response:
        """Make a new token of 18 decimals that this game mints and burns; rooms take it as any other."""
        fields = self.body(request)
        image = fields.get("image")
        _, task = chips.create(
            self.operator_id,
            game_id=self.game_id,
            name=values.text(fields, "name"),
            symbol=values.text(fields, "symbol"),
            image="" if inputs.absent(image) else values.text(fields, "image", longest=MOST_TEXT),
            actor=self.actor,
            at=clock.now(),
        )
        return answer(task)


class _MoveView(GameView):
    """Mint, burn or transfer: parallel arrays of chips, players and amounts; all entries or none."""

    http_method_names = ["post"]
    method: ClassVar[str]
    # The names of the arrays of those whose chips go, and of those to whom they come.
    source: ClassVar[str | None] = None
    target: ClassVar[str | None] = None

    def move(self, request: Request) -> Response:
        """Read the arrays and do what they say."""
        fields = self.body(request)
        entries = chips.entries_of(
            self.operator_id,
            self.game_id,
            names=_required(fields, "chips"),
            amounts=[values.amount(one) for one in values.entries(fields, "amounts") or []],
            sources=_required(fields, self.source) if self.source else None,
            targets=_required(fields, self.target) if self.target else None,
        )
        task = chips.move(
            self.method,
            entries,
            operator_id=self.operator_id,
            game_id=self.game_id,
            actor=self.actor,
            at=clock.now(),
        )
        return answer(task)


class MintChipView(_MoveView):
    """Make chips."""

    method = "mint"
    target = "plyrIds"

    @docs.MINT_CHIP
    def post(self, request: Request) -> Response:
        """Make chips and give them to players."""
        return self.move(request)


class BurnChipView(_MoveView):
    """Unmake chips."""

    method = "burn"
    source = "plyrIds"

    @docs.BURN_CHIP
    def post(self, request: Request) -> Response:
        """Take chips from players and unmake them."""
        return self.move(request)


class TransferChipView(_MoveView):
    """Move chips."""

    method = "transfer"
    source = "fromPlyrIds"
    target = "toPlyrIds"

    @docs.TRANSFER_CHIP
    def post(self, request: Request) -> Response:
        """Move chips between players."""
        return self.move(request)


def _required(fields: dict[str, Any], name: str) -> list[str]:
    found = values.texts(fields, name)
    if found is None:
        raise InvalidParams(f"{name} is required")
    return found


class ChipBalanceView(GameView):
    """What a player has."""

    http_method_names = ["get", "head"]

    @docs.CHIP_BALANCE
    def get(self, request: Request) -> Response:
        """Return what a player has of a chip, or of every chip of this game."""
        player = profiles.called(self.operator_id, values.text(request.GET, "plyrId"))
        asked = request.GET.get("chip")
        wanted = (
            chips.chips_called(self.operator_id, self.game_id, [asked])
            if asked
            else chips.of_game(self.operator_id, self.game_id)
        )
        held = profiles.balances(player)
        found = {chips.address_of(chip): held.get(chip.asset.code, "0") for chip in wanted}
        one = {"chip": next(iter(found)), "balance": next(iter(found.values()))} if asked else {}
        return Response({"plyrId": player.handle, **one, "balances": found})


class ChipInfoView(GameView):
    """What chips there are."""

    http_method_names = ["get", "head"]

    @docs.CHIP_INFO
    def get(self, request: Request) -> Response:
        """Describe this game's chips, or the one that is asked for."""
        asked = request.GET.get("chip")
        wanted = (
            chips.chips_called(self.operator_id, self.game_id, [asked])
            if asked
            else chips.of_game(self.operator_id, self.game_id)
        )
        out = chips.supplies(wanted)
        listed = [answers.chip(chip, out[chip.asset_id]) for chip in wanted]
        return Response({**(listed[0] if asked else {}), "chips": listed})
