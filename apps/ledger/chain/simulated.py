"""A chain that is none: for development, demonstrations and tests (podium.md 5). It keeps its word like a real one.

It remembers submissions in a table of its own, decides their fate when they come in, and tells it when their time has
come: `CHAIN_FINALITY_SECONDS` later, or what `ChainControl` says for the operator. While that says *hold* nothing
settles; what was due settles as soon as it is let go.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from apps.ledger.chain import Batch, Receipt, Sight, Sighting
from apps.ledger.models import ChainControl, SimulatedTransaction

# How soon to look again at what is held back.
AGAIN = timedelta(seconds=1)
FAILURE = "The chain has refused the transaction."


class SimulatedChain:
    """A chain in two tables."""

    @transaction.atomic
    def submit(self, batch: Batch, *, at: datetime) -> Receipt:
        """Take a batch in; the next `fail_next` ones of an operator will fail."""
        known = SimulatedTransaction.objects.filter(submission=batch.submission).first()
        if known is not None:
            return Receipt(known.reference, known.settles_at)
        control = ChainControl.objects.select_for_update().filter(operator_id=batch.operator_id).first()
        seconds, doomed = float(settings.CHAIN_FINALITY_SECONDS), False
        if control is not None:
            if control.finality_seconds is not None:
                seconds = control.finality_seconds
            if control.fail_next:
                doomed = True
                control.fail_next -= 1
                control.save(update_fields=["fail_next"])
        made, _ = SimulatedTransaction.objects.get_or_create(
            submission=batch.submission,
            defaults={
                "reference": f"sim-{batch.submission.hex}",
                "operator_id": batch.operator_id,
                "doomed": doomed,
                "submitted_at": at,
                "settles_at": at + timedelta(seconds=seconds),
            },
        )
        return Receipt(made.reference, made.settles_at)

    @transaction.atomic
    def look(self, reference: str, *, at: datetime) -> Sighting:
        """Return its fate once its time has come; the first answer that settles it stays the answer."""
        found = SimulatedTransaction.objects.select_for_update().filter(reference=reference).first()
        if found is None:
            return Sighting(Sight.UNKNOWN)
        if found.settled_at is None:
            held = ChainControl.objects.filter(operator_id=found.operator_id, hold=True).exists()
            if held or at < found.settles_at:
                return Sighting(Sight.PENDING, look_at=at + AGAIN if held else found.settles_at)
            found.settled_at = at
            found.save(update_fields=["settled_at"])
        return Sighting(Sight.FAILED, error=FAILURE) if found.doomed else Sighting(Sight.FINAL, confirmations=1)
