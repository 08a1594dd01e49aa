"""Ways to read facts. Tenant first; never a count."""

from collections.abc import Sequence
from typing import Self

from django.db.models import Q

from apps.operators.models.tenants import OwnedQuerySet


class FactQuerySet(OwnedQuerySet):
    """Facts of one operator, by subject or by their place in the stream."""

    def about(self, operator_id: int, subject: str) -> Self:
        """What happened to one subject (`tournament:17`), oldest first.

        In the order of writing: it includes the facts of the last moment, which have no number yet.
        """
        return self.for_operator(operator_id).filter(subject=subject).order_by("id")

    def numbered(self, operator_id: int, *, after: int, until: int) -> Self:
        """Return the part of an operator's stream after one number and up to another, in its order."""
        return self.for_operator(operator_id).filter(sequence__gt=after, sequence__lte=until).order_by("sequence")

    def of_types(self, patterns: Sequence[str]) -> Self:
        """Keep the named types; `tournament.*` is every type that begins with `tournament.`, `*` is every type.

        No pattern at all keeps everything.
        """
        if not patterns or "*" in patterns:
            return self
        return self.filter(_fits(patterns))

    def besides_types(self, patterns: Sequence[str]) -> Self:
        """Leave out the named types and beginnings; no pattern at all leaves out nothing."""
        return self.exclude(_fits(patterns)) if patterns else self


def _fits(patterns: Sequence[str]) -> Q:
    fits = Q(type__in=[pattern for pattern in patterns if not pattern.endswith(".*")])
    for pattern in patterns:
        if pattern.endswith(".*"):
            fits |= Q(type__startswith=pattern.removesuffix("*"))
    return fits
