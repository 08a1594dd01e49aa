"""What the game platform looks up: within the reach of its key, never a draft."""

from typing import Any

from apps.operators.models import Operator
from apps.operators.services.tenants import OperatorNotFound
from apps.tournaments.api.casino.reads import row_id
from apps.tournaments.lifecycle import TournamentStatus
from apps.tournaments.models import Tournament
from apps.tournaments.services.entries import TournamentNotFound


def tournament(within: int | None, ref: str) -> Tournament:
    """Return one tournament, of the only operator in reach if there is one. Raises TournamentNotFound."""
    found: Any = Tournament.objects.exclude(status=TournamentStatus.DRAFT)
    if within is not None:
        found = found.for_operator(within)
    pk = row_id(ref)
    one: Tournament | None = found.select_related("operator", "game", "asset").filter(pk=pk).first() if pk else None
    if one is None:
        raise TournamentNotFound
    return one


def operator(within: int | None, public_id: str) -> Operator:
    """Return the operator a body names, if it is in reach. Raises OperatorNotFound."""
    found = Operator.objects.filter(public_id=public_id)
    if within is not None:
        found = found.filter(pk=within)
    one = found.first()
    if one is None:
        raise OperatorNotFound
    return one
