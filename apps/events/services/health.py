"""How endpoints fare, as the relay finds out; an endpoint that does nothing but fail is switched off in the end."""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F, Q
from django.db.models.functions import Coalesce

from apps.core.actors import SYSTEM
from apps.core.errors import NotFound
from apps.events.models import Endpoint
from apps.events.services import endpoints


def note_success(endpoint_ids: Collection[int], *, at: datetime) -> None:
    """They take what they get. One statement, one short lock at a time: endpoints are locked for work all the while."""
    for endpoint_id in sorted(endpoint_ids):
        Endpoint.objects.filter(pk=endpoint_id).update(last_success_at=at, failing_since=None)


def note_failure(endpoint_id: int, error: str, *, at: datetime, gone: bool = False) -> None:
    """It failed. Switches it off when it says that it is gone (410), or when it did nothing but fail for too long.

    The operator is told with a `system.alert`.
    """
    changed = Endpoint.objects.filter(Q(enabled=True), pk=endpoint_id).update(
        failing_since=Coalesce(F("failing_since"), at), last_failure_at=at, last_error=error[:300]
    )
    endpoint = Endpoint.objects.filter(pk=endpoint_id).first() if changed else None
    if endpoint is None or endpoint.failing_since is None:
        return
    patience = timedelta(seconds=settings.WEBHOOK_DISABLE_SECONDS)
    if gone:
        reason = "the receiver answered 410 Gone"
    elif at - endpoint.failing_since >= patience:
        reason = f"nothing but failures since {endpoint.failing_since:%Y-%m-%d %H:%M} UTC; the last: {error}"
    else:
        return
    try:
        endpoints.disable_endpoint(endpoint.pk, operator_id=endpoint.operator_id, reason=reason, actor=SYSTEM, at=at)
    except NotFound:
        return  # removed meanwhile
