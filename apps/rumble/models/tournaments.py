"""What only rumble tournaments have, beside the engine's row, and who takes part (rumble.md 3.6 to 3.15)."""

from django.db import models
from django.db.models import Q

from apps.core.lifecycle import edges_trigger
from apps.ledger.models import ChainTransaction
from apps.operators.models import Operator, Player
from apps.operators.models.tenants import OwnedQuerySet
from apps.operators.uuids import uuid_of
from apps.rumble.lifecycle import PARTICIPANT_EDGES, ParticipantLifecycle, ParticipantStatus
from apps.rumble.models.applications import Application
from apps.rumble.models.containers import Container
from apps.rumble.models.settings import TournamentSettings
from apps.tournaments.models import Entry, Tournament


class RumbleTournament(models.Model):
    """The rumble side of one tournament; state, rules, fees and prizes are the engine's.

    `min_participants` and `stakeholder_bps` are the settings' own numbers: the engine's row has what follows from them
    (the larger minimum, no stakeholder's fee without a stakeholder). `resolution` is the newest transaction that pays
    prizes or refunds.
    """

    tournament = models.OneToOneField(
        Tournament, on_delete=models.PROTECT, primary_key=True, related_name="rumble", serialize=False
    )
    operator = models.ForeignKey(
        Operator, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="tournaments", db_index=False)
    settings = models.ForeignKey(TournamentSettings, on_delete=models.PROTECT, related_name="tournaments")
    container = models.OneToOneField(Container, on_delete=models.PROTECT, related_name="rumble")
    min_participants = models.PositiveIntegerField()
    stakeholder_bps = models.PositiveIntegerField(default=0)
    stakeholder_eos_id = models.CharField("stakeholder's EOS id", max_length=64, blank=True)
    developer_eos_id = models.CharField("developer's EOS id", max_length=64, blank=True)
    resolution = models.ForeignKey(ChainTransaction, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        indexes = (models.Index(name="rumble_tournament_of_app", fields=["application", "-created_at"]),)

    def __str__(self) -> str:
        return f"rumble {self.pk}"

    @property
    def public_id(self) -> str:
        """The id on the wire."""
        return uuid_of("rumble-tournament", self.pk)


class Participant(ParticipantLifecycle):
    """A player's place and its payment. `entry` is their entry in the engine from the moment the payment is final.

    A player who was removed and joins again is another participant.
    """

    operator = models.ForeignKey(
        Operator, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    rumble = models.ForeignKey(RumbleTournament, on_delete=models.PROTECT, related_name="participants", db_index=False)
    player = models.ForeignKey(Player, on_delete=models.PROTECT, related_name="rumble_participants")
    transaction = models.OneToOneField(
        ChainTransaction, on_delete=models.PROTECT, null=True, blank=True, related_name="participant"
    )
    entry = models.OneToOneField(Entry, on_delete=models.PROTECT, null=True, blank=True, related_name="participant")
    eos_id = models.CharField("EOS id", max_length=64)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    joined_at = models.DateTimeField(null=True, blank=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                name="rumble_one_live_participant",
                fields=["rumble", "player"],
                condition=~Q(status=ParticipantStatus.REMOVED),
            ),
            models.CheckConstraint(
                name="rumble_participant_status_known", condition=Q(status__in=ParticipantStatus.values)
            ),
            models.CheckConstraint(
                name="rumble_active_has_entry",
                condition=~Q(status=ParticipantStatus.ACTIVE) | Q(entry__isnull=False, joined_at__isnull=False),
            ),
        )
        indexes = (
            models.Index(name="rumble_participant_newest", fields=["rumble", "-created_at", "id"]),
            models.Index(name="rumble_participant_of", fields=["rumble", "player", "-id"]),
        )
        triggers = (edges_trigger("participant_status_edges", PARTICIPANT_EDGES),)

    def __str__(self) -> str:
        return self.eos_id

    @property
    def public_id(self) -> str:
        """The id on the wire."""
        return uuid_of("rumble-participant", self.pk)
