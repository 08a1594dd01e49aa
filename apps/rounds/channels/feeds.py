"""What every kind of channel has in common: messages, and what becomes of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from apps.core import exact
from apps.core.errors import DomainError
from apps.rounds.reading import Fault, Faulty, Malformed, ToldRound, read_batch, read_single
from apps.rounds.services.channels import FIELDS, OF_TRANSACTIONS, Transactions
from apps.rounds.services.transactions import ToldTransaction

# How long `fetch` waits for a first message, in seconds: so long may a stop take.
WAIT_SECONDS = 1.0
# The largest message that is looked into.
LARGEST = 1024 * 1024
LONGEST_ID = 200
OF_A_TRANSACTION = (*FIELDS[:-2], *OF_TRANSACTIONS)
# How clients say that a round has ended.
TRUE = (True, "true", "True", "TRUE", "1")


class Trouble(Exception):
    """The other side can't be reached, or says no. Worth another try later; the message is for staff."""


@dataclass(frozen=True, slots=True)
class Message:
    """What came, and what its feed knows it by."""

    body: bytes
    handle: Any


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the messages of one `fetch`: each is in exactly one of these, in its order.

    `taken` are durable, `refused` will never be well formed (with the reason), `back` failed here and come again.
    """

    taken: Sequence[Message]
    refused: Sequence[tuple[Message, str]]
    back: Sequence[Message]


class Feed(Protocol):
    """An open channel. Every method may raise Trouble; then the feed is closed and another one opened later."""

    def fetch(self) -> Sequence[Message]:
        """Return what is there, after waiting for a first message for WAIT_SECONDS at most."""

    def settle(self, outcome: Outcome) -> None:
        """Let go of what is taken, put aside what is refused, and have what comes back delivered again."""

    def check(self) -> str:
        """Say how the other side is found, for staff; nothing is taken."""

    def close(self) -> None:
        """Let go of everything; what was not settled is delivered again. Never raises."""


def read(message: Message, mapping: Mapping[str, str]) -> list[ToldRound]:
    """Return the rounds of a message: one object, or an array of up to 100. Raises Malformed, TooManyRounds, Faulty."""
    if len(message.body) > LARGEST:
        raise Malformed(f"A message has at most {LARGEST:,} bytes.")
    body = mapped(message.body, mapping) if mapping else message.body
    return read_batch(body) if body.lstrip()[:1] == b"[" else read_single(body)


def read_transactions(message: Message, mapping: Mapping[str, str], known: Transactions) -> list[ToldTransaction]:
    """Return the bets and wins of a message: one object, or an array of up to 100.

    Each is read as a round that has only its amount. Raises Malformed, TooManyRounds, Faulty.
    """
    if len(message.body) > LARGEST:
        raise Malformed(f"A message has at most {LARGEST:,} bytes.")
    items = exact.decoded(mapped(message.body, mapping, fields=OF_A_TRANSACTION))
    several = items if isinstance(items, list) else [items]
    rounds: list[dict[str, Any]] = []
    about: list[tuple[str, bool, bool]] = []
    for place, one in enumerate(several):
        kind, name = one.pop("transactionType", None), one.pop("transactionId", None)
        amount, ended = one.pop("amount", None), one.pop("roundEnded", None)
        if kind not in (*known.bets, *known.wins, *known.ends):
            raise Faulty([Fault(place, "transactionType", "is none of the words that were agreed")])
        if not isinstance(name, str | int) or isinstance(name, bool) or not 0 < len(str(name)) <= LONGEST_ID:
            raise Faulty([Fault(place, "transactionId", f"must be text of 1 to {LONGEST_ID} characters")])
        if amount is None and kind not in known.ends:
            raise Faulty([Fault(place, "amount", "is required")])
        is_bet, is_win = kind in known.bets, kind in known.wins
        rounds.append(
            {"roundType": "REGULAR", **one, "betAmount": amount if is_bet else 0, "winAmount": amount if is_win else 0}
        )
        about.append((str(name), is_bet, kind in known.ends or ended in TRUE))
    told = read_batch(exact.dumps(rounds).encode())
    return [ToldTransaction(one, *which) for one, which in zip(told, about, strict=True)]


def mapped(body: bytes, mapping: Mapping[str, str], fields: Sequence[str] = FIELDS) -> bytes:
    """Return a client's message in our words. Fields without a path of their own are taken by their own name.

    A path goes down by names with dots between them; text in double quotes stands for itself. Raises Malformed.
    """
    try:
        told = exact.decoded(body)
    except (ValueError, RecursionError) as problem:
        raise Malformed from problem
    items = told if isinstance(told, list) else [told]
    paths = {field: mapping.get(field, field) for field in fields}
    ours = [
        {field: found for field, path in paths.items() if (found := at_path(one, path)) is not None} for one in items
    ]
    return exact.dumps(ours if isinstance(told, list) else ours[0]).encode()


def at_path(told: Any, path: str) -> Any:
    """Return what stands at a path, or None."""
    if path.startswith('"'):
        return path.strip('"')
    for name in path.split("."):
        if not isinstance(told, dict):
            return None
        told = told.get(name)
    return told


def why(problem: DomainError) -> str:
    """Say in one line what is wrong with a message."""
    if isinstance(problem, Faulty):
        first = problem.faults[0]
        more = f" (and {len(problem.faults) - 1} more)" if len(problem.faults) > 1 else ""
        return f"{problem.code}: [{first.index}] {first.field} {first.message}{more}"
    return f"{problem.code}: {problem.message}"


def raw_items(body: bytes, place: str) -> tuple[list[bytes], Any]:
    """Return the items of a page as they stand, and the whole answer if its array does not stand alone.

    Raises Trouble: a page that can't be read is asked for again, for what is on it is not known.
    """
    try:
        if not place:
            return [bytes(raw) for raw in _list.decode(body)], None
        whole = exact.decoded(body)
    except (ValueError, RecursionError) as problem:
        raise Trouble(f"The answer is no JSON of the agreed form: {problem}") from problem
    items = at_path(whole, place)
    if not isinstance(items, list):
        raise Trouble(f"There is no array at {place} of the answer.")
    return [exact.dumps(item).encode() for item in items], whole


_list = msgspec.json.Decoder(list[msgspec.Raw])
