import pytest
from django.db import DatabaseError, transaction

from apps.tournaments.lifecycle import EDGES, ENTRY_EDGES
from apps.tournaments.models import Entry, Tournament
from tests.tournaments import world


@pytest.mark.parametrize(("model", "edges"), [(Tournament, EDGES), (Entry, ENTRY_EDGES)])
def test_python_and_database_draw_the_same_graph(model, edges):
    field = model._meta.get_field("status")
    declared = {(str(t.source), str(t.target)) for t in field.get_all_transitions(model)}
    assert declared == {(str(source), str(target)) for source, target in edges}


@pytest.mark.django_db
def test_the_database_refuses_an_edge_the_graph_lacks():
    tournament = world.make()
    with pytest.raises(DatabaseError, match="Invalid transition"), transaction.atomic():
        Tournament.objects.filter(pk=tournament.pk).update(status="CLOSED")
    assert world.state(tournament) == "REGISTERING"


@pytest.mark.django_db
def test_a_status_can_not_be_assigned():
    with pytest.raises(AttributeError):
        world.make().status = "CLOSED"
