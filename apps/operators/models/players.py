"""Players and what keeps them from playing."""

from datetime import datetime
from typing import Self

from django.contrib.postgres.indexes import OpClass
from django.db import models
from django.db.models import F
from django.db.models.functions import Upper

from apps.core import clock
from apps.operators.models.history import ChangesOnly
from apps.operators.models.tenants import Brand, Operator, OwnedQuerySet


class BlockKind(models.TextChoices):
    """Why nothing may take a player's money or enter them."""

    SUSPENDED = "SUSPENDED", "Suspended by the operator"
    SELF_EXCLUDED = "SELF_EXCLUDED", "Self-excluded"


class PlayerQuerySet(OwnedQuerySet):
    """Players; the tenant filter is inherited."""

    def known_as(self, user_id: str) -> Self:
        """Narrow to the operator's own id of a player; the one of the operator's first brand comes first."""
        return self.filter(external_id=user_id).order_by("brand_id", "pk")


class Player(models.Model):
    """A player of one operator's brand. Blocked players are still paid what they are owed."""

    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="players")
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="players")
    external_id = models.CharField("user id", max_length=128)
    display_name = models.CharField(max_length=64, blank=True)
    eos_id = models.CharField("EOS id", max_length=64, blank=True)
    block_kind = models.CharField(max_length=16, choices=BlockKind.choices, blank=True, default="")
    block_reason = models.CharField(max_length=200, blank=True)
    blocked_at = models.DateTimeField(null=True, blank=True)
    blocked_until = models.DateTimeField(null=True, blank=True, help_text="Empty: until lifted.")
    excluded_until = models.DateTimeField(
        null=True, blank=True, help_text="Before this moment nobody can lift the player's self-exclusion."
    )
    created_at = models.DateTimeField(default=clock.now)

    objects = PlayerQuerySet.as_manager()
    history = ChangesOnly()

    class Meta:
        constraints = (
            models.UniqueConstraint(name="operators_player_once", fields=["operator", "brand", "external_id"]),
            models.CheckConstraint(
                name="operators_block_has_time",
                condition=models.Q(block_kind="", blocked_at=None)
                | (~models.Q(block_kind="") & models.Q(blocked_at__isnull=False)),
            ),
        )
        indexes = (
            models.Index(name="operators_player_by_user_id", fields=["operator", "external_id"]),
            # The admin's search by the beginning of a name, and its list of who is blocked.
            models.Index(
                F("operator"), OpClass(Upper("display_name"), "text_pattern_ops"), name="operators_player_by_name"
            ),
            models.Index(
                name="operators_player_blocked", fields=["operator", "-id"], condition=~models.Q(block_kind="")
            ),
        )
        permissions = (("block_player", "Can suspend, self-exclude and reinstate players"),)

    def __str__(self) -> str:
        return self.display_name or self.external_id

    def is_blocked(self, at: datetime) -> bool:
        """Tell whether a suspension or self-exclusion holds at a moment; it ends by itself at `blocked_until`."""
        return bool(self.block_kind) and (self.blocked_until is None or at < self.blocked_until)

    def status_at(self, at: datetime) -> str:
        """Return `active`, `suspended` or `self_excluded`, as it holds at a moment."""
        return self.block_kind.lower() if self.is_blocked(at) else "active"
