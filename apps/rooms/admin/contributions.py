"""What rooms add to the pages of others: a player's newest rooms, and money that expired rooms hold."""

from django.http import HttpRequest

from apps.core import clock
from apps.core.admin import Panel, Section, formats, narrow, panel, section_of
from apps.operators.models import Player
from apps.rooms.admin.looks import room_badge
from apps.rooms.models import Activity, Room
from apps.rooms.services import leftovers

SHOWN = 8


@section_of("operators.player")
def activity(request: HttpRequest, player: Player) -> Section | None:  # noqa: ARG001 - the base's signature
    """What a player did in games lately; nothing for a player who never was in a room."""
    newest = Activity.objects.filter(player=player).order_by("-pk")[:SHOWN]
    rows = [
        (
            line.game_id,
            line.action,
            formats.subject(f"room:{line.data['roomId']}") if line.data.get("roomId") else formats.NOTHING,
            ", ".join(f"{entry['amount']} {entry['token']}" for entry in line.data.get("entries") or ()),
            formats.moment(line.occurred_at),
        )
        for line in newest
    ]
    return Section("Rooms", ("Game", "What", "Room", "Amounts", "When"), rows) if rows else None


@panel(order=40)
def leftover_money(request: HttpRequest) -> Panel | None:
    """Expired rooms that still hold money; none, no panel."""
    if not request.user.has_perm("rooms.view_room"):
        return None
    expired = narrow(Room.objects.expired().with_money(), request.user, "operator_id")
    rooms = list(expired.select_related("operator").order_by("-pk")[:SHOWN])
    if not rooms:
        return None
    rows = [
        (
            formats.row_link(room),
            room.operator.name,
            room.game_id,
            room_badge(room, now=clock.now()),
            ", ".join(f"{amount} {code}" for code, amount in leftovers.balances(room).items()),
        )
        for room in rooms
    ]
    return Panel(
        "Expired rooms with money",
        "podium/panel_table.html",
        {"headers": ("Room", "Operator", "Game", "Is", "Holds"), "rows": rows, "empty": ""},
        more=("All of them", formats.list_url("rooms.room", state="leftovers")),
    )
