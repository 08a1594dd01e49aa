"""The base of every admin page: cheap lists, read-only rows, operations instead of edits."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from django.contrib import messages
from django.contrib.admin import ShowFacets
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import OperationalError, connection, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import SimpleTemplateResponse
from psycopg.errors import QueryCanceled

from apps.core.admin.buttons import Buttons, bulk_action
from apps.core.admin.contributions import Section, changes, contributed
from apps.core.admin.paging import Glance, GlanceList
from apps.core.admin.tenancy import operators_of
from apps.core.admin.theme import ModelAdmin

# No list may keep the database busy for longer than this.
PATIENCE_MS = 5000


class TenantAdmin(Buttons, ModelAdmin):
    """A list that never counts a big table, and a page whose buttons are operations."""

    # Links above the list to the questions people come with: (text, query).
    views: tuple[tuple[str, dict[str, str]], ...] = ()

    ordering: Sequence[str] = ("-pk",)
    # What a list may be sorted by: fields with an index. None: anything, in a table that stays small.
    indexed: Sequence[str] | None = ("pk",)
    list_per_page = 50
    list_max_show_all = 0
    show_full_result_count = False
    # Counting each choice of each filter would read the whole table once per choice.
    show_facets = ShowFacets.NEVER
    list_filter_submit = True
    list_disable_select_all = True
    compressed_fields = True
    change_form_template = "podium/change_form.html"
    change_list_template = "podium/change_list.html"

    # --- lists --------------------------------------------------------------------------------------------------------

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[GlanceList]:
        """Return the list that claims no totals."""
        return GlanceList

    def get_paginator(self, request: HttpRequest, queryset: Any, per_page: int, *args: Any, **kwargs: Any) -> Glance:
        """Look a few pages ahead of the one that is asked for, and no further."""
        asked = request.GET.get("p", "")
        page = int(asked) if asked.isdigit() and 0 < int(asked) < 1_000_000 else 1  # noqa: PLR2004 - far enough
        return Glance(queryset, per_page, *args, page=page, **kwargs)

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """Search by `find` where the area has one, which knows the indexes."""
        term = search_term.strip()
        if not term or not hasattr(self, "find"):
            usual: tuple[Any, bool] = super().get_search_results(request, queryset, search_term)
            return usual
        if "\x00" in term:
            return queryset.none(), False
        return self.find(request, queryset, term), False

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """Leave out the operator for those who belong to one."""
        ids = operators_of(request.user)
        return [name for name in super().get_list_display(request) if name != "operator" or ids is None or len(ids) > 1]

    def get_sortable_by(self, request: HttpRequest) -> list[Any]:
        """Offer the columns that an index sorts."""
        shown = self.get_list_display(request)
        if self.indexed is None:
            return shown
        order = {name: getattr(getattr(self, str(name), None), "admin_order_field", name) for name in shown}
        return [name for name in shown if order[name] in self.indexed]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Offer the bulk operations that the person may do with some operator."""
        return {
            operation.name: (bulk_action(operation), operation.name, operation.label)
            for operation in self.all_operations()
            if operation.bulk and self.may(request, operation.permission)
        }

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Add the links to the usual questions."""
        views = [
            {"text": text, "query": "&".join(f"{k}={v}" for k, v in query.items()), "active": _asks(request, query)}
            for text, query in self.views
        ]
        if views and not any(view["active"] for view in views[1:]):
            views[0]["active"] = not set(request.GET) - {"q", "p", "o", "e"}
        show: Callable[[], HttpResponse] = partial(
            super().changelist_view, request, {"views": views, **(extra_context or {})}
        )
        if request.method != "GET" or connection.in_atomic_block:
            return show()
        return self._show_in_time(request, show)

    def _show_in_time(self, request: HttpRequest, show: Callable[[], HttpResponse]) -> HttpResponse:
        """Show a list, but not at any price: a question that no index answers is given up and said to be too wide."""
        try:
            with transaction.atomic():
                with connection.cursor() as cursor:
                    cursor.execute(f"SET LOCAL statement_timeout = {PATIENCE_MS}")
                response = show()
                if isinstance(response, SimpleTemplateResponse):
                    response.render()
                return response
        except OperationalError as problem:
            if not isinstance(problem.__cause__, QueryCanceled):
                raise
            messages.error(request, "That question takes too long. Narrow it down, by a tournament, a player or a day.")
            return HttpResponseRedirect(request.path)

    def enrich(self, rows: Sequence[Any]) -> None:
        """Add to the rows of a page what its columns need, with one query for all of them; for subclasses."""

    # --- one row ------------------------------------------------------------------------------------------------------

    def sections(self, request: HttpRequest, row: Any) -> Iterable[Section]:
        """Return what stands below the fields."""
        return ()

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show a row with its buttons and sections."""
        row = self.get_object(request, unquote(object_id))
        extra = dict(extra_context or {})
        if row is not None and self.has_view_permission(request, row):
            extra["operations"] = [
                {"operation": one, "url": self.operation_url(row, one)} for one in self.offered(request, row)
            ]
            history = [changes(row)] if hasattr(self.model, "history") else []
            extra["sections"] = [*self.sections(request, row), *contributed(request, row), *history]
        page: HttpResponse = super().change_view(request, object_id, form_url, extra)
        return page

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Adding is a form over the table for configuration, a service for everything else."""
        if self.creation is not None:
            return self.may(request, self.creation.permission)
        return super().has_add_permission(request, obj)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Add a row."""
        if self.creation is None:
            page: HttpResponse = super().add_view(request, form_url, extra_context)
            return page
        if not self.has_add_permission(request):
            raise PermissionDenied
        return self._operate(request, self.creation, None)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Read a row once per request, however many parts of the page ask for it."""
        known: dict[Any, Any] = request.__dict__.setdefault("_podium_rows", {})
        key = (self.opts.label_lower, object_id, from_field)
        if key not in known:
            known[key] = super().get_object(request, object_id, from_field)
        return known[key]


def _asks(request: HttpRequest, query: dict[str, str]) -> bool:
    return bool(query) and all(request.GET.get(name) == value for name, value in query.items())
