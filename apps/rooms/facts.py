"""What rooms report.

`room.created`, `room.joined`, `room.paid`, `room.earned`, `room.left`, `room.ended`; of staff `room.refunded` and
`room.closed`; of time `room.expired`. A combined operation writes one fact for each of its steps, in their order. The
subject is `room:<id>`; `data` always has roomId, gameId and taskId (null where there is none), and names players and
tokens as the game does.
"""

from collections.abc import Mapping
from typing import Any

from apps.core.clock import iso
from apps.events.services.recording import NewFact
from apps.rooms.models import Room
from apps.rooms.operations import Operation
from apps.rooms.rules import Change


def of_operation(
    operation: Operation, room: Room, change: Change, answer: Mapping[str, Any], *, task_id: str | None
) -> list[NewFact]:
    """Return the facts of an operation, a step that changed nothing left out."""
    head = {"roomId": str(room.pk), "gameId": room.game_id, "taskId": task_id}

    def about(name: str, **more: Any) -> NewFact:
        return NewFact(f"room.{name}", room.subject, {**head, **more})

    found = []
    if operation.creates:
        terms = {"expiresAt": iso(room.expires_at), "maxPlayers": room.max_players}
        found.append(about("created", roomAddress=room.address, **terms))
    if change.joins:
        found.append(about("joined", plyrIds=[operation.name_of(player_id) for player_id in change.joins]))
    if operation.pays:
        found.append(about("paid", payments=answer["payments"]))
    if operation.sweep:
        name = "refunded" if operation.sweep == "refund" else "closed"
        found.append(about(name, distributions=answer.get("distributions", []), reason=operation.reason))
    elif operation.earns:
        found.append(about("earned", distributions=answer["distributions"]))
    if change.leaves:
        why = {"reason": operation.reason} if operation.reason else {}
        found.append(about("left", plyrIds=[operation.name_of(player_id) for player_id in change.leaves], **why))
    if change.ends:
        found.append(about("ended", endedAt=iso(room.ended_at)))
    return found


def expired(room: Room, balances: Mapping[str, str]) -> NewFact:
    """`room.expired`: its time is over, and nobody has ended it. `balances` is what it holds, by asset code."""
    data = {"roomId": str(room.pk), "gameId": room.game_id, "taskId": None, "balances": dict(balances)}
    return NewFact("room.expired", room.subject, {**data, "expiresAt": iso(room.expires_at)})
