"""Bodies of the operator's own endpoints (podium.md 2), in and out."""

from datetime import datetime
from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from apps.core.api.camel import CamelSerializer
from apps.core.clock import iso
from apps.operators.models import Brand, Credential, Game, Player
from apps.operators.scopes import KEY_ROLES, Scope


@extend_schema_serializer(component_name="PlayerToAdd")
class PlayerIn(CamelSerializer):
    """A player to make known."""

    user_id = serializers.CharField(max_length=128)
    display_name = serializers.CharField(max_length=64, required=False, default="", allow_blank=True)
    brand_id = serializers.CharField(max_length=64, required=False, allow_null=True, default=None)
    eos_id = serializers.CharField(max_length=64, required=False, default="", allow_blank=True)
    plyr_id = serializers.CharField(max_length=64, required=False, allow_null=True, default=None)


@extend_schema_serializer(component_name="OperatorPlayer")
class PlayerOut(CamelSerializer):
    """A player."""

    user_id = serializers.CharField()
    display_name = serializers.CharField(allow_blank=True)
    brand_id = serializers.CharField()
    eos_id = serializers.CharField(allow_null=True)
    plyr_id = serializers.CharField(allow_null=True, help_text="Their name in room games, once they have one.")
    status = serializers.ChoiceField(choices=["active", "suspended", "self_excluded"])
    reason = serializers.CharField(allow_null=True, help_text="Why the player is kept out.")
    until = serializers.DateTimeField(allow_null=True, help_text="When that ends by itself; null: not by itself.")
    created_at = serializers.DateTimeField()


@extend_schema_serializer(component_name="TotpToEnrol")
class TotpIn(CamelSerializer):
    """A second factor to set up."""

    plyr_id = serializers.CharField(
        max_length=64, required=False, allow_null=True, default=None, help_text="For a player who has none yet."
    )


@extend_schema_serializer(component_name="NewTotp")
class TotpOut(CamelSerializer):
    """A second factor just set up; the secret is shown this once."""

    plyr_id = serializers.CharField()
    secret = serializers.CharField(help_text="base32")
    otpauth_url = serializers.CharField(help_text="For a QR code; authenticator apps read it.")


@extend_schema_serializer(component_name="Suspension")
class SuspensionIn(CamelSerializer):
    """Keep a player out."""

    reason = serializers.CharField(max_length=200)
    until = serializers.DateTimeField(required=False, allow_null=True, default=None)


@extend_schema_serializer(component_name="SelfExclusion")
class SelfExclusionIn(CamelSerializer):
    """Keep a player out at their own wish."""

    reason = serializers.CharField(max_length=200, required=False, default="", allow_blank=True)
    until = serializers.DateTimeField(required=False, allow_null=True, default=None)


@extend_schema_serializer(component_name="Reason")
class ReasonIn(CamelSerializer):
    """Why."""

    reason = serializers.CharField(max_length=200)


@extend_schema_serializer(component_name="BrandToPut")
class BrandIn(CamelSerializer):
    """A brand to create or rename."""

    brand_id = serializers.CharField(max_length=64)
    name = serializers.CharField(max_length=120)


@extend_schema_serializer(component_name="Brand")
class BrandOut(CamelSerializer):
    """A brand with its own player base."""

    brand_id = serializers.CharField()
    name = serializers.CharField()


@extend_schema_serializer(component_name="GameToPut")
class GameIn(CamelSerializer):
    """What to set of a game; what is absent stays as it is."""

    display_name = serializers.CharField(max_length=120, required=False)
    provider = serializers.CharField(max_length=120, required=False, allow_blank=True)
    enabled = serializers.BooleanField(required=False)
    is_freeround_supported = serializers.BooleanField(required=False)
    icon_url = serializers.CharField(max_length=500, required=False, allow_blank=True)
    launch_url = serializers.CharField(max_length=500, required=False, allow_blank=True)


@extend_schema_serializer(component_name="CatalogueGame")
class GameOut(CamelSerializer):
    """A game of the operator's catalogue."""

    slug = serializers.CharField()
    display_name = serializers.CharField()
    provider = serializers.CharField(allow_blank=True)
    enabled = serializers.BooleanField()
    is_freeround_supported = serializers.BooleanField()
    icon_url = serializers.CharField(allow_blank=True)
    launch_url = serializers.CharField(allow_blank=True)


@extend_schema_serializer(component_name="KeyToIssue")
class KeyIn(CamelSerializer):
    """A key to issue, with scopes one by one or a role."""

    name = serializers.CharField(max_length=120)
    scopes = serializers.ListField(child=serializers.CharField(max_length=40), required=False, max_length=len(Scope))
    role = serializers.ChoiceField(choices=list(KEY_ROLES), required=False)
    expires_at = serializers.DateTimeField(required=False, allow_null=True, default=None)
    allowed_ips = serializers.ListField(
        child=serializers.CharField(max_length=50), required=False, default=list, max_length=100
    )


@extend_schema_serializer(component_name="KeyRotation")
class RotationIn(CamelSerializer):
    """How long the old key still works."""

    overlap_seconds = serializers.IntegerField(min_value=0, max_value=30 * 24 * 3600, required=False, default=0)


@extend_schema_serializer(component_name="Key")
class KeyOut(CamelSerializer):
    """A key, without its secret."""

    id = serializers.CharField()
    prefix = serializers.CharField()
    name = serializers.CharField()
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=Scope.choices))
    allowed_ips = serializers.ListField(child=serializers.CharField())
    expires_at = serializers.DateTimeField(allow_null=True)
    revoked_at = serializers.DateTimeField(allow_null=True)
    last_used_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()


@extend_schema_serializer(component_name="NewKey")
class NewKeyOut(KeyOut):
    """A key just issued; `key` is shown this once."""

    key = serializers.CharField()


def player_json(player: Player, at: datetime) -> dict[str, Any]:
    """Write a player, its brand loaded, as things stand at a moment."""
    blocked = player.is_blocked(at)
    return {
        "userId": player.external_id,
        "displayName": player.display_name,
        "brandId": player.brand.external_id,
        "eosId": player.eos_id or None,
        "plyrId": player.handle,
        "status": player.status_at(at),
        "reason": player.block_reason if blocked else None,
        "until": iso(player.blocked_until) if blocked else None,
        "createdAt": iso(player.created_at),
    }


def brand_json(brand: Brand) -> dict[str, Any]:
    """Write a brand."""
    return {"brandId": brand.external_id, "name": brand.name}


def game_json(game: Game) -> dict[str, Any]:
    """Write a game."""
    return {
        "slug": game.slug,
        "displayName": game.display_name,
        "provider": game.provider,
        "enabled": game.enabled,
        "isFreeroundSupported": game.is_freeround_supported,
        "iconUrl": game.icon_url,
        "launchUrl": game.launch_url,
    }


def key_json(credential: Credential) -> dict[str, Any]:
    """Write a key without its secret, of which nobody has a copy."""
    return {
        "id": str(credential.pk),
        "prefix": credential.prefix,
        "name": credential.name,
        "scopes": credential.scopes,
        "allowedIps": credential.allowed_ips,
        "expiresAt": iso(credential.expires_at),
        "revokedAt": iso(credential.revoked_at),
        "lastUsedAt": iso(credential.last_used_at),
        "createdAt": iso(credential.created_at),
    }
