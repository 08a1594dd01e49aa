"""Players and what keeps them from playing."""

from datetime import datetime
from typing import Self

from django.contrib.postgres.indexes import OpClass
from django.db import models
from django.db.models import F
from django.db.models.functions import Upper

from apps.core import clock
from apps.operators import handles
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

    def called(self, handle: str) -> Self:
        """Narrow to the one player who goes by a handle, however it is spelled."""
        return self.filter(handle=handles.normal(handle))


class Player(models.Model):
    """A player of one operator's brand. Blocked players are still paid what they are owed.

    `handle` is the name they go by in room games (their plyrId), unique for the operator over all of its brands. A
    guest was made by a game, with an Instant Play Pass, and has nothing to log in with.
    """

    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="players")
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="players")
    external_id = models.CharField("user id", max_length=128)
    display_name = models.CharField(max_length=64, blank=True)
    eos_id = models.CharField("EOS id", max_length=64, blank=True)
    handle = models.CharField("plyrId", max_length=handles.LONGEST, null=True, blank=True)
    is_guest = models.BooleanField("guest", default=False, db_default=False)
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
            # Players of tournaments have no handle, and so cost this index nothing.
            models.UniqueConstraint(
                name="operators_handle_once", fields=["operator", "handle"], condition=models.Q(handle__isnull=False)
            ),
            models.CheckConstraint(
                name="operators_handle_well_formed",
                condition=models.Q(handle=None) | models.Q(handle__regex=handles.PATTERN),
            ),
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


class PlayerSecret(models.Model):
    """What a player proves themselves with: the base32 secret of their one-time codes, encrypted.

    `spent` holds the codes tried in the last five minutes, as [code, unix seconds]; `failures` counts wrong ones in a
    row, and every fifth keeps the player out until `locked_until` (rooms.md 3.20).
    """

    player = models.OneToOneField(Player, on_delete=models.PROTECT, primary_key=True, related_name="secret")
    sealed_secret = models.TextField(editable=False)
    failures = models.PositiveSmallIntegerField(default=0)
    locked_until = models.DateTimeField(null=True, blank=True)
    spent = models.JSONField(default=list, editable=False)
    enrolled_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"secret of player {self.player_id}"
