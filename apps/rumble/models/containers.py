"""Escrow containers and what players put into them (rumble.md 3.18 to 3.27, 6.1)."""

from datetime import datetime

from django.db import models
from django.db.models import Q

from apps.core.lifecycle import edges_trigger
from apps.ledger.lifecycle import ChainStatus
from apps.ledger.models import Account, Asset, ChainTransaction
from apps.operators.models import Operator, Player
from apps.operators.models.tenants import OwnedQuerySet
from apps.rumble.lifecycle import CONTAINER_EDGES, OPEN, ContainerLifecycle, ContainerStatus
from apps.rumble.models.applications import Application
from apps.rumble.querysets import ContainerQuerySet


class Stop(models.TextChoices):
    """Why a container is to be given back though nobody asked for it."""

    EXPIRED = "EXPIRED", "Its lifetime is over"
    INACTIVATED = "INACTIVATED", "Its application was inactivated"


class Container(ContainerLifecycle):
    """The escrow of one contest; its number is the `containerId` of the wire.

    A tournament's container shares the tournament's escrow, and the tournament moves its money. `stop` says that it is
    to be given back as soon as no payment is on its way into it; from then on it takes nothing and nobody resolves it.
    `out` is the newest transaction out of it.
    """

    operator = models.ForeignKey(
        Operator, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="containers", db_index=False)
    asset = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="+", db_index=False)
    escrow = models.OneToOneField(Account, on_delete=models.PROTECT, related_name="+")
    user_limit = models.PositiveIntegerField(null=True, blank=True, help_text="It locks itself at so many players.")
    dev_shop_id = models.UUIDField("dev shop", null=True, blank=True)
    lifetime_hours = models.PositiveIntegerField()
    expires_at = models.DateTimeField()
    refreshed_at = models.DateTimeField(null=True, blank=True)
    stop = models.CharField(max_length=11, choices=Stop.choices, blank=True)
    out = models.ForeignKey(ChainTransaction, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = ContainerQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="rumble_container_status_known", condition=Q(status__in=ContainerStatus.values)
            ),
            models.CheckConstraint(
                name="rumble_container_ended_has_time",
                condition=~Q(status__in=("resolved", "expired")) | Q(ended_at__isnull=False),
            ),
        )
        indexes = (
            models.Index(name="rumble_container_newest", fields=["operator", "-id"]),
            models.Index(name="rumble_container_of_app", fields=["application", "-id"]),
            models.Index(
                name="rumble_container_due", fields=["expires_at"], condition=Q(status__in=[str(one) for one in OPEN])
            ),
            models.Index(
                name="rumble_container_stopping",
                fields=["id"],
                condition=Q(status__in=[str(one) for one in OPEN]) & ~Q(stop=""),
            ),
        )
        permissions = (("refund_container", "Can refund a container and retry what failed"),)
        triggers = (edges_trigger("container_status_edges", CONTAINER_EDGES),)

    def __str__(self) -> str:
        return f"container {self.pk}"

    @property
    def subject(self) -> str:
        """How the ledger and facts name a container of its own; a tournament's goes by its tournament."""
        return f"container:{self.pk}"


# The word of the wire for each state of a deposit's transaction (3.19).
DEPOSIT_WORDS = {
    ChainStatus.REQUESTED: "user_signature_requested",
    ChainStatus.SIGNED: "changing_ownership",
    ChainStatus.SUBMITTED: "changing_ownership",
    ChainStatus.FINAL: "in_escrow",
    ChainStatus.FAILED: "failed",
    ChainStatus.REJECTED: "rejected",
    ChainStatus.EXPIRED: "expired",
    ChainStatus.WITHDRAWN: "removed",
}


class Deposit(models.Model):
    """One request to move a player's UPX into a container; its number is the transfer request id of the wire."""

    container = models.ForeignKey(Container, on_delete=models.PROTECT, related_name="deposits")
    transaction = models.OneToOneField(ChainTransaction, on_delete=models.PROTECT, related_name="deposit")
    player = models.ForeignKey(Player, on_delete=models.PROTECT, related_name="+")
    owner_eos_id = models.CharField("owner's EOS id", max_length=64)
    units = models.DecimalField(max_digits=38, decimal_places=0)
    refunded_at = models.DateTimeField(null=True, blank=True)

    objects = OwnedQuerySet.as_manager()

    def __str__(self) -> str:
        return f"deposit {self.pk}"

    @property
    def wire_status(self) -> str:
        """Where it stands, in the word of the wire."""
        if self.refunded_at is not None:
            return "refunded"
        return DEPOSIT_WORDS[ChainStatus(self.transaction.status)]

    @property
    def in_escrow_since(self) -> datetime | None:
        """When it became final."""
        return self.transaction.ended_at if self.transaction.status == ChainStatus.FINAL else None
