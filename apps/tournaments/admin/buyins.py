"""Buy-ins that operators collect themselves, those that nobody knows the outcome of first; and who is invited."""

import csv
import io
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from apps.core.actors import Actor
from apps.core.admin import (
    ChoicesDropdownFilter,
    Operation,
    OperationForm,
    Panel,
    ReasonForm,
    Section,
    TenantAdmin,
    TextFilter,
    display,
    formats,
    narrow,
    panel,
)
from apps.core.admin.formats import Tone
from apps.ledger.admin.books import as_id
from apps.ledger.admin.callbacks import attempts_of
from apps.operators.admin.players import players_matching
from apps.operators.models import Brand
from apps.tournaments.admin.looks import money
from apps.tournaments.lifecycle import BuyInStatus
from apps.tournaments.models import BuyIn, Invitation, Tournament
from apps.tournaments.services import buyins, inviting

formats.SUBJECT_PAGES["buyin"] = "tournaments.buyin"

TONES: dict[str, Tone] = {
    BuyInStatus.PENDING: "blue",
    BuyInStatus.JOINED: "green",
    BuyInStatus.REFUSED: "grey",
    BuyInStatus.UNKNOWN: "red",
    BuyInStatus.RETURNED: "amber",
}
SHOWN = 8
MAX_FILE = 10 * 1024 * 1024


def ask_again(buy_in_id: int, *, reason: str, actor: Actor, at: datetime) -> BuyIn:  # noqa: ARG001 - for the history
    """Ask the operator once more."""
    return buyins.ask_again(buy_in_id, actor=actor, at=at)


@admin.register(BuyIn)
class BuyInAdmin(TenantAdmin):
    """What an operator was asked to debit, and what came of it."""

    operations = (
        Operation(
            name="joined",
            label="Was paid: let in",
            icon="how_to_reg",
            run=buyins.decide_joined,
            form=ReasonForm,
            permission="tournaments.decide_buyin",
            offered="ask_again",
            explain="You have found out that the operator took the fee. The player joins; where that can not be any "
            "more, the fee goes back by a payout.",
            done="Decided as paid.",
        ),
        Operation(
            name="not-joined",
            label="Was not paid",
            icon="person_off",
            danger=True,
            run=buyins.decide_not_joined,
            form=ReasonForm,
            permission="tournaments.decide_buyin",
            offered="ask_again",
            explain="You have found out that the operator did not take the fee. The seat is free again, and the player "
            "may register anew.",
            done="Decided as not paid.",
        ),
        Operation(
            name="ask-again",
            label="Ask again",
            icon="replay",
            run=ask_again,
            form=ReasonForm,
            permission="tournaments.decide_buyin",
            offered="ask_again",
            bulk=True,
            explain="The operator is asked once more with the same debitRef: if it took the fee before, it takes "
            "nothing now.",
            done="The operator is being asked.",
        ),
    )
    views = (
        ("All", {}),
        ("Need a person", {"status__exact": "UNKNOWN"}),
        ("Waiting for the operator", {"status__exact": "PENDING"}),
        ("Given back", {"status__exact": "RETURNED"}),
    )
    list_display = ("asked", "player", "tournament", "operator", "fee", "debit", "shown_status", "tried", "trouble")
    list_select_related = ("player", "tournament__asset", "operator")
    list_filter = (("status", ChoicesDropdownFilter),)
    search_fields = ("ref",)
    search_help_text = "debitRef, tournament's number, or a player's user id or name"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("shown_status", "fee"),
                    ("player", "tournament"),
                    ("debit", "rate"),
                    ("shown_ref", "transaction_id"),
                    ("asked", "ended"),
                    ("tried", "next_try"),
                    ("shown_entry", "operator"),
                    ("trouble", "note"),
                )
            },
        ),
    )

    def find(self, request: HttpRequest, rows: QuerySet[BuyIn], term: str) -> QuerySet[BuyIn]:
        """By reference, by tournament or by player."""
        number = as_id(term)
        if number is not None:
            return rows.filter(Q(tournament_id=number) | Q(player__in=players_matching(request, term)))
        if len(term) == 36 and term.count("-") == 4:  # noqa: PLR2004 - a UUID
            return rows.filter(ref=term) if all(one in "0123456789abcdefABCDEF-" for one in term) else rows.none()
        return rows.filter(player__in=players_matching(request, term))

    def sections(self, request: HttpRequest, row: BuyIn) -> Iterable[Section]:
        """Every try."""
        return (attempts_of(row.ref),)

    @display(description="asked", ordering="pk")
    def asked(self, row: BuyIn) -> str:
        """When the player wanted in."""
        return formats.moment(row.asked_at, seconds=True)

    @display(description="ended")
    def ended(self, row: BuyIn) -> str:
        """When its outcome was known."""
        return formats.moment(row.ended_at, seconds=True)

    @display(description="fee")
    def fee(self, row: BuyIn) -> str:
        """In the tournament's currency."""
        return money(row.tournament, row.units)

    @display(description="debit")
    def debit(self, row: BuyIn) -> str:
        """In the player's currency."""
        return f"{row.amount} {row.currency}"

    @display(description="status")
    def shown_status(self, row: BuyIn) -> str:
        """Where it stands."""
        return formats.badge(row.get_status_display(), formats.tone_of(TONES, row.status))

    @display(description="tries")
    def tried(self, row: BuyIn) -> str:
        """How often the operator was asked."""
        return formats.number(row.attempts)

    @display(description="next try")
    def next_try(self, row: BuyIn) -> str:
        """When it is asked again by itself."""
        return formats.moment(row.next_try_at, seconds=True)

    @display(description="trouble")
    def trouble(self, row: BuyIn) -> str:
        """What went wrong."""
        return row.error or formats.NOTHING

    @display(description="debitRef")
    def shown_ref(self, row: BuyIn) -> str:
        """The same with every try."""
        return formats.code(row.ref)

    @display(description="entry")
    def shown_entry(self, row: BuyIn) -> str:
        """What it became."""
        return formats.row_link(row.entry)


