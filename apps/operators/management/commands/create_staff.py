"""`manage.py create_staff`: a person's login and role at an operator (podium.md 1)."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.core import clock
from apps.core.actors import Actor
from apps.core.errors import DomainError
from apps.operators.models import Role
from apps.operators.services import tenants


class Command(BaseCommand):
    """Give a person a role at an operator."""

    help = "Give a person a role at an operator; without --password a new login gets one, printed once."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take who, where and as what."""
        parser.add_argument("email")
        parser.add_argument("--operator", required=True, metavar="SLUG")
        parser.add_argument("--role", required=True, choices=Role.values)
        parser.add_argument("--password")

    def handle(self, *_: Any, **options: Any) -> None:
        """Create and say so. An existing login keeps its password."""
        try:
            staff = tenants.create_staff(
                email=options["email"],
                operator_id=tenants.operator_by_slug(options["operator"]).pk,
                role=options["role"],
                password=options["password"],
                actor=Actor("system", "create_staff"),
                at=clock.now(),
            )
        except DomainError as refused:
            raise CommandError(" ".join(part for part in (refused.message, refused.hint) if part)) from refused
        user = staff.membership.user
        self.stdout.write(f"{user.email} is {staff.membership.role} of {options['operator']}.")
        if staff.password:
            self.stdout.write(f"Password (shown once): {staff.password}")
        elif not staff.is_new:
            self.stdout.write("The login existed; its password is as it was.")
