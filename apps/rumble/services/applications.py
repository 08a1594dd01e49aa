"""Applications: find them, prove their calls, change them, switch them off and on (rumble.md 2.1, podium.md 5)."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from hmac import compare_digest
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from apps.core import egress
from apps.core.actors import Actor
from apps.core.errors import DomainError, Invalid, NotFound
from apps.events.models import Format
from apps.events.services import endpoints
from apps.operators.models import Credential, CredentialKind
from apps.operators.services import credentials
from apps.operators.services.credentials import Issued, Unauthorized
from apps.rumble.models import Application, Connection, Signing
from apps.rumble.services import stopping

EVENTS = ("rumble.*",)
MAX_APP_ID = 2**63 - 1
LONGEST_LIFE_HOURS = 24 * 365
# With ten percent each for developer and stakeholder, something is left for those who play.
MOST_PLATFORM_PERCENT = Decimal(75)


class ApplicationNotFound(NotFound):
    """Application not found"""  # noqa: D400, D415 - word for word (rumble.md 3.1)

    code = "APPLICATION_NOT_FOUND"


class ApplicationInactive(DomainError):
    """The application is inactive."""

    code = "APPLICATION_INACTIVE"
    hint = "Reactivate it; a new key is issued then."


class ApplicationActive(DomainError):
    """The application is active."""

    code = "APPLICATION_ACTIVE"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationChanges:
    """What of an application is to change; None leaves it as it is.

    An empty `webhook_url` stops its webhooks, an empty `webhook_token` sends them without one. Percentages have up to
    two decimals.
    """

    name: str | None = None
    description: str | None = None
    logo_url: str | None = None
    developer_eos_id: str | None = None
    expiration_hours: int | None = None
    signing: str | None = None
    platform_fee_percentage: Decimal | None = None
    webhook_url: str | None = None
    webhook_token: str | None = None

    def given(self) -> dict[str, Any]:
        """Return what is to change."""
        return {one.name: value for one in fields(self) if (value := getattr(self, one.name)) is not None}


@dataclass(frozen=True, slots=True, repr=False)
class Keyed:
    """An application and its new key, which is never shown again. No repr: no log line shows it."""

    application: Application
    issued: Issued


def known(app_id: int, *, at: datetime) -> Application | None:
    """Return the application with its operator and endpoint, or None.

    An operator is born with a credential for one; the application's own row is made when it is first asked for.
    """
    if not 0 < app_id <= MAX_APP_ID:
        return None
    whole = Application.objects.select_related("operator", "endpoint")
    found: Application | None = whole.filter(app_id=app_id).first()
    if found is not None:
        return found
    key = Credential.objects.filter(kind=CredentialKind.APPLICATION, ref=str(app_id)).order_by("pk").first()
    if key is None:
        return None
    mine = {"operator_id": key.operator_id, "name": key.name, "created_at": at}
    Application.objects.get_or_create(app_id=app_id, defaults=mine)
    made: Application = whole.get(app_id=app_id)
    return made


def find(operator_id: int, app_id: str | int, *, at: datetime) -> Application:
    """Return an operator's application. Raises ApplicationNotFound."""
    number = number_of(app_id)
    application = None if number is None else known(number, at=at)
    if application is None or application.operator_id != operator_id:
        raise ApplicationNotFound
    return application


def number_of(app_id: str | int) -> int | None:
    """Return an app id as a number, or None for what can be none."""
    text = str(app_id)
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else None  # noqa: PLR2004 - digits of 2⁶³


def of_operator(operator_id: int, *, at: datetime) -> QuerySet[Application]:
    """Return an operator's applications, newest first, among them those that nobody has asked for before."""
    keys = Credential.objects.for_operator(operator_id).filter(kind=CredentialKind.APPLICATION).exclude(ref="")
    made = Application.objects.for_operator(operator_id).values_list("app_id", flat=True)
    for ref in keys.exclude(ref__in=[str(app_id) for app_id in made]).values_list("ref", flat=True).distinct():
        known(number_of(ref) or 0, at=at)
    rows: QuerySet[Application] = Application.objects.for_operator(operator_id).select_related("operator", "endpoint")
    return rows.order_by("-pk")


