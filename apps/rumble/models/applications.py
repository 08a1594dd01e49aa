"""Applications: who may call the rumble dialect, and on what terms."""

from django.db import models
from django.db.models import Q

from apps.core import clock
from apps.events.models import Endpoint
from apps.operators.models import Operator
from apps.operators.models.history import ChangesOnly
from apps.operators.models.tenants import OwnedQuerySet


class Signing(models.TextChoices):
    """Who signs the payments of an application's players."""

    AUTO = "auto", "At once, by the platform"
    PLAYER = "player", "The player, within ten minutes"


class Application(models.Model):
    """A program that runs tournaments. Its keys are credentials of the kind `APPLICATION` whose `ref` is `app_id`.

    `expiration_hours`, `platform_bps` and `developer_eos_id` hold for what is created from now on: settings, containers
    and tournaments keep their own copies. While `inactivated_at` is set every call of its keys is refused.
    """

    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="applications")
    app_id = models.BigIntegerField("app id", unique=True)
    name = models.CharField(max_length=120)
    description = models.CharField(max_length=1000, blank=True)
    logo_url = models.URLField("logo", max_length=500, blank=True)
    developer_eos_id = models.CharField(
        "developer's EOS id", max_length=64, blank=True, help_text="Who gets the developer's fee. Empty: the operator."
    )
    expiration_hours = models.PositiveIntegerField(
        default=24, help_text="How long its containers and tournaments live."
    )
    signing = models.CharField(max_length=6, choices=Signing.choices, default=Signing.AUTO)
    platform_bps = models.PositiveIntegerField("platform fee, basis points", default=500)
    # Where its webhooks go; the token that they carry is the endpoint's.
    endpoint = models.OneToOneField(
        Endpoint, on_delete=models.PROTECT, null=True, blank=True, related_name="application"
    )
    created_at = models.DateTimeField(default=clock.now)
    inactivated_at = models.DateTimeField(null=True, blank=True)

    objects = OwnedQuerySet.as_manager()
    history = ChangesOnly()

    class Meta:
        constraints = (
            models.CheckConstraint(name="rumble_signing_known", condition=Q(signing__in=Signing.values)),
            models.CheckConstraint(name="rumble_application_lives", condition=Q(expiration_hours__gte=1)),
            models.CheckConstraint(name="rumble_platform_fee_leaves_most", condition=Q(platform_bps__lte=8000)),
        )
        indexes = (models.Index(name="rumble_applications_newest", fields=["operator", "-id"]),)
        permissions = (("manage_application", "Can register, change and inactivate applications"),)

    def __str__(self) -> str:
        return self.name or str(self.app_id)

    @property
    def subject(self) -> str:
        """How facts name this application."""
        return f"application:{self.app_id}"
