"""`manage.py demo`: Podium with something in it (podium.md 1)."""

import signal
import socket
import threading
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, call_command
from django.db import connection, transaction

from apps.core import clock
from apps.core.supervisor import NotStartedError, Supervisor, only_one, podium, reached_at
from apps.ledger.services import reports
from apps.operators.models import Operator
from config.demo import world
from config.demo.cashier import Cashier
from config.demo.client import Client, Refused
from config.demo.keys import Keys
from config.demo.matches import Backend, Duels, Hook
from config.demo.past_matches import word_client_of
from config.demo.receiver import Receiver
from config.demo.rooms import GameClient, Table
from config.demo.rounds import FOX, Feed, Spins
from config.demo.rumble import AppClient, Inbox, Races
from config.demo.sqs import start_sqs
from config.demo.traffic import Traffic, play_one, wait_paid

PLAYERS, ROUNDS = 10, 3
PRIZES = 3


class Command(BaseCommand):
    """Run Podium on a believable demo; `--once` plays one of each kind, checks it, and ends."""

    help = "Runs Podium with two operators, players, tournaments and traffic. --once proves one tournament and exits."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where to listen, and whether to stay."""
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--live-port", type=int, default=8001)
        parser.add_argument("--once", action="store_true", help="play one tournament from creation to payout and exit")
        parser.add_argument("--sqs", action="store_true", help="run an SQS server too, with a queue each way")

    def handle(self, *, host: str, port: int, live_port: int, once: bool, sqs: bool = False, **_: Any) -> None:
        """Seed, run, and either stay with traffic or prove one tournament. Exit code 0 only if all of it worked."""
        if once:
            host, port, live_port = "127.0.0.1", _free_port(), _free_port()
        logs = settings.DATA_DIR / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        # Quiet on the screen, where a person reads the addresses; whatever went wrong is in the logs.
        supervisor = Supervisor(podium(host, port, live_port), say=self.stdout.write, logs=logs)
        try:
            with only_one(settings.DATA_DIR):
                call_command("migrate", interactive=False, verbosity=0)
                supervisor.environment = reached_at(supervisor.programs, settings.PUBLIC_URL_FILE)
                keys = self._keys()
                connection.close()
                for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                    signal.signal(number, lambda *_: supervisor.ask_to_stop())
                with start_sqs("acme", say=self.stdout.write) if sqs else nullcontext(), supervisor:
                    if supervisor.wait_ready():
                        base_url = f"http://127.0.0.1:{port}"
                        if once:
                            self._prove(base_url, keys)
                        else:
                            self._stay(supervisor, base_url, keys)
        except NotStartedError as problem:
            raise CommandError(str(problem)) from problem

    def _keys(self) -> Keys:
        """Return the demo's secrets, seeding the data directory when it is new."""
        path = settings.DATA_DIR / "demo.json"
        keys = Keys.load(path)
        if keys is not None and Operator.objects.filter(slug="acme").exists():
            if not keys.are_whole():
                raise CommandError("An older demo has made this data directory. Choose another PODIUM_DATA_DIR.")
            return keys
        if Operator.objects.exists():
            raise CommandError("This database has operators that are not the demo's. Choose another PODIUM_DATA_DIR.")
        self.stdout.write("Seeding two operators, their players and tournaments …")
        with transaction.atomic():
            keys = world.seed(at=clock.now())
            keys.save(path)
        return keys

    def _stay(self, supervisor: Supervisor, base_url: str, keys: Keys) -> None:
        self.stdout.write(welcome(base_url, keys))
        stop = threading.Event()
        casino = Client(base_url, keys.operator_keys["acme"])
        platform = Client(base_url, keys.internal_keys["acme"])
        game = GameClient(base_url, *keys.game_keys["acme"])
        players: tuple[Callable[[], None], ...] = (
            Traffic(casino, platform, say=self.stdout.write, stop=stop).run,
            Table(game, Client(base_url, keys.operator_keys["acme"]), say=self.stdout.write, stop=stop).run,
        )
        with (
            self._receiving(casino, keys),
            self._duelling(base_url, keys, stop=stop) as duels,
            self._racing(base_url, keys, stop=stop) as races,
            self._spinning(base_url, keys, stop=stop) as spins,
        ):
            plays = (*players, duels.run, races.run, spins.run)
            threads = [threading.Thread(target=play, daemon=True) for play in plays]
            for thread in threads:
                thread.start()
            supervisor.wait()
            self.stdout.write("Stopping …")
            stop.set()
            for thread in threads:
                thread.join(timeout=10)

    @contextmanager
    def _receiving(self, casino: Client, keys: Keys) -> Iterator[Receiver]:
        """Stand behind the operator's webhook endpoint: facts reach a server that checks their signature."""
        [(endpoint, secret)] = keys.webhook_secrets.items()
        with Receiver(0, secret, say=self.stdout.write) as receiver:
            receiver.start()
            casino.call("PATCH", f"/api/webhooks/endpoints/{endpoint}", {"url": receiver.url})
            yield receiver
            receiver.shutdown()

    @contextmanager
    def _duelling(self, base_url: str, keys: Keys, *, stop: threading.Event) -> Iterator[Duels]:
        """Stand behind the webhook of the game that is told of its matches; the other game asks."""
        operator = Client(base_url, keys.operator_keys["acme"])
        kart, words = (
            Backend(base_url, client_id, keys.match_clients["acme"][client_id])
            for client_id in ("acme", word_client_of("acme"))
        )
        with Hook(kart, say=self.stdout.write) as hook:
            hook.start()
            operator.call("PUT", "/api/match-clients/acme", {"webhookUrl": hook.url})
            yield Duels(operator, kart, words, hook, say=self.stdout.write, stop=stop)
            hook.shutdown()

    @contextmanager
    def _racing(self, base_url: str, keys: Keys, *, stop: threading.Event) -> Iterator[Races]:
        """Stand behind the webhook of the application that runs rumble tournaments."""
        with Inbox() as inbox:
            inbox.start()
            app = AppClient(base_url, *keys.applications["acme"])
            yield Races(app, Client(base_url, keys.operator_keys["acme"]), inbox, say=self.stdout.write, stop=stop)
            inbox.shutdown()

    @contextmanager
    def _spinning(self, base_url: str, keys: Keys, *, stop: threading.Event) -> Iterator[Spins]:
        """Stand behind the payout and debit API of an operator whose integration sends rounds."""
        operator = Client(base_url, keys.operator_keys["acme"])
        with Cashier() as cashier:
            cashier.start(operator)
            feed = Feed(base_url, *keys.integrations["acme"])
            yield Spins(feed, operator, cashier, say=self.stdout.write, stop=stop)
            cashier.shutdown()

    def _prove(self, base_url: str, keys: Keys) -> None:
        """Play one of each kind over HTTP; check the money and the webhooks. Raises CommandError."""
        casino = Client(base_url, keys.operator_keys["acme"])
        platform = Client(base_url, keys.internal_keys["acme"])
        game = GameClient(base_url, *keys.game_keys["acme"])
        try:
            with (
                self._receiving(casino, keys) as receiver,
                self._spinning(base_url, keys, stop=threading.Event()) as spins,
            ):
                by_rounds = spins.begin()
                tournament_id = play_one(casino, platform, players=PLAYERS, rounds=ROUNDS, say=self.stdout.write)
                if not wait_paid(casino, tournament_id, players=PRIZES):
                    raise CommandError("The prizes were not paid within a minute.")
                results = casino.get(f"/api/tournaments/{tournament_id}/results")
                table = Table(game, casino, say=self.stdout.write, stop=threading.Event(), pause=0.1)
                table.sit_down()
                self.stdout.write(f"played room {table.play_room()}")
                with self._duelling(base_url, keys, stop=threading.Event()) as duels:
                    self.stdout.write(duels.prove())
                with self._racing(base_url, keys, stop=threading.Event()) as races:
                    self.stdout.write(races.prove())
                self.stdout.write(spins.prove(by_rounds))
                told = casino.get(f"/api/tournaments/{tournament_id}/events?limit=200")["events"]
                if not receiver.has_taken([event["eventId"] for event in told], seconds=60):
                    raise CommandError("The webhooks did not arrive within a minute.")
                self.stdout.write(f"{len(told)} webhooks about the tournament arrived, every signature true")
        except Refused as problem:
            raise CommandError(str(problem)) from problem
        self.stdout.write(f"\nResults of {results['name']}")
        for winner in results["winners"]:
            self.stdout.write(
                f"  {winner['position']}.  {winner['displayName']:<10} {winner['finalScore']:>6} points"
                f"  {winner['prizeAmount']:>8} {results['prizePool']['currency']}"
            )
        paid = sum(Decimal(str(winner["prizeAmount"])) for winner in results["winners"])
        if len(results["winners"]) != PRIZES or paid != PLAYERS * 10:
            raise CommandError(f"{paid} was paid where {PLAYERS * 10} was collected.")
        self._trial_balance()
        call_command("reconcile", stdout=self.stdout)
        self.stdout.write("All of it worked.")

    def _trial_balance(self) -> None:
        self.stdout.write("\nTrial balance")
        for operator in Operator.objects.order_by("slug"):
            self.stdout.write(reports.written(reports.trial_balance(operator.pk), title=operator.name))


