"""Drafts: made anew as often as it takes, and made from a tournament that was there before (rounds.md 5.8).

Nobody has heard of a draft, so nothing of this is told; staff find it in the admin's history.
"""

from datetime import datetime, timedelta

import structlog
from django.db import IntegrityError, transaction

from apps.core.actors import Actor
from apps.core.errors import DomainError, Invalid
from apps.tournaments import engines, keepers
from apps.tournaments.lifecycle import TournamentStatus
from apps.tournaments.models import Tournament
from apps.tournaments.services import creation, tally, terms
from apps.tournaments.services.creation import DuplicateExternalId, NewTournament

log = structlog.get_logger(__name__)

SUFFIX = " (Clone)"
LONGEST_NAME = 200
WEEK = timedelta(weeks=1)

# What a tournament is, and not what it is to be.
IDENTITY = frozenset(
    "id operator_id asset_id escrow_id status created_at published_at registration_closed_at started_at completed_at "
    "cancelled_at closed_at cancel_reason status_before_cancel problem started_immediately current_round room_id "
    "room_url".split()
)
POLICY = tuple(
    field.attname
    for field in Tournament._meta.concrete_fields  # noqa: SLF001 - documented, whatever its name
    if field.attname not in IDENTITY
)


class NotADraft(DomainError):
    """Only a draft can be made anew."""

    code = "INVALID_STATE"


@transaction.atomic
def redraft(tournament_id: int, *, new: NewTournament, actor: Actor, at: datetime) -> Tournament:
    """Make a draft what is wanted now; all but its operator, its currency and who makes its points may be other.

    Raises NotADraft, and whatever `creation.create_tournament` raises.
    """
    tournament: Tournament = Tournament.objects.hold(tournament_id)
    keepers.of(tournament).by_hand(tournament)
    if tournament.status != TournamentStatus.DRAFT:
        raise NotADraft(status=tournament.status)
    operator, asset = tournament.operator, tournament.asset
    wanted = creation.build(new, operator=operator, game=creation.game_of(operator, new), asset=asset, at=at)
    creation.check(wanted, at)
    if wanted.scoring_source != tournament.scoring_source:
        raise Invalid("Who makes the points stays.", fields={"scoring": ["Clone or create another tournament."]})
    for name in POLICY:
        setattr(tournament, name, getattr(wanted, name))
    try:
        with transaction.atomic():
            tournament.save(update_fields=POLICY)
    except IntegrityError as problem:
        if "tournaments_external_id_once" not in str(problem):
            raise
        raise DuplicateExternalId(external_id=new.external_id) from problem
    tally.reseat(tournament_id, tournament.max_players)
    tournament.invitations.all().delete()
    if new.scoring is not None:
        terms.invite(tournament, [(one.brand_id, one.player_id) for one in new.scoring.invited])
    engines.of(tournament).created(tournament, at=at)
    log.info("draft_changed", tournament=tournament_id, actor=str(actor))
    return tournament


@transaction.atomic
def clone(tournament_id: int, *, actor: Actor, at: datetime) -> Tournament:
    """Return a new draft with the policy of a tournament in any state; its name ends with "(Clone)".

    Its times are those of the original, moved by whole weeks until it starts in the future. Whoever was invited is
    invited again. Raises what keepers raise for tournaments that are not made by hand.
    """
    original = Tournament.objects.select_related("operator", "asset").get(pk=tournament_id)
    keepers.of(original).by_hand(original)
    copy = Tournament(operator=original.operator, asset=original.asset, created_at=at)
    for name in POLICY:
        setattr(copy, name, getattr(original, name))
    copy.external_id = None
    copy.name = original.name[: LONGEST_NAME - len(SUFFIX)] + SUFFIX
    _move(copy, at)
    creation.store(copy)
    people = original.invitations.values_list("brand_ref", "player_ref")
    terms.invite(copy, list(people))
    engines.of(copy).created(copy, at=at)
    log.info("tournament_cloned", tournament=tournament_id, copy=copy.pk, actor=str(actor))
    return copy


def _move(copy: Tournament, at: datetime) -> None:
    first = copy.starts_at or copy.ends_at
    if first is None or first > at:
        return
    weeks = (at - first) // WEEK + 1
    for name in ("starts_at", "ends_at", "registration_opens_at"):
        moment = getattr(copy, name)
        if moment is not None:
            setattr(copy, name, moment + weeks * WEEK)
