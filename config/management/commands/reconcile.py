"""`manage.py reconcile`: the books against the areas (design.md 4.9, podium.md 1)."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management import BaseCommand, CommandError

from apps.core.drift import Check, Drift
from apps.events import reconcile as facts
from apps.ledger import reconcile as books
from apps.matches import reconcile as matches
from apps.operators.models import Operator
from apps.rooms import reconcile as rooms
from apps.rounds import reconcile as rounds
from apps.rumble import reconcile as rumble
from apps.tournaments import reconcile as tournaments

# Every area brings its own; a new area adds a line.
CHECKS: tuple[Check, ...] = (
    *books.CHECKS,
    *facts.CHECKS,
    *rooms.CHECKS,
    *tournaments.CHECKS,
    *matches.CHECKS,
    *rumble.CHECKS,
    *rounds.CHECKS,
)


class Command(BaseCommand):
    """Compare what is recorded twice; exit 1 and name it if two records disagree. Changes nothing."""

    help = "Compares the books with the areas; exits 1 and names any drift."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which operator, and for whom to print."""
        parser.add_argument("--operator", metavar="SLUG", help="only this one")
        parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")

    def handle(self, *, operator: str | None, json: bool, **_: Any) -> None:
        """Check every operator, or the one that was named."""
        found = Operator.objects.order_by("slug")
        if operator is not None and not (found := found.filter(slug=operator)):
            raise CommandError(f"There is no operator {operator}.")
        drifts = {each.slug: [drift for check in CHECKS for drift in check(each.pk)] for each in found}
        total = sum(len(found) for found in drifts.values())
        self.stdout.write(_as_json(drifts) if json else _as_text(drifts, total))
        if total:
            raise SystemExit(1)


def _as_json(drifts: dict[str, list[Drift]]) -> str:
    return json.dumps(
        {
            "ok": not any(drifts.values()),
            "operators": {slug: [drift.as_dict() for drift in found] for slug, found in drifts.items()},
        }
    )


def _as_text(drifts: dict[str, list[Drift]], total: int) -> str:
    lines = [
        f"{slug}: {drift.check}: {drift.subject}: {drift.detail}" for slug, found in drifts.items() for drift in found
    ]
    summary = f"{total} drifts." if total else f"No drift: {len(CHECKS)} checks over {len(drifts)} operators."
    return "\n".join([*lines, summary])
