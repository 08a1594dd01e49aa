"""Who looks at a page: a player with a browser session of their own, which is no session of staff."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect

from apps.core import clock
from apps.core.actors import Actor
from apps.operators.models import Player
from apps.rumble.services import browsers
from apps.rumble.services.browsers import Made

COOKIE = "podium_player"
PATH = "/play/"
Page = Callable[..., HttpResponseBase]
# Nothing but what we serve, and no page of anybody else's around it: these pages move money.
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:;"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def guarded(view: Page) -> Page:
    """Keep a page to itself: no caches, no scripts or frames of others."""

    @wraps(view)
    def looked_after(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        answer = view(request, *args, **kwargs)
        answer.headers["Content-Security-Policy"] = POLICY
        answer.headers["Cache-Control"] = "no-store"
        answer.headers["X-Robots-Tag"] = "noindex"
        return answer

    return looked_after


def signed_in(view: Page) -> Page:
    """Show a page to a player, and the way in to everybody else."""

    @guarded
    @wraps(view)
    def known(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        player = player_of(request)
        if player is None:
            # What is fetched in the background must not become the page of the way in.
            return HttpResponse(status=401) if "fragment" in request.GET else redirect("play:sign-in")
        return view(request, player, *args, **kwargs)

    return known


def player_of(request: HttpRequest) -> Player | None:
    """Return the player whose browser asks, or None."""
    token = request.COOKIES.get(COOKIE, "")
    return browsers.player_behind(token, at=clock.now()) if token else None


def actor_of(request: HttpRequest, player: Player) -> Actor:
    """Return the player, for the verbs' `actor=`."""
    return Actor("player", str(player.pk), request.META.get("HTTP_X_REQUEST_ID", ""))


def remember(answer: HttpResponse, made: Made, request: HttpRequest) -> HttpResponse:
    """Give the browser its session."""
    secure: Any = request.is_secure() or settings.SESSION_COOKIE_SECURE
    answer.set_cookie(
        COOKIE, made.token, expires=made.expires_at, path=PATH, secure=bool(secure), httponly=True, samesite="Lax"
    )
    return answer
