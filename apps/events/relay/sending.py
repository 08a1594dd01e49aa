"""Make one attempt at one delivery: write it down, sign it, send it, judge the answer. Needs no database."""

import hashlib
import random
import uuid
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache

from apps.core import clock, crypto, egress
from apps.events import formats
from apps.events.lifecycle import DeliveryStatus
from apps.events.relay.queue import Outcome, Taken

TIMEOUT_SECONDS = 10.0
# A receiver may ask for this much patience; more is not believed.
LONGEST_RETRY_AFTER = 3600.0
JITTER = 0.1
# How much of an answer is kept, for whoever looks into it.
ANSWER_BYTES = 2048
GONE = 410
SECRET_HEADERS = frozenset({"authorization", "x-internal-api-key"})

_unsealed = lru_cache(maxsize=4096)(crypto.decrypt)


def attempt(taken: Taken) -> Outcome:
    """Send one delivery and say what came of it. Never raises: whatever goes wrong is a failed attempt."""
    started_at, attempt_id = clock.now(), str(uuid.uuid4())
    body = b""
    headers: dict[str, str] = {}
    status, answer, error, asked, seconds = None, "", "", 0.0, 0.0
    try:
        body, headers = _written(taken, attempt_id, started_at)
        got = egress.send(
            "POST", taken.place.url, headers=headers, body=body, timeout=TIMEOUT_SECONDS, max_bytes=ANSWER_BYTES
        )
    except (egress.Refused, egress.Failed) as problem:
        error = f"{getattr(problem, 'kind', 'refused')}: {problem}"
        seconds = (clock.now() - started_at).total_seconds()
    except Exception as problem:  # noqa: BLE001 - a fact that can't be written down must not stop the others
        error = f"{type(problem).__name__}: {problem}"
    else:
        status, seconds = got.status, got.seconds
        answer = got.body.decode(errors="replace").replace("\x00", "\ufffd")
        if not got.ok:
            error = f"answered {got.status}"
            asked = retry_after(got.headers.get("retry-after", ""), clock.now())
    outcome = judged(taken, ok=not error, gone=status == GONE, asked=asked)
    outcome.last_status, outcome.error = status, error.replace("\x00", "\ufffd")
    outcome.sent = {
        "uuid": attempt_id,
        "started_at": started_at,
        "milliseconds": round(seconds * 1000),
        "headers": _fit_to_keep(headers),
        "digest": hashlib.sha256(body).hexdigest(),
        "bytes": len(body),
        "answer": answer,
    }
    return outcome


def judged(taken: Taken, *, ok: bool, gone: bool = False, asked: float = 0.0) -> Outcome:
    """Return where a delivery stands after a try: delivered, waiting for the next, or exhausted.

    `asked`: seconds that the receiver wants to be left alone. A test is tried once; `gone` ends it too.
    """
    if ok:
        return Outcome(taken.id, taken.number, DeliveryStatus.DELIVERED)
    schedule = formats.of(taken.place.format).schedule
    if gone or taken.is_test or taken.tries > len(schedule):
        return Outcome(taken.id, taken.number, DeliveryStatus.EXHAUSTED)
    wait = schedule[taken.tries - 1] * (1 + random.random() * JITTER)  # noqa: S311 - spreads load, hides nothing
    return Outcome(taken.id, taken.number, DeliveryStatus.PENDING, wait=max(wait, asked))


def given_back(taken: Taken) -> Outcome:
    """Return the outcome of a delivery that was taken and not tried: it is due at once."""
    return Outcome(taken.id, taken.number, DeliveryStatus.PENDING)


def retry_after(text: str, now: datetime) -> float:
    """Read a `Retry-After`: seconds or a date; 0 for anything else, an hour at most."""
    text = text.strip()
    if text.isascii() and text.isdecimal():
        return min(float(text[:9]), LONGEST_RETRY_AFTER)
    try:
        wanted = (parsedate_to_datetime(text) - now).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return 0.0
    return min(max(wanted, 0.0), LONGEST_RETRY_AFTER)


def _written(taken: Taken, attempt_id: str, at: datetime) -> tuple[bytes, dict[str, str]]:
    writing = formats.of(taken.place.format)
    body = writing.envelope(taken.fact)
    signing = formats.Signing(
        secrets=[_unsealed(sealed) for sealed in taken.place.secrets],
        token=_unsealed(taken.place.token) if taken.place.token else "",
        attempt=attempt_id,
        at=at,
    )
    return body, {"Content-Type": "application/json", **writing.headers(taken.fact, body, signing)}


def _fit_to_keep(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: "…" if name.lower() in SECRET_HEADERS else value for name, value in headers.items()}
