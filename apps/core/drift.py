"""What `manage.py reconcile` finds: two records of one thing that disagree."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from django.db import connection


@dataclass(frozen=True, slots=True)
class Drift:
    """One disagreement: which check found it, what it is about, and both sides in words."""

    check: str
    subject: str
    detail: str

    def as_dict(self) -> dict[str, str]:
        """Return it for JSON."""
        return asdict(self)


# A check reads one operator's rows and yields what disagrees. It changes nothing.
Check = Callable[[int], Iterator[Drift]]


def rows(query: str, operator_id: int) -> list[tuple[Any, ...]]:
    """Run a check's query, whose one parameter is the operator: `%s`, or `%(operator)s` where it is needed twice."""
    with connection.cursor() as cursor:
        cursor.execute(query, {"operator": operator_id} if "%(operator)s" in query else [operator_id])
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found
