"""Players: who they are, and what keeps them from playing."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from apps.core import clock
from apps.core.admin import (
    ChoicesDropdownFilter,
    Operation,
    OperationForm,
    OwnRelatedFilter,
    ReasonForm,
    TenantAdmin,
    display,
    formats,
    narrow,
)
from apps.operators import handles
from apps.operators.models import BlockKind, Player
from apps.operators.services import otp, players

formats.SUBJECT_PAGES["player"] = "operators.player"


class BlockForm(ReasonForm):
    """Why, and until when."""

    until = forms.DateTimeField(required=False, help_text="UTC. Empty: until lifted.")


class SelfExclusionForm(BlockForm):
    """A player's own wish."""

    until = forms.DateTimeField(
        required=False, help_text="UTC. With an end, nobody can lift the exclusion before it. Empty: until lifted."
    )


class TotpForm(OperationForm):
    """A second factor, and a name for who has none."""

    handle = forms.CharField(
        label="plyrId", required=False, max_length=handles.LONGEST, help_text="Empty: made of the user id."
    )

    def prepare(self) -> None:
        """Who has a name keeps it."""
        if isinstance(self.row, Player) and self.row.handle is not None:
            del self.fields["handle"]

    def arguments(self) -> dict[str, Any]:
        """Return what the service takes."""
        return {"handle": super().arguments().get("handle") or None}


def has_codes(player: Player) -> bool:
    """Tell whether a player has one-time codes; asked once for a page, because the row remembers."""
    return hasattr(player, "secret")


def lacks_codes(player: Player) -> bool:
    """Tell whether a player could have one-time codes and has none."""
    return not player.is_guest and not has_codes(player)


# Where a player is a detail of another list, this many namesakes are looked at.
NAMESAKES = 500


def _match(term: str) -> Q:
    """An index each: the operator's id of them, ours, or the beginning of the name."""
    match = Q(external_id=term) | Q(display_name__istartswith=term) | Q(handle=handles.normal(term))
    if term.isdigit() and len(term) < 19:  # noqa: PLR2004 - what a bigint holds
        match |= Q(pk=int(term))
    return match


def players_matching(request: HttpRequest, term: str) -> list[int]:
    """Return the ids of the person's players that a search finds, for lists of what belongs to players.

    Ids and not a subquery: a list of them may stand in an OR with other conditions and still use each one's index.
    """
    mine = narrow(Player.objects.all(), request.user, "operator_id")
    return list(mine.filter(_match(term)).values_list("pk", flat=True)[:NAMESAKES])


@admin.register(Player)
class PlayerAdmin(TenantAdmin):
    """Players of an operator's brands."""

    operations = (
        Operation(
            name="suspend",
            label="Suspend",
            icon="block",
            danger=True,
            run=players.suspend,
            form=BlockForm,
            permission="operators.block_player",
            bulk=True,
            explain="Nothing takes this player's money or enters them while it holds. What they are owed is paid.",
            done="Suspended.",
        ),
        Operation(
            name="self-exclude",
            label="Self-exclude",
            icon="do_not_disturb_on",
            danger=True,
            run=players.self_exclude,
            form=SelfExclusionForm,
            permission="operators.block_player",
            explain="At the player's own wish. Nothing takes their money or enters them while this holds.",
            done="Self-excluded.",
        ),
        Operation(
            name="reinstate",
            label="Reinstate",
            icon="lock_open",
            run=players.reinstate,
            form=ReasonForm,
            permission="operators.block_player",
            offered=lambda player: bool(player.block_kind),
            explain="The player may play again.",
            done="Reinstated.",
        ),
        Operation(
            name="enrol-codes",
            label="Set up one-time codes",
            icon="phonelink_lock",
            run=otp.enrol,
            form=TotpForm,
            permission="operators.change_player",
            offered=lacks_codes,
            reveal="podium/totp.html",
            explain="The player logs in to games with the codes of an authenticator app. Its secret is shown once.",
        ),
        Operation(
            name="remove-codes",
            label="Remove one-time codes",
            icon="phonelink_erase",
            danger=True,
            run=otp.remove,
            form=ReasonForm,
            log_only=("reason",),
            permission="operators.change_player",
            offered=has_codes,
            explain="For a lost or stolen phone. The player can't log in to games until codes are set up again.",
            done="Removed.",
        ),
    )
    views = (
        ("Everyone", {}),
        ("Suspended", {"block_kind__exact": "SUSPENDED"}),
        ("Self-excluded", {"block_kind__exact": "SELF_EXCLUDED"}),
    )
    list_display = ("name", "external_id", "brand", "operator", "state", "known_since")
    list_display_links = ("name", "external_id")
    list_select_related = ("brand", "operator")
    list_filter = (("brand", OwnRelatedFilter), ("block_kind", ChoicesDropdownFilter))
    search_fields = ("external_id",)
    search_help_text = "User id, player id, plyrId, or the beginning of a name"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("display_name", "state"),
                    ("external_id", "player_id"),
                    ("handle", "is_guest"),
                    ("brand", "operator"),
                    ("eos_id", "known_since"),
                )
            },
        ),
        ("Block", {"fields": (("block_kind", "block_reason"), ("since", "until"), "excluded_until")}),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Leave out the block of those who have none."""
        sets = super().get_fieldsets(request, obj)
        return sets if obj is not None and obj.block_kind else sets[:1]

    def find(self, request: HttpRequest, rows: QuerySet[Player], term: str) -> QuerySet[Player]:
        """By what people know of a player."""
        return rows.filter(_match(term))

    @display(description="name", ordering="display_name")
    def name(self, row: Player) -> str:
        """The display name, or the id of who has none."""
        return str(row)

    @display(description="state")
    def state(self, row: Player) -> str:
        """What holds now; a block that has ended by itself counts no more."""
        if not row.is_blocked(clock.now()):
            return formats.badge("Active", "green")
        tone: formats.Tone = "red" if row.block_kind == BlockKind.SUSPENDED else "amber"
        return formats.badge("Suspended" if row.block_kind == BlockKind.SUSPENDED else "Self-excluded", tone)

    @display(description="player id")
    def player_id(self, row: Player) -> str:
        """Our own number, which game servers and dialects show."""
        return formats.code(row.pk)

    @display(description="known since", ordering="created_at")
    def known_since(self, row: Player) -> str:
        """When the operator first named them."""
        return formats.moment(row.created_at)

    @display(description="blocked at")
    def since(self, row: Player) -> str:
        """When the block began."""
        return formats.moment(row.blocked_at)

    @display(description="until")
    def until(self, row: Player) -> str:
        """When the block ends by itself."""
        return formats.moment(row.blocked_until) if row.blocked_until else "until lifted"
