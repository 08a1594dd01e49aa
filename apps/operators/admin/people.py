"""Who signs in, and what they are to whom."""

from collections.abc import Iterable
from datetime import datetime

from django import forms
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.core.actors import Actor
from apps.core.admin import Operation, OperationForm, Section, TenantAdmin, display, formats
from apps.core.admin.formats import Tone
from apps.operators.models import Membership, Operator, Role, User
from apps.operators.services import logins, tenants

# Permissions come from roles; groups would be a second, silent source.
admin.site.unregister(Group)

ROLE_TONES: dict[str, Tone] = {
    Role.OWNER: "violet",
    Role.MANAGER: "blue",
    Role.FINANCE: "green",
    Role.SUPPORT: "amber",
    Role.AUDITOR: "grey",
}


class PasswordForm(OperationForm):
    """A new password, typed twice by nobody: leave it empty and one is made."""

    password = forms.CharField(
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="Empty: a good one is made and shown once.",
    )


class LoginForm(PasswordForm):
    """A new login without a role."""

    email = forms.EmailField(label="E-mail address")
    is_superuser = forms.BooleanField(
        required=False, label="Platform administrator", help_text="Sees and may do everything, with every operator."
    )

    field_order = ("email", "is_superuser", "password")


@admin.register(User)
class UserAdmin(TenantAdmin):
    """Logins. They belong to the platform, so only its administrators see them; roles are memberships."""

    tenant = ""
    indexed = None
    creation = Operation(
        name="add",
        label="Add login",
        icon="person_add",
        run=logins.create_login,
        form=LoginForm,
        permission="operators.add_user",
        reveal="podium/secret.html",
    )
    operations = (
        Operation(
            name="password",
            label="Set password",
            icon="password",
            run=logins.set_password,
            form=PasswordForm,
            permission="operators.change_user",
            reveal="podium/secret.html",
            explain="The old password stops working at once, and every session of this login ends.",
        ),
    )
    editable_fields = ("first_name", "last_name", "is_active", "is_superuser")
    list_display = ("email", "full_name", "is_active", "is_superuser", "seen")
    list_filter = ("is_active", "is_superuser")
    search_fields = ("email",)
    search_help_text = "E-mail address"
    ordering = ("email",)
    fieldsets = (
        (
            None,
            {"fields": (("email", "seen"), ("first_name", "last_name"), ("is_active", "is_superuser"))},
        ),
    )

    def sections(self, request: HttpRequest, row: User) -> Iterable[Section]:
        """Their roles."""
        held = row.memberships.select_related("operator").order_by("operator__name")
        rows = [(formats.row_link(one.operator), _role(one.role)) for one in held]
        return (Section("Roles", ("Operator", "Role"), rows, empty="No role with any operator."),)

    def created(self, answer: logins.Login) -> User:
        """Return the login."""
        return answer.user

    def find(self, request: HttpRequest, rows: QuerySet[User], term: str) -> QuerySet[User]:
        """By address."""
        return rows.filter(email__icontains=term)

    @display(description="name")
    def full_name(self, row: User) -> str:
        """First and last name."""
        return row.get_full_name() or formats.NOTHING

    @display(description="last seen", ordering="last_login")
    def seen(self, row: User) -> str:
        """When they last signed in."""
        return formats.moment(row.last_login)


class MembershipForm(OperationForm):
    """A role for a person, who gets a login if they have none."""

    operator = forms.ModelChoiceField(Operator.objects.none())
    email = forms.EmailField(label="E-mail address", help_text="A login is made if there is none.")
    role = forms.ChoiceField(choices=Role.choices)


class RoleForm(OperationForm):
    """Another role."""

    role = forms.ChoiceField(choices=Role.choices)

    def prepare(self) -> None:
        """Start from the role they have."""
        self.fields["role"].initial = self.row.role  # type: ignore[union-attr]


def add_member(*, operator: Operator, email: str, role: str, actor: Actor, at: datetime) -> tenants.Staff:
    """Give a person a role."""
    return tenants.create_staff(email=email, operator_id=operator.pk, role=role, password=None, actor=actor, at=at)


@admin.register(Membership)
class MembershipAdmin(TenantAdmin):
    """Who is what to an operator. An owner manages their own operator's."""

    indexed = None
    creation = Operation(
        name="add",
        label="Add member",
        icon="person_add",
        run=add_member,
        form=MembershipForm,
        permission="operators.add_membership",
        reveal="podium/secret.html",
    )
    operations = (
        Operation(
            name="role",
            label="Change role",
            icon="badge",
            run=logins.change_role,
            form=RoleForm,
            permission="operators.change_membership",
            done="Role changed. It holds from their next click on.",
        ),
        Operation(
            name="end",
            label="End membership",
            icon="person_remove",
            danger=True,
            run=logins.end_membership,
            permission="operators.change_membership",
            removes=True,
            explain="They lose every access to this operator from their next click on. Their login stays.",
            done="Membership ended.",
        ),
    )
    list_display = ("user", "operator", "shown_role")
    list_display_links = ("user",)
    list_select_related = ("user", "operator")
    list_filter = ("role",)
    search_fields = ("user__email",)
    search_help_text = "E-mail address"
    fieldsets = ((None, {"fields": (("user", "operator"), "shown_role")}),)

    def created(self, answer: tenants.Staff) -> Membership:
        """Return the membership."""
        return answer.membership

    def find(self, request: HttpRequest, rows: QuerySet[Membership], term: str) -> QuerySet[Membership]:
        """By the person's address."""
        return rows.filter(user__email__icontains=term)

    @display(description="role", ordering="role")
    def shown_role(self, row: Membership) -> str:
        """The role, coloured."""
        return _role(row.role)


def _role(role: str) -> str:
    return formats.badge(Role(role).label, formats.tone_of(ROLE_TONES, role))
