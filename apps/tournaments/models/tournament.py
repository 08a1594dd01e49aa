"""A tournament and the policies that were fixed when it was created."""

from datetime import datetime, timedelta

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.db import models
from django.db.models import F, Q

from apps.core.exact import ExactDecoder, ExactEncoder
from apps.core.lifecycle import edges_trigger
from apps.ledger.models import Account, Asset, Rail
from apps.operators.models import Game, Operator
from apps.tournaments.lifecycle import EDGES, ENDED, TournamentLifecycle, TournamentStatus
from apps.tournaments.querysets import TournamentQuerySet
from apps.tournaments.scoring import shares_ranks


class EntryMode(models.TextChoices):
    """Who may enter."""

    OPEN = "OPEN", "Open to everyone"
    OPT_IN = "OPT_IN", "By opting in"
    BUY_IN = "BUY_IN", "By paying"
    INVITED = "INVITED", "Invited players only"


class Funding(models.TextChoices):
    """Where an entry's money comes from, and where its refund goes back to."""

    CLEARING = "CLEARING", "Collected by the operator"
    WALLET = "WALLET", "The player's wallet"


class ScoringSource(models.TextChoices):
    """Where points come from."""

    REPORTED = "REPORTED", "Reported by the game"
    ROUNDS = "ROUNDS", "Computed from game rounds"


class StartMode(models.TextChoices):
    """What starts it; a call may always start it early."""

    AT_TIME = "AT_TIME", "At its start time"
    BY_CALL = "BY_CALL", "When told to"
    AT_COUNT = "AT_COUNT", "When enough players have come"


class TiePolicy(models.TextChoices):
    """How equal points are paid."""

    UNIQUE = "unique", "Positions are unique"
    SPLIT = "split", "Equal points share their prizes"


class TournamentType(models.TextChoices):
    """`config.tournament_type` of the casino dialect."""

    POINTS_BASED = "points_based", "Points"
    ELIMINATION = "elimination", "Elimination"


# Late registration and rebuys end this long after the start unless the tournament says otherwise (operators.md 4.5).
DEFAULT_REBUY_WINDOW = timedelta(minutes=30)


