"""What an operator, or its staff, does with an endpoint. Secrets are shown once and kept encrypted."""

import base64
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from apps.core import crypto, egress
from apps.core.actors import Actor
from apps.core.errors import DomainError, Invalid, NotFound
from apps.events import facts
from apps.events.formats import TOO_FREQUENT
from apps.events.models import OWNED, Endpoint, Format
from apps.events.services.recording import record_many

# `tournament.started`, `tournament.*` or `*`.
PATTERN = re.compile(r"^(\*|[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z0-9_]+)*(\.\*)?)$", re.ASCII)
MAX_PATTERNS = 50
LONGEST_PATTERN = 60
MAX_ENDPOINTS = 50
SECRET_BYTES = 32
LONGEST_OVERLAP = timedelta(days=7)
# What a header may carry.
TOKEN = re.compile(r"^[\x21-\x7e]{1,500}$", re.ASCII)


class TooManyEndpoints(DomainError):
    """There are as many webhook endpoints as an operator may have."""

    code = "TOO_MANY_ENDPOINTS"
    hint = "Remove one that is not needed any more."


@dataclass(frozen=True, slots=True, repr=False)
class Made:
    """An endpoint and its secret, which is never shown again."""

    endpoint: Endpoint
    secret: str


@dataclass(frozen=True, slots=True)
class EndpointChanges:
    """What to change; None leaves a field as it is. An empty token takes the token away."""

    url: str | None = None
    description: str | None = None
    events: Sequence[str] | None = None
    format: str | None = None
    ordered: bool | None = None
    enabled: bool | None = None
    token: str | None = None


@transaction.atomic
def create_endpoint(
    operator_id: int,
    *,
    url: str,
    events: Sequence[str],
    description: str = "",
    format: str = Format.STANDARD,
    ordered: bool = False,
    enabled: bool = True,
    token: str = "",
    holds: Mapping[str, Any] | None = None,
    actor: Actor,
    at: datetime,
) -> Made:
    """Make an endpoint. It gets the facts that are numbered from now on; a replay gives it older ones.

    With `holds` it gets only those whose payload contains this, in the sense of PostgreSQL's `@>`.
    Raises Invalid (address, events, format, token) and TooManyEndpoints.
    """
    changes = EndpointChanges(url, description, events, format, ordered, enabled, token)
    _refuse_nonsense(changes)
    own = Endpoint.objects.for_operator(operator_id).filter(removed_at=None).exclude(format__in=OWNED)
    if format not in OWNED and own.count() >= MAX_ENDPOINTS:
        raise TooManyEndpoints(limit=MAX_ENDPOINTS)
    secret = _new_secret()
    endpoint = Endpoint(
        operator_id=operator_id,
        url=url,
        description=description,
        events=_tidy(events),
        holds=holds,
        format=format,
        ordered=ordered,
        enabled=enabled,
        secret=crypto.encrypt(secret),
        token=crypto.encrypt(token) if token else "",
        created_at=at,
    )
    if not enabled:
        endpoint.disabled_at, endpoint.disabled_reason = at, f"made so by {actor}"
    endpoint.save(force_insert=True)
    return Made(endpoint, secret)


@transaction.atomic
def change_endpoint(
    endpoint_id: int, *, operator_id: int, changes: EndpointChanges, actor: Actor, at: datetime
) -> Endpoint:
    """Change what is given. What is queued already goes to the new address, in the new format.

    Raises NotFound and Invalid.
    """
    endpoint = _locked(endpoint_id, operator_id)
    _refuse_nonsense(changes)
    if (
        changes.format is not None
        and endpoint.format != changes.format
        and (endpoint.format in OWNED or changes.format in OWNED)
    ):
        raise Invalid("This endpoint keeps its format.", fields={"format": ["Can't be changed."]})
    wanted = {
        name: getattr(changes, name)
        for name in ("url", "description", "format", "ordered")
        if getattr(changes, name) is not None
    }
    if changes.events is not None:
        wanted["events"] = _tidy(changes.events)
    changed = [name for name, value in wanted.items() if getattr(endpoint, name) != value]
    for name in changed:
        setattr(endpoint, name, wanted[name])
    if changes.token is not None:
        endpoint.token = crypto.encrypt(changes.token) if changes.token else ""
        changed.append("token")
    if changes.enabled is not None and changes.enabled != endpoint.enabled:
        changed += _switch(endpoint, on=changes.enabled, reason=f"by {actor}", at=at)
    if changed:
        _explain(endpoint, "changed", actor, at)
        endpoint.save(update_fields=changed)
    return endpoint


@transaction.atomic
def rotate_secret(endpoint_id: int, *, operator_id: int, overlap_seconds: int, actor: Actor, at: datetime) -> Made:
    """Give the endpoint a new secret. For the overlap the old one signs too, so that the receiver can change over.

    A rotation during an overlap ends the older of the secrets. Raises NotFound and Invalid (overlap over seven days).
    """
    if not 0 <= overlap_seconds <= LONGEST_OVERLAP.total_seconds():
        raise Invalid("No usable overlap.", fields={"overlapSeconds": ["From 0 to 604800 seconds."]})
    endpoint = _locked(endpoint_id, operator_id)
    secret = _new_secret()
    if overlap_seconds:
        endpoint.previous_secret = endpoint.secret
        endpoint.previous_secret_until = at + timedelta(seconds=overlap_seconds)
    else:
        endpoint.previous_secret, endpoint.previous_secret_until = "", None
    endpoint.secret = crypto.encrypt(secret)
    _explain(endpoint, "secret replaced", actor, at)
    endpoint.save(update_fields=["secret", "previous_secret", "previous_secret_until"])
    return Made(endpoint, secret)


