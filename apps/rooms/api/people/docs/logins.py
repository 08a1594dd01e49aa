"""Logins, passes and approvals."""

from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers

from apps.rooms.api.people.docs.fields import (
    TAG,
    TRAITS,
    Amount,
    Anything,
    amounts,
    maybe,
    null,
    seconds,
    text,
    texts,
    yes,
)
from apps.rooms.api.schema import ERROR, describe, error_shape, shape

_WHO = {"plyrId": text(), "gameId": text(), "primaryAddress": text(), "mirrorAddress": text()}
_WELCOME = {"sessionJwt": text("ES256"), "nonce": text(), **_WHO, **TRAITS}
_PROOF = {"plyrId": text(), "otp": text("The six digits that the player's authenticator shows.")}
_UID = {"uid": maybe("Keeps the answer for GET /auth/read/{uid}, ten minutes long.")}
_GRANT = {
    "tokens": texts("apiIds or addresses.", required=False),
    "amounts": amounts(required=False),
    "token": maybe("Instead of tokens, for one."),
    "amount": Amount(required=False),
}
_SESSION = shape("SessionJwt", sessionJwt=text())
_MESSAGE = shape("RoomMessage", message=text())
_LOGIN_ERRORS = {
    401: OpenApiResponse(ERROR, description="OTP_INVALID or OTP_REUSED"),
    403: OpenApiResponse(ERROR, description="USER_LOCKED, IPP_NO_OTP or PLAYER_BLOCKED"),
    404: OpenApiResponse(ERROR, description="USER_NOT_FOUND"),
}

_LOGIN = shape("RoomLogin", **_WELCOME)
LOGIN = describe(
    "rooms_login",
    "Log a player in",
    _LOGIN,
    request=shape("RoomLoginIn", **_PROOF, gameId=maybe(), expiresIn=seconds(86_400), **_UID),
    errors=_LOGIN_ERRORS,
    sends={"plyrId": "ana-11", "otp": "492039", "gameId": "mygame", "expiresIn": 86400},
    tag=TAG,
)
LOGIN_AND_APPROVE = describe(
    "rooms_login_and_approve",
    "Log a player in and approve spending",
    _LOGIN,
    request=shape("RoomLoginAndApproveIn", **_PROOF, gameId=text(), expiresIn=seconds(86_400), **_GRANT, **_UID),
    errors=_LOGIN_ERRORS,
    sends={"plyrId": "ana-11", "otp": "492039", "gameId": "mygame", "tokens": ["gamr"], "amounts": [100]},
    tag=TAG,
)
LOGOUT = describe(
    "rooms_logout",
    "Log a player out",
    _MESSAGE,
    request=_SESSION,
    errors={401: OpenApiResponse(error_shape("RoomLogoutError", message=text()), description="SESSION_INVALID")},
    gets={"message": "Logout success"},
    tag=TAG,
)
VERIFY_SESSION = describe(
    "rooms_verify_session",
    "Check a session",
    shape(
        "RoomSession",
        isValid=yes(),
        plyrId=text(),
        walletAddress=text(),
        success=yes(),
        payload=shape(
            "RoomSessionPayload",
            nonce=serializers.IntegerField(),
            iat=serializers.IntegerField(),
            exp=serializers.IntegerField(),
            **_WHO,
            **TRAITS,
        ),
    ),
    request=_SESSION,
    errors={
        401: OpenApiResponse(
            error_shape("RoomSessionError", isValid=yes(), success=yes()), description="SESSION_INVALID"
        )
    },
    tag=TAG,
)
PUBLIC_KEY = describe(
    "rooms_public_key",
    "The key that checks sessions",
    shape("RoomPublicKey", publicKey=text("base64 of PEM")),
    tag=TAG,
    public=True,
)
READ_AUTH = describe("rooms_auth_read", "Read a kept answer, once", shape("RoomKeptAnswer", data=Anything()), tag=TAG)
REVOKE_AUTH = describe("rooms_auth_revoke", "Forget a kept answer", _MESSAGE, tag=TAG)

# --- passes -----------------------------------------------------------------------------------------------------------

