"""Facts, written the way the product writes them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any

from django.db import transaction

from apps.core.actors import SYSTEM
from apps.events.models import Fact
from apps.events.services import recording
from apps.operators.models import Operator

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class _Undone(Exception):
    pass


@contextmanager
def rolled_back() -> Iterator[None]:
    """A transaction, or a savepoint in one, that ends badly."""
    with suppress(_Undone), transaction.atomic():
        yield
        raise _Undone


def write(
    operator: Operator,
    type: str = "tournament.started",
    subject: str = "tournament:17",
    data: Mapping[str, Any] | None = None,
    *,
    count: int = 1,
    at: datetime = NOON,
) -> list[Fact]:
    """Commit that many facts, each with its number of this call in `data`."""
    new = [recording.NewFact(type, subject, {"n": n, **(data or {})}) for n in range(count)]
    with transaction.atomic():
        public_ids = recording.record_many(new, operator_id=operator.pk, actor=SYSTEM, at=at)
    return list(Fact.objects.filter(public_id__in=public_ids).order_by("id"))
