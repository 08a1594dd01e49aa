"""Which players let which applications speak for them."""

from datetime import datetime

from django.db import models
from django.db.models import Q

from apps.operators.models import Operator, Player
from apps.operators.models.tenants import OwnedQuerySet
from apps.rumble.models.applications import Application


class ConnectionCode(models.Model):
    """A code that an application shows to a player, good for one connection until it expires (rumble.md 2.3).

    Exactly one of three things becomes of it: it waits, it was used, or its end was noted and told.
    """

    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="codes", db_index=False)
    code = models.CharField(max_length=10, unique=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    expired_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.CheckConstraint(name="rumble_code_ends_once", condition=Q(used_at=None) | Q(expired_at=None)),
        )
        indexes = (
            models.Index(
                name="rumble_codes_waiting", fields=["expires_at"], condition=Q(used_at=None, expired_at=None)
            ),
            models.Index(name="rumble_codes_newest", fields=["application", "-id"]),
        )

    def __str__(self) -> str:
        return self.code

    @property
    def subject(self) -> str:
        """How facts name this code."""
        return f"code:{self.pk}"

    def is_good(self, at: datetime) -> bool:
        """Tell whether it can still be entered."""
        return self.used_at is None and self.expired_at is None and at < self.expires_at


class Connection(models.Model):
    """An application may act for a player. One row per pair, for ever; `token_id` names the only token that counts.

    A player who disconnects stays in the tournaments that they are in, and is still paid (rumble.md 4.3).
    """

    operator = models.ForeignKey(
        Operator, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="connections", db_index=False)
    player = models.ForeignKey(Player, on_delete=models.PROTECT, related_name="connections")
    token_id = models.CharField(max_length=24, unique=True)
    connected_at = models.DateTimeField()
    disconnected_at = models.DateTimeField(null=True, blank=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        constraints = (models.UniqueConstraint(name="rumble_connected_once", fields=["application", "player"]),)
        indexes = (models.Index(name="rumble_connections_newest", fields=["operator", "-id"]),)

    def __str__(self) -> str:
        return f"player {self.player_id} with application {self.application_id}"

    @property
    def subject(self) -> str:
        """How facts name this connection."""
        return f"connection:{self.pk}"

    @property
    def is_live(self) -> bool:
        """Whether the player still lets the application act for them."""
        return self.disconnected_at is None
