"""Python and the database draw the same graphs."""

from datetime import timedelta

import pytest
from django.db import ProgrammingError, transaction

from apps.rooms import operations
from apps.rooms.lifecycle import ROOM_EDGES, TASK_EDGES
from apps.rooms.models import Room, Task
from tests.rooms.floor import AT


@pytest.mark.parametrize("model, edges", [(Room, ROOM_EDGES), (Task, TASK_EDGES)])
def test_the_graph_of_the_transitions_is_that_of_the_trigger(model, edges):
    field = model._meta.get_field("status")
    drawn = {(str(edge.source), str(edge.target)) for edge in field.get_all_transitions(model)}
    assert drawn == {(str(source), str(target)) for source, target in edges}


def test_the_database_refuses_a_room_that_reopens_and_a_task_that_changes_its_mind(floor):
    room = floor.room()
    Room.objects.filter(pk=room.pk).update(status="ENDED", ended_at=AT + timedelta(days=1))
    task = floor.submit(operations.create(floor.game))
    for row, status in ((room, "OPEN"), (task, "FAILED"), (task, "QUEUED")):
        with pytest.raises(ProgrammingError, match="Invalid transition"), transaction.atomic():
            type(row).objects.filter(pk=row.pk).update(status=status)


def test_a_room_is_never_deleted_and_keeps_its_owner(floor):
    room = floor.room()
    with pytest.raises(ProgrammingError, match="Cannot delete"), transaction.atomic():
        Room.objects.filter(pk=room.pk).delete()
    with pytest.raises(ProgrammingError, match="Cannot update"), transaction.atomic():
        Room.objects.filter(pk=room.pk).update(game_id="chess")
