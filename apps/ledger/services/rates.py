"""Exchange rates: put them, and find the one that held at a moment (rounds.md 5.5, podium.md 3)."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal
from typing import Any

from django.db import connection, transaction

from apps.core.actors import Actor
from apps.core.clock import iso
from apps.core.errors import DomainError, Invalid
from apps.core.exact import dumps
from apps.events.services import recording as events
from apps.ledger.models import ExchangeRate
from apps.ledger.money import PLAIN

CODE = re.compile(r"[A-Z0-9]{3,12}", re.ASCII)
PLACES = 18
LARGEST = Decimal(10) ** 18
MAX_RATES = 500
# A rate for the day after tomorrow is a mistake in the date.
AHEAD = timedelta(days=1)
# Enough for any rate that is stored and its reciprocal; the default context would cut at 28 digits.
WIDE = Context(prec=40)

PUT = """
    INSERT INTO ledger_exchangerate AS kept (operator_id, base, quote, rate, valid_from, source, changed_at)
    SELECT %(operator)s, %(base)s, g.quote, g.rate, %(valid_from)s, %(source)s, %(at)s
      FROM jsonb_to_recordset(%(rates)s::jsonb) AS g (quote text, rate numeric) ORDER BY g.quote
    ON CONFLICT (operator_id, base, quote, valid_from) DO UPDATE
       SET rate = excluded.rate, source = excluded.source, changed_at = excluded.changed_at
     WHERE kept.rate <> excluded.rate
    RETURNING quote
"""


class RateUnknown(DomainError):
    """No rate between the two currencies was known at that moment."""

    code = "RATE_UNKNOWN"


@dataclass(frozen=True, slots=True)
class Put:
    """What `put_rates` kept: the moment the rates hold from, and the currencies whose rate is new or another."""

    base: str
    valid_from: datetime
    changed: tuple[str, ...]


@transaction.atomic
def put_rates(
    operator_id: int, *, base: str, valid_from: datetime, rates: Mapping[str, Any], actor: Actor, at: datetime
) -> Put:
    """Keep what one `base` is worth in other currencies from a moment on; all of them or none.

    `rates` maps codes to Decimals, whole numbers or plain decimal text. Putting the same again changes nothing and
    records no fact; another rate for the same moment replaces the one there. Records `exchange_rates.updated` with
    what changed. Raises Invalid, field by field.
    """
    base = _code(base, "base")
    if valid_from > at + AHEAD:
        raise Invalid("The date lies in the future.", fields={"date": ["At most one day ahead."]})
    if not 0 < len(rates) <= MAX_RATES:
        raise Invalid("Which rates?", fields={"rates": [f"1 to {MAX_RATES} of them."]})
    exact = {_code(quote, f"rates.{quote}"): _rate(rate, f"rates.{quote}") for quote, rate in rates.items()}
    if len(exact) != len(rates) or base in exact:
        raise Invalid("Which rate?", fields={"rates": ["Each currency once, and not the base itself."]})
    parameters: dict[str, Any] = {
        "operator": operator_id,
        "base": base,
        "valid_from": valid_from,
        "source": str(actor),
        "at": at,
        "rates": dumps([{"quote": quote, "rate": str(rate)} for quote, rate in exact.items()]),
    }
    with connection.cursor() as cursor:
        cursor.execute(PUT, parameters)
        changed = tuple(sorted(quote for (quote,) in cursor.fetchall()))
    if changed:
        events.record(
            operator_id=operator_id,
            type="exchange_rates.updated",
            subject=f"rates:{base}",
            data={"base": base, "validFrom": iso(valid_from), "rates": {quote: exact[quote] for quote in changed}},
            actor=actor,
            at=at,
        )
    return Put(base, valid_from, changed)


def rate_at(operator_id: int, *, base: str, quote: str, at: datetime) -> Decimal:
    """Return how many units of `quote` one of `base` was worth at a moment, to 40 digits.

    Taken from the pair's own rate, else from the opposite pair's, else over a currency in which both have one: the one
    whose older rate is the most recent. Raises RateUnknown.
    """
    base, quote = base.upper(), quote.upper()
    if base == quote:
        return Decimal(1)
    known = _known(operator_id, (base, quote), at)
    if direct := known.get((base, quote)):
        return direct[0]
    over = [
        (min(known[base, pivot][1], known[pivot, quote][1]), pivot)
        for pivot in {to for since, to in known if since == base}
        if (pivot, quote) in known
    ]
    if not over:
        raise RateUnknown(base=base, quote=quote, at=iso(at))
    _, pivot = max(over)
    return WIDE.multiply(known[base, pivot][0], known[pivot, quote][0])


def rates_at(operator_id: int, *, base: str, at: datetime) -> list[ExchangeRate]:
    """Return the rates of one base that held at a moment, by currency."""
    return _newest(ExchangeRate.objects.for_operator(operator_id).filter(base=base.upper()), at)


def _known(
    operator_id: int, currencies: tuple[str, str], at: datetime
) -> dict[tuple[str, str], tuple[Decimal, datetime]]:
    """Return what held for every pair with one of the currencies in it, in both directions."""
    mine = ExchangeRate.objects.for_operator(operator_id)
    known: dict[tuple[str, str], tuple[Decimal, datetime]] = {}
    rows = _newest(mine.filter(base__in=currencies) | mine.filter(quote__in=currencies), at)
    for row in rows:
        known[row.base, row.quote] = (row.rate, row.valid_from)
    for row in rows:
        # What was said of the opposite pair itself goes before what follows from this one.
        known.setdefault((row.quote, row.base), (WIDE.divide(Decimal(1), row.rate), row.valid_from))
    return known


def _newest(rows: Any, at: datetime) -> list[ExchangeRate]:
    found: Iterable[ExchangeRate] = (
        rows.filter(valid_from__lte=at).order_by("base", "quote", "-valid_from").distinct("base", "quote")
    )
    return list(found)


def start_of(day: Any) -> datetime:
    """Return the moment from which rates of a day hold: its midnight in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _code(text: str, where: str) -> str:
    code = text.upper()
    if not CODE.fullmatch(code):
        raise Invalid("A currency is 3 to 12 letters and digits.", fields={where: ["No currency code."]})
    return code


def _rate(given: Any, where: str) -> Decimal:
    """Return the rate exactly as it was written. Raises Invalid for what is none or can't be kept exactly."""
    if isinstance(given, str) and len(given) <= 60 and PLAIN.fullmatch(given):  # noqa: PLR2004 - longer is no rate
        given = Decimal(given)
    if isinstance(given, bool) or not isinstance(given, (int, Decimal)):
        raise Invalid("A rate is a number or its plain decimal text.", fields={where: ["Not a number."]})
    rate = Decimal(given)
    if not rate.is_finite() or not 0 < rate < LARGEST:
        raise Invalid("A rate lies above 0.", fields={where: ["Above 0, below 10^18."]})
    exponent = rate.normalize(Context(prec=80)).as_tuple().exponent
    if isinstance(exponent, int) and exponent < -PLACES:
        raise Invalid("A rate has at most 18 decimal places.", fields={where: [f"At most {PLACES} decimal places."]})
    return rate
