"""Read what integrations send: JSON into exact values, and every fault by its place in the body (rounds.md 3).

The fast way decodes and checks a whole body at once. Only if that fails, the items are gone through one by one, to say
all that is wrong with each.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from apps.core.errors import DomainError
from apps.core.numbers import number

MAX_ROUNDS = 100
# More faults than anyone reads.
MAX_FAULTS = 200

# What the columns hold: 20 digits before the point, 18 behind it.
AMOUNT_LIMIT = Decimal(10) ** 20
DECIMALS = 18
ZERO = Decimal(0)
# A clock that is off by more than this is broken, and its round belongs to no tournament of ours.
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)

RoundId = Annotated[str, Meta(min_length=1, max_length=200)]
PlayerRef = Annotated[str, Meta(min_length=1, max_length=128)]
Ref = Annotated[str, Meta(min_length=1, max_length=100)]
Name = Annotated[str, Meta(min_length=1, max_length=200)]
Currency = Annotated[str, Meta(min_length=3, max_length=12)]
Url = Annotated[str, Meta(max_length=500, pattern=r"^(https://[^\s]+)?$")]


class Malformed(DomainError):
    """The body is not JSON of the documented form."""

    kind = "invalid"
    code = "MALFORMED_JSON"


class TooManyRounds(DomainError):
    """A batch has at most 100 rounds."""

    kind = "invalid"
    code = "TOO_MANY_ROUNDS"
    hint = "Send the rest in further batches."


class Faulty(DomainError):
    """Some items are not acceptable; nothing was taken."""

    kind = "invalid"
    code = "VALIDATION_FAILED"

    def __init__(self, faults: "list[Fault]") -> None:
        """Keep the faults for the answer."""
        super().__init__()
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with which field of which item."""

    index: int
    field: str
    message: str


class ToldRound(msgspec.Struct, rename="camel"):
    """One round as it is sent; fields that nobody documented are ignored."""

    timestamp: datetime
    round_id: RoundId
    brand_id: Ref
    player_id: PlayerRef
    game_id: Ref
    round_type: Ref
    currency: Currency
    bet_amount: Decimal
    win_amount: Decimal


class ToldBrand(msgspec.Struct):
    """One brand of the portfolio."""

    ref: Ref
    name: Name


class ToldGroup(msgspec.Struct):
    """One operator of the portfolio, as the integration understands the word."""

    ref: Ref
    name: Name
    brands: list[ToldBrand]


class ToldGame(msgspec.Struct, rename="camel"):
    """One game of the portfolio."""

    game_id: Ref
    display_name: Name
    game_provider_display_name: Name
    is_enabled: bool
    is_freeround_supported: bool | None = None
    icon_url: Url | None = None
    enabled_brand_refs: list[Ref] | None = None


Item = TypeVar("Item", bound=msgspec.Struct)

_batch = msgspec.json.Decoder(list[ToldRound])
_single = msgspec.json.Decoder(ToldRound)
_groups = msgspec.json.Decoder(list[ToldGroup])
_games = msgspec.json.Decoder(list[ToldGame])
_raw_items = msgspec.json.Decoder(list[msgspec.Raw])
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])


def read_batch(raw: bytes) -> list[ToldRound]:
    """Return the rounds of a batch in its order. Raises Malformed, TooManyRounds, Faulty."""
    rounds = _items(raw, _batch, ToldRound, at_most=MAX_ROUNDS)
    _settle(rounds, raw)
    return rounds


def read_single(raw: bytes) -> list[ToldRound]:
    """Return the one round of a call. Raises Malformed, Faulty."""
    try:
        told = _single.decode(raw)
    except msgspec.ValidationError as problem:
        raise Faulty([*_faults_of_item(0, raw, ToldRound)][:MAX_FAULTS]) from problem
    except (ValueError, RecursionError) as problem:
        raise Malformed from problem
    _settle([told], raw)
    return [told]


def read_groups(raw: bytes) -> list[ToldGroup]:
    """Return a portfolio of operators and brands. Raises Malformed, Faulty (also for none, and for a ref twice)."""
    groups = _items(raw, _groups, ToldGroup)
    faults = _nothing(groups) + _nul(raw, groups)
    faults += _twice(((index, "ref", group.ref) for index, group in enumerate(groups)), "ref")
    faults += _twice(
        (
            (index, f"brands[{place}].ref", brand.ref)
            for index, group in enumerate(groups)
            for place, brand in enumerate(group.brands)
        ),
        "brand ref",
    )
    _refuse(faults)
    return groups


def read_games(raw: bytes) -> list[ToldGame]:
    """Return a portfolio of games. Raises Malformed, Faulty (also for none, and for a game twice)."""
    games = _items(raw, _games, ToldGame)
    faults = _nothing(games) + _nul(raw, games)
    faults += _twice(((index, "gameId", game.game_id) for index, game in enumerate(games)), "gameId")
    _refuse(faults)
    return games


def _items(
    raw: bytes, decoder: msgspec.json.Decoder[list[Item]], kind: type[Item], *, at_most: int | None = None
) -> list[Item]:
    try:
        items = decoder.decode(raw)
    except msgspec.ValidationError as problem:
        raise _why_not(raw, kind, at_most) from problem
    except (ValueError, RecursionError) as problem:
        raise Malformed from problem
    if at_most is not None and len(items) > at_most:
        raise TooManyRounds(count=len(items))
    return items


