"""The answers kept for retries."""

from datetime import datetime, timedelta

from apps.operators.models import IdempotencyRecord

REMEMBERED = timedelta(hours=24)
BATCH = 5000


def forget_answers(*, at: datetime) -> int:
    """Delete the answers older than 24 hours, in batches so that no lock is held for long; return how many."""
    forgotten = 0
    while True:
        old = IdempotencyRecord.objects.filter(created_at__lte=at - REMEMBERED).order_by("created_at")
        deleted, _ = IdempotencyRecord.objects.filter(pk__in=old.values("pk")[:BATCH]).delete()
        forgotten += deleted
        if deleted < BATCH:
            return forgotten
