"""What the views of this dialect share."""

from typing import Any

from rest_framework.request import Request

from apps.operators.api.access import OperatorView, credential_of
from apps.operators.models import Operator
from apps.tournaments.api.casino import queries, reads
from apps.tournaments.models import Entry, Tournament
from apps.tournaments.services import viewing
from apps.tournaments.services.entries import TournamentNotFound
from apps.tournaments.services.tally import Totals


class CasinoView(OperatorView):
    """A call with an operator key, about that operator's tournaments and no one else's."""

    request: Request
    kwargs: dict[str, Any]

    @property
    def operator(self) -> Operator:
        """The tenant, from the credential and from nowhere else."""
        return credential_of(self.request).operator

    def tournament(self) -> Tournament:
        """Return the tournament the path names. Raises TournamentNotFound, also to whom it is not shown."""
        return self._shown(reads.tournament(self.operator.pk, self.kwargs["id"]))

    def standing(self) -> tuple[Tournament, Totals]:
        """Return the same with its running counts, which costs no more."""
        found, totals = reads.standing(self.operator.pk, self.kwargs["id"])
        return self._shown(found), totals

    def entry(self) -> Entry:
        """Return the entry the path names. Raises TournamentNotFound, PlayerNotFound."""
        return reads.entry(self.tournament(), self.kwargs["player"])

    def _shown(self, found: Tournament) -> Tournament:
        viewer = queries.viewer(self.request) if self.request.method == "GET" else None
        if viewer is not None and not viewing.sees(viewer, found):
            raise TournamentNotFound
        return found
