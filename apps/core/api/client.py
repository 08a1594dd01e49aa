"""Who is calling, as far as the network knows."""

from django.conf import settings
from django.http import HttpRequest
from rest_framework.request import Request

from apps.core import addresses


def address_of(request: Request | HttpRequest) -> str:
    """Return the caller's address, or "" when nobody knows it (a Unix socket).

    With TRUSTED_PROXIES = n, the n-th entry of X-Forwarded-For from the end is what the outermost proxy of ours saw;
    everything left of it is the caller's own claim and is ignored.
    """
    proxies: int = settings.TRUSTED_PROXIES
    entries = [entry for entry in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if entry.strip()]
    if proxies and entries:
        return addresses.normal(entries[-min(proxies, len(entries))])
    return addresses.normal(request.META.get("REMOTE_ADDR") or "")
