import pytest
from django.db import DatabaseError, transaction

from apps.matches.lifecycle import DISPUTE_EDGES, EDGES, HAND_EDGES, NOTICE_EDGES
from apps.matches.models import Dispute, HandResult, Match, Notice
from tests.matches import world

GRAPHS = [(Match, EDGES), (Notice, NOTICE_EDGES), (Dispute, DISPUTE_EDGES), (HandResult, HAND_EDGES)]


@pytest.mark.parametrize(("model", "edges"), GRAPHS)
def test_python_and_database_draw_the_same_graph(model, edges):
    field = model._meta.get_field("status")
    declared = {(str(t.source), str(t.target)) for t in field.get_all_transitions(model)}
    assert declared == {(str(source), str(target)) for source, target in edges}


@pytest.mark.django_db
def test_the_database_refuses_an_edge_the_graph_lacks():
    match = world.make(world.client()).match
    with pytest.raises(DatabaseError, match="Invalid transition"), transaction.atomic():
        Match.objects.filter(pk=match.pk).update(status="CANCELLED")
    assert world.fresh(match).status == "LIVE"


@pytest.mark.django_db
def test_a_status_can_not_be_assigned():
    with pytest.raises(AttributeError):
        world.make(world.client()).match.status = "FINISHED"
