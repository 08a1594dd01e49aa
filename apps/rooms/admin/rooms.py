"""The list of rooms, the page of one, and what staff do to one."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest

from apps.core import clock
from apps.core.admin import DropdownFilter, Operation, ReasonForm, Section, TenantAdmin, TextFilter, display, formats
from apps.jobs.admin import bar
from apps.jobs.models import Job
from apps.ledger.admin.books import as_id
from apps.ledger.models import AccountKind, Balance, Posting
from apps.rooms.admin import forms, previews, story
from apps.rooms.admin.looks import money, room_badge, task_badge
from apps.rooms.lifecycle import RoomStatus
from apps.rooms.models import Member, Room, Task
from apps.rooms.services import leftovers, staff

formats.SUBJECT_PAGES["room"] = "rooms.room"

SHOWN = 50


def _is_open(room: Room) -> bool:
    return bool(room.status == RoomStatus.OPEN)


def _has_expired(room: Room) -> bool:
    return _is_open(room) and room.expires_at <= clock.now()


class GameFilter(TextFilter):
    """By the public name of the game's key."""

    title = "game"
    parameter_name = "game"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Room]) -> QuerySet[Room]:
        """Only its rooms."""
        return queryset.filter(game_id=self.value().strip()) if self.value() else queryset


class StateFilter(DropdownFilter):
    """Rooms that wait for somebody."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The usual questions."""
        return [("leftovers", "Expired with money"), ("expired", "Expired"), ("open", "Open"), ("ended", "Ended")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Room]) -> Any:
        """Expired rooms have an index; of those, few hold anything."""
        rooms: Any = queryset
        if self.value() == "leftovers":
            return rooms.expired().with_money()
        if self.value() == "expired":
            return rooms.expired()
        statuses = {"open": RoomStatus.OPEN, "ended": RoomStatus.ENDED}
        return rooms.filter(status=statuses[self.value()]) if self.value() in statuses else rooms


@admin.register(Room)
class RoomAdmin(TenantAdmin):
    """Rooms."""

    operations = (
        Operation(
            name="refund",
            label="Refund",
            icon="undo",
            danger=True,
            run=staff.refund,
            form=ReasonForm,
            permission="rooms.refund_room",
            offered=_is_open,
            preview=previews.refund,
            explain="What it holds goes back to the players, in proportion to what each paid in more than got out."
            " Then it ends. There is no undo.",
            done="The refund is on its way; its bar is below.",
        ),
        Operation(
            name="close",
            label="Close",
            icon="inventory",
            danger=True,
            run=staff.close,
            form=ReasonForm,
            permission="rooms.close_room",
            offered=_has_expired,
            preview=previews.close,
            explain="It has expired: what it still holds goes to the game's own account, and it ends.",
            done="Closing; its bar is below.",
        ),
        Operation(
            name="end",
            label="End",
            icon="stop_circle",
            run=staff.end,
            permission="rooms.close_room",
            offered=_is_open,
            explain="Only a room that holds nothing ends; nobody can join or pay after that.",
            done="Ended.",
        ),
        Operation(
            name="remove-player",
            label="Remove player",
            icon="person_remove",
            run=staff.remove_player,
            form=forms.RemovalForm,
            permission="rooms.remove_member",
            offered=_is_open,
            explain="The player is out of the room. What they paid stays in it.",
            done="Removed.",
        ),
    )
    views = (("All", {}), ("Expired with money", {"state": "leftovers"}), ("Expired", {"state": "expired"}))
    list_display = ("shown_id", "shown_status", "game_id", "members", "holds", "operator", "created", "expires")
    list_select_related = ("operator",)
    list_filter = (StateFilter, GameFilter)
    search_fields = ("pk",)
    search_help_text = "A room's number"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("shown_status", "game_id"),
                    ("operator", "capacity"),
                    ("created", "expires"),
                    ("ended", "shown_address"),
                )
            },
        ),
    )

    # --- lists --------------------------------------------------------------------------------------------------------

    def find(self, request: HttpRequest, rows: QuerySet[Room], term: str) -> QuerySet[Room]:
        """By number."""
        number = as_id(term)
        return rows.none() if number is None else rows.filter(pk=number)

    def enrich(self, rows: Sequence[Room]) -> None:
        """Count members and money of a page, with one query each."""
        seated = dict(
            Member.objects.filter(room__in=[row.pk for row in rows], left_at=None)
            .order_by()
            .values_list("room_id")
            .annotate(Count("pk"))
        )
        held: dict[str, list[str]] = defaultdict(list)
        slots = Balance.objects.filter(
            account__operator_id__in={row.operator_id for row in rows},
            account__kind=AccountKind.ESCROW,
            account__subject__in=[row.subject for row in rows],
            units__gt=0,
        ).select_related("account__asset")
        for slot in slots.order_by("account__asset__code"):
            held[slot.account.subject].append(money(slot.account.asset, int(slot.units)))
        for row in rows:
            row.page_members = seated.get(row.pk, 0)  # type: ignore[attr-defined]
            row.page_held = held[row.subject]  # type: ignore[attr-defined]

    @display(description="room", ordering="pk")
    def shown_id(self, row: Room) -> str:
        """Its number."""
        return formats.code(row.pk)

    @display(description="status")
    def shown_status(self, row: Room) -> str:
        """Where it stands."""
        return room_badge(row, now=clock.now())

    @display(description="players")
    def members(self, row: Room) -> str:
        """How many are in it."""
        number = formats.number(row.page_members)  # type: ignore[attr-defined]
        return f"{number} / {formats.number(row.max_players)}" if row.max_players else number

    @display(description="holds")
    def holds(self, row: Room) -> str:
        """Its money."""
        return formats.lines(row.page_held)  # type: ignore[attr-defined]

    @display(description="created", ordering="pk")
    def created(self, row: Room) -> str:
        """When."""
        return formats.moment(row.created_at)

    @display(description="expires")
    def expires(self, row: Room) -> str:
        """When, and how far off; of a room that has ended that is no matter any more."""
        if row.status == RoomStatus.ENDED:
            return formats.moment(row.expires_at)
        return formats.moment_and_distance(row.expires_at, now=clock.now())

    # --- the page of one ----------------------------------------------------------------------------------------------

    @display(description="ended")
    def ended(self, row: Room) -> str:
        """When."""
        return formats.moment(row.ended_at)

    @display(description="address")
    def shown_address(self, row: Room) -> str:
        """Its address on the wire."""
        return formats.code(row.address)

    @display(description="players")
    def capacity(self, row: Room) -> str:
        """How many it takes."""
        return formats.number(row.max_players) if row.max_players else "any number"

    def sections(self, request: HttpRequest, row: Room) -> Iterable[Section]:
        """Money, people, movements, tasks and story."""
        found = [_jobs(row), _money(row), _people(row), _postings(row), _tasks(row), story.told(row)]
        return [section for section in found if section is not None]


