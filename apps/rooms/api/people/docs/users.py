"""Players, tokens, logs and chips."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers

from apps.rooms.api.people.docs.fields import (
    LIMIT,
    OFFSET,
    TAG,
    TRAITS,
    Anything,
    TextByName,
    amounts,
    maybe,
    null,
    query,
    text,
    texts,
    yes,
)
from apps.rooms.api.schema import ERROR, describe, shape

_TOKEN = {
    "chainId": serializers.IntegerField(),
    **{name: text() for name in ("address", "name", "symbol")},
    "decimals": serializers.IntegerField(),
    **{name: text() for name in ("logoURI", "apiId", "cmcURL", "cmcId", "cgURL", "cgId", "website", "category")},
    "shortDescription": text(),
    "nativeChainId": serializers.IntegerField(),
    **{name: text() for name in ("nativeChainName", "nativeChainLogoURI", "nativeContractAddress")},
    "isGameStake": yes(),
    "price": serializers.FloatField(allow_null=True),
    "updatedAt": text(),
    "nextUpdatedAt": text(),
}
_TOKEN_LIST = shape(
    "RoomTokenList",
    name=text(),
    timestamp=text(),
    version=shape(
        "RoomTokenListVersion",
        major=serializers.IntegerField(),
        minor=serializers.IntegerField(),
        patch=serializers.IntegerField(),
    ),
    tokens=serializers.ListField(child=shape("RoomToken", **_TOKEN)),
)
TOKEN_LIST = describe("rooms_tokens", "Tokens", _TOKEN_LIST, tag=TAG, public=True)
TOKEN_OF_LIST = describe("rooms_token", "One token", _TOKEN_LIST, tag=TAG, public=True)
_BALANCE = OpenApiTypes.OBJECT
BALANCE = describe("rooms_balances", "What a player can spend", _BALANCE, tag=TAG)
BALANCE_OF_TOKEN = describe("rooms_balance", "What a player can spend of a token", _BALANCE, tag=TAG)
BALANCE_OF_ADDRESS = describe("rooms_balances_of_address", "What the player of an address can spend", _BALANCE, tag=TAG)
INFO = describe(
    "rooms_user",
    "Who a player is",
    shape(
        "RoomUser",
        plyrId=text(),
        username=text(),
        walletAddress=text(),
        avatarUrl=text(),
        mirrorAddress=text(),
        primaryAddress=text(),
        chainId=serializers.IntegerField(),
        createdAt=text(),
        **TRAITS,
    ),
    tag=TAG,
)
AVATAR = describe("rooms_avatar", "A player's picture", shape("RoomAvatar", avatar=text()), tag=TAG)
_PLYR_IDS = shape("RoomAvatarsIn", plyrIds=texts())
AVATARS = describe(
    "rooms_avatar_map", "Pictures by player", OpenApiTypes.OBJECT, request=_PLYR_IDS, tag=TAG, public=True
)
AVATAR_LINES = describe(
    "rooms_avatar_list",
    "Pictures of players",
    shape("RoomAvatars", avatars=serializers.ListField(child=shape("RoomAvatarLine", plyrId=text(), avatar=text()))),
    request=_PLYR_IDS,
    tag=TAG,
    public=True,
)
PICTURE = extend_schema(
    operation_id="rooms_picture",
    summary="The picture of a name",
    tags=[TAG],
    auth=[],
    responses={
        (200, "image/svg+xml"): OpenApiTypes.STR,
        400: ERROR,
        404: ERROR,
        405: ERROR,
        429: ERROR,
        500: ERROR,
    },
)
LOGS = describe(
    "rooms_logs",
    "What a player did",
    shape(
        "RoomLogs",
        logs=serializers.ListField(child=shape("RoomLogLine", timestamp=text(), action=text(), details=Anything())),
    ),
    parameters=(
        query("startTime", "ISO time or milliseconds."),
        query("endTime", "ISO time or milliseconds."),
        LIMIT,
    ),
    tag=TAG,
)
ACTIONS = describe(
    "rooms_actions",
    "What a player did, as an array",
    inline_serializer(
        "RoomActionLine",
        {
            "plyrId": text(),
            "gameId": text(),
            "type": text(),
            "action": text(),
            "data": Anything(),
            "timestamp": text(),
        },
        many=True,
    ),
    parameters=(OFFSET, LIMIT),
    tag=TAG,
)

# --- chips ------------------------------------------------------------------------------------------------------------

_MOVED = shape(
    "RoomChipTask",
    taskId=text(),
    data=Anything(),
    status=serializers.ChoiceField(("PENDING", "SUCCESS", "FAILED")),
    hash=null(),
    completedAt=null(),
    taskData=Anything(),
    result=Anything(),
)
_CHIPS = {"chips": texts("Addresses or symbols."), "amounts": amounts()}
CREATE_CHIP = describe(
    "rooms_chip_create",
    "Make a chip",
    _MOVED,
    request=shape("RoomChipIn", name=text(), symbol=text(), image=maybe()),
    sends={"name": "Gold coin", "symbol": "GOLD"},
    tag=TAG,
)
MINT_CHIP = describe(
    "rooms_chip_mint", "Give new chips", _MOVED, request=shape("RoomChipMintIn", **_CHIPS, plyrIds=texts()), tag=TAG
)
BURN_CHIP = describe(
    "rooms_chip_burn", "Unmake chips", _MOVED, request=shape("RoomChipBurnIn", **_CHIPS, plyrIds=texts()), tag=TAG
)
TRANSFER_CHIP = describe(
    "rooms_chip_transfer",
    "Move chips",
    _MOVED,
    request=shape("RoomChipTransferIn", **_CHIPS, fromPlyrIds=texts(), toPlyrIds=texts()),
    tag=TAG,
)
CHIP_BALANCE = describe(
    "rooms_chip_balance",
    "A player's chips",
    shape("RoomChipBalance", plyrId=text(), chip=maybe(), balance=maybe(), balances=TextByName()),
    parameters=(query("plyrId", required=True), query("chip", "An address or symbol; without it, all.")),
    tag=TAG,
)
CHIP_INFO = describe(
    "rooms_chip_info",
    "This game's chips",
    shape(
        "RoomChips",
        chips=serializers.ListField(
            child=shape(
                "RoomChip",
                **{
                    name: text()
                    for name in ("chip", "address", "gameId", "name", "symbol", "image", "apiId", "totalSupply")
                },
                decimals=serializers.IntegerField(),
            )
        ),
    ),
    parameters=(query("chip", "An address or symbol; without it, all."),),
    tag=TAG,
)
