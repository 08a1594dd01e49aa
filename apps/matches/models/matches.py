"""A match, its teams and participants, and the tokens that players show to the game."""

import secrets

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from apps.core.lifecycle import edges_trigger
from apps.ledger.models import Account, Asset, Hold, Journal
from apps.matches.lifecycle import EDGES, OPEN, MatchLifecycle, MatchStatus
from apps.matches.models.clients import Client, Delivery, Mode, ScoreOrder, TiePolicy
from apps.matches.querysets import MatchQuerySet
from apps.operators.models import Operator, Player


def new_match_id() -> str:
    """Return a match's public id: 24 hex digits, as clients expect (matches.md 1)."""
    return secrets.token_hex(12)


class Outcome(models.TextChoices):
    """What became of the play."""

    WON = "WON", "Won"
    TIED = "TIED", "Tied"
    VOID = "VOID", "Nobody wins"


class ForfeitBy(models.TextChoices):
    """Who said that a team has forfeited."""

    GAME = "GAME", "The game"
    PLATFORM = "PLATFORM", "On the platform"
    DEADLINE = "DEADLINE", "Its time was over"
    STAFF = "STAFF", "Staff"


class Match(MatchLifecycle):
    """One match. Amounts are base units of `asset`.

    From `mode` to `submissions` it is a snapshot of its client's settings, so that a change of these touches later
    matches only. `due_at` is the one moment at which the clock must look at it next. What was paid
    (`fee_units`, the participants' `paid_units`) is what stands now; journals keep what stood before a correction.
    """

    public_id = models.CharField("match id", max_length=24, unique=True, default=new_match_id, editable=False)
    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="matches", db_index=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="matches", db_index=False)
    asset = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="+", db_index=False)
    entry_fee_units = models.DecimalField(max_digits=38, decimal_places=0, default=0)
    rematch_of = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="rematches", db_index=False
    )

    mode = models.CharField(max_length=5, choices=Mode.choices)
    delivery = models.CharField(max_length=4, choices=Delivery.choices)
    score_order = models.CharField(max_length=6, choices=ScoreOrder.choices)
    tie_policy = models.CharField(max_length=8, choices=TiePolicy.choices)
    fee_bps = models.PositiveIntegerField("fee, basis points")
    hold_minutes = models.PositiveIntegerField(default=0)
    submissions = models.PositiveSmallIntegerField(default=1, help_text="Scores that a participant may submit.")

    confirm_by = models.DateTimeField()
    result_by = models.DateTimeField(null=True, blank=True)
    gone_by = models.DateTimeField(null=True, blank=True, help_text="Its server is gone; aborted unless it returns.")
    held_until = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)

    outcome = models.CharField(max_length=4, choices=Outcome.choices, blank=True)
    end_reason = models.CharField(max_length=1000, blank=True)
    abort_code = models.CharField(max_length=20, blank=True)
    absent = ArrayField(models.CharField(max_length=128), default=list, blank=True)
    needs_review = models.CharField(max_length=200, blank=True)

    escrow = models.ForeignKey(Account, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    pot_units = models.DecimalField(max_digits=38, decimal_places=0, default=0)
    fee_units = models.DecimalField(max_digits=38, decimal_places=0, default=0)
    settlement = models.ForeignKey(
        Journal, on_delete=models.PROTECT, null=True, related_name="+", db_constraint=False, db_index=False
    )
    settlements = models.PositiveSmallIntegerField(default=0, help_text="How often it was settled; corrections add.")

    created_at = models.DateTimeField()
    escrowed_at = models.DateTimeField(null=True, blank=True)
    live_at = models.DateTimeField(null=True, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    changed_at = models.DateTimeField()

    objects = MatchQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "matches"
        constraints = (
            models.CheckConstraint(name="matches_status_known", condition=Q(status__in=MatchStatus.values)),
            models.CheckConstraint(
                name="matches_amounts_not_negative",
                condition=Q(entry_fee_units__gte=0, pot_units__gte=0, fee_units__gte=0),
            ),
            models.CheckConstraint(
                name="matches_only_winners_pay_a_fee", condition=Q(fee_units=0) | Q(status="FINISHED", outcome="WON")
            ),
            models.CheckConstraint(
                name="matches_ended_has_time",
                condition=~Q(status__in=("FINISHED", "TIED", "ABORTED", "CANCELLED")) | Q(ended_at__isnull=False),
            ),
            models.CheckConstraint(
                name="matches_outcome_fits_status",
                condition=~Q(status__in=("FINISHED", "TIED"))
                | Q(status="FINISHED", outcome="WON")
                | Q(status="TIED", outcome="TIED"),
            ),
        )
        indexes = (
            models.Index(name="matches_due", fields=["due_at"], condition=Q(due_at__isnull=False)),
            models.Index(name="matches_open_of_client", fields=["client", "id"], condition=Q(status__in=OPEN)),
            models.Index(name="matches_changed_of_client", fields=["client", "changed_at"]),
            models.Index(name="matches_newest", fields=["operator", "-id"]),
            models.Index(name="matches_of_status", fields=["operator", "status", "-id"]),
        )
        permissions = (
            ("abort_match", "Can abort a match and refund its stakes"),
            ("cancel_match", "Can cancel a match before its escrow"),
            ("forfeit_match", "Can have a team forfeit"),
            ("settle_match", "Can enter a result by hand, with a second person"),
            ("decide_dispute", "Can decide disputes"),
            ("correct_match", "Can correct the result of a match"),
        )
        triggers = (edges_trigger("match_status_edges", EDGES),)

    def __str__(self) -> str:
        return self.public_id

    @property
    def subject(self) -> str:
        """What facts, journals and the escrow name it by."""
        return f"match:{self.public_id}"


class Team(models.Model):
    """A team of a match. `leads` tells whether it has, or shares, first place once the outcome is known."""

    match = models.ForeignKey(Match, on_delete=models.PROTECT, related_name="teams", db_index=False)
    wire_id = models.CharField("team id", max_length=64)
    score = models.BigIntegerField(null=True, blank=True)
    ranking = models.PositiveSmallIntegerField(null=True, blank=True)
    forfeited_at = models.DateTimeField(null=True, blank=True)
    forfeited_by = models.CharField(max_length=8, choices=ForfeitBy.choices, blank=True)
    leads = models.BooleanField(default=False)

    class Meta:
        constraints = (
            models.UniqueConstraint(name="matches_team_once", fields=["match", "wire_id"]),
            models.CheckConstraint(
                name="matches_forfeit_has_a_source",
                condition=Q(forfeited_at=None, forfeited_by="") | (Q(forfeited_at__isnull=False) & ~Q(forfeited_by="")),
            ),
        )

    def __str__(self) -> str:
        return self.wire_id


class Participant(models.Model):
    """A player in a match. The game knows them by `wire_id`: their linked id, or the operator's own id of them.

    `attempt_open` tells that a launch has opened an attempt which no score has closed yet (matches.md 3.9).
    """

    match = models.ForeignKey(Match, on_delete=models.PROTECT, related_name="participants", db_index=False)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="participants")
    player = models.ForeignKey(Player, on_delete=models.PROTECT, related_name="match_seats")
    wire_id = models.CharField("participant id", max_length=128)
    user_id = models.CharField(max_length=128)
    stake_units = models.DecimalField(max_digits=38, decimal_places=0, default=0)
    paid_units = models.DecimalField(max_digits=38, decimal_places=0, default=0)
    hold = models.OneToOneField(Hold, on_delete=models.PROTECT, null=True, related_name="+")
    # Found once, when the stake is taken: settling should not look for it again.
    wallet = models.ForeignKey(
        Account, on_delete=models.PROTECT, null=True, related_name="+", db_constraint=False, db_index=False
    )
    confirmed_at = models.DateTimeField(null=True, blank=True)
    score = models.BigIntegerField(null=True, blank=True)
    scored_at = models.DateTimeField(null=True, blank=True)
    submitted = models.PositiveSmallIntegerField(default=0)
    attempt_open = models.BooleanField(default=False)

    class Meta:
        constraints = (
            models.UniqueConstraint(name="matches_player_once", fields=["match", "player"]),
            models.UniqueConstraint(name="matches_participant_once", fields=["match", "wire_id"]),
            models.CheckConstraint(
                name="matches_stakes_not_negative", condition=Q(stake_units__gte=0, paid_units__gte=0)
            ),
        )

    def __str__(self) -> str:
        return self.wire_id


class MatchToken(models.Model):
    """What a player brings from the launch link. Only its SHA-256 is stored (matches.md 3.6)."""

    participant = models.ForeignKey(Participant, on_delete=models.PROTECT, related_name="tokens")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    platform = models.CharField(max_length=10, blank=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"participant {self.participant_id}, {self.created_at}"
