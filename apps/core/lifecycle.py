"""One graph, told twice: to django-fsm for people and to the database for everything else."""

from collections.abc import Iterable

import pgtrigger


def edges_trigger(name: str, edges: Iterable[tuple[str, str]], field: str = "status") -> pgtrigger.Trigger:
    """Return the trigger that refuses any change of `field` along an edge that the graph lacks.

    `queryset.update()` never meets django-fsm; this is the second lock. It fires only when the field changes.
    """
    return pgtrigger.FSM(
        name=name,
        field=field,
        transitions=[(str(source), str(target)) for source, target in edges],
        condition=pgtrigger.AnyChange(field),
    )
