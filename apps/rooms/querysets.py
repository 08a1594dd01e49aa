"""Reads and locks of rooms."""

from typing import Self

from django.db.models import CharField, Exists, OuterRef, Value
from django.db.models.functions import Cast, Concat

from apps.ledger.models import AccountKind, Balance
from apps.operators.models.tenants import OwnedQuerySet


class RoomQuerySet(OwnedQuerySet):
    """Rooms; the tenant filter is inherited."""

    def of_game(self, operator_id: int, game_id: str) -> Self:
        """Narrow to what one game may touch (rooms.md 6.10)."""
        return self.filter(operator_id=operator_id, game_id=game_id)

    def expired(self) -> Self:
        """Narrow to rooms whose time was over before anybody ended them."""
        return self.filter(status="OPEN", expired_at__isnull=False)

    def with_money(self) -> Self:
        """Narrow to rooms that hold anything. For few rooms: it looks at the accounts of each."""
        held = Balance.objects.filter(
            account__operator_id=OuterRef("operator_id"),
            account__kind=AccountKind.ESCROW,
            account__subject=Concat(Value("room:"), Cast(OuterRef("pk"), CharField())),
            units__gt=0,
        )
        return self.filter(Exists(held))

    def locked_for_update(self) -> Self:
        """Row locks in primary-key order. Whoever changes a room, its members or its money holds its row."""
        return self.order_by("pk").select_for_update(of=("self",), no_key=True)
