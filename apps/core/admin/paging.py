"""Pages of lists that are never counted whole."""

from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.utils.functional import cached_property

from apps.core.admin.theme import ChangeList

# How many pages beyond the present one are looked for.
AHEAD = 9


class Glance(Paginator[Any]):
    """Counts no further than a few pages beyond the one that is read, so its cost grows with the page, not the table.

    `count` is exact when the end is that near; otherwise it is as far as anyone looked, and `truncated` says so.
    """

    template_name = "podium/pagination.html"

    def __init__(self, rows: Any, per_page: int, *args: Any, page: int = 1, **kwargs: Any) -> None:
        """Remember which page is read."""
        super().__init__(rows, per_page, *args, **kwargs)
        self.read_page = page

    @cached_property
    def count(self) -> int:
        """Count the rows up to the horizon. Their order doesn't matter for that, and unsorted is cheaper."""
        horizon = (self.read_page + AHEAD) * self.per_page
        rows: QuerySet[Any] = self.object_list  # type: ignore[assignment]
        found = rows.order_by()[: horizon + 1].count()
        self.truncated = found > horizon
        return min(found, horizon)

    def window(self) -> list[int]:
        """Return the page numbers worth a link around the present page."""
        first = max(1, self.read_page - 2)
        return list(range(first, min(self.num_pages, self.read_page + 2) + 1))


class GlanceList(ChangeList):
    """A list without a grand total: nothing claims "501 results" when there may be a million."""

    result_list: Any

    def get_results(self, request: Any) -> None:
        """Read the page and what its columns need besides; claim no total but what is known."""
        super().get_results(request)
        self.full_result_count = self.result_count
        self.result_list = list(self.result_list)
        self.model_admin.enrich(self.result_list)
