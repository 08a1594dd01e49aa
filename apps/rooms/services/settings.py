"""What staff set for a game's rooms."""

from datetime import datetime

from django.db import transaction

from apps.core.actors import Actor
from apps.core.errors import Invalid
from apps.rooms.models import GameSettings

WHOLE = 100


@transaction.atomic
def put_settings(
    operator_id: int, game_id: str, *, earn_fee_percent: int, max_players: int, actor: Actor, at: datetime
) -> GameSettings:
    """Set a game's fee and capacity; what is queued or done already keeps to nothing else: the next operation sees it.

    Changes are kept with who made them. Raises Invalid for a fee that is no whole percentage of 0 to 100, or a capacity
    below 0.
    """
    if not 0 <= earn_fee_percent <= WHOLE:
        raise Invalid("No such fee.", fields={"earn_fee_percent": ["0 to 100."]})
    if max_players < 0:
        raise Invalid("No such number of players.", fields={"max_players": ["0 or more."]})
    known, _ = GameSettings.objects.get_or_create(operator_id=operator_id, game_id=game_id.strip())
    row: GameSettings = GameSettings.objects.select_for_update(no_key=True).get(pk=known.pk)
    row.earn_fee_percent, row.max_players = earn_fee_percent, max_players
    row._change_reason = str(actor)  # type: ignore[attr-defined]  # noqa: SLF001
    row._history_date = at  # type: ignore[attr-defined]  # noqa: SLF001
    row.save(update_fields=["earn_fee_percent", "max_players"])
    return row
