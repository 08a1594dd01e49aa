"""`manage.py import_exchange_rates SOURCE`: rates in the European Central Bank's XML, from a file or a URL."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.core import clock
from apps.core.actors import Actor
from apps.core.errors import DomainError
from apps.ledger.services import feeds
from apps.operators.models import Operator

ACTOR = Actor("system", "import_exchange_rates")


class Command(BaseCommand):
    """Read rates and keep them for one operator or for all; running it twice changes nothing."""

    help = "Reads exchange rates (European Central Bank's XML) from a file or a URL."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """From where, and for whom."""
        parser.add_argument("source", metavar="SOURCE", help="a file, or an http(s) URL")
        parser.add_argument("--operator", metavar="SLUG", help="only this one")

    def handle(self, *, source: str, operator: str | None, **_: Any) -> None:
        """Say how many rates are new or changed."""
        try:
            if operator is None:
                changed = feeds.take_in_everywhere(source, actor=ACTOR, at=clock.now())
            else:
                found = Operator.objects.filter(slug=operator).first()
                if found is None:
                    raise CommandError(f"There is no operator {operator}.")
                changed = feeds.take_in(found.pk, feeds.parse(feeds.read(source)), actor=ACTOR, at=clock.now())
        except DomainError as problem:
            raise CommandError(str(problem)) from problem
        self.stdout.write(f"{changed} rates are new or changed.")
