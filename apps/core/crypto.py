"""Encryption at rest for the few secrets that must be read back (HMAC secrets, signing keys)."""

import base64
import hashlib
from functools import lru_cache

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings


@lru_cache(maxsize=1)
def _box(keys: tuple[str, ...], secret_key: str) -> MultiFernet:
    if not keys:
        derived = hashlib.sha256(b"podium.encryption:" + secret_key.encode()).digest()
        keys = (base64.urlsafe_b64encode(derived).decode(),)
    return MultiFernet([Fernet(key) for key in keys])


def _fernet() -> MultiFernet:
    return _box(tuple(settings.ENCRYPTION_KEYS), settings.SECRET_KEY)


def encrypt(text: str) -> str:
    """Encrypt with the newest of `ENCRYPTION_KEYS`."""
    return _fernet().encrypt(text.encode()).decode()


def decrypt(text: str) -> str:
    """Decrypt with any of `ENCRYPTION_KEYS`; raises `cryptography.fernet.InvalidToken` if none fits."""
    return _fernet().decrypt(text.encode()).decode()
