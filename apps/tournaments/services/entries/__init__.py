"""Enter, rebuy, leave: what a player's place in a tournament costs and gives back."""

from apps.tournaments.services.entries.changing import (
    PlayerNotActive,
    RebuyDeadlinePassed,
    RebuyLimitReached,
    RebuyNotAllowed,
    Removal,
    RemovalReason,
    adjust_score,
    rebuy,
    remove,
    remove_with_refund,
    reset_score,
)
from apps.tournaments.services.entries.ground import (
    PlayerNotFound,
    TournamentNotFound,
    collect,
    hold_entry,
    is_over,
    save_ranked,
    source_of,
)
from apps.tournaments.services.entries.joining import enter_many
from apps.tournaments.services.entries.registering import (
    BuyInMismatch,
    DuplicateRegistration,
    NotInvited,
    RegistrationClosed,
    TournamentFull,
    register,
)

__all__ = [
    "BuyInMismatch",
    "DuplicateRegistration",
    "NotInvited",
    "PlayerNotActive",
    "PlayerNotFound",
    "RebuyDeadlinePassed",
    "RebuyLimitReached",
    "RebuyNotAllowed",
    "RegistrationClosed",
    "Removal",
    "RemovalReason",
    "TournamentFull",
    "TournamentNotFound",
    "adjust_score",
    "collect",
    "enter_many",
    "hold_entry",
    "is_over",
    "rebuy",
    "register",
    "remove",
    "remove_with_refund",
    "reset_score",
    "save_ranked",
    "source_of",
]
