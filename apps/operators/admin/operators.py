"""Operators: what they are, their preferences, and what was changed of them."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from apps.core.admin import Operation, OperationForm, ReasonForm, TenantAdmin, display, formats
from apps.operators.models import Operator
from apps.operators.preferences import Preferences
from apps.operators.services import tenants

# Preferences as a form: (field of the form, path of the preference). What is empty goes back to its default.
PATHS: dict[str, tuple[str, ...]] = {
    "rake_percent": ("rakePercent",),
    "tie_policy": ("tiePolicy",),
    "enforce_min_players": ("enforceMinPlayers",),
    "write_implies_delete": ("writeImpliesDelete",),
    "allow_late_registration": ("features", "allowLateRegistration"),
    "show_timer": ("features", "showTimer"),
    "show_leaderboard": ("features", "showLeaderboard"),
    "approve_always": ("approval", "always"),
    "approve_from_total": ("approval", "fromTotal"),
    "payout_url": ("payoutUrl",),
    "debit_url": ("debitUrl",),
    "primary_color": ("branding", "primaryColor"),
    "logo_url": ("branding", "logoUrl"),
    "standard_per_minute": ("rateLimits", "standard"),
    "creations_per_minute": ("rateLimits", "tournamentCreation"),
    "registrations_per_minute": ("rateLimits", "registration"),
    "results_per_minute": ("rateLimits", "results"),
}


class PreferencesForm(OperationForm):
    """The preferences that staff change; the API knows them all."""

    rake_percent = forms.IntegerField(min_value=0, max_value=50, help_text="Of what players pay. New tournaments only.")
    tie_policy = forms.ChoiceField(
        label="Ties", choices=[("unique", "Positions are unique"), ("split", "Equal points share their prizes")]
    )
    enforce_min_players = forms.BooleanField(
        required=False, help_text="Cancel with full refunds instead of starting with too few players."
    )
    allow_late_registration = forms.BooleanField(required=False, help_text="After the start, until rebuys end.")
    approve_always = forms.BooleanField(
        required=False, label="Approve every settlement", help_text="Prizes wait until staff have approved them."
    )
    approve_from_total = forms.IntegerField(
        required=False, min_value=0, label="Approve from a pool of", help_text="In major units. Empty: no threshold."
    )
    write_implies_delete = forms.BooleanField(required=False, help_text="Keys with tournaments.write may also cancel.")
    show_timer = forms.BooleanField(required=False)
    show_leaderboard = forms.BooleanField(required=False)
    primary_color = forms.CharField(required=False, help_text="As #RRGGBB.")
    logo_url = forms.CharField(required=False)
    payout_url = forms.CharField(required=False)
    debit_url = forms.CharField(required=False)
    allowed_origins = forms.CharField(
        required=False, widget=forms.Textarea(attrs={"rows": 3}), help_text="One address a line."
    )
    standard_per_minute = forms.IntegerField(min_value=1, label="Calls a minute", help_text="Per key.")
    creations_per_minute = forms.IntegerField(min_value=1, label="Tournament creations a minute")
    registrations_per_minute = forms.IntegerField(min_value=1)
    results_per_minute = forms.IntegerField(min_value=1, label="Result reads a minute")

    groups = (
        (
            "Tournaments",
            (
                "rake_percent",
                "tie_policy",
                "enforce_min_players",
                "allow_late_registration",
                "approve_always",
                "approve_from_total",
            ),
        ),
        (
            "Keys and limits",
            (
                "standard_per_minute",
                "creations_per_minute",
                "registrations_per_minute",
                "results_per_minute",
                "write_implies_delete",
            ),
        ),
        ("Game client", ("show_timer", "show_leaderboard", "primary_color", "logo_url", "allowed_origins")),
        ("Callbacks", ("payout_url", "debit_url")),
    )

    def prepare(self) -> None:
        """Start from what holds now."""
        stored: Preferences = self.row.settings  # type: ignore[union-attr]
        whole = stored.dump()
        for name, path in PATHS.items():
            value: Any = whole
            for step in path:
                value = value[step]
            self.fields[name].initial = value
        self.fields["allowed_origins"].initial = "\n".join(whole["allowedOrigins"])

    def arguments(self) -> dict[str, Any]:
        """Return the fields that were changed, as the patch that the service takes."""
        patch: dict[str, Any] = {}
        for name in self.changed_data:
            if name not in PATHS:
                continue
            *groups, last = PATHS[name]
            group = patch
            for step in groups:
                group = group.setdefault(step, {})
            group[last] = self.cleaned_data[name]
        if "allowed_origins" in self.changed_data:
            patch["allowedOrigins"] = self.cleaned_data["allowed_origins"].split()
        return {"patch": patch}


@admin.register(Operator)
class OperatorAdmin(TenantAdmin):
    """Tenants. They are opened by `manage.py create_operator`, which furnishes them."""

    tenant = "pk"
    indexed = None
    operations = (
        Operation(
            name="preferences",
            label="Preferences",
            submit="Save",
            icon="tune",
            run=tenants.change_preferences,
            form=PreferencesForm,
            permission="operators.change_operator",
            done="Preferences saved.",
            explain="They hold for tournaments created from now on; the others keep the snapshot they were made with.",
        ),
        Operation(
            name="suspend",
            label="Suspend",
            icon="block",
            danger=True,
            run=tenants.suspend_operator,
            form=ReasonForm,
            permission="operators.suspend_operator",
            offered=lambda operator: operator.suspended_at is None,
            explain="Every key of this operator is refused until it is resumed. Running tournaments go on and pay out.",
        ),
        Operation(
            name="resume",
            label="Resume",
            icon="lock_open",
            run=tenants.resume_operator,
            form=ReasonForm,
            permission="operators.suspend_operator",
            offered=lambda operator: operator.suspended_at is not None,
            explain="The operator's keys work again.",
        ),
    )
    editable_fields = ("name",)
    list_display = ("name", "slug", "public_id", "currency", "state", "created")
    search_fields = ("name",)
    search_help_text = "Name or slug"
    ordering = ("name",)
    fieldsets = (
        (None, {"fields": (("name", "state"), ("slug", "public_id"), ("currency", "created"), "shown_preferences")}),
    )

    def find(self, request: HttpRequest, rows: QuerySet[Operator], term: str) -> QuerySet[Operator]:
        """By name, slug or public id; there are few."""
        return rows.filter(Q(name__icontains=term) | Q(slug__istartswith=term) | Q(public_id=term))

    @display(description="state")
    def state(self, row: Operator) -> str:
        """Tell whether its keys are let in."""
        return formats.badge("Suspended", "red") if row.suspended_at else formats.badge("Live", "green")

    @display(description="created", ordering="created_at")
    def created(self, row: Operator) -> str:
        """When it was opened."""
        return formats.moment(row.created_at)

    @display(description="preferences")
    def shown_preferences(self, row: Operator) -> str:
        """Every preference, the defaults filled in."""
        return formats.pretty_json(row.settings.dump())
