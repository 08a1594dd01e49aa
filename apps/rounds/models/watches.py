"""Which rounds anyone wants: what intake and the list of active games ask."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from apps.operators.models import Game, Operator
from apps.tournaments.models import Tournament


class Watch(models.Model):
    """A tournament that is scored from rounds, from its creation until its scoring has closed; then the row goes.

    Written and removed by `services.watching`. It decides only whether a round is worth queueing: every round of a
    watched game and brand is queued, whatever its time, type or bet, and the scorer judges it by the tournament's
    rules. `brands` holds keys of Brand; empty means every brand of the operator. `opens_at` is when rounds begin to
    count as far as is known (empty: nobody knows), for clients who ask ahead which games are active (rounds.md 3.4).
    """

    tournament = models.OneToOneField(
        Tournament, on_delete=models.PROTECT, primary_key=True, related_name="watch", serialize=False
    )
    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="+")
    brands = ArrayField(models.BigIntegerField(), default=list)
    opens_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"watch of tournament {self.tournament_id}"


class WatchedGame(models.Model):
    """A game whose rounds a tournament wants."""

    watch = models.ForeignKey(Watch, on_delete=models.CASCADE, related_name="games", db_index=False)
    game = models.ForeignKey(Game, on_delete=models.PROTECT, related_name="+", db_index=False)

    class Meta:
        constraints = (models.UniqueConstraint(name="rounds_game_watched_once", fields=["watch", "game"]),)
        indexes = (models.Index(name="rounds_watched_by_game", fields=["game", "watch"]),)

    def __str__(self) -> str:
        return f"game {self.game_id}, tournament {self.watch_id}"