def _jobs(room: Room) -> Section | None:
    jobs = Job.objects.for_operator(room.operator_id).filter(subject=room.subject).order_by("-pk")[:5]
    rows = [(formats.row_link(job), bar(job), job.asked_by) for job in jobs]
    return Section("Jobs", ("Job", "Progress", "Asked by"), rows) if rows else None


def _money(room: Room) -> Section:
    rows = [(asset.code, money(asset, units)) for asset, units in leftovers.held_by(room).items()]
    return Section("Money", ("Asset", "Holds"), rows, empty="It holds nothing.")


def _people(room: Room) -> Section:
    members = Member.objects.filter(room=room).select_related("player")
    # Each half has an index of its own.
    inside = list(members.filter(left_at=None).order_by("pk")[:SHOWN])
    gone = list(members.filter(left_at__isnull=False).order_by("-pk")[:SHOWN])
    rows = [
        (
            formats.row_link(member.player),
            formats.code(member.player.external_id),
            formats.badge("Left", "grey") if member.left_at else formats.badge("In", "green"),
            formats.moment(member.joined_at),
            formats.moment(member.left_at),
        )
        for member in (*inside, *gone)
    ]
    return Section("Players", ("Player", "User id", "Is", "Joined", "Left"), rows, empty="Nobody has joined.")


def _postings(room: Room) -> Section:
    postings = (
        Posting.objects.filter(journal__operator_id=room.operator_id, journal__subject=room.subject)
        .select_related("journal", "account__asset")
        .order_by("-journal_id", "leg")[:SHOWN]
    )
    rows = [
        (
            formats.moment(posting.journal.occurred_at),
            formats.row_link(posting.journal, posting.journal.kind),
            formats.row_link(posting.account),
            money(posting.account.asset, int(posting.units)),
            posting.journal.memo,
        )
        for posting in postings
    ]
    return Section("Movements", ("When", "Journal", "Account", "Amount", "Memo"), rows, empty="No money has moved.")


def _tasks(room: Room) -> Section:
    rows = [
        (
            formats.row_link(task),
            task.method,
            task_badge(task),
            task.error_message or formats.NOTHING,
            formats.moment(task.created_at, seconds=True),
        )
        for task in Task.objects.filter(room=room).order_by("-pk")[:SHOWN]
    ]
    more = ("All tasks", formats.list_url("rooms.task", room=room.pk))
    return Section("Tasks", ("Task", "Asked for", "Status", "Refused because", "When"), rows, more=more)
