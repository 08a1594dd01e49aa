"""The envelope and the headers of operators.md 5.

The headers of Standard Webhooks are sent too: whoever doesn't know them ignores them, and whoever has a library for
them can use it.
"""

import hashlib
import hmac

from apps.core.api.json import dumps
from apps.events import facts
from apps.events.formats import PATIENT, Outgoing, Signing, Writing, standard


def envelope(fact: Outgoing) -> bytes:
    """Return the body that SQS carries too."""
    return dumps(facts.envelope(fact, fact.operator_public_id))


def signature(secret: str, moment: int, body: bytes) -> str:
    """Return the hex HMAC-SHA256 of `<moment>.<body>`; its key is the secret as it was shown, `whsec_` included."""
    return hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()


def headers(fact: Outgoing, body: bytes, signing: Signing) -> dict[str, str]:
    """Return the documented headers, and the number that the envelope has no place for.

    While a secret is being replaced, the old one adds a second `v1`.
    """
    moment = int(signing.at.timestamp())
    signed = [f"v1={signature(secret, moment, body)}" for secret in signing.secrets]
    return {
        **standard.headers(fact, body, signing),
        "X-Tournament-Event": fact.type,
        "X-Tournament-Event-Id": fact.public_id,
        "X-Tournament-Delivery": signing.attempt,
        "X-Tournament-Sequence": str(fact.sequence),
        "X-Tournament-Signature": ",".join([f"t={moment}", *signed]),
    }


WRITING = Writing(envelope, headers, PATIENT)
