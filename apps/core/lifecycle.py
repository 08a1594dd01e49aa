"""One graph, told twice: to django-fsm for people and to the database for everything else."""

from collections.abc import Iterable

import pgtrigger


def edges_trigger(
    name: str, edges: Iterable[tuple[str, str]], field: str = "status", *, in_bulk: bool = False
) -> pgtrigger.Trigger:
    """Return the trigger that refuses any change of `field` along an edge that the graph lacks.

    `queryset.update()` never meets django-fsm; this is the second lock. It fires only when the field changes, and with
    `in_bulk` only when the change is wrong: calling a function for each of 100,000 rows takes seconds.
    """
    transitions = [(str(source), str(target)) for source, target in edges]
    condition: pgtrigger.Condition = pgtrigger.AnyChange(field)
    if in_bulk:
        legal = ", ".join(f"'{source}:{target}'" for source, target in transitions)
        condition = pgtrigger.Condition(
            f"OLD.{field} IS DISTINCT FROM NEW.{field} AND OLD.{field} || ':' || NEW.{field} <> ALL (ARRAY[{legal}])"
        )
    trigger = pgtrigger.FSM(name=name, field=field, transitions=transitions, condition=condition)
    if in_bulk:
        trigger.when = pgtrigger.After  # before an update, even one whose condition is false locks the row once more
    return trigger
