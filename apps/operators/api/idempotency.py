"""Do the work once per `Idempotency-Key` (operators.md 13, row 24; design.md 5).

The answer is stored in the transaction of the work, so either both exist or neither does. A retry that arrives while
the first try still runs waits on the unique index for its commit, then gets its answer.
"""

import hashlib
from collections.abc import Callable
from datetime import datetime

from django.db import connection, transaction
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core import crypto
from apps.core.api.json import Renderer
from apps.core.errors import DomainError, Invalid
from apps.operators.models import Credential, IdempotencyRecord
from apps.operators.services.retries import REMEMBERED

HEADER = "Idempotency-Key"
METHODS = frozenset({"POST", "PUT", "PATCH", "DELETE"})
MAX_LENGTH = 200
TOO_MANY, SERVER_ERROR = 429, 500

CLAIM = """
    INSERT INTO operators_idempotencyrecord AS kept (credential_id, key, fingerprint, created_at)
    VALUES (%s, %s, %s, %s)
    ON CONFLICT (credential_id, key) DO UPDATE
       SET fingerprint = excluded.fingerprint, status_code = NULL, body = NULL, created_at = excluded.created_at
     WHERE kept.created_at <= %s
    RETURNING id
"""


class KeyReused(DomainError):
    """The Idempotency-Key was used for another request."""

    code = "IDEMPOTENCY_KEY_REUSED"
    hint = "Send a new key with every new request, and the same key only to repeat one."


class _NotRemembered(Exception):
    def __init__(self, answer: HttpResponseBase) -> None:
        self.answer = answer


def key_of(request: Request) -> str | None:
    """Return the request's key, or None if it has none or its method needs none. Raises Invalid for a bad one."""
    key: str | None = request.headers.get(HEADER)
    if key is None or request.method not in METHODS:
        return None
    if not 0 < len(key) <= MAX_LENGTH or not (key.isascii() and key.isprintable()):
        raise Invalid(f"{HEADER} must be 1 to {MAX_LENGTH} printable ASCII characters.")
    return key


def fingerprint_of(request: Request) -> str:
    """Return what must be the same for a request to be the same: method, address and body, byte for byte."""
    head = f"{request.method} {request.get_full_path()}\n".encode()
    return hashlib.sha256(head + request._request.body).hexdigest()  # noqa: SLF001 - bytes, before any parser


def answer_once(
    request: Request,
    *,
    credential: Credential,
    key: str,
    work: Callable[[], HttpResponseBase],
    renderer: Renderer,
    sealed: bool,
    at: datetime,
) -> HttpResponseBase:
    """Return `work`'s answer, or the one it gave before; `work` runs at most once per credential and key in 24 hours.

    An exception undoes the work and frees the key, as do an answer of 429 or of 500 and above. `sealed` encrypts the
    stored answer, for those that show a secret. Raises KeyReused for another request under the same key.
    """
    fingerprint = fingerprint_of(request)
    try:
        with transaction.atomic():
            record_id = _claim(credential.pk, key, fingerprint, at)
            if record_id is None:
                return _replay(credential.pk, key, fingerprint, sealed=sealed)
            answer = _lasting(work())
            body = renderer.render(answer.data)
            IdempotencyRecord.objects.filter(pk=record_id).update(
                status_code=answer.status_code, body=crypto.encrypt(body.decode()).encode() if sealed else body
            )
            return answer
    except _NotRemembered as undone:
        return undone.answer


def _lasting(answer: HttpResponseBase) -> Response:
    """Return an answer that a retry should get too; raise _NotRemembered with any other."""
    if not isinstance(answer, Response) or answer.status_code == TOO_MANY or answer.status_code >= SERVER_ERROR:
        raise _NotRemembered(answer)
    return answer


def _claim(credential_id: int, key: str, fingerprint: str, at: datetime) -> int | None:
    """Return the id of a record that is ours to fill, or None if another request got there first and committed."""
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, [credential_id, key, fingerprint, at, at - REMEMBERED])
        row = cursor.fetchone()
    return row[0] if row else None


def _replay(credential_id: int, key: str, fingerprint: str, *, sealed: bool) -> HttpResponse:
    record = IdempotencyRecord.objects.get(credential_id=credential_id, key=key)
    if record.fingerprint != fingerprint:
        raise KeyReused
    body = bytes(record.body or b"")
    if sealed:
        body = crypto.decrypt(body.decode()).encode()
    return HttpResponse(
        body,
        status=record.status_code,
        content_type="application/json",
        headers={"Idempotent-Replayed": "true"},
    )
