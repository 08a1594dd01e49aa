"""The refusal that every change of state shares."""

from collections.abc import Iterator
from contextlib import contextmanager

import django_fsm as fsm

from apps.core.errors import DomainError
from apps.tournaments.models import Tournament


class InvalidState(DomainError):
    """The tournament's state does not allow this."""

    code = "INVALID_STATE"


@contextmanager
def refusing_wrong_states(tournament: Tournament, verb: str) -> Iterator[None]:
    """Turn an edge that the graph lacks into InvalidState."""
    try:
        yield
    except fsm.TransitionNotAllowed as refusal:
        message = f"Can't {verb} a tournament that is {tournament.get_status_display().lower()}."
        raise InvalidState(message, status=tournament.status) from refusal
