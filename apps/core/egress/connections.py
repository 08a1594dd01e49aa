"""Connections to addresses that were found fit, and the pool of those that idle."""

import functools
import http.client
import ipaddress
import os
import select
import socket
import ssl
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Literal

import certifi

from apps.core.egress.targets import Address, Target, judge, literal

FailureKind = Literal["name", "connection", "tls", "timeout", "protocol"]

# Idle connections are kept for a moment only: many servers close theirs after five seconds, and names move.
IDLE_SECONDS = 4.0
IDLE_PER_PLACE = 32
IDLE_AT_ALL = 512
# A resolver that hangs holds a thread each; beyond so many, further names are refused at once.
RESOLVING_AT_ONCE = 64


class Failed(Exception):
    """The call did not come back whole. It may have arrived: whoever asks again must be able to."""

    def __init__(self, kind: FailureKind, message: str) -> None:
        """`kind` is for machines, the message for people."""
        self.kind: FailureKind = kind
        super().__init__(message)


_resolving = threading.BoundedSemaphore(RESOLVING_AT_ONCE)


def addresses_of(host: str, port: int, deadline: float) -> list[Address]:
    """Return every address of a name, before the deadline: the system's resolver knows none, so a thread waits for it.

    Raises Failed.
    """
    address = literal(host)
    if address is not None:
        return [address]
    if not _resolving.acquire(timeout=max(0.0, deadline - time.monotonic())):
        raise Failed("timeout", "Too many names are being resolved.")
    found: list[Address] = []
    trouble: list[Exception] = []

    def resolve() -> None:
        try:
            for *_, place in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
                found.append(ipaddress.ip_address(str(place[0]).partition("%")[0]))
        except (OSError, ValueError) as problem:  # ValueError: a label that no name may have
            trouble.append(problem)
        finally:
            _resolving.release()

    asker = threading.Thread(target=resolve, name="resolve", daemon=True)
    asker.start()
    asker.join(max(0.0, deadline - time.monotonic()))
    if asker.is_alive():
        raise Failed("timeout", f"{host} could not be resolved in time.")
    if trouble or not found:
        raise Failed("name", f"{host} has no address.")
    return list(dict.fromkeys(found))


def _within(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


class _Deadline:
    """A socket of which every step gets only the time that is left of the whole."""

    until = 0.0
    settimeout: Callable[[float | None], None]

    def recv_into(self, *arguments: Any, **more: Any) -> int:
        self.settimeout(_within(self.until))
        return super().recv_into(*arguments, **more)  # type: ignore[misc, no-any-return]

    def sendall(self, *arguments: Any, **more: Any) -> None:
        self.settimeout(_within(self.until))
        return super().sendall(*arguments, **more)  # type: ignore[misc, no-any-return]


class _Socket(_Deadline, socket.socket):
    pass


class _SecureSocket(_Deadline, ssl.SSLSocket):
    def send(self, *arguments: Any, **more: Any) -> int:  # its sendall is a loop over this
        self.settimeout(_within(self.until))
        return super().send(*arguments, **more)


@functools.lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    """The system's authorities (or SSL_CERT_FILE) and Mozilla's; host names and TLS 1.2 upwards are required."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    context.sslsocket_class = _SecureSocket
    return context


class Connection(http.client.HTTPConnection):
    """A connection to an address that was found fit."""

    sock: Any

    def __init__(self, target: Target) -> None:
        """Connect when first used."""
        super().__init__(target.host, target.port)
        self.target = target
        self.deadline = 0.0
        self.idle_since = 0.0

    def connect(self) -> None:
        """Resolve, judge every address, connect to the first that takes us."""
        target = self.target
        addresses = addresses_of(target.host, target.port, self.deadline)
        for address in addresses:  # all of them first: a name with one bad address is not to be trusted
            judge(address, secure=target.secure)
        trouble: OSError | None = None
        for address in addresses:
            try:
                plain = self._reach(address, target.port)
            except TimeoutError:
                raise
            except OSError as problem:
                trouble = problem
                continue
            self.sock = self._secured(plain) if target.secure else plain
            return
        raise trouble or OSError("no address answers")

    def _reach(self, address: Address, port: int) -> _Socket:
        plain = _Socket(socket.AF_INET6 if address.version == 6 else socket.AF_INET, socket.SOCK_STREAM)  # noqa: PLR2004
        try:
            plain.until = self.deadline
            plain.settimeout(_within(self.deadline))
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            plain.connect((str(address), port))
        except BaseException:
            plain.close()
            raise
        return plain

    def _secured(self, plain: _Socket) -> ssl.SSLSocket:
        plain.settimeout(_within(self.deadline))
        try:
            secure = _tls().wrap_socket(plain, server_hostname=self.target.host.rstrip("."))
        except BaseException:
            plain.close()
            raise
        secure.until = self.deadline  # type: ignore[attr-defined]
        return secure


class Pool:
    """Idle connections by scheme, host and port; the longest idle goes first when there are too many."""

    def __init__(self) -> None:
        """Begin empty."""
        self._lock = threading.Lock()
        self._idle: OrderedDict[tuple[bool, str, int], list[Connection]] = OrderedDict()
        self._count = 0

    def take(self, target: Target) -> Connection | None:
        """Return a connection that still stands, or None."""
        stale: list[Connection] = []
        found: Connection | None = None
        oldest = time.monotonic() - IDLE_SECONDS
        with self._lock:
            kept = self._idle.get(_place(target), [])
            while kept and found is None:
                candidate = kept.pop()
                self._count -= 1
                if candidate.idle_since >= oldest and not _is_readable(candidate.sock):
                    found = candidate
                else:  # whatever it has to say now is its end
                    stale.append(candidate)
        for connection in stale:
            connection.close()
        return found

    def give_back(self, target: Target, connection: Connection) -> None:
        """Keep a connection whose answer was read to its end."""
        surplus: list[Connection] = []
        connection.idle_since = time.monotonic()
        with self._lock:
            kept = self._idle.setdefault(_place(target), [])
            self._idle.move_to_end(_place(target))
            kept.append(connection)
            self._count += 1
            if len(kept) > IDLE_PER_PLACE:
                surplus.append(kept.pop(0))
                self._count -= 1
            while self._count > IDLE_AT_ALL or (self._idle and not next(iter(self._idle.values()))):
                _, dropped = self._idle.popitem(last=False)
                self._count -= len(dropped)
                surplus += dropped
        for old in surplus:
            old.close()

    def forget(self, *, close: bool) -> None:
        """Drop every idle connection."""
        dropped = [connection for kept in self._idle.values() for connection in kept]
        self._idle, self._count, self._lock = OrderedDict(), 0, threading.Lock()
        if close:
            for connection in dropped:
                connection.close()


def _place(target: Target) -> tuple[bool, str, int]:
    return (target.secure, target.host, target.port)


def _is_readable(sock: Any) -> bool:
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(0))


pool = Pool()


def close_idle() -> None:
    """Close the idle connections of this process."""
    pool.forget(close=True)


# Two processes must never write to one connection.
os.register_at_fork(after_in_child=functools.partial(pool.forget, close=False))