def authenticate(app_id: str, secret: str, *, address: str, at: datetime) -> tuple[Application, Credential]:
    """Return the application that a pair of app id and secret key proves, and its credential.

    Raises Unauthorized and its kin for a wrong pair and for an inactive application, ApplicationNotFound for a right
    pair whose application no longer exists (rumble.md 10, no. 35).
    """
    credential = credentials.authenticate(secret, kind=CredentialKind.APPLICATION, address=address, at=at)
    if not compare_digest(credential.ref.encode(), app_id.encode()):
        raise Unauthorized
    application = known(number_of(credential.ref) or 0, at=at)
    if application is None:
        raise ApplicationNotFound
    if application.inactivated_at is not None:
        raise Unauthorized
    return application, credential


@transaction.atomic
def register(operator_id: int, changes: ApplicationChanges, *, actor: Actor, at: datetime) -> Keyed:
    """Make an application; its key is in the answer, once. Raises Invalid."""
    if not (changes.name or "").strip():
        raise Invalid("An application needs a name.", fields={"name": ["This field is required."]})
    issued = credentials.issue(
        operator_id=operator_id, kind=CredentialKind.APPLICATION, name=str(changes.name), actor=actor, at=at
    )
    application = known(number_of(issued.credential.ref) or 0, at=at)
    if application is None:
        raise ApplicationNotFound
    return Keyed(change(application.pk, changes, actor=actor, at=at), issued)


@transaction.atomic
def change(application_id: int, changes: ApplicationChanges, *, actor: Actor, at: datetime) -> Application:
    """Change what is given. Tournaments and containers that exist keep the terms they were made with.

    Naming the webhook's address lets one that was switched off go on. Raises Invalid.
    """
    given = _sound(changes)
    application = _locked(application_id)
    webhook: dict[str, str] = {name: given.pop(name) for name in ("webhook_url", "webhook_token") if name in given}
    percentage = given.pop("platform_fee_percentage", None)
    if percentage is not None:
        given["platform_bps"] = int(percentage * 100)
    for name, value in given.items():
        setattr(application, name, value)
    if webhook:
        _point(application, webhook, actor=actor, at=at)
    if given or webhook:
        _explain(application, "changed", actor, at)
        application.save(update_fields=[*given, "endpoint"])
    return application


def _point(application: Application, webhook: Mapping[str, str], *, actor: Actor, at: datetime) -> None:
    """Send the application's webhooks to its address, with its token; or nowhere."""
    url, token = webhook.get("webhook_url"), webhook.get("webhook_token")
    who: dict[str, Any] = {"operator_id": application.operator_id, "actor": actor, "at": at}
    if application.endpoint is None:
        if not url:
            return
        application.endpoint = endpoints.create_endpoint(
            application.operator_id,
            url=url,
            events=EVENTS,
            description=f"Application {application.app_id}",
            format=Format.RUMBLE,
            token=token or "",
            holds={"appId": application.app_id},
            actor=actor,
            at=at,
        ).endpoint
        return
    changes = endpoints.EndpointChanges(url=url or None, token=token, enabled=None if url is None else bool(url))
    application.endpoint = endpoints.change_endpoint(application.endpoint.pk, changes=changes, **who)


@transaction.atomic
def inactivate(application_id: int, *, reason: str, actor: Actor, at: datetime) -> Application:
    """Kill its keys and its players' tokens, and give back what is in its open containers (rumble.md 2.1).

    Its tournaments are cancelled through the normal refund path. Raises Invalid without a reason, ApplicationInactive.
    """
    if not reason.strip():
        raise Invalid("Say why.", fields={"reason": ["This field is required."]})
    application = _locked(application_id)
    if application.inactivated_at is not None:
        raise ApplicationInactive
    application.inactivated_at = at
    _explain(application, f"inactivated: {reason}", actor, at)
    application.save(update_fields=["inactivated_at"])
    for pk in _keys(application).filter(revoked_at=None).values_list("pk", flat=True):
        credentials.revoke(pk, operator_id=application.operator_id, actor=actor, at=at)
    Connection.objects.filter(application=application, disconnected_at=None).update(disconnected_at=at)
    stopping.cancel_everything(application, actor=actor, at=at)
    return application


