"""The stream against its counter."""

from collections.abc import Iterator

from django.db.models import Count, Max, Min

from apps.core.drift import Check, Drift
from apps.events.models import Fact, Stream


def the_stream_has_no_gap(operator_id: int) -> Iterator[Drift]:
    """Numbers run from 1 to the counter, none missing."""
    numbered = Fact.objects.for_operator(operator_id).filter(sequence__isnull=False)
    found = numbered.aggregate(number=Count("pk"), first=Min("sequence"), last=Max("sequence"))
    last = Stream.objects.filter(operator_id=operator_id).values_list("last_sequence", flat=True).first() or 0
    if (found["number"], found["first"] or 1, found["last"] or 0) != (last, 1, last):
        yield Drift(
            "facts",
            "stream",
            f"the counter says {last}; {found['number']} facts from {found['first']} to {found['last']}",
        )


CHECKS: tuple[Check, ...] = (the_stream_has_no_gap,)
