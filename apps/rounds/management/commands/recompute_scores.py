"""`manage.py recompute_scores [--tournament ID] [--check]`: running scores against all stored rounds."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.core import clock
from apps.rounds.models import Watch
from apps.rounds.services.scoring import recounting
from apps.tournaments.models import ScoringSource, Tournament


class Command(BaseCommand):
    """Count again from the stored rounds, and say what differed."""

    help = (
        "Counts the scores of tournaments that are scored by rounds anew from the stored rounds, while they run, and"
        " prints what differed. With --check nothing is changed and a difference makes it exit 1."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take a tournament, and whether only to look."""
        parser.add_argument("--tournament", type=int, metavar="ID", help="Default: every one that is open.")
        parser.add_argument("--check", action="store_true", help="Change nothing; exit 1 if anything differs.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it."""
        wanted = options["tournament"]
        if wanted is None:
            ids = list(Watch.objects.order_by("pk").values_list("pk", flat=True))
        elif Tournament.objects.filter(pk=wanted, scoring_source=ScoringSource.ROUNDS).exists():
            ids = [wanted]
        else:
            raise CommandError(f"No tournament {wanted} that is scored by rounds.")
        differences = 0
        for tournament_id in ids:
            done = recounting.recount(tournament_id, check=options["check"], at=clock.now())
            for one in done.differences:
                fields = ", ".join(f"{name}: {was} ≠ {now}" for name, (was, now) in sorted(one.fields.items()))
                self.stdout.write(f"tournament {tournament_id}, entry {one.entry_id}: {fields}")
            differences += len(done.differences)
            self.stdout.write(f"tournament {tournament_id}: {done.entries} entries, {len(done.differences)} differ")
        if options["check"] and differences:
            raise CommandError(f"{differences} scores are not what their rounds come to.")
