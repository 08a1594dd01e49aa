"""Entries, the running counts, and what game servers reported."""

from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce

from apps.core.exact import ExactDecoder, ExactEncoder
from apps.core.lifecycle import edges_trigger
from apps.operators.models import Operator, Player
from apps.tournaments.lifecycle import ENTRY_EDGES, EntryLifecycle, EntryStatus
from apps.tournaments.models.tournament import Tournament
from apps.tournaments.querysets import NEVER_ELIMINATED, EntryQuerySet


class Entry(EntryLifecycle):
    """One player's registration. `attempt` counts a player's registrations in this tournament (withdrawals between).

    `points` carries up to twelve decimals, six where the game reports them. `scored_at` is when the present points were
    reached, by the game's clock; `tie_break` decides among equal points before it, less of it comes first (0 unless the
    policy says otherwise). `score_reported_at` is the time of the newest report that was applied, empty before the
    first. `score_version` grows with every change of the ranking, so that a late write to the board is recognised.
    """

    operator = models.ForeignKey(
        Operator, on_delete=models.PROTECT, related_name="entries", db_constraint=False, db_index=False
    )
    tournament = models.ForeignKey(Tournament, on_delete=models.PROTECT, related_name="entries", db_index=False)
    player = models.ForeignKey(Player, on_delete=models.PROTECT, related_name="entries")
    attempt = models.PositiveSmallIntegerField(default=1)
    display_name = models.CharField(max_length=64)
    payment_id = models.CharField(max_length=128, blank=True)
    entry_count = models.PositiveSmallIntegerField(default=1)
    paid_units = models.DecimalField(max_digits=38, decimal_places=0, default=0)
    points = models.DecimalField(max_digits=30, decimal_places=12, default=0)
    tie_break = models.BigIntegerField(default=0, db_default=0)
    scored_at = models.DateTimeField()
    score_reported_at = models.DateTimeField(null=True, blank=True)
    score_version = models.BigIntegerField(default=0)
    current_round = models.PositiveIntegerField(null=True, blank=True)
    current_group = models.CharField(max_length=64, blank=True)
    elimination_round = models.PositiveIntegerField(null=True, blank=True)
    eliminated_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    registered_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    objects = EntryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "entries"
        constraints = (
            models.UniqueConstraint(name="tournaments_attempt_once", fields=["tournament", "player", "attempt"]),
            models.UniqueConstraint(
                name="tournaments_one_live_entry",
                fields=["tournament", "player"],
                condition=~Q(status=EntryStatus.WITHDRAWN),
            ),
            models.CheckConstraint(name="tournaments_entry_status_known", condition=Q(status__in=EntryStatus.values)),
            models.CheckConstraint(
                name="tournaments_out_has_time", condition=~Q(status="OUT") | Q(eliminated_at__isnull=False)
            ),
            models.CheckConstraint(name="tournaments_paid_not_negative", condition=Q(paid_units__gte=0)),
        )
        indexes = (
            # The ranking in its full order, for settlement and for boards while Redis is away.
            models.Index(
                F("tournament"),
                F("points").desc(),
                Coalesce("elimination_round", Value(NEVER_ELIMINATED)).desc(),
                F("tie_break"),
                F("scored_at"),
                F("entry_count"),
                F("registered_at"),
                F("player"),
                name="tournaments_ranking",
                condition=~Q(status=EntryStatus.WITHDRAWN),
            ),
            models.Index(name="tournaments_entry_changed", fields=["tournament", "changed_at"]),
            models.Index(name="tournaments_entry_newest", fields=["operator", "-id"]),
        )
        permissions = (
            ("remove_entry", "Can remove a player from a tournament"),
            ("rebuy_entry", "Can record a rebuy"),
            ("adjust_entry", "Can adjust a score"),
        )
        triggers = (edges_trigger("entry_status_edges", ENTRY_EDGES),)

    def __str__(self) -> str:
        return self.display_name

    @property
    def internal_player_id(self) -> str:
        """The id that game servers know this entry by (operators.md 3.8)."""
        return f"TP_{self.tournament_id}_{self.player_id}_{self.attempt}"


class Tally(models.Model):
    """A stripe of a tournament's running counts; the truth is the sum over its stripes.

    Writers take the stripe of their connection, so that thousands who register at once do not queue on one row. A
    stripe of a limited tournament also owns some of the free seats. A single stripe's counts may be negative.
    """

    tournament = models.ForeignKey(Tournament, on_delete=models.PROTECT, related_name="tallies", db_index=False)
    slot = models.PositiveSmallIntegerField()
    seats_free = models.PositiveIntegerField(null=True, help_text="Empty: unlimited.")
    players = models.IntegerField(default=0)
    active = models.IntegerField(default=0)
    entries = models.IntegerField(default=0)
    first_fee_units = models.DecimalField(max_digits=38, decimal_places=0, default=0)
    rebuy_units = models.DecimalField(max_digits=38, decimal_places=0, default=0)

    class Meta:
        verbose_name_plural = "tallies"
        constraints = (models.UniqueConstraint(name="tournaments_stripe_once", fields=["tournament", "slot"]),)

    def __str__(self) -> str:
        return f"tournament {self.tournament_id}, stripe {self.slot}"


class GameEvent(models.Model):
    """What a game server reported, stored as it came; `event_id` makes it count once per tournament."""

    tournament = models.ForeignKey(Tournament, on_delete=models.PROTECT, related_name="game_events", db_index=False)
    event_id = models.CharField(max_length=128)
    type = models.CharField(max_length=60)
    payload = models.JSONField(encoder=ExactEncoder, decoder=ExactDecoder)
    outcome = models.CharField(max_length=16)
    note = models.CharField(max_length=200, blank=True)
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(name="tournaments_event_once", fields=["tournament", "event_id"]),)

    def __str__(self) -> str:
        return f"{self.type} {self.event_id}"
