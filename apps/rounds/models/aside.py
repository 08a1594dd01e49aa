"""What could not be counted and was set aside, so that nothing else waits for it (`services.scoring.aside`)."""

from typing import Self

from django.db import models
from django.db.models import Q

from apps.core import clock
from apps.operators.models import Operator
from apps.operators.models.tenants import OwnedQuerySet
from apps.tournaments.models import Entry

ERROR_LENGTH = 500


class SetAsideQuerySet(OwnedQuerySet):
    """Questions about what was set aside."""

    def waiting(self) -> Self:
        """Keep what is still aside."""
        return self.filter(released_at=None)


class SetAside(models.Model):
    """Common to both: whose it is, what went wrong the last time, and how often it has.

    It is aside until `released_at` says since when it is not: put back by staff, or no more to be counted. The row
    stays, and counts on if it is set aside again.
    """

    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="+", db_index=False)
    error = models.CharField(max_length=ERROR_LENGTH)
    times = models.PositiveIntegerField(default=1)
    set_aside_at = models.DateTimeField(default=clock.now)
    released_at = models.DateTimeField(null=True)

    objects = SetAsideQuerySet.as_manager()

    class Meta:
        abstract = True


class SetAsideRound(SetAside):
    """A round with which the scorer's statement failed. It waits: nothing counts it, and nothing forgets it.

    `number` and `received_at` are the round's, and its place in the queue when it is put back.
    """

    number = models.BigIntegerField(primary_key=True)
    received_at = models.DateTimeField()

    class Meta:
        verbose_name = "round set aside"
        verbose_name_plural = "rounds set aside"
        permissions = (("put_back_setasideround", "Can have rounds counted that were set aside"),)
        indexes = (
            models.Index(
                name="rounds_aside_by_operator", fields=["operator", "set_aside_at"], condition=Q(released_at=None)
            ),
        )

    def __str__(self) -> str:
        return f"round {self.number}"


class SetAsideRecount(SetAside):
    """An entry that could not be counted anew. It keeps its points, rounds go on being added, and it may be off."""

    entry = models.OneToOneField(Entry, on_delete=models.PROTECT, primary_key=True, related_name="+")

    class Meta:
        verbose_name = "entry set aside"
        verbose_name_plural = "entries set aside"
        permissions = (("put_back_setasiderecount", "Can have entries counted anew that were set aside"),)
        indexes = (
            models.Index(
                name="rounds_recount_aside", fields=["operator", "set_aside_at"], condition=Q(released_at=None)
            ),
        )

    def __str__(self) -> str:
        return f"entry {self.entry_id}"
