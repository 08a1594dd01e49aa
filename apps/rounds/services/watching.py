"""Say which rounds a tournament wants, and that it wants none any more."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from apps.rounds.models import Watch, WatchedGame


@transaction.atomic
def watch(
    tournament_id: int,
    *,
    operator_id: int,
    games: Collection[int],
    brands: Collection[int] = (),
    opens_at: datetime | None,
) -> Watch:
    """Queue the rounds of these games (on these brands; none named: on all) from now on; said again, it replaces."""
    watch, _ = Watch.objects.update_or_create(
        tournament_id=tournament_id,
        defaults={"operator_id": operator_id, "brands": sorted(brands), "opens_at": opens_at},
    )
    WatchedGame.objects.filter(watch=watch).exclude(game_id__in=games).delete()
    WatchedGame.objects.bulk_create(
        [WatchedGame(watch=watch, game_id=game) for game in sorted(games)], ignore_conflicts=True
    )
    return watch


@transaction.atomic
def unwatch(tournament_id: int) -> None:
    """Queue no more rounds for a tournament: its scoring has closed. Doing it twice is doing it once."""
    Watch.objects.filter(pk=tournament_id).delete()


def reschedule(tournament_id: int, *, opens_at: datetime | None) -> None:
    """Take note that rounds begin to count at another time."""
    Watch.objects.filter(pk=tournament_id).update(opens_at=opens_at)
