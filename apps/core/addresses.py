"""Network addresses as text: one spelling, and whether one lies in a list."""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network


# The same callers come again and again, and reading an address takes longer than most of what is asked about it.
@lru_cache(maxsize=4096)
def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.strip())
    except ValueError:
        return None
    # A dual-stack socket shows IPv4 callers as ::ffff:192.0.2.1; allow-lists are written without that.
    return getattr(address, "ipv4_mapped", None) or address


@lru_cache(maxsize=4096)
def normal(text: str) -> str:
    """Return an address in its shortest spelling, or "" for what is none."""
    found = _parsed(text)
    return str(found) if found else ""


def is_among(address: str, networks: Iterable[str]) -> bool:
    """Tell whether an address lies in any of the addresses or CIDR networks; an unknown address never does."""
    found = _parsed(address)
    return found is not None and any(found in ip_network(network, strict=False) for network in networks)