@panel(order=25)
def unknown_buy_ins(request: HttpRequest) -> Panel | None:
    """Buy-ins of which nobody knows whether they were paid."""
    if not request.user.has_perm("tournaments.view_buyin"):
        return None
    theirs = narrow(BuyIn.objects.filter(status=BuyInStatus.UNKNOWN), request.user, "operator_id")
    rows = [
        (
            formats.row_link(row, row.display_name),
            formats.row_link(row.tournament),
            f"{row.amount} {row.currency}",
            formats.moment(row.asked_at),
            row.error,
        )
        for row in theirs.select_related("tournament").order_by("pk")[:SHOWN]
    ]
    if not rows:
        return None
    return Panel(
        "Buy-ins whose outcome nobody knows",
        "podium/panel_table.html",
        {"headers": ("Player", "Tournament", "Debit", "Asked", "Last answer"), "rows": rows, "empty": ""},
        more=("All of them", formats.list_url("tournaments.buyin", status__exact="UNKNOWN")),
    )


# --- invitations ------------------------------------------------------------------------------------------------------


SHOWN_BRANDS = 20


class InviteForm(OperationForm):
    """Whom to invite: a file, or lines typed in."""

    file = forms.FileField(
        required=False,
        label="CSV file",
        help_text="Two columns: brand id, player id. A first line of headings is skipped.",
    )
    lines = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 6}),
        label="Or typed in",
        help_text="One player a line: brand,player.",
    )

    def prepare(self) -> None:
        """Say which brands there are: one that does not exist invites nobody."""
        tournament: Tournament = self.row  # type: ignore[assignment]
        brands = Brand.objects.for_operator(tournament.operator_id).filter(enabled=True).order_by("pk")
        known = list(brands.values_list("external_id", flat=True)[: SHOWN_BRANDS + 1])
        more = ", …" if len(known) > SHOWN_BRANDS else ""
        brands_are = f"{', '.join(known[:SHOWN_BRANDS])}{more}"
        self.fields["lines"].help_text = f"One player a line: brand,player. Brands: {brands_are}"

    def clean(self) -> dict[str, Any]:
        """Read the people, telling the line that is wrong."""
        said = super().clean() or {}
        upload: Any = said.get("file")
        text = said.get("lines") or ""
        if upload is not None:
            if (upload.size or 0) > MAX_FILE:
                raise forms.ValidationError("At most 10 MB.")
            try:
                text += "\n" + upload.read().decode("utf-8-sig")
            except UnicodeDecodeError as problem:
                raise forms.ValidationError("The file is not UTF-8 text.") from problem
        said["people"] = _people(text)
        if not said["people"]:
            raise forms.ValidationError("Name at least one player.")
        return said

    def arguments(self) -> dict[str, Any]:
        """Return what the service takes."""
        return {"people": self.cleaned_data["people"]}

    def told(self) -> dict[str, str]:
        """The history says how many, not who."""
        return {"players": str(len(self.cleaned_data["people"]))}


def _people(text: str) -> list[tuple[str, str]]:
    dialect = ";" if text.count(";") > text.count(",") else ","
    people: list[tuple[str, str]] = []
    for number, row in enumerate(csv.reader(io.StringIO(text), delimiter=dialect), start=1):
        cells = [cell.strip() for cell in row]
        if not any(cells):
            continue
        if not people and [cell.lower().replace("_", "") for cell in cells[:2]] == ["brandid", "playerid"]:
            continue
        if len(cells) < 2 or not cells[0] or not cells[1]:  # noqa: PLR2004 - brand and player
            raise forms.ValidationError(f"Line {number}: brand and player are needed.")
        people.append((cells[0], cells[1]))
    return people


def invite(tournament_id: int, *, people: list[tuple[str, str]], actor: Actor, at: datetime) -> int:
    """Add players to the list."""
    return inviting.invite(tournament_id, people, actor=actor, at=at)


class TournamentFilter(TextFilter):
    """By the number of the tournament."""

    title = "tournament's number"
    parameter_name = "tournament"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow the list."""
        number = as_id((self.value() or "").strip())
        return queryset if number is None else queryset.filter(tournament_id=number)


@admin.register(Invitation)
class InvitationAdmin(TenantAdmin):
    """Who may enter tournaments of invited players."""

    tenant = "tournament__operator_id"
    operations = (
        Operation(
            name="withdraw",
            label="Take off the list",
            icon="person_remove",
            danger=True,
            run=inviting.uninvite,
            permission="tournaments.change_tournament",
            bulk=True,
            removes=True,
            explain="The player can't join any more. One who has joined already stays in.",
            done="Taken off the list.",
        ),
    )
    list_display = ("player_ref", "brand_ref", "tournament")
    list_select_related = ("tournament",)
    list_filter = (TournamentFilter,)
    search_fields = ("player_ref",)
    search_help_text = "A player's user id"
    fieldsets = ((None, {"fields": (("player_ref", "brand_ref"), "tournament")}),)

    def find(self, request: HttpRequest, rows: QuerySet[Invitation], term: str) -> QuerySet[Invitation]:
        """By the operator's own id."""
        return rows.filter(player_ref=term)


def takes_invitations(tournament: Tournament) -> bool:
    """Tell whether a list decides who may enter, and still matters."""
    return inviting.is_open(tournament)
