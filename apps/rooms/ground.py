"""What an operation stands on: the room and all that it touches, as it is while the room is held. Pure."""

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property

import msgspec

from apps.rooms.models import Room


class HeldRoom(msgspec.Struct):
    """The room's row. Of one that is about to be created, only the number means something."""

    id: int
    status: str
    expires_at: datetime
    max_players: int


class HeldAsset(msgspec.Struct, array_like=True, frozen=True):
    """An asset by its code."""

    id: int
    scale: int
    enabled: bool


class HeldPlayer(msgspec.Struct, array_like=True):
    """A player of the operator; `member` is the key of their membership while they are in the room."""

    id: int
    block_kind: str
    blocked_until: datetime | None
    member: int | None

    def is_blocked(self, at: datetime) -> bool:
        """Tell whether a suspension or self-exclusion holds."""
        return bool(self.block_kind) and (self.blocked_until is None or at < self.blocked_until)


class HeldAllowance(msgspec.Struct, array_like=True):
    """What a player lets the game take, locked. `granted` is false once it is revoked."""

    id: int
    player_id: int
    asset_id: int
    units: str
    granted: bool
    expires_at: datetime


class HeldAccount(msgspec.Struct, array_like=True):
    """An account that exists. Only an escrow's units are sure to stay: wallets move without the room being held."""

    id: int
    kind: str
    subject: str
    asset_id: int
    units: str


class Ground(msgspec.Struct, dict=True):
    """All of it. `busy`: tasks of this room wait. `settings`: fee in percent and capacity, if the game has any."""

    room: HeldRoom | None
    busy: bool = False
    seated: int = 0
    settings: tuple[int, int] | None = None
    assets: dict[str, HeldAsset] = {}
    players: list[HeldPlayer] = []
    allowances: list[HeldAllowance] = []
    accounts: list[HeldAccount] = []

    @property
    def fee_percent(self) -> int:
        """What is kept back of everything paid out."""
        return self.settings[0] if self.settings else 0

    @property
    def capacity(self) -> int:
        """How many players a new room takes when it does not say; 0 is any number."""
        return self.settings[1] if self.settings else 0

    @cached_property
    def player(self) -> Mapping[int, HeldPlayer]:
        """Players by key."""
        return {player.id: player for player in self.players}

    @cached_property
    def allowance(self) -> Mapping[tuple[int, int], HeldAllowance]:
        """Allowances by player and asset."""
        return {(one.player_id, one.asset_id): one for one in self.allowances}

    @cached_property
    def account(self) -> Mapping[tuple[str, str, int], HeldAccount]:
        """Accounts by kind, subject and asset."""
        return {(one.kind, one.subject, one.asset_id): one for one in self.accounts}

    def units_of(self, kind: str, subject: str, asset_id: int) -> int:
        """Return what an account holds; nothing, if it does not exist yet."""
        found = self.account.get((kind, subject, asset_id))
        return int(found.units) if found else 0

    def held_by_room(self, room: Room) -> dict[int, int]:
        """Return what the room holds, by asset, zeros left out."""
        found = {a.asset_id: int(a.units) for a in self.accounts if a.kind == "ESCROW" and a.subject == room.subject}
        return {asset_id: units for asset_id, units in found.items() if units}


decode = msgspec.json.Decoder(Ground).decode