REGISTER_PASS = describe(
    "rooms_register_pass",
    "Let a guest in",
    shape(
        "RoomGuest",
        **_WELCOME,
        task=shape("RoomGuestTask", id=text(), status=serializers.ChoiceField(("PENDING", "SUCCESS", "FAILED"))),
    ),
    request=shape(
        "RoomGuestIn",
        tokens=texts("What the guest lets this game take."),
        sync=serializers.BooleanField(required=False),
    ),
    sends={"tokens": ["plyr", "gamr"]},
    tag=TAG,
)
REVEAL_CODE = describe(
    "rooms_reveal_code",
    "Show a guest's claiming code",
    shape("RoomClaimingCode", claimingCode=text(), claimingUrl=text(), **_WHO),
    request=_SESSION,
    tag=TAG,
)
VERIFY_CODE = describe(
    "rooms_verify_code",
    "Look at a claiming code",
    shape("RoomCodeHolder", valid=yes(), status=text(), plyrId=text(), verified=yes()),
    errors={
        404: OpenApiResponse(
            error_shape("RoomCodeError", valid=serializers.BooleanField(required=False), status=maybe()),
            description="No such code",
        )
    },
    gets={"valid": True, "status": "UNCLAIMED", "plyrId": "teal-mango-0a1b2c", "verified": True},
    tag=TAG,
)
CLAIM = describe(
    "rooms_claim",
    "Claim a guest's account",
    shape(
        "RoomClaimed",
        plyrId=text(),
        secret=text("base32; shown this once."),
        otpauthUrl=text(),
        primaryAddress=text(),
        mirrorAddress=text(),
        **TRAITS,
    ),
    request=shape("RoomClaimIn", plyrId=text("The name that the player chooses.")),
    sends={"plyrId": "mara-77"},
    tag=TAG,
)

# --- approvals --------------------------------------------------------------------------------------------------------

APPROVE = describe(
    "rooms_approve",
    "Let a game take tokens",
    shape("RoomApproved", message=text(), success=yes()),
    request=shape("RoomApproveIn", **_PROOF, gameId=text(), **_GRANT, expiresIn=seconds(365 * 86_400), **_UID),
    errors=_LOGIN_ERRORS,
    sends={"plyrId": "ana-11", "gameId": "mygame", "otp": "492039", "token": "gamr", "amount": 100, "expiresIn": 3600},
    tag=TAG,
)
REVOKE = describe(
    "rooms_revoke",
    "Take an approval back",
    _MESSAGE,
    request=shape("RoomRevokeIn", **_PROOF, gameId=text("or `all`"), token=text("or `all`")),
    errors=_LOGIN_ERRORS,
    sends={"plyrId": "ana-11", "gameId": "mygame", "token": "all", "otp": "492039"},
    tag=TAG,
)
REVOKE_BY_SIGNATURE = describe(
    "rooms_revoke_by_signature",
    "Take an approval back with a wallet's signature (always refused: wallets here have no key)",
    _MESSAGE,
    request=shape("RoomRevokeBySignatureIn", plyrId=text(), gameId=text(), token=text(), signature=text()),
    sends={"plyrId": "ana-11", "gameId": "mygame", "token": "all", "signature": "0x"},
    tag=TAG,
)
_LEFT = {"allowance": text("In whole tokens."), "expiresAt": null()}
ALLOWANCE = describe(
    "rooms_allowance",
    "What a game may still take",
    shape("RoomAllowance", **_LEFT, data=shape("RoomAllowanceData", **_LEFT)),
    tag=TAG,
)
_ALLOWANCES = shape(
    "RoomAllowances",
    allowances=serializers.ListField(
        child=shape(
            "RoomAllowanceLine",
            plyrId=text(),
            gameId=text(),
            token=text(),
            amount=Amount(),
            expiresIn=serializers.IntegerField(),
            createdAt=text(),
        )
    ),
)
ALLOWANCES = describe("rooms_allowances", "What games may still take", _ALLOWANCES, tag=TAG)
ALLOWANCES_OF_GAME = describe("rooms_allowances_of_game", "What one game may still take", _ALLOWANCES, tag=TAG)
