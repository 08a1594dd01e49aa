"""What staff are asked before something is done to a room or a game."""

from django import forms

from apps.core.admin import OperationForm, ReasonForm
from apps.operators.models import Operator, Player
from apps.rooms.models import GameSettings, Room


class RemovalForm(ReasonForm):
    """Who leaves, and why."""

    player = forms.ModelChoiceField(Player.objects.none())

    field_order = ("player", "reason")

    def prepare(self) -> None:
        """Offer who is in the room."""
        if isinstance(self.row, Room):
            inside = Player.objects.filter(room_memberships__room=self.row, room_memberships__left_at=None)
            self.fields["player"].queryset = inside.order_by("pk")  # type: ignore[attr-defined]


class GameForm(OperationForm):
    """What a game's rooms keep back, and how many players they take."""

    earn_fee_percent = forms.IntegerField(
        label="Fee on earnings, %",
        min_value=0,
        max_value=100,
        initial=0,
        help_text="Kept back of everything that rooms pay out, rounded down.",
    )
    max_players = forms.IntegerField(
        label="Players a room takes",
        min_value=0,
        max_value=1_000_000,
        initial=0,
        help_text="For new rooms that name no number themselves. 0: any number.",
    )

    def prepare(self) -> None:
        """Begin with what is set."""
        if isinstance(self.row, GameSettings):
            for name in ("earn_fee_percent", "max_players"):
                self.fields[name].initial = getattr(self.row, name)


class NewGameForm(GameForm):
    """Settings for a game that has none yet."""

    operator = forms.ModelChoiceField(Operator.objects.none())
    game_id = forms.CharField(label="Game", max_length=120, help_text="The public name of its key.")

    field_order = ("operator", "game_id")
