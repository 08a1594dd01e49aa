"""`currentPage` and `pageSize` (rumble.md 3.0)."""

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request

from apps.core.api.paging import whole
from apps.rumble.api.dialect.docs import shape

DEFAULT_SIZE = 10
BIGGEST_SIZE = 100
LAST_PAGE = 10_000_000
PARAMETERS = [
    OpenApiParameter("currentPage", {"type": "integer", "minimum": 1, "maximum": LAST_PAGE, "default": 1}),
    OpenApiParameter("pageSize", {"type": "integer", "minimum": 1, "maximum": BIGGEST_SIZE, "default": DEFAULT_SIZE}),
]


def page(request: Request, rows: QuerySet[Any], write: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
    """Return the page of rows that the query asks for; one past the end is empty. Raises Invalid (400).

    Some clients leave both parameters out, which the original says are required.
    """
    current = whole(request.query_params, "currentPage", default=1, least=1, most=LAST_PAGE)
    size = whole(request.query_params, "pageSize", default=DEFAULT_SIZE, least=1, most=BIGGEST_SIZE)
    start = (current - 1) * size
    return {
        "currentPage": current,
        "pageSize": size,
        "totalResults": rows.count(),
        "results": [write(row) for row in rows[start : start + size]],
    }


def page_shape(name: str, rows: Any) -> Any:
    """Describe a page."""
    return shape(
        name,
        currentPage=serializers.IntegerField(),
        pageSize=serializers.IntegerField(),
        totalResults=serializers.IntegerField(required=False),
        results=rows,
    )
