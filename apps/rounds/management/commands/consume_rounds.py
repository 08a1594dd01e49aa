"""`manage.py consume_rounds --channel NAME | --all`: reads rounds from brokers and clients' interfaces."""

import signal
import threading
from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser

from apps.rounds.channels.consuming import crew
from apps.rounds.models import Channel
from apps.rounds.services import counting


class Command(BaseCommand):
    """Reads channels until told to stop. Several may run side by side, also for one channel."""

    help = (
        "Takes rounds in from the channels that staff have set up (Round channels in the admin), until told to stop. "
        "Channels are switched on, off and changed while it runs."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """One channel, or all that are switched on."""
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--channel", metavar="NAME", help="read this one")
        which.add_argument("--all", action="store_true", help="read every channel that is switched on")

    def handle(self, *, channel: str | None, **_: Any) -> None:
        """Return when every reader has finished what it had in hand."""
        if channel is not None and not Channel.objects.filter(name=channel).exists():
            raise CommandError(f"There is no channel called {channel!r}.")
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        print(f"Reading {channel or 'every channel that is switched on'}.", flush=True)
        crew(channel).run(stop)
        counting.write_down()
