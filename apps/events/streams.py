"""Read an operator's facts by their numbers: gap-free, in order, from wherever the reader stopped."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from apps.events.models import Fact, Stream

# How far one call looks for types that are rare, so that its cost has an end; the reader comes back for more.
WINDOW = 50_000


@dataclass(frozen=True, slots=True)
class Page:
    """A stretch of a stream. Everything up to `last_sequence` has been looked at: the reader goes on from there.

    With `more`, another page can be read at once, even when this one holds few facts or none of the wanted types.
    """

    facts: Sequence[Fact]
    last_sequence: int
    more: bool


def heads(operator_ids: Collection[int]) -> dict[int, int]:
    """Return the last number of each operator: all up to it are committed, and none of them ever changes."""
    known = dict(Stream.objects.filter(operator_id__in=operator_ids).values_list("operator_id", "last_sequence"))
    return {operator_id: known.get(operator_id, 0) for operator_id in operator_ids}


def read(
    operator_id: int,
    *,
    after: int,
    limit: int,
    types: Sequence[str] = (),
    besides: Sequence[str] = (),
    subjects: Collection[str] | None = None,
) -> Page:
    """Return up to `limit` facts with numbers above `after`; `types` as `FactQuerySet.of_types` takes them.

    `besides` leaves types out in the same spelling; `subjects` keeps those about some subjects only.
    """
    # The counter first.
    head = heads([operator_id])[operator_id]
    until = min(head, after + WINDOW)
    if until <= after:
        return Page([], after, more=False)
    wanted = Fact.objects.numbered(operator_id, after=after, until=until).of_types(types).besides_types(besides)
    if subjects is not None:
        wanted = wanted.filter(subject__in=subjects)
    found = list(wanted[: limit + 1])
    if len(found) > limit:
        return Page(found[:limit], found[limit - 1].sequence, more=True)
    return Page(found, until, more=until < head)
