"""Servers that are not spoken to by HTTP: message brokers, which bring their own protocol."""

import time
from collections.abc import Sequence

from apps.core.egress.connections import addresses_of
from apps.core.egress.targets import judge


def fit_addresses(host: str, port: int, *, secure: bool, timeout: float = 10.0) -> Sequence[str]:
    """Return every address of a host, all of them found fit to connect to. Raises Refused and Failed.

    The caller connects to one of these and not to the name, or the name could lead elsewhere by then.
    """
    found = addresses_of(host, port, time.monotonic() + timeout)
    for address in found:
        judge(address, secure=secure)
    return [str(address) for address in found]
