"""A chain: money that moves by transactions which are pending for a while and then final, or failed (rumble.md 6).

This is all that the platform asks of a chain, and the simulated one stands behind exactly this. The rail
(`apps.ledger.services.rail`) owns the rows, the holds and the journals; an adapter owns keys, fees, nodes and formats.

What an adapter promises:

* **A batch happens whole or not at all.** `submit` hands over transfers that belong together. On a chain whose
  transactions carry several actions that is one transaction; elsewhere a contract must see to it.
* **Submitting is repeatable.** The batch has a `submission` id. The same id again returns the same reference and moves
  nothing twice, also after a crash between the call and our note of it. A real chain gets there by deriving the
  transaction (its nonce, its expiry) from that id before it is broadcast, so that two of them exclude each other.
* **A reference** names the transaction on the chain, at most 128 characters, never used twice.
* **The outcome comes by asking or by being told.** The rail asks (`look`) at the moment that the receipt or the last
  sighting named. An adapter whose chain calls back turns the call into a `Sighting` and gives it to
  `rail.note(reference, sighting)`. Both may happen, in any order and any number of times: the first outcome ends
  the transaction, everything after it is ignored.
* **Confirmations and reorganisations.** PENDING may carry how many blocks stand on top. FINAL means *irreversible*: the
  adapter says it only at the depth from which the chain no longer reorganises (or the chain's own finality). Before
  that a reorganisation may take the transaction out again: then the chain will still include it (PENDING) or has
  forgotten it (UNKNOWN), and the rail submits the same batch with the same submission id once more.
* **FAILED means nothing moved and nothing of it ever will**: refused by the chain, reverted, or expired with no way
  back into a block. An adapter that can't be sure of that says PENDING.
* **Trouble on the way** is no outcome. `ChainUnreachable` is tried again later; `BatchRefused` says that this batch can
  never be accepted, and counts as FAILED.

Calls are made while no database transaction is open, may take seconds, and may be repeated by another worker.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Protocol
from uuid import UUID

from django.conf import settings
from django.utils.module_loading import import_string

from apps.core.errors import DomainError

# Adapters that come with the platform; any other is named by its class, `package.module.Class`.
ADAPTERS = {"simulated": "apps.ledger.chain.simulated.SimulatedChain"}


class ChainUnreachable(DomainError):
    """The chain can't be reached right now."""

    kind = "unavailable"
    code = "CHAIN_UNREACHABLE"


class BatchRefused(DomainError):
    """The chain refuses these transfers for good."""

    code = "BATCH_REFUSED"


class ChainMissing(DomainError):
    """No chain is connected to this installation."""

    kind = "unavailable"
    code = "CHAIN_MISSING"
    hint = "Set CHAIN."


class Sight(StrEnum):
    """What can be seen of a transaction."""

    UNKNOWN = "UNKNOWN"
    PENDING = "PENDING"
    FINAL = "FINAL"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Transfer:
    """Base units of an asset from one party to another, each by its name on the chain (for EOS an account name)."""

    source: str
    target: str
    asset: str
    units: int


@dataclass(frozen=True, slots=True)
class Batch:
    """Transfers that happen together or not at all. `submission` is the same on every try."""

    submission: UUID
    operator_id: int
    transfers: Sequence[Transfer]


@dataclass(frozen=True, slots=True)
class Receipt:
    """The chain has the batch under this reference; `look_at` is when asking for it first makes sense."""

    reference: str
    look_at: datetime


@dataclass(frozen=True, slots=True)
class Sighting:
    """What is seen of a transaction now. `error` explains FAILED; `look_at` is when to ask again while PENDING."""

    state: Sight
    confirmations: int = 0
    error: str = ""
    look_at: datetime | None = None


class Chain(Protocol):
    """An adapter; the module's docstring says what it promises."""

    def submit(self, batch: Batch, *, at: datetime) -> Receipt:
        """Broadcast a batch, once per submission id. Raises ChainUnreachable, BatchRefused."""
        ...

    def look(self, reference: str, *, at: datetime) -> Sighting:
        """Return what is seen of a transaction. Raises ChainUnreachable."""
        ...


def current() -> Chain:
    """Return the chain of this installation. Raises ChainMissing."""
    if not settings.CHAIN:
        raise ChainMissing
    return _adapter(settings.CHAIN)


def is_simulated() -> bool:
    """Tell whether money moves on the simulated chain."""
    return bool(settings.CHAIN == "simulated")


@lru_cache(maxsize=4)
def _adapter(name: str) -> Chain:
    chain: Chain = import_string(ADAPTERS.get(name, name))()
    return chain
