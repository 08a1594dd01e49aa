"""Between what people write and what the books count. Pure: no database, no clock, no floats.

*amount* is a Decimal in major units ("12.50" EUR), *units* are whole base units (1250, at scale 2).
"""

import re
from decimal import Decimal

from apps.core.errors import Invalid

# Plain decimal text. Decimal() would also read "1_000", "NaN", exponents and other scripts' digits.
PLAIN = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?", re.ASCII)
# A string longer than this is no amount, and not worth the arithmetic.
MAX_TEXT = 100
# NUMERIC(38,0) holds 38 digits; two are left for sums.
MAX_DIGITS = 36


def to_units(amount: Decimal | int | str, scale: int) -> int:
    """Return `amount` (major units) as whole base units of an asset with `scale` digits behind the point.

    Exact or refused: raises Invalid on anything that is no finite number, has more non-zero decimals than the asset
    counts, or needs more than 36 digits. The sign is the caller's to judge. A float never gets here.
    """
    sign, digits, exponent = _parse(amount).as_tuple()
    if not isinstance(exponent, int):
        raise Invalid("An amount must be a finite number.")
    text = "".join(map(str, digits)).lstrip("0")
    if not text:
        return 0
    significant = text.rstrip("0")
    shift = exponent + scale + len(text) - len(significant)
    if shift < 0:
        raise Invalid(f"An amount in this asset has at most {scale} decimal places.")
    if len(significant) + shift > MAX_DIGITS:
        raise Invalid("The amount is too large.")
    units: int = int(significant) * 10**shift
    return -units if sign else units


def to_amount(units: int | Decimal, scale: int) -> Decimal:
    """Return base units as major units, exact, with `scale` digits behind the point (1250 at scale 2: 12.50)."""
    whole = int(units)
    # Built from its digits: any arithmetic would round to the 28 of the decimal context.
    return Decimal((int(whole < 0), tuple(map(int, str(abs(whole)))), -scale))


def written(units: int | Decimal, scale: int) -> str:
    """Return base units as plain decimal text in major units, never with an exponent."""
    return format(to_amount(units, scale), "f")


def _parse(amount: Decimal | int | str) -> Decimal:
    if isinstance(amount, Decimal):
        return amount
    if isinstance(amount, int) and not isinstance(amount, bool):
        return Decimal(amount)
    if isinstance(amount, str) and len(amount) <= MAX_TEXT and PLAIN.fullmatch(amount):
        return Decimal(amount)
    raise Invalid("An amount is a number or its plain decimal text.")
