"""Currencies and tokens of an operator."""

from apps.core.errors import DomainError, Invalid
from apps.ledger.models import Asset


class UnknownAsset(Invalid):
    """The operator has no such asset."""

    code = "UNKNOWN_ASSET"


class AssetDiffers(DomainError):
    """The operator has this asset with another scale, and a scale is fixed for good."""

    code = "ASSET_DIFFERS"


def get_asset(operator_id: int, code: str) -> Asset:
    """Return an asset that new business may use. Raises UnknownAsset for one that is missing or switched off."""
    asset: Asset | None = Asset.objects.for_operator(operator_id).filter(code=code, enabled=True).first()
    if asset is None:
        raise UnknownAsset(f"There is no asset {code}.", fields={"currency": [f"Unknown asset {code}."]})
    return asset


def held_asset(operator_id: int, code: str) -> Asset:
    """Return an asset even if it is switched off: players may always take out what they have. Raises UnknownAsset."""
    asset: Asset | None = Asset.objects.for_operator(operator_id).filter(code=code).first()
    if asset is None:
        raise UnknownAsset(f"There is no asset {code}.", fields={"asset": [f"Unknown asset {code}."]})
    return asset


def add_asset(operator_id: int, code: str, *, scale: int, name: str = "") -> Asset:
    """Return the operator's asset of that code, created if it is new. Raises AssetDiffers if it has another scale."""
    asset, _ = Asset.objects.get_or_create(operator_id=operator_id, code=code, defaults={"scale": scale, "name": name})
    if asset.scale != scale:
        raise AssetDiffers(scale=asset.scale)
    return asset