def _why_not(raw: bytes, kind: type[Item], at_most: int | None) -> DomainError:
    """Return all that is wrong with a list that could not be read as one."""
    try:
        items = _raw_items.decode(raw)
    except (ValueError, RecursionError):
        return Malformed("The body must be a JSON array.")
    if at_most is not None and len(items) > at_most:
        return TooManyRounds(count=len(items))
    faults: list[Fault] = []
    decoder = msgspec.json.Decoder(kind)
    for index, item in enumerate(items):
        try:
            read = decoder.decode(item)
        except (ValueError, RecursionError):
            faults += _faults_of_item(index, bytes(item), kind)
        else:
            faults += _faults_of_round(index, read) if isinstance(read, ToldRound) else ()
        if len(faults) >= MAX_FAULTS:
            break
    return Faulty(faults[:MAX_FAULTS])


def _faults_of_item(index: int, raw: bytes, kind: type[msgspec.Struct]) -> Iterator[Fault]:
    """Go through the fields of one item, each by itself."""
    try:
        item = _fields.decode(raw)
    except msgspec.ValidationError:
        yield Fault(index, "", "must be an object")
        return
    except (ValueError, RecursionError):
        yield Fault(index, "", "malformed")
        return
    for field in msgspec.structs.fields(kind):
        name = field.encode_name
        if name not in item:
            if field.required:
                yield Fault(index, name, "required")
            continue
        try:
            value = msgspec.json.decode(item[name], type=field.type)
        except msgspec.ValidationError as problem:
            what, _, where = str(problem).partition(" - at `$")
            yield Fault(index, f"{name}{where.rstrip('`')}", "required" if bytes(item[name]) == b"null" else what)
        except (ValueError, RecursionError):
            yield Fault(index, name, "malformed")
        else:
            if kind is ToldRound:
                yield from _faults_of_value(index, name, value)


def _settle(rounds: Sequence[ToldRound], raw: bytes) -> None:
    """Refuse rounds that can't be kept; put moments and amounts of the others as they are kept. Raises Faulty."""
    # Nothing but this escape makes a NUL character, so texts are looked at only where it occurs.
    nul = b"\\u0000" in raw
    faults: list[Fault] = []
    for index, told in enumerate(rounds):
        if told.timestamp.tzinfo is None:
            told.timestamp = told.timestamp.replace(tzinfo=UTC)
        usual = (
            _is_plain(told.bet_amount)
            and _is_plain(told.win_amount)
            and EARLIEST <= told.timestamp < LATEST
            and told.currency.isascii()
        )
        if nul or not usual:
            faults += _faults_of_round(index, told)
            if not faults:
                told.bet_amount, told.win_amount = kept(told.bet_amount), kept(told.win_amount)
    _refuse(faults)


def _faults_of_round(index: int, told: ToldRound) -> Iterator[Fault]:
    for name in ToldRound.__struct_fields__:
        yield from _faults_of_value(index, _wire(name), getattr(told, name))


def _is_plain(amount: Decimal) -> bool:
    """Tell at once of the usual amount, of digits and perhaps a point, that it can be kept as it is."""
    text = str(amount)
    return len(text) <= DECIMALS and text.replace(".", "", 1).isdigit()


def _faults_of_value(index: int, name: str, value: Any) -> Iterator[Fault]:
    if isinstance(value, str):
        if "\x00" in value:
            yield Fault(index, name, "holds a NUL character")
        # In capitals some letters of other alphabets become two.
        if name == "currency" and not value.isascii():
            yield Fault(index, name, "must be a code of plain letters and digits")
    elif isinstance(value, datetime):
        moment = value if value.tzinfo else value.replace(tzinfo=UTC)
        if not EARLIEST <= moment < LATEST:
            yield Fault(index, name, "lies out of range")
    elif isinstance(value, Decimal) and (wrong := _fault_of_amount(value)):
        yield Fault(index, name, wrong)


def _fault_of_amount(amount: Decimal) -> str:
    if not amount.is_finite():
        return "must be a number"
    if amount < 0:
        return "must not be negative"
    if amount >= AMOUNT_LIMIT:
        return "is too large"
    return "" if fits(amount) else f"has more than {DECIMALS} decimals"


def fits(amount: Decimal) -> bool:
    """Tell whether an amount within the limit can be kept as it is; zeros at its end don't count."""
    _, digits, exponent = amount.as_tuple()
    surplus = -DECIMALS - int(exponent)
    return surplus <= 0 or not any(digits[-surplus:])


def kept(amount: Decimal) -> Decimal:
    """Return an amount that was found right, without zeros that nobody could store: 0e-99999 is 0."""
    return Decimal(number(amount)) if amount else ZERO


def _wire(name: str) -> str:
    return ToldRound.__struct_encode_fields__[ToldRound.__struct_fields__.index(name)]


def _nothing(items: list[Any]) -> list[Fault]:
    # A portfolio of nothing would disable everything; more likely something went wrong on the other side.
    return [] if items else [Fault(0, "", "must not be empty")]


def _nul(raw: bytes, items: list[Any]) -> list[Fault]:
    if b"\\u0000" not in raw:
        return []
    return [
        Fault(index, "", "holds a NUL character")
        for index, item in enumerate(items)
        if b"\\u0000" in msgspec.json.encode(item)
    ][:MAX_FAULTS]


def _twice(said: Iterator[tuple[int, str, str]], what: str) -> list[Fault]:
    seen: set[str] = set()
    faults = []
    for index, field, ref in said:
        if ref in seen:
            faults.append(Fault(index, field, f"this {what} occurs twice"))
        seen.add(ref)
    return faults[:MAX_FAULTS]


def _refuse(faults: list[Fault]) -> None:
    if faults:
        raise Faulty(faults[:MAX_FAULTS])
