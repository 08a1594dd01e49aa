"""The one HTTP client of every call that Podium makes to somebody else's server.

The address is somebody else's choice too, so it is never trusted: a name is resolved once per connection, every address
it resolves to must be fit to call, and the connection goes to exactly the address that was looked at. TLS still proves
the name. No redirects, no proxies of the environment, no surprise sizes, and no more time than was given, over the
whole exchange, however slowly bytes drip.

Why not requests-hardened, which does something like it: it looks at the first of several addresses only, resolves for
every request, times every single read but not the whole, and lets `requests` take proxies from the environment. On top
of the standard library a call also takes a sixth of its processor time (half of bare urllib3's), and webhooks are many.

Threads share the pool of idle connections. Settings: `EGRESS_ALLOW_LOOPBACK`, `EGRESS_ALLOWED_NETWORKS`,
`EGRESS_REQUIRE_HTTPS`.
"""

import http.client
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass

from apps.core.egress.brokers import fit_addresses
from apps.core.egress.connections import Connection, Failed, FailureKind, close_idle, pool
from apps.core.egress.targets import Refused, Target, examine, judge

__all__ = ["Answer", "Failed", "Refused", "close_idle", "examine", "fit_addresses", "judge", "send"]

USER_AGENT = "Podium/1"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: any status, header names in lower case, at most `max_bytes` of the body."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    truncated: bool
    seconds: float

    @property
    def ok(self) -> bool:
        """Whether the status is any 2xx."""
        return 200 <= self.status < 300  # noqa: PLR2004 - what 2xx means


def send(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    body: bytes = b"",
    timeout: float = 10.0,
    max_bytes: int = 64 * 1024,
) -> Answer:
    """Make one call and return what was answered, whatever its status; a redirect is an answer like any other.

    `timeout` is for everything together: resolving, connecting, sending, reading. Thread-safe. Raises Refused (final)
    and Failed (the call may be repeated; it may have arrived). Never call it while a transaction is open.
    """
    begun = time.monotonic()
    deadline = begun + timeout
    target = examine(url)
    connection = pool.take(target) or Connection(target)
    reusable = False
    try:
        connection.deadline = deadline
        if connection.sock is not None:
            connection.sock.until = deadline
        connection.request(method, target.path, body or None, _complete(headers, target))
        response = connection.getresponse()
        got = b"" if method == "HEAD" else response.read(max_bytes + 1)
        if response.length and len(got) <= max_bytes and method != "HEAD":
            raise Failed("connection", "The answer ended early.")  # noqa: TRY301 - told as what it is
        reusable = response.isclosed() and not response.will_close
    except (Refused, Failed):
        raise
    except ssl.SSLError as problem:
        raise _failed("timeout" if isinstance(problem, TimeoutError) else "tls", problem) from problem
    except TimeoutError as problem:
        raise Failed("timeout", f"No whole answer within {timeout:g} seconds.") from problem
    except OSError as problem:
        raise _failed("connection", problem) from problem
    except http.client.HTTPException as problem:
        raise _failed("protocol", problem) from problem
    except ValueError as problem:  # a header or method that would break the request apart
        raise Refused(f"This can not be sent: {problem}") from problem
    finally:
        if reusable:
            pool.give_back(target, connection)
        else:
            connection.close()
    return Answer(
        status=response.status,
        headers={name.lower(): value for name, value in response.getheaders()},
        body=got[:max_bytes],
        truncated=len(got) > max_bytes,
        seconds=time.monotonic() - begun,
    )


def _complete(headers: Mapping[str, str], target: Target) -> dict[str, str]:
    return {"Host": target.header, "User-Agent": USER_AGENT, "Accept-Encoding": "identity", **headers}


def _failed(kind: FailureKind, problem: Exception) -> Failed:
    reason = getattr(problem, "strerror", None) or str(problem) or type(problem).__name__
    return Failed(kind, str(reason)[:300])
