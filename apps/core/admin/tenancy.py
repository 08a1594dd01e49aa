"""Which rows a member of staff sees: those of the operators they belong to. Superusers see all.

Core knows no operators. Who belongs where is asked of the authentication backends, as permissions are: a backend that
has `operators_of(user)` answers with the ids.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from typing import Any

from django.contrib.auth import get_backends
from django.db.models import Model, QuerySet


@dataclass(frozen=True, slots=True)
class Tenant:
    """Stands for an operator where a permission is asked for and there is no row yet."""

    operator_id: int


def operators_of(user: Any) -> frozenset[int] | None:
    """Return the ids of the operators whose rows a person sees; None means every operator."""
    if user.is_superuser:
        return None
    found: set[int] = set()
    for backend in get_backends():
        if hasattr(backend, "operators_of"):
            found.update(backend.operators_of(user))
    return frozenset(found)


def narrow(rows: QuerySet[Any], user: Any, path: str) -> QuerySet[Any]:
    """Narrow rows to what a person sees; `path` leads from the row to its operator's id."""
    ids = operators_of(user)
    if ids is None:
        return rows
    if len(ids) == 1:
        # Equality, not IN: it lets PostgreSQL walk an index of (operator, …) in order.
        return rows.filter(**{path: next(iter(ids))})
    return rows.filter(**{f"{path}__in": sorted(ids)})


def operators_allowing(user: Any, permission: str, operator_ids: Iterable[int]) -> list[int]:
    """Return those of the operators with which a person has a permission."""
    return [pk for pk in operator_ids if user.has_perm(permission, Tenant(pk))]


def tenant_of(row: Model, path: str) -> Tenant:
    """Return the operator that a row belongs to; `path` leads from the row to its operator's id."""
    return Tenant(reduce(getattr, path.split("__"), row))  # type: ignore[arg-type]
