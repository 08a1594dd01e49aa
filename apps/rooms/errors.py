"""What rooms refuse: one class per code of rooms.md 5, each with its hint. The dialect maps codes to statuses.

`early` refusals are about the request itself (who pays what without being let, or without being there): they leave no
task behind. The others are what an operation finds when it is done, and end its task as FAILED.
"""

from typing import ClassVar

from apps.core.errors import DomainError, NotFound


class RoomError(DomainError):
    """The room refuses this."""

    early: ClassVar[bool] = False


class InvalidParams(RoomError):
    """The request is not well formed."""

    kind = "invalid"
    code = "INVALID_PARAMS"
    hint = "Check the names, types and lengths of the fields against the documentation."
    early = True


class LengthMismatch(InvalidParams):
    """The arrays of the request must be the same length."""

    code = "LENGTH_MISMATCH"
    hint = "Entry i is player i, token i and amount i: send arrays of one length, repeating a player where needed."


class AmountInvalid(InvalidParams):
    """An amount is no number of zero or more with the decimals that the token has."""

    code = "AMOUNT_INVALID"
    hint = "Send amounts in whole tokens, zero or more, with no more decimals than the token counts."


class TokenInvalid(RoomError):
    """There is no such token."""

    kind = "invalid"
    code = "TOKEN_INVALID"
    hint = "Use an apiId or an address from /tokenlist."
    early = True


class NotApproved(RoomError):
    """The player has not approved this game to spend the token."""

    code = "NOT_APPROVED"
    hint = (
        "Have the player approve the token for this game, with /user/loginAndApprove or /game/approve, then pay again."
    )
    early = True


class AllowanceInsufficient(RoomError):
    """The player's allowance does not cover the amount."""

    code = "ALLOWANCE_INSUFFICIENT"
    hint = "Have the player approve a larger amount, or take less."
    early = True


class NotJoined(RoomError):
    """The player is not in the room."""

    code = "NOT_JOINED"
    hint = "Join the player first, with /game/join or /game/joinPay."
    early = True


class PlayerNotFound(RoomError):
    """There is no such player."""

    kind = "not_found"
    code = "USER_NOT_FOUND"
    hint = "Check the PLYR[ID]; it must belong to this operator."
    early = True


class RoomBusy(DomainError):
    """Somebody else holds the room. It is no refusal: what was asked for is still to be done."""

    kind = "unavailable"
    code = "ROOM_BUSY"
    hint = "Try again in a few seconds."


class RoomNotFound(RoomError):
    """The game has no such room."""

    kind = "not_found"
    code = "ROOM_NOT_FOUND"
    hint = "Use the roomId that create or createJoinPay answered for this game's key."


class RoomEnded(RoomError):
    """The room has ended."""

    code = "ROOM_ENDED"
    hint = "Create a new room."


class RoomExpired(RoomError):
    """The room has expired: nobody can join or pay any more."""

    code = "ROOM_EXPIRED"
    hint = "Pay out what the room holds and end it; create a new room, with a longer expiresIn if needed."


class RoomFull(RoomError):
    """The room is full."""

    code = "ROOM_FULL"
    hint = "Wait until a player leaves, or create another room."


class RoomNotEmpty(RoomError):
    """The room still holds money."""

    code = "ROOM_NOT_EMPTY"
    hint = "Pay out everything first, or use earnLeaveEnd with amounts that add up to what the room holds."


class InsufficientBalance(RoomError):
    """The player's wallet does not hold enough."""

    code = "INSUFFICIENT_BALANCE"
    hint = "Have the player add funds, or take less."


class InsufficientRoomBalance(RoomError):
    """The room does not hold enough."""

    code = "INSUFFICIENT_ROOM_BALANCE"
    hint = "Pay out no more than the room holds; GET /game/room/{roomId} shows its balances."


class PlayerMayNotPlay(RoomError):
    """The player is suspended or self-excluded."""

    kind = "forbidden"
    code = "PLAYER_BLOCKED"
    hint = "Nothing can be taken from this player and no room joined until the block ends; paying out works."


class TaskFailed(RoomError):
    """The operation could not be done."""

    code = "INTERNAL"
    hint = "Nothing was changed. Try again; if it happens again, tell the operator the task's id."


class TaskNotFound(NotFound):
    """There is no such task."""

    code = "TASK_NOT_FOUND"
    hint = "Use a task id that this game's key was answered; tasks are kept for 30 days."


class RoomEmpty(RoomError):
    """The room holds nothing."""

    code = "ROOM_EMPTY"
    hint = "There is nothing to give back: end it."


class NobodyPaid(RoomError):
    """Nobody who paid has anything to get back."""

    code = "NOBODY_PAID"
    hint = "The game took out what players paid in: close the room instead, once it has expired."


class RoomNotExpired(RoomError):
    """The room has not expired yet."""

    code = "ROOM_NOT_EXPIRED"
    hint = "Refund it, or wait until the game's time is over."
