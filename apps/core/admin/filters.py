"""Filters that offer a person only what is theirs, and read an index."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.contrib.admin.options import ModelAdmin
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.core.admin import tenancy
from apps.core.admin.theme import DropdownFilter, RangeDateFilter, RelatedDropdownFilter

# More choices than this are no help in a drop-down; the search box is.
MOST_CHOICES = 300


class OperatorFilter(DropdownFilter):
    """By operator; hidden from those who belong to one."""

    title = "operator"
    parameter_name = "operator"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[int, str]]:
        """Offer the operators that the person sees."""
        return [(row.pk, str(row)) for row in model_admin.operators_for(request)[:MOST_CHOICES]]

    def has_output(self) -> bool:
        """Show it only where there is something to choose."""
        return len(self.lookup_choices) > 1

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow the list."""
        chosen = self.value()
        if not chosen or not chosen.isdigit():
            return queryset
        path: str = self.tenant_path
        return queryset.filter(**{path: int(chosen)})


class OwnRelatedFilter(RelatedDropdownFilter):
    """By a related row of the person's own operators."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: ModelAdmin[Any]) -> list[tuple[Any, str]]:
        """Offer the rows that the person sees, in order of name."""
        rows = tenancy.narrow(field.related_model.objects.all(), request.user, "operator_id")
        return [(row.pk, str(row)) for row in rows.order_by("pk")[:MOST_CHOICES]]


class DaysFilter(RangeDateFilter):
    """From one day to another, both included, in UTC."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow to the days; what is no date is ignored."""
        first = self._day("from")
        last = self._day("to")
        if first:
            queryset = queryset.filter(**{f"{self.field_path}__gte": first})
        if last:
            queryset = queryset.filter(**{f"{self.field_path}__lt": last + timedelta(days=1)})
        return queryset

    def _day(self, end: str) -> datetime | None:
        text = self.used_parameters.get(f"{self.parameter_name}_{end}")
        try:
            return datetime.combine(date.fromisoformat(text or ""), time(), tzinfo=UTC)
        except ValueError:
            return None
