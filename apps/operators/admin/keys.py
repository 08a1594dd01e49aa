"""Credentials: issued, rotated and revoked here, shown once, stored hashed."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from apps.core import clock
from apps.core.actors import Actor
from apps.core.admin import ChoicesDropdownFilter, Operation, OperationForm, ReasonForm, TenantAdmin, display, formats
from apps.operators.models import Credential, CredentialKind, Operator
from apps.operators.scopes import KEY_ROLES, Scope
from apps.operators.services import credentials

OVERLAPS = [(0, "None: the old key stops now"), (3600, "1 hour"), (86_400, "1 day"), (604_800, "7 days")]


class IssueForm(OperationForm):
    """A new key."""

    operator = forms.ModelChoiceField(Operator.objects.none())
    kind = forms.ChoiceField(choices=CredentialKind.choices, initial=CredentialKind.OPERATOR)
    name = forms.CharField(max_length=120, help_text="Who or what uses it.")
    role = forms.ChoiceField(
        required=False,
        choices=[("", "Choose scopes below"), *((name, name) for name in KEY_ROLES)],
        help_text="Operator keys only.",
    )
    scopes = forms.MultipleChoiceField(
        required=False,
        choices=[(scope, scope) for scope in Scope.values],
        widget=forms.CheckboxSelectMultiple,
        help_text="Operator keys only.",
    )
    compound = forms.BooleanField(
        required=False, label="Form pk_…:sk_…", help_text="Otherwise sk_live_…. Operator keys only."
    )
    ref = forms.CharField(
        max_length=120, required=False, label="Public name", help_text="Of an integration, game or match client."
    )
    allowed_ips = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        label="Allowed addresses",
        help_text="Addresses or networks, one a line. Empty: from anywhere.",
    )
    expires_at = forms.DateTimeField(required=False, help_text="UTC. Empty: never.")
    all_operators = forms.BooleanField(
        required=False, label="Reaches every operator", help_text="Internal keys of the platform only."
    )

    def prepare(self) -> None:
        """Only the platform gives away what reaches every operator."""
        if not self.request.user.is_superuser:
            del self.fields["all_operators"]

    def clean(self) -> dict[str, Any]:
        """Turn a role into its scopes."""
        said = super().clean() or {}
        if said.get("role"):
            if said.get("scopes"):
                self.add_error("scopes", "Choose a role or scopes, not both.")
            said["scopes"] = [str(scope) for scope in KEY_ROLES[said["role"]]]
        return said

    def arguments(self) -> dict[str, Any]:
        """Return what the service takes."""
        said = super().arguments()
        said.pop("role")
        return {**said, "allowed_ips": said["allowed_ips"].split()}


class RotateForm(OperationForm):
    """How long both keys work."""

    overlap_seconds = forms.TypedChoiceField(
        label="Overlap",
        choices=OVERLAPS,
        coerce=int,
        initial=86_400,
        help_text="How long the old key works beside the new one.",
    )


def issue(*, operator: Operator, actor: Actor, at: datetime, **said: Any) -> credentials.Issued:
    """Issue a key."""
    return credentials.issue(operator_id=operator.pk, actor=actor, at=at, **said)


def rotate(credential_id: int, *, overlap_seconds: int, actor: Actor, at: datetime) -> credentials.Issued:
    """Issue a successor."""
    operator_id = Credential.objects.values_list("operator_id", flat=True).get(pk=credential_id)
    return credentials.rotate(
        credential_id, operator_id=operator_id, overlap_seconds=overlap_seconds, actor=actor, at=at
    )


def revoke(credential_id: int, *, actor: Actor, at: datetime) -> Credential:
    """Make a key useless."""
    operator_id = Credential.objects.values_list("operator_id", flat=True).get(pk=credential_id)
    return credentials.revoke(credential_id, operator_id=operator_id, actor=actor, at=at)


def is_live(credential: Credential) -> bool:
    """Tell whether the key works now."""
    return credential.is_live(clock.now())


@admin.register(Credential)
class CredentialAdmin(TenantAdmin):
    """Keys. Neither they nor their hashes are ever shown again."""

    indexed = None
    creation = Operation(
        name="issue",
        label="Issue key",
        icon="key",
        run=issue,
        form=IssueForm,
        permission="operators.rotate_credential",
        reveal="podium/secret.html",
    )
    operations = (
        Operation(
            name="rotate",
            label="Rotate",
            icon="autorenew",
            run=rotate,
            form=RotateForm,
            permission="operators.rotate_credential",
            offered=is_live,
            reveal="podium/secret.html",
            explain="A successor with the same rights is issued now and shown once.",
        ),
        Operation(
            name="revoke",
            label="Revoke",
            icon="key_off",
            danger=True,
            run=revoke,
            form=ReasonForm,
            log_only=("reason",),
            permission="operators.rotate_credential",
            offered=is_live,
            explain="The key is refused from now on. This can't be undone; issue a new one instead.",
            done="Revoked.",
        ),
    )
    list_display = ("name", "shown_prefix", "kind", "operator", "state", "used", "ends")
    list_select_related = ("operator",)
    list_filter = (("kind", ChoicesDropdownFilter),)
    search_fields = ("name",)
    search_help_text = "Name, prefix or public name"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("name", "state"),
                    ("kind", "shown_prefix"),
                    ("operator", "public_name"),
                    "shown_scopes",
                    ("networks", "reach"),
                )
            },
        ),
        ("Life", {"fields": (("made", "created_by"), ("used", "used_from"), ("ends", "revoked"))}),
    )

    def created(self, answer: credentials.Issued) -> Credential:
        """Return the row."""
        return answer.credential

    def may(self, request: HttpRequest, permission: str, row: Any = None) -> bool:
        """A key that reaches every operator is the platform's own."""
        if row is not None and row.all_operators and not permission.startswith("operators.view_"):
            return bool(request.user.is_superuser)
        return super().may(request, permission, row)

    def find(self, request: HttpRequest, rows: QuerySet[Credential], term: str) -> QuerySet[Credential]:
        """By what people see of a key; there are few."""
        return rows.filter(Q(name__icontains=term) | Q(prefix__startswith=term) | Q(ref=term))

    @display(description="public name")
    def public_name(self, row: Credential) -> str:
        """What a game, integration or client is called by others."""
        return formats.code(row.ref) if row.ref else formats.NOTHING

    @display(description="begins with")
    def shown_prefix(self, row: Credential) -> str:
        """As much of it as people may see."""
        return formats.code(f"{row.prefix}…")

    @display(description="state")
    def state(self, row: Credential) -> str:
        """Whether it works."""
        now = clock.now()
        if row.revoked_at and row.revoked_at <= now:
            return formats.badge("Revoked", "grey")
        if not row.is_live(now):
            return formats.badge("Expired", "grey")
        return formats.badge("Ends soon" if row.expires_at else "Live", "amber" if row.expires_at else "green")

    @display(description="last used", ordering="last_used_at")
    def used(self, row: Credential) -> str:
        """When it was last presented, to the minute."""
        return formats.moment_and_distance(row.last_used_at, now=clock.now()) if row.last_used_at else "never"

    @display(description="last used from")
    def used_from(self, row: Credential) -> str:
        """Where it was last presented."""
        return formats.code(row.last_used_ip) if row.last_used_ip else formats.NOTHING

    @display(description="expires", ordering="expires_at")
    def ends(self, row: Credential) -> str:
        """When it stops by itself."""
        return formats.moment(row.expires_at)

    @display(description="revoked")
    def revoked(self, row: Credential) -> str:
        """When it was revoked."""
        return formats.moment(row.revoked_at)

    @display(description="issued")
    def made(self, row: Credential) -> str:
        """When it was issued."""
        return formats.moment(row.created_at)

    @display(description="scopes")
    def shown_scopes(self, row: Credential) -> str:
        """What it may do."""
        return ", ".join(row.scopes) if row.scopes else formats.NOTHING

    @display(description="allowed from")
    def networks(self, row: Credential) -> str:
        """Where it may be used from."""
        return ", ".join(row.allowed_ips) if row.allowed_ips else "anywhere"

    @display(description="reaches")
    def reach(self, row: Credential) -> str:
        """Whose tournaments it sees."""
        return "every operator" if row.all_operators else "its own operator"
