"""The books as staff read them: assets, accounts with their balances, journals with their postings."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Prefetch, Q, QuerySet
from django.http import HttpRequest

from apps.core.actors import Actor
from apps.core.admin import (
    ChoicesDropdownFilter,
    DaysFilter,
    Operation,
    OperationForm,
    OwnRelatedFilter,
    Section,
    TenantAdmin,
    display,
    formats,
)
from apps.core.admin.formats import Tone
from apps.ledger.models import Account, AccountKind, Asset, Journal, Posting
from apps.ledger.services import assets
from apps.operators.models import Operator

KIND_TONES: dict[str, Tone] = {
    AccountKind.PLAYER: "blue",
    AccountKind.HELD: "amber",
    AccountKind.ESCROW: "violet",
    AccountKind.CLEARING: "grey",
    AccountKind.REVENUE: "green",
    AccountKind.PLATFORM: "green",
}
# The most postings that a page shows.
SHOWN_POSTINGS = 100
LARGEST_ID = 2**63 - 1


def as_id(term: str) -> int | None:
    """Read a row's number out of what was typed, or None."""
    return int(term) if term.isdigit() and int(term) <= LARGEST_ID else None


class AssetForm(OperationForm):
    """A new currency or token."""

    operator = forms.ModelChoiceField(Operator.objects.none())
    code = forms.CharField(max_length=12, help_text="As it is written: EUR, UPX.")
    name = forms.CharField(max_length=60, required=False)
    scale = forms.IntegerField(min_value=0, max_value=18, help_text="Digits behind the point. Fixed for good.")


def add_asset(*, operator: Operator, code: str, name: str, scale: int, actor: Actor, at: datetime) -> Asset:  # noqa: ARG001
    """Let an operator use a currency or token."""
    return assets.add_asset(operator.pk, code, scale=scale, name=name)


@admin.register(Asset)
class AssetAdmin(TenantAdmin):
    """Currencies and tokens. The scale of one is fixed for good."""

    creation = Operation(
        name="add", label="Add asset", icon="add", run=add_asset, form=AssetForm, permission="ledger.add_asset"
    )
    indexed = None
    editable_fields = ("name", "enabled")
    list_display = ("code", "name", "scale", "operator", "enabled")
    list_select_related = ("operator",)
    list_filter = ("enabled",)
    ordering = ("operator", "code")
    search_fields = ("code",)
    search_help_text = "Code"
    fieldsets = ((None, {"fields": (("code", "name"), ("scale", "enabled"), "operator")}),)


def balance_of(account: Account) -> str:
    """Write the sum of an account's slots, which the caller has prefetched."""
    units = sum(int(slot.units) for slot in account.balances.all())
    return formats.money(units, account.asset.scale, account.asset.code)


