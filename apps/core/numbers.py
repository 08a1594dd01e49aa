"""Numbers as JSON shows them."""

from decimal import Context, Decimal

# Longer than any number that gets in or is stored: the usual 28 digits would round a token's amount.
_WIDE = Context(prec=200)


def number(value: Decimal | int) -> Decimal | int:
    """Return the shortest JSON number equal to `value` (7.50 → 7.5, 870.00 → 870). Raises ValueError unless finite."""
    if isinstance(value, int):
        return value
    if not value.is_finite():
        message = "not a finite number"
        raise ValueError(message)
    return int(value) if value == value.to_integral_value() else value.normalize(_WIDE)
