"""`manage.py up`: all of Podium on this machine, until Ctrl-C."""

import signal
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, call_command
from django.db import connection

from apps.core.supervisor import NotStartedError, Supervisor, only_one, podium, reached_at


class Command(BaseCommand):
    """Migrate, run web, live, worker, beat and relay, say where they answer, stop all of it on Ctrl-C or SIGTERM."""

    help = "Migrates and runs web, live, worker, beat and relay; Ctrl-C stops all of it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where to listen."""
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--live-port", type=int, default=8001)

    def handle(self, *, host: str, port: int, live_port: int, **_: Any) -> None:
        """Run until told to stop. A second one on the same data directory, or a busy port, ends with exit code 1."""
        supervisor = Supervisor(podium(host, port, live_port), say=self.stdout.write)
        try:
            with only_one(settings.DATA_DIR):
                call_command("migrate", interactive=False, verbosity=0)
                connection.close()  # we only look on from here
                supervisor.environment = reached_at(supervisor.programs, settings.PUBLIC_URL_FILE)
                for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                    signal.signal(number, lambda *_: supervisor.ask_to_stop())
                with supervisor:
                    self._report(supervisor)
                    supervisor.wait()
                    self.stdout.write("Stopping …")
        except NotStartedError as problem:
            raise CommandError(str(problem)) from problem
        self.stdout.write("Stopped.")

    def _report(self, supervisor: Supervisor) -> None:
        web, live = (program.address.url for program in supervisor.programs if program.address)
        self.stdout.write("Starting …")
        if supervisor.wait_ready():
            self.stdout.write(
                f"Podium answers.\n"
                f"  admin   {web}/admin/\n"
                f"  API     {web}/api/docs/\n"
                f"  live    {live.replace('http', 'ws', 1)}/\n"
                f"Ctrl-C stops it."
            )