@admin.register(Account)
class AccountAdmin(TenantAdmin):
    """Where units can be, and how many are there."""

    views = (
        ("All", {}),
        ("Wallets", {"kind__exact": "PLAYER"}),
        ("Escrows", {"kind__exact": "ESCROW"}),
        ("Clearing", {"kind__exact": "CLEARING"}),
        ("Revenue", {"kind__exact": "REVENUE"}),
        ("Platform", {"kind__exact": "PLATFORM"}),
    )
    list_display = ("shown_id", "shown_kind", "shown_subject", "operator", "balance")
    list_select_related = ("operator", "asset")
    list_filter = (("kind", ChoicesDropdownFilter), ("asset", OwnRelatedFilter))
    search_fields = ("subject",)
    search_help_text = "player:803, tournament:17 or an account's number"
    fieldsets = ((None, {"fields": (("shown_kind", "balance"), ("shown_subject", "operator"), ("bounded", "slots"))}),)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Bring the balances along, one query for the page."""
        return super().get_queryset(request).prefetch_related("balances")

    def find(self, request: HttpRequest, rows: QuerySet[Account], term: str) -> QuerySet[Account]:
        """By whose it is, or by number."""
        number = as_id(term)
        return rows.filter(Q(subject=term) | Q(pk=number)) if number is not None else rows.filter(subject=term)

    def sections(self, request: HttpRequest, row: Account) -> Iterable[Section]:
        """The newest postings."""
        newest = row.postings.select_related("journal").order_by("-pk")[: SHOWN_POSTINGS + 1]
        rows = [
            (
                formats.moment(posting.journal.occurred_at, seconds=True),
                formats.money(posting.units, row.asset.scale, row.asset.code),
                posting.journal.kind,
                formats.row_link(posting.journal, posting.journal.key),
                posting.journal.actor,
            )
            for posting in newest
        ]
        note = f"The newest {SHOWN_POSTINGS}." if len(rows) > SHOWN_POSTINGS else ""
        head = ("When", "Units", "What", "Journal", "By")
        return (Section("Postings", head, rows[:SHOWN_POSTINGS], note=note, empty="Nothing has moved here."),)

    @display(description="account", ordering="pk")
    def shown_id(self, row: Account) -> str:
        """Its number."""
        return formats.code(row.pk)

    @display(description="kind", ordering="kind")
    def shown_kind(self, row: Account) -> str:
        """Whose money it is."""
        return formats.badge(row.get_kind_display(), formats.tone_of(KIND_TONES, row.kind))

    @display(description="of")
    def shown_subject(self, row: Account) -> str:
        """Whose, with a link."""
        return formats.subject(row.subject)

    @display(description="balance")
    def balance(self, row: Account) -> str:
        """The sum of its slots."""
        return balance_of(row)


@admin.register(Journal)
class JournalAdmin(TenantAdmin):
    """Every movement of money."""

    list_display = ("shown_key", "kind", "shown_subject", "operator", "moved", "actor", "when")
    list_select_related = ("operator",)
    list_filter = (("occurred_at", DaysFilter),)
    search_fields = ("key",)
    search_help_text = "A key, a subject such as tournament:17, or a number"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("shown_key", "kind"),
                    ("shown_subject", "operator"),
                    ("when", "actor"),
                    ("memo", "shown_request"),
                    ("shown_reverses", "shown_reversed_by"),
                )
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Bring the postings along, one query for the page."""
        legs = Posting.objects.select_related("account__asset").order_by("pk")
        rows = super().get_queryset(request).select_related("operator", "reverses")
        return rows.prefetch_related(Prefetch("postings", legs))

    def find(self, request: HttpRequest, rows: QuerySet[Journal], term: str) -> QuerySet[Journal]:
        """By key, by what it is about, or by number."""
        number = as_id(term)
        match = Q(key=term) | Q(subject=term)
        return rows.filter(match | Q(pk=number) if number is not None else match)

    def sections(self, request: HttpRequest, row: Journal) -> Iterable[Section]:
        """Its legs; they sum to zero."""
        legs = list(row.postings.all())
        rows = [
            (
                formats.row_link(leg.account, leg.account.get_kind_display()),
                formats.subject(leg.account.subject),
                formats.money(leg.units, leg.account.asset.scale, leg.account.asset.code),
            )
            for leg in legs[:SHOWN_POSTINGS]
        ]
        note = f"The first {SHOWN_POSTINGS} of {len(legs)}." if len(legs) > SHOWN_POSTINGS else ""
        return (Section("Postings", ("Account", "Of", "Units"), rows, note=note),)

    @display(description="key", ordering="pk")
    def shown_key(self, row: Journal) -> str:
        """The business act it stands for."""
        return formats.code(row.key)

    @display(description="about")
    def shown_subject(self, row: Journal) -> str:
        """What it is about, with a link."""
        return formats.subject(row.subject)

    @display(description="moved")
    def moved(self, row: Journal) -> str:
        """What it moved, per asset: the sum of its positive legs."""
        sums: dict[Asset, int] = {}
        for leg in row.postings.all():
            if leg.units > 0:
                sums[leg.account.asset] = sums.get(leg.account.asset, 0) + int(leg.units)
        return formats.lines([formats.money(units, asset.scale, asset.code) for asset, units in sums.items()])

    @display(description="when")
    def when(self, row: Journal) -> str:
        """To the second."""
        return formats.moment(row.occurred_at, seconds=True)

    @display(description="request")
    def shown_request(self, row: Journal) -> str:
        """The request that caused it."""
        return formats.code(row.request_id)

    @display(description="reverses")
    def shown_reverses(self, row: Journal) -> str:
        """The journal it corrects."""
        return formats.row_link(row.reverses)

    @display(description="reversed by")
    @formats.once
    def shown_reversed_by(self, row: Journal) -> str:
        """The journal that corrects it."""
        return formats.row_link(Journal.objects.filter(reverses=row).first())
