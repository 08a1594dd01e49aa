"""Connection codes, and what an application may know of a player (rumble.md 3.1, 3.29)."""

from decimal import Decimal

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core import clock
from apps.rumble.api.dialect.base import ApplicationView, PlayerView, moment
from apps.rumble.api.dialect.docs import USERS, describe, number, shape
from apps.rumble.services import connections, people

CodeOut = shape("ConnectionCode", code=serializers.CharField(), expireAt=serializers.DateTimeField())
ProfileOut = shape(
    "UserProfile",
    id=serializers.UUIDField(),
    eosId=serializers.CharField(),
    username=serializers.CharField(),
    networth=number(),
    level=serializers.CharField(),
    avatarUrl=serializers.CharField(),
    initialCity=serializers.CharField(),
    currentCity=serializers.CharField(),
    isInJail=serializers.BooleanField(),
    homeAddress=shape(
        "HomeAddress", propertyId=serializers.IntegerField(allow_null=True), fullAddress=serializers.CharField()
    ),
)
BalancesOut = shape("UserBalances", availableUpx=number(), availableSpark=number(), stakedSpark=number())
# There are no cities and no properties here; clients find the names they look for.
LEVEL = "Uplander"


class OtpInitView(ApplicationView):
    """The beginning of a connection."""

    @describe("AuthController_otpInit", "Get a connection code", {201: CodeOut}, tag=USERS)
    def post(self, request: Request) -> Response:
        """Return a code that a player enters; the token comes by webhook. Any body is ignored."""
        made = connections.make_code(self.application, actor=self.actor, at=clock.now())
        return Response({"code": made.code, "expireAt": moment(made.expires_at)}, status=201)


@extend_schema(exclude=True)
class MisspelledOtpInitView(OtpInitView):
    """The same, as the original's documentation spells its address."""


class ProfileView(PlayerView):
    """Who the player is."""

    @describe("UserController_getProfile", "Get the player's profile", {200: ProfileOut}, tag=USERS)
    def get(self, request: Request) -> Response:
        """Return the player behind the token."""
        profile = people.profile_of(self.connection.player)
        told = {
            "id": profile.user_id,
            "eosId": profile.eos_id,
            "username": profile.username,
            "networth": profile.upx,
            "level": LEVEL,
            "avatarUrl": profile.avatar_url,
            "initialCity": "",
            "currentCity": "",
            "isInJail": False,
            "homeAddress": {"propertyId": None, "fullAddress": ""},
        }
        return Response(told)


class BalancesView(PlayerView):
    """What the player has."""

    @describe("UserController_getBalances", "Get the player's balances", {200: BalancesOut}, tag=USERS)
    def get(self, request: Request) -> Response:
        """Return what is the player's to spend: nothing that waits between signature and finality."""
        upx = people.profile_of(self.connection.player).upx
        return Response({"availableUpx": upx, "availableSpark": Decimal(0), "stakedSpark": Decimal(0)})
