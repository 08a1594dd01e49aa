"""How rounds count: the rule of each tournament, the running score of each entry, and what makes one be counted anew.

Nothing is kept for each counted round: what a round is worth follows from the round and the rule, at any time.
"""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models

from apps.operators.models import Brand, Operator
from apps.tournaments.models import Entry, Tournament
from apps.tournaments.scoring import Method, Ratio, TieBreak

EXACT: Any = {"max_digits": 60, "decimal_places": 12}


class Rule(models.Model):
    """A tournament's policy (`Tournament.scoring`) in the form that the scorer joins; never changes.

    A round counts when it came in through a watch after `since`, and until the scoring closed; its own time lies in
    [start, end) of the tournament; and game, brand, type and bet fit. `games` and `brands` hold keys; no brand means
    all of them.
    """

    tournament = models.OneToOneField(Tournament, on_delete=models.PROTECT, primary_key=True, related_name="rule")
    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="+")
    since = models.DateTimeField()
    method = models.CharField(max_length=24, choices=[(one.value, one.value) for one in Method])
    ratio = models.CharField(max_length=16, choices=[(one.value, one.value) for one in Ratio])
    tie_break = models.CharField(max_length=16, choices=[(one.value, one.value) for one in TieBreak])
    base = models.CharField("base currency", max_length=12)
    games = ArrayField(models.BigIntegerField())
    brands = ArrayField(models.BigIntegerField(), default=list)
    round_types = ArrayField(models.CharField(max_length=100))
    min_bet = models.DecimalField(max_digits=38, decimal_places=18, default=0)
    factor = models.DecimalField(max_digits=20, decimal_places=6, default=1)
    limit_rounds = models.PositiveIntegerField(null=True)
    min_rounds = models.PositiveIntegerField(default=0)
    window = models.PositiveIntegerField(null=True)
    grace_seconds = models.PositiveIntegerField()
    joins_by_playing = models.BooleanField()

    def __str__(self) -> str:
        return f"{self.method} of tournament {self.tournament_id}"


class Score(models.Model):
    """What the counted rounds of an entry come to: as much as the next round needs to know of those before it.

    Rounds count whose own time lies in [since, until). `total` adds up what each is worth, `weight` the bets under
    RATIO_OF_SUMS, `best` is the best round or window, `tail` the worth of the last rounds under CONSECUTIVE_ROUNDS.
    `moved_at` is the own time of the round that brought the present points. `newest_at` and `newest` name the newest
    round counted by its own time, with its currency and game; `arrived` the last one by arrival.
    """

    entry = models.OneToOneField(Entry, on_delete=models.PROTECT, primary_key=True, related_name="score")
    tournament = models.ForeignKey(Tournament, on_delete=models.PROTECT, related_name="+", db_index=False)
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+", db_index=False)
    player_ref = models.CharField(max_length=128)
    since = models.DateTimeField()
    until = models.DateTimeField(null=True)
    run = models.PositiveIntegerField(default=1)
    rounds = models.PositiveIntegerField(default=0)
    total = models.DecimalField(**EXACT, default=0)
    weight = models.DecimalField(**EXACT, default=0)
    best = models.DecimalField(**EXACT, null=True)
    tail = ArrayField(models.DecimalField(**EXACT), default=list)
    moved_at = models.DateTimeField(null=True)
    newest_at = models.DateTimeField(null=True)
    newest = models.BigIntegerField(null=True)
    arrived = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=12, blank=True)
    game_id = models.BigIntegerField(null=True)

    class Meta:
        constraints = (models.UniqueConstraint(name="rounds_score_once", fields=["tournament", "brand", "player_ref"]),)

    def __str__(self) -> str:
        return f"score of entry {self.entry_id}"


class Run(models.Model):
    """A run that a reset has ended: what had been reached, and who began anew."""

    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="runs")
    number = models.PositiveIntegerField()
    points = models.DecimalField(max_digits=30, decimal_places=12)
    rounds = models.PositiveIntegerField()
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    reason = models.CharField(max_length=200, blank=True)
    actor = models.CharField(max_length=120)

    class Meta:
        constraints = (models.UniqueConstraint(name="rounds_run_once", fields=["entry", "number"]),)

    def __str__(self) -> str:
        return f"run {self.number} of entry {self.entry_id}"


class Recount(models.Model):
    """An entry to be counted anew from the stored rounds: the scorer's second queue."""

    entry = models.OneToOneField(
        Entry, on_delete=models.PROTECT, primary_key=True, related_name="+", db_constraint=False
    )
    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="+", db_constraint=False)

    def __str__(self) -> str:
        return f"recount of entry {self.entry_id}"


class RateChange(models.Model):
    """Rates that are others now for moments from `since` on; written by a trigger of the table of rates."""

    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="+", db_constraint=False)
    since = models.DateTimeField()

    def __str__(self) -> str:
        return f"rates since {self.since:%Y-%m-%d %H:%M}"


class UnratedRound(models.Model):
    """A round that a tournament would count if there were a rate between its currency and the base currency."""

    tournament = models.ForeignKey(Tournament, on_delete=models.PROTECT, related_name="+", db_constraint=False)
    operator = models.ForeignKey(
        Operator, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    player_ref = models.CharField(max_length=128)
    currency = models.CharField(max_length=12)
    number = models.BigIntegerField()
    occurred_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(name="rounds_unrated_once", fields=["tournament", "number"]),)

    def __str__(self) -> str:
        return f"round {self.number} in {self.currency}"


class VoidedRound(models.Model):
    """A round that was taken back. `number` is the round's; it counts nowhere from then on.

    `outcome` is what the first call was told: the tournaments and how the player's rank moved in each.
    """

    number = models.BigIntegerField(primary_key=True)
    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="+", db_index=False)
    received_at = models.DateTimeField()
    integration = models.CharField(max_length=120)
    round_id = models.CharField(max_length=200)
    reason = models.CharField(max_length=500)
    actor = models.CharField(max_length=120)
    voided_at = models.DateTimeField()
    outcome = models.JSONField(default=dict)

    class Meta:
        indexes = (models.Index(name="rounds_voided_newest", fields=["operator", "-voided_at"]),)

    def __str__(self) -> str:
        return self.round_id
