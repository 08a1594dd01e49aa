"""The calls of rooms and tasks. Each reads its body, makes one service call and writes what became of it."""

from collections.abc import Callable
from typing import Any, ClassVar, cast

from django.conf import settings
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core import clock
from apps.core.api.json import Renderer, loads
from apps.operators.api import idempotency
from apps.rooms.api import values
from apps.rooms.api.base import GameView
from apps.rooms.api.game import answers, docs, inputs, reads
from apps.rooms.errors import TaskNotFound
from apps.rooms.models import Task
from apps.rooms.services import staff, tasks

ALL_JOINED = "All players are already joined"
CLOSED = "Closed by the game"


class OperationView(GameView):
    """One of the operations of rooms.md 3.1 to 3.11: `asks` reads it from the body.

    What is remembered for an Idempotency-Key is the task, and it commits with the operation. Whoever waits for the end
    of it does so afterwards, so a repeated call waits for the same task, and gets the same end.
    """

    asks: ClassVar[Callable[[inputs.Call], inputs.Asked]]
    http_method_names = ["post"]
    task: Task | None = None

    def post(self, request: Request) -> Response:
        """Submit the operation; the answer names its task."""
        fields = self.body(request)
        asked = type(self).asks(inputs.Call(fields, self.operator_id, self.game_id, clock.now()))
        return self.submit(asked, sync=values.flag(fields))

    def submit(self, asked: inputs.Asked, *, sync: bool) -> Response:
        """Have it done, or queued."""
        self.task = tasks.submit(asked.operation, params=asked.params, sync=sync, actor=self.actor, at=clock.now())
        return Response(answers.queued(self.task))

    def _answer(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        first: HttpResponseBase = self._first(request)
        if not values.flag(self.body(request)):
            return first
        told = first.data if isinstance(first, Response) else loads(cast("HttpResponse", first).content)
        status, body = answers.ended(self._end_of(told["task"]["id"]))
        again = {name: first[name] for name in ("Idempotent-Replayed",) if name in first}
        return Response({name: told[name] for name in told if name != "task"} | body, status=status, headers=again)

    def _first(self, request: Request) -> Any:
        """Submit it, or find what was submitted under the same Idempotency-Key."""
        key = idempotency.key_of(request)
        if key is None:
            return self.post(request)
        return idempotency.answer_once(
            request,
            credential=self.credential,
            key=key,
            work=lambda: self.post(request),
            renderer=Renderer(),
            sealed=False,
            at=clock.now(),
        )

    def _end_of(self, public_id: str) -> Task:
        task = self.task or tasks.find(operator_id=self.operator_id, game_id=self.game_id, public_id=public_id)
        return tasks.wait(task, seconds=settings.ROOM_SYNC_SECONDS)


@extend_schema_view(post=docs.CREATE)
class CreateView(OperationView):
    """3.1."""

    asks = inputs.create


@extend_schema_view(post=docs.JOIN)
class JoinView(OperationView):
    """3.2. Players who are in already stay in; when all of them are, the answer says so and its task has ended."""

    asks = inputs.join

    def submit(self, asked: inputs.Asked, *, sync: bool) -> Response:
        """Have it done at once if there is nothing to do."""
        operation = asked.operation
        room_id = cast("int", operation.room_id)
        if not reads.all_joined(self.operator_id, self.game_id, room_id, operation.joins):
            return super().submit(asked, sync=sync)
        answer = super().submit(asked, sync=True)
        about = {"roomId": asked.params["roomId"], "plyrIds": asked.params["plyrIds"]}
        status = answers.record(cast("Task", self.task))["status"]
        task = {"id": answer.data["task"]["id"], "status": status}
        return Response({"message": ALL_JOINED, "task": task, **about})


@extend_schema_view(post=docs.PAY)
class PayView(OperationView):
    """3.3."""

    asks = inputs.pay


@extend_schema_view(post=docs.EARN)
class EarnView(OperationView):
    """3.4."""

    asks = inputs.earn


@extend_schema_view(post=docs.LEAVE)
class LeaveView(OperationView):
    """3.5."""

    asks = inputs.leave


@extend_schema_view(post=docs.END)
class EndView(OperationView):
    """3.6."""

    asks = inputs.end


@extend_schema_view(post=docs.JOIN_PAY)
class JoinPayView(OperationView):
    """3.8."""

    asks = inputs.join_pay


@extend_schema_view(post=docs.EARN_LEAVE)
class EarnLeaveView(OperationView):
    """3.9."""

    asks = inputs.earn_leave


@extend_schema_view(post=docs.CREATE_JOIN_PAY)
class CreateJoinPayView(OperationView):
    """3.10."""

    asks = inputs.create_join_pay


@extend_schema_view(post=docs.EARN_LEAVE_END)
class EarnLeaveEndView(OperationView):
    """3.11."""

    asks = inputs.earn_leave_end


@extend_schema_view(post=docs.CLOSE)
class CloseView(OperationView):
    """3.12: an expired room ends, and what it still holds goes to the game's own account."""

    def post(self, request: Request) -> Response:
        """Queue it behind what else the room has to do. The room is one of the key's game, whatever the body says."""
        room_id = inputs.room_of(self.body(request))
        room = tasks.get_room(operator_id=self.operator_id, game_id=self.game_id, room_id=room_id)
        self.task = staff.close(room.pk, reason=CLOSED, actor=self.actor, at=clock.now())
        return Response(answers.queued(self.task))


class IsJoinedView(GameView):
    """3.7."""

    @docs.IS_JOINED
    def get(self, request: Request) -> Response:
        """Tell whether a player is in a room."""
        plyr_id = values.text(request.GET, "plyrId")
        given = values.text(request.GET, "roomId")
        room_id = int(given) if inputs.is_room_id(given) else None
        joined = {"isJoined": reads.is_joined(self.operator_id, self.game_id, room_id, plyr_id)}
        return Response({**joined, "data": joined})


class RoomView(GameView):
    """podium.md 7."""

    @docs.ROOM
    def get(self, request: Request, roomId: str) -> Response:  # noqa: N803 - the wire's spelling
        """Show a room: who is in it, and what it holds."""
        return Response(reads.room(self.operator_id, self.game_id, inputs.room_of({"roomId": roomId})))


class TaskView(GameView):
    """4."""

    rate_class = "room_polls"

    def refusal(self, status: int, body: dict[str, Any]) -> dict[str, Any]:
        """Say NOT_FOUND where a poll loop looks."""
        return body | {"status": "NOT_FOUND"} if body["code"] == TaskNotFound.code else body

    @docs.TASK
    def get(self, request: Request, taskId: str) -> Response:  # noqa: N803
        """Show what became of an operation."""
        found = tasks.find(operator_id=self.operator_id, game_id=self.game_id, public_id=taskId)
        return Response(answers.record(found))
