"""`manage.py relay` carries both ways, and two of them side by side carry everything once."""

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager

import pytest
from django.conf import settings

from apps.core import clock, leash
from apps.events.models import Queue
from apps.events.services import numbering
from config import addresses
from tests.events import factories as facts
from tests.factories import OperatorFactory
from tests.tournaments import world
from tests.workers import database_url, eventually

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def relays(folder, count: int):
    """That many relay processes on the database of the test; they end as an init system ends them."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": os.environ.get("DJANGO_SETTINGS_MODULE", "config.settings.test"),
        "DATABASE_URL": database_url(),
        "REDIS_URL": settings.REDIS_URL,
    }
    command = [sys.executable, "-P", leash.__file__, str(os.getpid()), sys.executable, "manage.py", "relay"]
    with (folder / "relay.log").open("ab") as log:
        running = [
            subprocess.Popen(
                command, cwd=addresses.REPOSITORY, env=environment, stdout=log, stderr=log, start_new_session=True
            )
            for _ in range(count)
        ]
        try:
            yield running
            for one in running:
                one.send_signal(signal.SIGTERM)
            assert [one.wait(30) for one in running] == [0] * count
        finally:
            for one in running:
                one.kill()
                one.wait()


def test_two_relays_carry_facts_to_a_queue_and_game_events_from_one(server, redis, tmp_path):
    operator, at = OperatorFactory(), clock.now()
    tournament = world.played(operator=operator)
    out, into = server.queue(operator, at=at), server.inbound(operator, at=at)
    written = [fact.public_id for fact in facts.write(operator, "weather.changed", "weather:1", count=35, at=at)]
    numbering.number_facts(operator.pk)
    with relays(tmp_path, 2):
        event = {
            "eventType": "round.started", "eventId": "r-1", "timestamp": world.START.isoformat(),
            "tournamentId": str(tournament.pk), "data": {"round": 3},
        }  # fmt: skip
        server.put(into, event)
        eventually(lambda: Queue.objects.get(pk=out.pk).sent >= 35, seconds=60)
        eventually(lambda: type(tournament).objects.get(pk=tournament.pk).current_round == 3, seconds=60)
    arrived = [json.loads(one["Body"]) for one in server.take(out.url)]
    assert [one["eventId"] for one in arrived if one["eventType"] == "weather.changed"] == written