def welcome(base_url: str, keys: Keys) -> str:
    """Return what a person needs to look around; the commands work as pasted."""
    key = keys.operator_keys["acme"]
    integration, integration_key = keys.integrations["acme"]
    return f"""
Podium answers.

  Admin       {base_url}/admin/
  Sign in as  owner@acme.example (also manager, finance, support, auditor), or admin@podium.example for everything
  Password    {keys.password}
  API         {base_url}/api/docs/
  API key     {key}

Try:

curl -s '{base_url}/api/tournaments?status=in_progress' -H 'Authorization: Bearer {key}'

curl -s {base_url}/api/tournaments -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' \\
  -d '{{"name":"My Cup","startTime":"2031-01-15T20:00:00Z","gameSlug":"crash-classic","entryFee":10.00}}'

curl -s '{base_url}/api/events?after=0&limit=5' -H 'Authorization: Bearer {key}'

curl -si {base_url}/gamerounds/{integration}/single -H 'X-API-Key: {integration_key}' \\
  -H 'Content-Type: application/json' -d '{{"timestamp":"'$(date -u +%FT%TZ)'","roundId":"mine-'$(date +%s)'",
  "brandId":"acme","playerId":"you","gameId":"{FOX}","roundType":"REGULAR","currency":"EUR","betAmount":500,
  "winAmount":0}}'     # 202: the Wager Race counts it

Games are being played; Ctrl-C stops all of it."""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
