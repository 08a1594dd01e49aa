"""Applications: registered here, their key shown once; terms, webhook, inactivation."""

from collections.abc import Iterable
from datetime import datetime

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from apps.core.actors import Actor
from apps.core.admin import Operation, ReasonForm, Section, TenantAdmin, display, formats
from apps.ledger.admin.books import as_id
from apps.operators.models import Credential, CredentialKind, Operator
from apps.rumble.admin.forms import ApplicationForm, NewApplicationForm, NewKeyForm
from apps.rumble.models import Application
from apps.rumble.services import applications
from apps.rumble.services.applications import ApplicationChanges, Keyed
from apps.rumble.words import percentage

SHOWN_SETTINGS = 20


def register(*, operator: Operator, changes: ApplicationChanges, actor: Actor, at: datetime) -> Keyed:
    """Register an application."""
    return applications.register(operator.pk, changes, actor=actor, at=at)


def _is_active(row: Application) -> bool:
    return row.inactivated_at is None


def _is_inactive(row: Application) -> bool:
    return row.inactivated_at is not None


@admin.register(Application)
class ApplicationAdmin(TenantAdmin):
    """Programs that run rumble tournaments."""

    creation = Operation(
        name="register",
        label="Register application",
        icon="apps",
        run=register,
        form=NewApplicationForm,
        permission="rumble.manage_application",
        reveal="podium/application_key.html",
        explain="Its APP ID and secret key are shown once.",
    )
    operations = (
        Operation(
            name="edit",
            label="Edit",
            submit="Save",
            icon="edit",
            run=applications.change,
            form=ApplicationForm,
            permission="rumble.manage_application",
            offered=_is_active,
            explain="Tournaments and containers that exist keep the terms they were made with.",
            done="Saved.",
        ),
        Operation(
            name="new-key",
            label="New key",
            icon="autorenew",
            run=applications.new_key,
            form=NewKeyForm,
            permission="rumble.manage_application",
            offered=_is_active,
            reveal="podium/application_key.html",
            explain="The new secret key is shown once.",
        ),
        Operation(
            name="inactivate",
            label="Inactivate",
            icon="block",
            danger=True,
            run=applications.inactivate,
            form=ReasonForm,
            permission="rumble.manage_application",
            offered=_is_active,
            explain="Its keys and its players' connections end now. Every open container and tournament is refunded in "
            "full; where a payment is on the chain, as soon as it has ended.",
            done="Inactivated. What is open is being refunded.",
        ),
        Operation(
            name="reactivate",
            label="Reactivate",
            icon="restart_alt",
            run=applications.reactivate,
            permission="rumble.manage_application",
            offered=_is_inactive,
            reveal="podium/application_key.html",
            explain="It gets a new secret key, shown once. Its players connect anew.",
        ),
    )
    list_display = ("app_id", "name", "operator", "shown_state", "signing", "fee", "expiration_hours")
    list_select_related = ("operator",)
    search_fields = ("app_id",)
    search_help_text = "APP ID or name"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("app_id", "name"),
                    ("operator", "shown_state"),
                    ("description", "logo_url"),
                    ("developer_eos_id", "fee"),
                    ("signing", "expiration_hours"),
                    "webhook",
                )
            },
        ),
    )

    def created(self, answer: Keyed) -> Application:
        """Return the row."""
        return answer.application

    def find(self, request: HttpRequest, rows: QuerySet[Application], term: str) -> QuerySet[Application]:
        """By id or name; there are few."""
        number = as_id(term)
        match = Q(name__icontains=term)
        return rows.filter(match | Q(app_id=number) if number is not None else match)

    def sections(self, request: HttpRequest, row: Application) -> Iterable[Section]:
        """Its keys and its settings."""
        keys = Credential.objects.for_operator(row.operator_id).filter(
            kind=CredentialKind.APPLICATION, ref=str(row.app_id)
        )
        yield Section(
            "Keys",
            ("Key", "Issued", "Last used", "Ended"),
            [
                (
                    formats.row_link(key, f"{key.prefix}…"),
                    formats.moment(key.created_at),
                    formats.moment(key.last_used_at),
                    formats.moment(key.revoked_at or key.expires_at),
                )
                for key in keys.order_by("-pk")
            ],
        )
        newest = row.settings.order_by("-created_at", "pk")[:SHOWN_SETTINGS]
        yield Section(
            "Tournament settings",
            ("Name", "Status", "Players", "Fee", "Developer", "Rules"),
            [
                (
                    one.name,
                    one.get_status_display(),
                    f"{one.min_participants} to {one.max_participants}",
                    formats.money(one.fee_units, 0, "UPX"),
                    f"{percentage(one.developer_bps):g} %",
                    "; ".join(
                        f"from {rule['minParticipants']}: {'/'.join(rule['distribution'])}" for rule in one.rules
                    ),
                )
                for one in newest
            ],
            more=("Containers", formats.list_url("rumble.container", application__id__exact=row.pk)),
        )

    @display(description="state")
    def shown_state(self, row: Application) -> str:
        """Whether it may call."""
        active = row.inactivated_at is None
        return formats.badge("Active" if active else "Inactive", "green" if active else "grey")

    @display(description="platform fee")
    def fee(self, row: Application) -> str:
        """Of what is paid."""
        return f"{percentage(row.platform_bps):g} %"

    @display(description="webhook")
    def webhook(self, row: Application) -> str:
        """Where its webhooks go."""
        return formats.row_link(row.endpoint, row.endpoint.url) if row.endpoint else formats.NOTHING
