"""Rounds as they came in, what remembers them, and the queue of those that are not counted yet.

One statement writes all three (`services.intake`), and nothing ever updates a round again: the fact table only grows
at its end. Foreign keys are by value, without constraints; intake has just read what they name.
"""

from django.db import models

from apps.operators.models import Brand, Game, Operator
from apps.operators.models.tenants import OwnedQuerySet


class Round(models.Model):
    """One finished round of one player, as its integration told it. Append-only; partitioned by `received_at`.

    All rounds of one call share the moment they were received, and `number` rises in the order in which they stood in
    it; order of arrival is (received_at, number). Both together are the key, so every look-up names its partition.
    Amounts are exact, in major units of `currency` (upper case, of any kind: whether there is a rate is the scorer's
    affair). `occurred_at` is the client's own time. Who played is `brand` and `player_ref`, the brand's id of them;
    the player need not exist yet. `watched` tells whether a tournament wanted the round when it came: only then it went
    into the queue, and only then the client was told 202.
    """

    pk = models.CompositePrimaryKey("received_at", "number")
    received_at = models.DateTimeField()
    number = models.BigIntegerField()
    operator = models.ForeignKey(
        Operator, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    integration = models.CharField(max_length=120)
    round_id = models.CharField(max_length=200)
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    game = models.ForeignKey(Game, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    player_ref = models.CharField("player id", max_length=128)
    round_type = models.CharField(max_length=100)
    currency = models.CharField(max_length=12)
    bet = models.DecimalField(max_digits=38, decimal_places=18)
    win = models.DecimalField(max_digits=38, decimal_places=18)
    occurred_at = models.DateTimeField()
    watched = models.BooleanField()

    objects = OwnedQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="rounds_amounts_not_negative", condition=models.Q(bet__gte=0) & models.Q(win__gte=0)
            ),
        )
        # The rounds of one player: why they have their points, and what support is asked about.
        indexes = (models.Index(name="rounds_round_by_player", fields=["brand", "player_ref", "occurred_at"]),)

    def __str__(self) -> str:
        return self.round_id


class RoundKey(models.Model):
    """That a round id of an integration is taken: for ever, whatever becomes of the round and its partition.

    `digest` is the first half of SHA-256 over operator, integration and round id (`services.intake.digest_of`): an
    index of short, equal values stays several times smaller than one of the ids themselves. `received_at` leads to the
    round: it is the one with this round id among those received at that moment.
    """

    digest = models.UUIDField(primary_key=True)
    received_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.digest)


class PendingRound(models.Model):
    """A round that waits to be counted: the scorer's queue, and as narrow as it can be.

    Written with the round, and only for rounds that a tournament watches. Whoever counts is alone with an operator's
    rounds, takes its oldest numbers, joins `Round` by (received_at, number), and deletes the rows in the transaction
    that writes the scores.
    """

    pk = models.CompositePrimaryKey("operator_id", "number")
    number = models.BigIntegerField()
    received_at = models.DateTimeField()
    operator = models.ForeignKey(
        Operator, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )

    def __str__(self) -> str:
        return str(self.number)
