"""Reads and locks of matches."""

from datetime import datetime
from typing import Any, Self

from django.db.models import Q

from apps.matches.lifecycle import FINAL, MatchStatus, NoticeStatus
from apps.operators.models.tenants import OwnedQuerySet


class MatchQuerySet(OwnedQuerySet):
    """Matches. Whoever changes one holds its row, so racing reports settle once."""

    def hold(self, match_id: int) -> Any:
        """Return the match, locked until this transaction ends. Raises DoesNotExist."""
        return self.locked().get(pk=match_id)

    def locked(self) -> Self:
        """Lock rows in primary-key order; new rows may still refer to them meanwhile."""
        return self.order_by("pk").select_for_update(of=("self",), no_key=True).select_related("asset")

    def due(self, at: datetime) -> Self:
        """Narrow to those that the clock must act on, the longest overdue first."""
        return self.filter(due_at__lte=at).order_by("due_at", "pk")

    def shown_to_game(self, client_id: int) -> Self:
        """Narrow to a client's matches that the game may know of: from escrow on."""
        hidden = (MatchStatus.INVITED, MatchStatus.CONFIRMING, MatchStatus.CANCELLED)
        return self.filter(client_id=client_id).exclude(status__in=hidden)

    def in_list(self, statuses: tuple[MatchStatus, ...], *, changed_since: datetime | None, at_least: datetime) -> Self:
        """Narrow to the poll's list: those statuses and, with `changed_since`, the ends since then (3.5)."""
        wanted = Q(status__in=statuses)
        if changed_since is None:
            return self.filter(wanted)
        recent = Q(status__in=FINAL, changed_at__gte=max(changed_since, at_least))
        return self.filter(changed_at__gte=changed_since).filter(wanted | recent)


class NoticeQuerySet(OwnedQuerySet):
    """Webhook calls that are owed."""

    def due(self, at: datetime) -> Self:
        """Narrow to those whose next try has come."""
        return self.filter(status=NoticeStatus.PENDING, next_try_at__lte=at).order_by("next_try_at", "pk")
