"""The tables as the scorer and the intake find them."""

import pytest
from django.db import connection

from apps.rounds.models import Round

pytestmark = pytest.mark.django_db


def test_rounds_are_partitioned_by_the_moment_they_were_received():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_partkeydef('rounds_round'::regclass)")
        assert cursor.fetchone() == ("RANGE (received_at)",)
    assert Round.objects.count() == 0