@transaction.atomic
def enable_endpoint(endpoint_id: int, *, operator_id: int, actor: Actor, at: datetime) -> Endpoint:
    """Let facts flow again: what was queued before goes out now, what came meanwhile only by a replay.

    Raises NotFound.
    """
    endpoint = _locked(endpoint_id, operator_id)
    if not endpoint.enabled:
        changed = _switch(endpoint, on=True, reason="", at=at)
        _explain(endpoint, "enabled", actor, at)
        endpoint.save(update_fields=changed)
    return endpoint


@transaction.atomic
def disable_endpoint(endpoint_id: int, *, operator_id: int, reason: str, actor: Actor, at: datetime) -> Endpoint:
    """Stop sending. What is queued waits; new facts are not queued for it.

    When the system does so, the operator is told with a `system.alert`. Raises NotFound.
    """
    endpoint = _locked(endpoint_id, operator_id)
    if endpoint.enabled:
        changed = _switch(endpoint, on=False, reason=reason, at=at)
        _explain(endpoint, f"disabled: {reason}", actor, at)
        endpoint.save(update_fields=changed)
        if actor.kind == "system":
            record_many([facts.webhook_disabled(endpoint, reason)], operator_id=operator_id, actor=actor, at=at)
    return endpoint


@transaction.atomic
def remove_endpoint(endpoint_id: int, *, operator_id: int, actor: Actor, at: datetime) -> Endpoint:
    """Stop sending for good and forget the secrets. What was sent stays on record until it is purged.

    Raises NotFound, also for an endpoint that is not of the operator's own list: it can only be disabled.
    """
    endpoint = _locked(endpoint_id, operator_id)
    if endpoint.format in OWNED:
        raise NotFound("There is no such endpoint.")
    changed = _switch(endpoint, on=False, reason="removed", at=at)
    endpoint.removed_at = at
    endpoint.secret = endpoint.previous_secret = endpoint.token = ""
    _explain(endpoint, "removed", actor, at)
    endpoint.save(update_fields=[*changed, "removed_at", "secret", "previous_secret", "token"])
    return endpoint


def secrets_in_force(endpoint: Endpoint, at: datetime) -> list[str]:
    """Return the sealed secrets that sign at a moment, newest first."""
    until = endpoint.previous_secret_until
    old = [endpoint.previous_secret] if endpoint.previous_secret and until is not None and at < until else []
    return [endpoint.secret, *old] if endpoint.secret else []


def _switch(endpoint: Endpoint, *, on: bool, reason: str, at: datetime) -> list[str]:
    endpoint.enabled = on
    endpoint.disabled_at = None if on else at
    endpoint.disabled_reason = reason[:300]
    endpoint.failing_since = None  # it gets its full time again
    return ["enabled", "disabled_at", "disabled_reason", "failing_since"]


def _locked(endpoint_id: int, operator_id: int) -> Endpoint:
    # Not against its key: whoever hands facts out refers to it meanwhile.
    rows = Endpoint.objects.for_operator(operator_id).select_for_update(no_key=True)
    found: Endpoint | None = rows.filter(pk=endpoint_id, removed_at=None).first()
    if found is None:
        raise NotFound("There is no such endpoint.")
    return found


def _new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def _tidy(events: Sequence[str]) -> list[str]:
    """Each pattern once; `*` alone says what it says beside others."""
    return ["*"] if "*" in events else list(dict.fromkeys(events))


def _refuse_nonsense(changes: EndpointChanges) -> None:
    wrong: dict[str, list[str]] = {}
    if changes.url is not None:
        try:
            egress.examine(changes.url)
        except egress.Refused as refused:
            wrong["url"] = [str(refused)]
    if changes.events is not None and not (
        0 < len(changes.events) <= MAX_PATTERNS
        and all(len(given) <= LONGEST_PATTERN and PATTERN.match(given) for given in changes.events)
    ):
        wrong["events"] = [f"1 to {MAX_PATTERNS} names (tournament.started), prefixes (tournament.*), or *."]
    elif never := [given for given in changes.events or () if given in TOO_FREQUENT]:
        wrong["events"] = [f"{never[0]} comes too often for webhooks: sockets and queues tell it."]
    if changes.format is not None and changes.format not in Format.values:
        wrong["format"] = ["standard or casino."]
    if changes.token and not TOKEN.match(changes.token):
        wrong["token"] = ["1 to 500 printable ASCII characters, no spaces."]
    if wrong:
        raise Invalid("Invalid endpoint.", fields=wrong)


def _explain(endpoint: Endpoint, reason: str, actor: Actor, at: datetime) -> None:
    """Say in the endpoint's history who did it, why, and when; read by django-simple-history at the next save."""
    endpoint._change_reason = f"{actor}: {reason}"[:300]  # type: ignore[attr-defined]  # noqa: SLF001
    endpoint._history_date = at  # type: ignore[attr-defined]  # noqa: SLF001