class Tournament(TournamentLifecycle):
    """One competition. Amounts are base units of `asset`; percentages are exact decimals written as text.

    Everything from `entry_mode` to `rail` is policy: a snapshot taken at creation, so that a change of the operator's
    preferences touches later tournaments only.
    """

    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="tournaments")
    game = models.ForeignKey(Game, on_delete=models.PROTECT, related_name="tournaments")
    name = models.CharField(max_length=200)
    external_id = models.CharField(max_length=128, null=True, blank=True)
    tournament_type = models.CharField(
        max_length=16, choices=TournamentType.choices, default=TournamentType.POINTS_BASED
    )
    config = models.JSONField(
        default=dict, blank=True, help_text="Handed to the game as it is.", encoder=ExactEncoder, decoder=ExactDecoder
    )

    # Entry
    entry_mode = models.CharField(max_length=8, choices=EntryMode.choices, default=EntryMode.OPEN)
    asset = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="+")
    fee_units = models.DecimalField(max_digits=38, decimal_places=0, default=0)
    funding = models.CharField(max_length=8, choices=Funding.choices, default=Funding.CLEARING)
    min_players = models.PositiveIntegerField(default=2)
    max_players = models.PositiveIntegerField(null=True, blank=True, help_text="Empty: unlimited.")
    enforce_min_players = models.BooleanField(
        default=False, help_text="Cancel with full refunds instead of starting with too few players."
    )
    max_entries = models.PositiveSmallIntegerField(default=1, help_text="Entries per player, the first included.")
    rebuy_enabled = models.BooleanField(default=False)
    rebuy_fee_units = models.DecimalField(max_digits=38, decimal_places=0, default=0)
    rebuy_minutes = models.PositiveIntegerField(default=30, help_text="Rebuys end this long after the start.")
    late_registration = models.BooleanField(default=False)
    registration_opens_at = models.DateTimeField(null=True, blank=True)

    # Scoring
    scoring_source = models.CharField(max_length=8, choices=ScoringSource.choices, default=ScoringSource.REPORTED)
    scoring = models.JSONField(default=dict, blank=True, encoder=ExactEncoder, decoder=ExactDecoder)
    tie_policy = models.CharField(max_length=6, choices=TiePolicy.choices, default=TiePolicy.UNIQUE)
    max_rounds = models.PositiveIntegerField(null=True, blank=True, help_text="The last round ends the tournament.")

    # Start and end
    start_mode = models.CharField(max_length=8, choices=StartMode.choices, default=StartMode.AT_TIME)
    starts_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)

    # Prizes: rules are [{"minPlayers": 0, "percentages": ["50", "30", "20"]}]; the last rule that fits counts.
    prize_rules = models.JSONField(default=list)
    guarantee_units = models.DecimalField(max_digits=38, decimal_places=0, default=0)
    rake_bps = models.PositiveIntegerField("rake, basis points", default=0)
    developer_bps = models.PositiveIntegerField("developer fee, basis points", default=0)
    stakeholder_bps = models.PositiveIntegerField("stakeholder fee, basis points", default=0)
    platform_bps = models.PositiveIntegerField("platform fee, basis points", default=0)

    prize_table = models.JSONField(
        default=list,
        db_default=[],
        blank=True,
        encoder=ExactEncoder,
        decoder=ExactDecoder,
        help_text="Prizes by rank, as `services.prizes` reads them; empty: the rules above.",
    )

    # Settlement
    needs_approval = models.BooleanField(default=False, help_text="Staff approve the payouts before they move.")
    approval_from_units = models.DecimalField(
        max_digits=38, decimal_places=0, null=True, blank=True, help_text="Pools from here on need approval."
    )
    rail = models.CharField(max_length=10, choices=Rail.choices, default=Rail.CLEARING)
    payout_url = models.CharField(
        max_length=500, blank=True, default="", db_default="", help_text="Empty: the operator's own."
    )
    debit_url = models.CharField(
        max_length=500, blank=True, default="", db_default="", help_text="Where buy-ins are asked for."
    )

    # What happened
    escrow = models.OneToOneField(Account, on_delete=models.PROTECT, related_name="+")
    started_immediately = models.BooleanField(default=False)
    current_round = models.PositiveIntegerField(default=0)
    room_id = models.CharField(max_length=200, blank=True)
    room_url = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField()
    published_at = models.DateTimeField(null=True, blank=True)
    registration_closed_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    cancel_reason = models.CharField(max_length=500, blank=True)
    status_before_cancel = models.CharField(max_length=20, blank=True)
    problem = models.CharField(max_length=500, blank=True)

    objects = TournamentQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(name="tournaments_external_id_once", fields=["operator", "external_id"]),
            models.CheckConstraint(name="tournaments_status_known", condition=Q(status__in=TournamentStatus.values)),
            models.CheckConstraint(
                name="tournaments_amounts_not_negative",
                condition=Q(fee_units__gte=0, rebuy_fee_units__gte=0, guarantee_units__gte=0),
            ),
            models.CheckConstraint(
                name="tournaments_min_within_max",
                condition=Q(max_players=None) | Q(min_players__lte=F("max_players")),
            ),
            models.CheckConstraint(
                name="tournaments_fees_leave_prizes",
                condition=Q(rake_bps__lte=10_000 - F("developer_bps") - F("stakeholder_bps") - F("platform_bps")),
            ),
            models.CheckConstraint(
                name="tournaments_cancelled_has_time",
                condition=~Q(status__in=("REFUNDING", "CANCELED")) | Q(cancelled_at__isnull=False),
            ),
            models.CheckConstraint(
                name="tournaments_finished_has_time",
                condition=~Q(status__in=("SETTLING", "CLOSED")) | Q(completed_at__isnull=False),
            ),
        )
        indexes = (
            models.Index(name="tournaments_by_start", fields=["operator", "starts_at", "id"]),
            models.Index(name="tournaments_newest", fields=["operator", "-id"]),
            models.Index(
                name="tournaments_due_to_start",
                fields=["starts_at"],
                condition=Q(status__in=("REGISTERING", "REGISTRATION_CLOSED")),
            ),
            models.Index(name="tournaments_due_to_end", fields=["ends_at"], condition=Q(status="RUNNING")),
            # The admin: what is not over, by state; the words of a name.
            models.Index(
                name="tournaments_open",
                fields=["operator", "status", "-id"],
                condition=Q(status__in=sorted(set(TournamentStatus) - set(ENDED))),
            ),
            GinIndex(SearchVector("name", config="simple"), name="tournaments_words"),
            models.Index(
                name="tournaments_paying", fields=["id"], condition=Q(status__in=("SETTLING", "REFUNDING", "FAILED"))
            ),
        )
        permissions = (
            ("publish_tournament", "Can publish a tournament"),
            ("close_registration", "Can close registration"),
            ("start_tournament", "Can start a tournament"),
            ("complete_tournament", "Can complete a tournament"),
            ("cancel_tournament", "Can cancel a tournament and refund everyone"),
            ("resume_tournament", "Can resume a tournament that needs attention"),
        )
        triggers = (edges_trigger("tournament_status_edges", EDGES),)

    def __str__(self) -> str:
        return self.name

    @property
    def subject(self) -> str:
        """How the ledger, facts and jobs name this tournament."""
        return f"tournament:{self.pk}"

    @property
    def shares_ranks(self) -> bool:
        """Whether equal points have one rank; otherwise a rank is a place, and unique."""
        return shares_ranks(self.scoring)

    @property
    def rebuy_deadline(self) -> datetime | None:
        """When rebuys and late registration end; unknown until there is a start."""
        start = self.started_at or self.starts_at
        return start + timedelta(minutes=self.rebuy_minutes) if start else None
