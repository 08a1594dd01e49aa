"""Tokens of the room dialect: an operator's assets by id or address (rooms.md 3.0.5 and 3.31).

An asset never changes its code or scale and is never deleted, so each process looks one up once. That it has been
switched off meanwhile is seen where money is about to move.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models.functions import Lower

from apps.core.errors import Invalid
from apps.ledger.models import Asset
from apps.ledger.money import to_units
from apps.ledger.services.tenants import ASSETS
from apps.operators import wallets
from apps.rooms.errors import AmountInvalid, TokenInvalid

ASSET = "asset"
NATIVE = "plyr"
ZERO_ADDRESS = "0x" + "0" * 40
MOST_KNOWN = 10_000


@dataclass(frozen=True, slots=True)
class Token:
    """An asset as games see it."""

    asset_id: int
    code: str
    scale: int

    @property
    def address(self) -> str:
        """Its `0x` address: the zero address for the native token."""
        return address_of(self.code, self.asset_id)


# What every operator begins with has one address everywhere; the place in the list is its number.
_STANDARD = {
    code: ZERO_ADDRESS if code == NATIVE else wallets.address_of("standard-token", place)
    for place, (code, _, _) in enumerate(ASSETS)
}
_BY_ADDRESS = {address: code for code, address in _STANDARD.items()}
_known: dict[tuple[int, str], Token] = {}


def address_of(code: str, asset_id: int) -> str:
    """Return the `0x` address of an operator's asset."""
    return _STANDARD.get(code) or wallets.address_of(ASSET, asset_id)


def resolve(operator_id: int, texts: Sequence[str]) -> list[Token]:
    """Return the token behind each text, an id in any case or an address. Raises TokenInvalid, naming the bad ones."""
    found = _look_up(operator_id, {text.strip().lower() for text in texts})
    tokens = [found.get(text.strip().lower()) for text in texts]
    bad = [f"Invalid token: {text}" for text, token in zip(texts, tokens, strict=True) if token is None]
    if bad:
        raise TokenInvalid("; ".join(bad), errors=bad)
    return [token for token in tokens if token is not None]


def _look_up(operator_id: int, wanted: Iterable[str]) -> dict[str, Token]:
    found = {text: _known[operator_id, text] for text in wanted if (operator_id, text) in _known}
    missing = [text for text in wanted if text not in found]
    if missing:
        fresh = _read(operator_id, missing)
        if len(_known) > MOST_KNOWN:
            _known.clear()
        _known.update({(operator_id, text): token for text, token in fresh.items()})
        found |= fresh
    return found


def _read(operator_id: int, texts: Sequence[str]) -> dict[str, Token]:
    """Ask the database, once by key and once by code."""
    numbers = {text: number for text in texts if (number := wallets.number_behind(ASSET, text)) is not None}
    codes = {text: _BY_ADDRESS.get(text, text).lower() for text in texts if text not in numbers}
    # Those that were switched off too: what a room holds of one can still be paid out, and only that.
    mine = Asset.objects.for_operator(operator_id)
    by_number = {asset.pk: asset for asset in mine.filter(pk__in=numbers.values())} if numbers else {}
    by_code: dict[str, Asset] = {}
    if codes:
        # Two codes may differ in case alone; the older asset has the name then.
        for asset in mine.annotate(low=Lower("code")).filter(low__in=set(codes.values())).order_by("-pk"):
            by_code[asset.code.lower()] = asset
    assets = {text: by_number.get(number) for text, number in numbers.items()}
    assets |= {text: by_code.get(code) for text, code in codes.items()}
    return {text: Token(asset.pk, asset.code, asset.scale) for text, asset in assets.items() if asset is not None}


def units_of(token: Token, amount: Decimal | int | str) -> int:
    """Return an amount in whole tokens as base units. Raises AmountInvalid for what the token can't count."""
    try:
        return to_units(amount, token.scale)
    except Invalid as problem:
        raise AmountInvalid(problem.message) from problem