@transaction.atomic
def reactivate(application_id: int, *, actor: Actor, at: datetime) -> Keyed:
    """Let it be called again, with a new key. Its players connect anew. Raises ApplicationActive."""
    application = _locked(application_id)
    if application.inactivated_at is None:
        raise ApplicationActive
    application.inactivated_at = None
    _explain(application, "reactivated", actor, at)
    application.save(update_fields=["inactivated_at"])
    return Keyed(application, _issue(application, actor=actor, at=at))


@transaction.atomic
def new_key(application_id: int, *, overlap_seconds: int, actor: Actor, at: datetime) -> Keyed:
    """Issue another key; the ones before it work for `overlap_seconds` more. Raises ApplicationInactive, Invalid."""
    application = _locked(application_id)
    if application.inactivated_at is not None:
        raise ApplicationInactive
    live = [key for key in _keys(application).order_by("pk") if key.is_live(at)]
    if not live:
        return Keyed(application, _issue(application, actor=actor, at=at))
    issued = None
    for key in live[:-1]:
        credentials.revoke(key.pk, operator_id=application.operator_id, actor=actor, at=at)
    issued = credentials.rotate(
        live[-1].pk, operator_id=application.operator_id, overlap_seconds=overlap_seconds, actor=actor, at=at
    )
    return Keyed(application, issued)


def _issue(application: Application, *, actor: Actor, at: datetime) -> Issued:
    return credentials.issue(
        operator_id=application.operator_id,
        kind=CredentialKind.APPLICATION,
        name=application.name or str(application.app_id),
        ref=str(application.app_id),
        actor=actor,
        at=at,
    )


def _keys(application: Application) -> QuerySet[Credential]:
    rows: QuerySet[Credential] = Credential.objects.for_operator(application.operator_id)
    return rows.filter(kind=CredentialKind.APPLICATION, ref=str(application.app_id))


def _locked(application_id: int) -> Application:
    rows = Application.objects.select_for_update(no_key=True, of=("self",)).select_related("operator", "endpoint")
    found: Application | None = rows.filter(pk=application_id).first()
    if found is None:
        raise ApplicationNotFound
    return found


def _sound(changes: ApplicationChanges) -> dict[str, Any]:
    given = changes.given()
    wrong: dict[str, list[str]] = {}
    for name, longest in (("name", 120), ("description", 1000), ("logo_url", 500), ("developer_eos_id", 64)):
        if len(given.get(name, "")) > longest:
            wrong[_wire(name)] = [f"At most {longest} characters."]
    if "name" in given and not given["name"].strip():
        wrong["name"] = ["This field may not be blank."]
    hours = given.get("expiration_hours")
    if hours is not None and not 1 <= hours <= LONGEST_LIFE_HOURS:
        wrong["expirationHours"] = [f"From 1 to {LONGEST_LIFE_HOURS}."]
    if given.get("signing", Signing.AUTO) not in Signing.values:
        wrong["signing"] = [f"One of {', '.join(Signing.values)}."]
    percentage = given.get("platform_fee_percentage", 0)
    if not (0 <= percentage <= MOST_PLATFORM_PERCENT and percentage * 100 % 1 == 0):
        wrong["platformFeePercentage"] = [f"From 0 to {MOST_PLATFORM_PERCENT}, with two decimals at most."]
    wrong |= _wrong_webhook(given)
    if wrong:
        raise Invalid("Invalid application.", fields=wrong)
    return given


def _wrong_webhook(given: Mapping[str, Any]) -> dict[str, list[str]]:
    wrong = {}
    url = given.get("webhook_url")
    if url:
        try:
            egress.examine(url)
        except egress.Refused as refused:
            wrong["webhookUrl"] = [str(refused)]
    token = given.get("webhook_token")
    if token and not endpoints.TOKEN.match(token):
        wrong["webhookToken"] = ["1 to 500 printable ASCII characters, no spaces."]
    return wrong


def _wire(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.title() for part in rest)


def _explain(application: Application, reason: str, actor: Actor, at: datetime) -> None:
    """Say in the application's history who did it, why, and when."""
    application._change_reason = f"{actor}: {reason}"[:300]  # type: ignore[attr-defined]  # noqa: SLF001 - its hook
    application._history_date = at  # type: ignore[attr-defined]  # noqa: SLF001 - likewise
