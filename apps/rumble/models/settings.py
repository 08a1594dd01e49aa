"""Templates of tournaments."""

from django.db import models
from django.db.models import F, Q

from apps.operators.models import Operator
from apps.operators.models.tenants import OwnedQuerySet
from apps.operators.uuids import uuid_of
from apps.rumble.models.applications import Application


class SettingsStatus(models.TextChoices):
    """Whether new tournaments may be made of it. Only staff switch one off (rumble.md 10, no. 29)."""

    ACTIVE = "ACTIVE", "Active"
    INACTIVE = "INACTIVE", "Inactive"


class TournamentSettings(models.Model):
    """What tournaments of an application are made of; each keeps a copy of what stood here when it was made.

    `rules` are [{"minParticipants": 4, "distribution": ["70", "30"]}], in the order given; shares are exact percentages
    as text. Fees are basis points of what is paid, the entry fee whole UPX.
    """

    operator = models.ForeignKey(
        Operator, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="settings", db_index=False)
    name = models.CharField(max_length=100)
    description = models.CharField(max_length=1000, blank=True)
    min_participants = models.PositiveIntegerField()
    max_participants = models.PositiveIntegerField()
    fee_units = models.DecimalField("registration fee, UPX", max_digits=38, decimal_places=0)
    rules = models.JSONField()
    developer_bps = models.PositiveIntegerField("developer fee, basis points", default=0)
    developer_eos_id = models.CharField("developer's EOS id", max_length=64, blank=True)
    stakeholder_bps = models.PositiveIntegerField("stakeholder fee, basis points", null=True, blank=True)
    status = models.CharField(max_length=8, choices=SettingsStatus.choices, default=SettingsStatus.ACTIVE)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    objects = OwnedQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "tournament settings"
        constraints = (
            models.CheckConstraint(
                name="rumble_settings_min_within_max",
                condition=Q(min_participants__gte=1, max_participants__gte=F("min_participants")),
            ),
            models.CheckConstraint(
                name="rumble_settings_fees_in_range",
                condition=Q(developer_bps__lte=1000)
                & (Q(stakeholder_bps=None) | Q(stakeholder_bps__lte=1000))
                & Q(fee_units__gte=0),
            ),
            models.CheckConstraint(name="rumble_settings_status_known", condition=Q(status__in=SettingsStatus.values)),
        )
        indexes = (models.Index(name="rumble_settings_newest", fields=["application", "-created_at", "id"]),)

    def __str__(self) -> str:
        return self.name

    @property
    def public_id(self) -> str:
        """The id on the wire."""
        return uuid_of("rumble-settings", self.pk)
