"""Correct a journal: never by editing it, always by one that says the opposite and names it."""

from datetime import datetime

from django.db import transaction

from apps.core.actors import Actor
from apps.core.errors import DomainError, Invalid
from apps.events.services import recording as events
from apps.ledger.models import Journal
from apps.ledger.services.journals import NewJournal, post_once

MAX_REASON = 200


class NotReversible(DomainError):
    """A correction is not corrected: post what is right instead."""

    code = "NOT_REVERSIBLE"


@transaction.atomic
def reverse(journal_id: int, *, reason: str, actor: Actor, at: datetime) -> Journal:
    """Post the opposite of a journal, once: a second call returns the first correction, whatever its reason.

    Only the books move. What the journal stood for (a payout, a transfer, a hold) keeps its state, so this is for
    staff who then put that right as well; `reconcile` names what they forget. Records `journal.reversed`. Raises
    Journal.DoesNotExist, Invalid without a reason, NotReversible, and InsufficientFunds if a wallet, hold or escrow no
    longer has what would be taken back.
    """
    if not 0 < len(reason.strip()) <= MAX_REASON:
        raise Invalid("A reason is needed.", fields={"reason": [f"1 to {MAX_REASON} characters."]})
    wrong = Journal.objects.get(pk=journal_id)
    if wrong.reverses_id is not None:
        raise NotReversible(reverses=wrong.reverses_id)
    legs = {posting.account_id: -int(posting.units) for posting in wrong.postings.all()}
    opposite = NewJournal(
        kind="correction",
        key=f"journal:{wrong.pk}:reversal",
        legs=legs,
        subject=wrong.subject,
        memo=reason,
        reverses_id=wrong.pk,
    )
    journal, new = post_once(opposite, operator_id=wrong.operator_id, actor=actor, at=at)
    if new:
        events.record(
            operator_id=wrong.operator_id,
            type="journal.reversed",
            subject=wrong.subject or f"journal:{wrong.pk}",
            data={"journalId": str(wrong.pk), "key": wrong.key, "correctionId": str(journal.pk), "reason": reason},
            actor=actor,
            at=at,
        )
    return journal
