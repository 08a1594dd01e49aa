"""Hop-on/off tournaments: a lobby that starts by itself once enough players have bought in (operators.md 4.7, 11.5)."""

from dataclasses import replace
from datetime import datetime
from zlib import crc32

from django.db import connection, transaction

from apps.core.actors import Actor
from apps.core.errors import Invalid
from apps.ledger import money
from apps.ledger.services import assets
from apps.operators.models import Operator
from apps.operators.services.credentials import OperatorSuspended
from apps.tournaments.lifecycle import TournamentStatus
from apps.tournaments.models import StartMode, Tournament
from apps.tournaments.services.creation import NewTournament, create_tournament

# One namespace of advisory locks beside those of tournaments and of first keys; never renumbered.
LOBBY_LOCKS = 3 << 48


@transaction.atomic
def open_lobby(new: NewTournament, *, operator: Operator, actor: Actor, at: datetime) -> tuple[Tournament, bool]:
    """Return the lobby that waits for players of this game and fee, and whether it was made now.

    At most one waits per operator, game, currency and fee, so two lobby servers that ask at once get the same one; who
    finds one waiting gets it with its own terms, whatever else they asked for. Raises OperatorSuspended, GameUnknown,
    UnknownAsset, Invalid, DuplicateExternalId.
    """
    if operator.suspended_at is not None:
        raise OperatorSuspended
    asset = assets.get_asset(operator.pk, new.currency or operator.currency)
    try:
        fee = money.to_units(new.entry_fee, asset.scale)
    except Invalid as problem:
        raise Invalid(problem.message, fields={"entry_fee": [problem.message]}) from problem
    with connection.cursor() as cursor:
        place = f"{operator.pk}:{new.game_slug}:{asset.pk}:{fee}".encode()
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOBBY_LOCKS | crc32(place)])
    # Its own statement: it must see what the one before us committed while we waited.
    waiting: Tournament | None = (
        Tournament.objects.for_operator(operator.pk)
        .filter(
            game__slug=new.game_slug,
            asset=asset,
            fee_units=fee,
            start_mode=StartMode.AT_COUNT,
            status=TournamentStatus.REGISTERING,
        )
        .select_related("operator", "game", "asset")
        .order_by("pk")
        .first()
    )
    if waiting is not None:
        return waiting, False
    lobby = replace(new, start_mode=StartMode.AT_COUNT, starts_at=None, draft=False)
    return create_tournament(lobby, operator=operator, actor=actor, at=at), True
