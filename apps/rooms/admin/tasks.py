"""The log of what games asked for."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.core.admin import TenantAdmin, TextFilter, display, formats
from apps.ledger.admin.books import as_id
from apps.rooms.admin.looks import task_badge
from apps.rooms.models import Task


class RoomFilter(TextFilter):
    """By the number of the room."""

    title = "room's number"
    parameter_name = "room"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Task]) -> QuerySet[Task]:
        """Only its tasks."""
        number = as_id((self.value() or "").strip())
        return queryset if number is None else queryset.filter(room_id=number)


@admin.register(Task)
class TaskAdmin(TenantAdmin):
    """Operations of rooms: what was asked, what became of it. Read-only, and kept for thirty days."""

    views = (("All", {}), ("Waiting", {"status__exact": "QUEUED"}))
    list_display = ("shown_id", "method", "shown_status", "room_link", "game_id", "problem", "operator", "asked")
    list_select_related = ("operator",)
    list_filter = (RoomFilter,)
    search_fields = ("public_id",)
    search_help_text = "A task's id"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("shown_id", "shown_status"),
                    ("method", "room_link"),
                    ("game_id", "operator"),
                    ("asked", "ended"),
                    ("actor", "tries"),
                    ("problem", "hint"),
                    "shown_params",
                    "shown_result",
                )
            },
        ),
    )

    def find(self, request: HttpRequest, rows: QuerySet[Task], term: str) -> QuerySet[Task]:
        """By its id."""
        return rows.filter(public_id=term)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Task]:
        """What waits is found by the index of the queue."""
        rows: QuerySet[Task] = super().get_queryset(request)
        return rows.filter(status="QUEUED") if request.GET.get("status__exact") == "QUEUED" else rows

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Let the link to what waits through."""
        return lookup == "status__exact" or super().lookup_allowed(lookup, value, request)

    @display(description="task", ordering="pk")
    def shown_id(self, row: Task) -> str:
        """Its id on the wire."""
        return formats.code(row.public_id)

    @display(description="status")
    def shown_status(self, row: Task) -> str:
        """What became of it."""
        return task_badge(row)

    @display(description="room")
    def room_link(self, row: Task) -> str:
        """Where."""
        return formats.subject(f"room:{row.room_id}") if row.room_id else formats.NOTHING

    @display(description="refused because")
    def problem(self, row: Task) -> str:
        """Why it failed."""
        return f"{row.error_code}: {row.error_message}" if row.error_code else formats.NOTHING

    @display(description="what to do")
    def hint(self, row: Task) -> str:
        """What the game was advised."""
        return row.error_hint or formats.NOTHING

    @display(description="asked", ordering="pk")
    def asked(self, row: Task) -> str:
        """When."""
        return formats.moment(row.created_at, seconds=True)

    @display(description="ended")
    def ended(self, row: Task) -> str:
        """When."""
        return formats.moment(row.completed_at, seconds=True)

    @display(description="asked for")
    def shown_params(self, row: Task) -> str:
        """As it came."""
        return formats.pretty_json(row.params) if row.params else formats.NOTHING

    @display(description="answered")
    def shown_result(self, row: Task) -> str:
        """What the game was told."""
        return formats.pretty_json(row.result) if row.result else formats.NOTHING
