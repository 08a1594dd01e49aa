"""How players, allowances, tokens and logs are written (rooms.md 3.20 to 3.41): documented and observed fields."""

from datetime import datetime, timedelta
from typing import Any

from apps.ledger.models import Asset
from apps.ledger.money import to_amount
from apps.ledger.services.tenants import ASSETS
from apps.operators.services.otp import Enrolment
from apps.rooms.api import values
from apps.rooms.models import Activity, Allowance, Chip
from apps.rooms.services import tokens
from apps.rooms.services.chips import SCALE, address_of
from apps.rooms.services.logins import Welcome
from apps.rooms.services.profiles import CHAIN_ID, Profile
from apps.rooms.services.sessions import Claims

LIST_NAME = "Podium tokens"
CHAIN_NAME = "Podium"
REFRESH = timedelta(minutes=10)


def traits(profile: Profile) -> dict[str, Any]:
    """What every answer about a player ends with."""
    return {"avatar": profile.avatar, "ippClaimed": profile.claimed, "isIPP": profile.is_guest}


def welcome(welcomed: Welcome) -> dict[str, Any]:
    """A login (3.20): the nonce is text here and a number in the token."""
    claims = welcomed.session.claims
    return {
        "sessionJwt": welcomed.session.token,
        "plyrId": claims.plyr_id,
        "nonce": str(claims.nonce),
        "gameId": claims.game_id,
        "primaryAddress": claims.primary_address,
        "mirrorAddress": claims.mirror_address,
        **traits(welcomed.profile),
    }


def payload(claims: Claims, profile: Profile) -> dict[str, Any]:
    """What a token says (3.23)."""
    return {
        "plyrId": claims.plyr_id,
        "nonce": claims.nonce,
        "gameId": claims.game_id,
        "primaryAddress": claims.primary_address,
        "mirrorAddress": claims.mirror_address,
        "iat": claims.iat,
        "exp": claims.exp,
        **traits(profile),
    }


def info(profile: Profile) -> dict[str, Any]:
    """A player (3.32)."""
    return {
        "plyrId": profile.plyr_id,
        "username": profile.plyr_id,
        "walletAddress": profile.primary_address,
        "avatarUrl": profile.avatar,
        "mirrorAddress": profile.mirror_address,
        "primaryAddress": profile.primary_address,
        "chainId": CHAIN_ID,
        "createdAt": values.moment(profile.created_at),
        **traits(profile),
    }


def enrolment(enrolled: Enrolment, profile: Profile) -> dict[str, Any]:
    """Who a guest has become; the secret is shown this once."""
    return {
        "plyrId": profile.plyr_id,
        "secret": enrolled.secret,
        "otpauthUrl": enrolled.otpauth_url,
        "primaryAddress": profile.primary_address,
        "mirrorAddress": profile.mirror_address,
        **traits(profile),
    }


def allowance(found: Allowance | None) -> dict[str, Any]:
    """What is left of an allowance (3.30), at the top and under `data`."""
    amount = values.plain(to_amount(int(found.units), found.asset.scale)) if found else "0"
    told = {"allowance": amount, "expiresAt": values.moment(found.expires_at) if found else None}
    return {**told, "data": told}


def allowance_line(found: Allowance, plyr_id: str) -> dict[str, Any]:
    """One of several allowances; `expiresIn` counts from `createdAt`."""
    return {
        "plyrId": plyr_id,
        "gameId": found.game_id,
        "token": found.asset.code.lower(),
        "amount": values.exact(to_amount(int(found.units), found.asset.scale)),
        "expiresIn": int((found.expires_at - found.granted_at).total_seconds()),
        "createdAt": values.moment(found.granted_at),
    }


def log_line(line: Activity) -> dict[str, Any]:
    """A line of a player's log as documented (3.32)."""
    details = {"gameId": line.game_id, **_readable(line.data)}
    return {"timestamp": values.moment(line.occurred_at), "action": line.action, "details": details}


def action_line(line: Activity, plyr_id: str) -> dict[str, Any]:
    """The same as observed."""
    return {
        "plyrId": plyr_id,
        "gameId": line.game_id,
        "type": "game",
        "action": line.action,
        "data": _readable(line.data),
        "timestamp": values.moment(line.occurred_at),
    }


def _readable(data: dict[str, Any]) -> dict[str, Any]:
    """Write amounts so that no reader of JSON gets another number."""
    if not isinstance(data.get("entries"), list):
        return data
    lines = [
        {name: values.exact(value) if name == "amount" else value for name, value in line.items()}
        for line in data["entries"]
    ]
    return {**data, "entries": lines}


# --- tokens -----------------------------------------------------------------------------------------------------------


def token_list(listed: list[dict[str, Any]], at: datetime) -> dict[str, Any]:
    """The list (3.31)."""
    version = {"major": 1, "minor": 0, "patch": 0}
    return {"name": LIST_NAME, "timestamp": values.moment(at), "version": version, "tokens": listed}


def standard_tokens(at: datetime) -> list[dict[str, Any]]:
    """What every operator begins with, for whoever asks without a key."""
    return [_token(code, name, scale, tokens.address_of(code, 0), at=at) for code, name, scale in ASSETS]


def token(asset: Asset, chip: Chip | None, at: datetime) -> dict[str, Any]:
    """An asset of an operator."""
    address = tokens.address_of(asset.code, asset.pk)
    if chip is None:
        return _token(asset.code, asset.name or asset.code, asset.scale, address, at=at)
    return _token(
        asset.code, chip.name, asset.scale, address, symbol=chip.symbol, image=chip.image, category="chip", at=at
    )


def _token(
    code: str,
    name: str,
    scale: int,
    address: str,
    *,
    symbol: str = "",
    image: str = "",
    category: str = "token",
    at: datetime,
) -> dict[str, Any]:
    return {
        "chainId": CHAIN_ID,
        "address": address,
        "name": name,
        "symbol": symbol or code.upper(),
        "decimals": scale,
        "logoURI": image,
        "apiId": code.lower(),
        "cmcURL": "",
        "cmcId": "",
        "cgURL": "",
        "cgId": "",
        "website": "",
        "category": category,
        "shortDescription": "",
        "nativeChainId": CHAIN_ID,
        "nativeChainName": CHAIN_NAME,
        "nativeChainLogoURI": "",
        "nativeContractAddress": address,
        "isGameStake": False,
        "price": None,
        "updatedAt": values.moment(at),
        "nextUpdatedAt": values.moment(at + REFRESH),
    }


def chip(found: Chip, supply: Any) -> dict[str, Any]:
    """A chip (3.41)."""
    return {
        "chip": address_of(found),
        "address": address_of(found),
        "gameId": found.game_id,
        "name": found.name,
        "symbol": found.symbol,
        "image": found.image,
        "decimals": SCALE,
        "apiId": found.asset.code,
        "totalSupply": values.plain(supply),
    }
