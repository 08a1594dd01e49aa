"""Keep the list of a tournament of invited players (rounds.md 5.3)."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from apps.core.actors import Actor
from apps.core.errors import Invalid
from apps.events.services import recording as events
from apps.tournaments.lifecycle import CANCELLABLE
from apps.tournaments.models import EntryMode, Invitation, Tournament
from apps.tournaments.services import terms
from apps.tournaments.services.states import InvalidState

LONGEST_BRAND, LONGEST_PLAYER = 100, 128


def is_open(tournament: Tournament) -> bool:
    """Tell whether a list decides who may enter, and somebody may still be put on it."""
    return tournament.entry_mode == EntryMode.INVITED and tournament.status in CANCELLABLE


@transaction.atomic
def invite(tournament_id: int, people: Sequence[tuple[str, str]], *, actor: Actor, at: datetime) -> int:
    """Add players, by brand and the brand's id of them; return how many are new on the list.

    Naming somebody twice is naming them once. Raises InvalidState where no list decides, or none any more, and Invalid.
    """
    tournament: Tournament = Tournament.objects.hold_shared(tournament_id)
    if not is_open(tournament):
        raise InvalidState(status=tournament.status)
    wanted = dict.fromkeys(people)
    if len(wanted) > terms.MAX_INVITED:
        raise Invalid("Too many players at once.", fields={"invited": [f"At most {terms.MAX_INVITED}."]})
    for brand, player in wanted:
        fits = 0 < len(brand) <= LONGEST_BRAND and 0 < len(player) <= LONGEST_PLAYER
        if not (fits and brand.isprintable() and player.isprintable()):
            raise Invalid(
                "That is no player.", fields={"invited": [f"{brand[:40]!r}, {player[:40]!r}: not well formed."]}
            )
    new = terms.invite(tournament, wanted)
    _tell(tournament, "tournament.players_invited", new, actor=actor, at=at)
    return new


@transaction.atomic
def uninvite(invitation_id: int, *, actor: Actor, at: datetime) -> None:
    """Take a player off the list; one who is in stays in."""
    found = Invitation.objects.select_related("tournament__operator").filter(pk=invitation_id).first()
    if found is not None:
        found.delete()
        _tell(found.tournament, "tournament.players_uninvited", 1, actor=actor, at=at)


def _tell(tournament: Tournament, name: str, players: int, *, actor: Actor, at: datetime) -> None:
    events.record(
        operator_id=tournament.operator_id,
        type=name,
        subject=tournament.subject,
        data={"tournamentName": tournament.name, "players": players},
        actor=actor,
        at=at,
    )
