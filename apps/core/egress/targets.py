"""Which addresses may be called, by their text and by what they resolve to."""

import functools
import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

LONGEST_URL = 2000
# Where no web server lives, but something that a clever request could upset (as browsers refuse them).
BAD_PORTS = frozenset({1719, 1720, 1723, 2049, 2375, 2376, 2379, 3306, 3389, 3659, 4045, 4190, 5060, 5061, 5432, 5672,
                       6000, 6379, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 9042, 9092, 10080, 11211, 26379,
                       27017})  # fmt: skip
GOOD_LOW_PORTS = frozenset({80, 443})
FIRST_HIGH_PORT = 1024

# Addresses that Python takes for global and that are not, or that carry another address inside them (6to4, NAT64 and
# the like would reach any IPv4 address behind a gateway). 168.63.129.16 is Azure's, for the machines in it.
NEVER = tuple(
    ipaddress.ip_network(network)
    for network in (
        "100.64.0.0/10 192.0.0.0/24 192.88.99.0/24 192.31.196.0/24 192.52.193.0/24 192.175.48.0/24 224.0.0.0/3 "
        "168.63.129.16/32 2001::/23 2001:db8::/32 2002::/16 2620:4f:8000::/48 3fff::/20"
    ).split()
)
# Of IPv6, only this much has been given to anybody.
IPV6_UNICAST = ipaddress.ip_network("2000::/3")

HOST = re.compile(
    r"^(?=.{1,253}$)[A-Za-z0-9_]([A-Za-z0-9_\-]{0,62})(\.[A-Za-z0-9_][A-Za-z0-9_\-]{0,62})*\.?$", re.ASCII
)
# What `inet_aton` takes for an address: 2130706433, 0x7f.1, 127.1 …
NUMERIC = re.compile(r"^(0[xX][0-9a-fA-F]*|[0-9]+)(\.(0[xX][0-9a-fA-F]*|[0-9]+)){0,3}\.?$", re.ASCII)
UGLY = re.compile(r"[\x00-\x20\x7f-\U0010ffff\\]")


class Refused(Exception):
    """We don't call that address. Final: asking again gives the same answer. The message is fit for its owner."""


@dataclass(frozen=True, slots=True)
class Target:
    """A URL taken apart and found fit, as far as its text tells."""

    secure: bool
    host: str
    port: int
    path: str

    @property
    def header(self) -> str:
        """The value of the `Host` header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.secure else 80) else f"{host}:{self.port}"


@functools.lru_cache(maxsize=4096)
def _parsed(url: str) -> Target:
    if len(url) > LONGEST_URL:
        raise Refused(f"The address is longer than {LONGEST_URL} characters.")
    if UGLY.search(url):
        raise Refused("The address holds a space, a backslash, a control character or anything but ASCII.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as problem:
        raise Refused(f"This is no web address: {problem}") from problem
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise Refused("Expected https://…")
    if "@" in parts.netloc:
        raise Refused("An address with a user name or a password is not called.")
    secure = parts.scheme == "https"
    port = (443 if secure else 80) if port is None else port
    if port in BAD_PORTS or not (port in GOOD_LOW_PORTS or port >= FIRST_HIGH_PORT):
        raise Refused(f"Port {port} is not called.")
    return Target(secure, _host(parts), port, (parts.path or "/") + (f"?{parts.query}" if parts.query else ""))


def _host(parts: SplitResult) -> str:
    host = str(parts.hostname)
    if "[" in parts.netloc:
        try:
            return str(ipaddress.IPv6Address(host))
        except ValueError as problem:
            raise Refused(f"{host} is no address.") from problem
    if NUMERIC.match(host):
        try:
            return str(ipaddress.IPv4Address(host))
        except ValueError as problem:
            raise Refused(f"{host} is a disguised address. Write it as four decimal numbers.") from problem
    if not HOST.match(host):
        raise Refused(f"{host} is no host name.")
    return host.lower()


def examine(url: str) -> Target:
    """Return the parts of an address that may be called, as far as that can be told without resolving it.

    For checking what somebody registers: an address written as a number is judged here, a name when it is called.
    Raises Refused.
    """
    target = _parsed(url)
    address = literal(target.host)
    if address is not None:
        judge(address, secure=target.secure)
    elif target.host.rstrip(".").rpartition(".")[2] == "localhost" and not settings.EGRESS_ALLOW_LOOPBACK:
        raise Refused("This machine itself is not called.")
    elif not target.secure and settings.EGRESS_REQUIRE_HTTPS and not settings.EGRESS_ALLOWED_NETWORKS:
        raise Refused("Only https:// is called.")
    return target


def judge(address: Address, *, secure: bool) -> None:
    """Raise Refused unless this very address may be called, over TLS or without."""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if any(address in network for network in _allowed_networks(tuple(settings.EGRESS_ALLOWED_NETWORKS))):
        return
    if address.is_loopback:
        if settings.EGRESS_ALLOW_LOOPBACK:
            return
        raise Refused("This machine itself is not called.")
    if not _is_public(address):
        raise Refused(f"{address} is a private or reserved address.")
    if settings.EGRESS_REQUIRE_HTTPS and not secure:
        raise Refused("Only https:// is called.")


def _is_public(address: Address) -> bool:
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    if address.version == 6 and address not in IPV6_UNICAST:  # noqa: PLR2004
        return False
    return not any(address in network for network in NEVER)


@functools.lru_cache(maxsize=8)
def _allowed_networks(written: tuple[str, ...]) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    return tuple(ipaddress.ip_network(network, strict=False) for network in written)


def literal(host: str) -> Address | None:
    """Return the address that a host is when it is no name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
