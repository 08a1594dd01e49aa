"""Exchange rates in the XML of the European Central Bank, read from a file or a URL.

The format: `<Cube time="2026-11-20">` holds `<Cube currency="SEK" rate="11.2"/>` and so on, in units for one euro. The
daily file has one day, the historical ones many.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from apps.core import egress
from apps.core.actors import Actor
from apps.core.errors import Invalid
from apps.ledger.services import rates
from apps.operators.models import Operator

BASE = "EUR"
# The bank's whole history since 1999 is about 8 MB.
MAX_BYTES = 32 * 1024 * 1024
SECONDS = 30.0
OK = 200


class FeedUnreadable(Invalid):
    """The source could not be read, or what it holds is no list of rates."""

    code = "FEED_UNREADABLE"


@dataclass(frozen=True, slots=True)
class DailyRates:
    """The rates of one day."""

    day: date
    rates: Mapping[str, str]


def read(source: str) -> bytes:
    """Return the document at an http(s) URL or in a file. Raises FeedUnreadable. Never inside a transaction."""
    try:
        if not source.startswith(("http://", "https://")):
            return Path(source).read_bytes()
        answer = egress.send("GET", source, headers={}, body=b"", timeout=SECONDS, max_bytes=MAX_BYTES)
    except (OSError, egress.Refused, egress.Failed) as problem:
        raise FeedUnreadable(f"Can't read {source}: {problem}") from problem
    if answer.status != OK or answer.truncated:
        raise FeedUnreadable(f"{source} answered {answer.status}{', too long' if answer.truncated else ''}.")
    return answer.body


def parse(document: bytes) -> list[DailyRates]:
    """Return the days in a document, oldest first. Raises FeedUnreadable."""
    try:
        tree = fromstring(document, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError) as problem:
        raise FeedUnreadable(f"No XML of exchange rates: {problem}") from problem
    days = []
    for cube in tree.iterfind(".//{*}Cube[@time]"):
        try:
            day = date.fromisoformat(cube.attrib["time"])
            found = {line.attrib["currency"]: line.attrib["rate"] for line in cube}
        except (ValueError, KeyError) as problem:
            raise FeedUnreadable(f"Not the European Central Bank's format: {problem}") from problem
        if found:
            days.append(DailyRates(day, found))
    if not days:
        raise FeedUnreadable("The document holds no day with rates.")
    return sorted(days, key=lambda each: each.day)


def take_in(operator_id: int, days: list[DailyRates], *, actor: Actor, at: datetime) -> int:
    """Put every day's rates, oldest first; return how many rates were new or changed. Raises Invalid.

    Days are kept one by one: what came before a bad one stays.
    """
    return sum(
        len(
            rates.put_rates(
                operator_id, base=BASE, valid_from=rates.start_of(each.day), rates=each.rates, actor=actor, at=at
            ).changed
        )
        for each in days
    )


def take_in_everywhere(source: str, *, actor: Actor, at: datetime) -> int:
    """Read a source once and put its rates for every operator that is not suspended; return how many changed."""
    days = parse(read(source))
    operators = Operator.objects.filter(suspended_at=None).order_by("pk").values_list("pk", flat=True)
    return sum(take_in(operator_id, days, actor=actor, at=at) for operator_id in operators)
