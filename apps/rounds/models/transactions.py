"""Rounds whose bets and wins come one by one, until they are whole (rounds.md 4; `services.transactions`)."""

from django.db import models

from apps.rounds.models.channels import Channel


class OpenRound(models.Model):
    """A round of which transactions have come, and more may.

    `digest` is the key that the round will have (`RoundKey`). The fields are the round's own as they are told, and what
    its bets and wins come to so far. It is closed once its end has been told and a bet has come, and at `due_at` at the
    latest, which moves on with each transaction.
    """

    digest = models.UUIDField(primary_key=True)
    channel = models.ForeignKey(
        Channel, on_delete=models.PROTECT, related_name="open_rounds", db_constraint=False, db_index=False
    )
    round_id = models.CharField(max_length=200)
    brand_ref = models.CharField(max_length=100)
    player_ref = models.CharField(max_length=128)
    game_ref = models.CharField(max_length=100)
    round_type = models.CharField(max_length=100)
    currency = models.CharField(max_length=12)
    bet = models.DecimalField(max_digits=38, decimal_places=18, default=0)
    win = models.DecimalField(max_digits=38, decimal_places=18, default=0)
    has_bet = models.BooleanField(default=False)
    has_ended = models.BooleanField(default=False)
    occurred_at = models.DateTimeField()
    due_at = models.DateTimeField()

    class Meta:
        indexes = (models.Index(name="rounds_open_by_due", fields=["channel", "due_at"]),)

    def __str__(self) -> str:
        return self.round_id


class RoundTransaction(models.Model):
    """That a transaction has been added to its round: a repetition is known for as long as this is kept."""

    digest = models.UUIDField(primary_key=True)
    told_at = models.DateTimeField()

    class Meta:
        indexes = (models.Index(name="rounds_transaction_oldest", fields=["told_at"]),)

    def __str__(self) -> str:
        return str(self.digest)
