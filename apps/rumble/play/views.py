"""The pages: what waits for the player, their tournaments, the applications that may act for them."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.core import clock
from apps.core.api.client import address_of
from apps.core.errors import DomainError
from apps.operators import limits
from apps.operators.models import Player
from apps.rumble.play import shown
from apps.rumble.play.access import COOKIE, PATH, actor_of, guarded, player_of, remember, signed_in
from apps.rumble.services import browsers, connections, payments
from apps.rumble.services.ground import TournamentNotFound

# What is said after something was done; the address names it, so that no text of a stranger is ever shown.
SAID = {
    "connected": "Connected. The application can see your name and balance, and ask you for payments.",
    "signed": "Signed. The payment is on its way; it is done in a few seconds.",
    "refused": "Refused. Nothing was paid.",
    "disconnected": "Disconnected. What you have paid for stays yours.",
    "left": "You are signed out.",
}
# Why somebody is not let in; the same codes say it to games in words of their own.
NOT_IN = {
    "OTP_INVALID": "That name and that code don't belong together. Enter the code that your authenticator shows now.",
    "OTP_REUSED": "This code has been tried already. Wait for the next one.",
    "USER_LOCKED": "Too many wrong codes. Wait a minute, then try again.",
    "LINK_SPENT": "This link has been used, or it has expired. Ask for a new one where you got it.",
}
# Tries to get in from one address.
TRIES_PER_MINUTE = 20


def _page(
    request: HttpRequest, template: str, player: Player | None = None, *, status: int = 200, **more: Any
) -> HttpResponse:
    said = SAID.get(request.GET.get("said", ""), "")
    head: Mapping[str, Any] = shown.head(player) if player else {}
    return render(request, f"play/{template}.html", {"said": said, **head, **more}, status=status)


def _home(request: HttpRequest, player: Player, **more: Any) -> HttpResponse:
    at = clock.now()
    return _page(request, "home", player, tab="home", **shown.money(player, at=at), **more)


@require_GET
@signed_in
def home(request: HttpRequest, player: Player) -> HttpResponseBase:
    """What waits for the player, and the place for a code."""
    if "fragment" in request.GET:
        return render(request, "play/money.html", {**shown.head(player), **shown.money(player, at=clock.now())})
    return _home(request, player)


@require_POST
@signed_in
def connect(request: HttpRequest, player: Player) -> HttpResponseBase:
    """Enter a connection code."""
    code = request.POST.get("code", "")[:40]
    try:
        connections.connect(player.pk, code, actor=actor_of(request, player), at=clock.now())
    except DomainError as refused:
        return _home(request, player, problem=refused, code=code)
    return redirect("/play/?said=connected")


@require_POST
@signed_in
def sign(request: HttpRequest, player: Player, transaction_id: str) -> HttpResponseBase:
    """Agree to a payment."""
    try:
        payments.sign(transaction_id, player_id=player.pk, actor=actor_of(request, player), at=clock.now())
    except DomainError as refused:
        return _home(request, player, refused=refused)
    return redirect("/play/?said=signed")


@require_POST
@signed_in
def refuse(request: HttpRequest, player: Player, transaction_id: str) -> HttpResponseBase:
    """Refuse a payment."""
    try:
        payments.reject(transaction_id, player_id=player.pk, actor=actor_of(request, player), at=clock.now())
    except DomainError as refused:
        return _home(request, player, refused=refused)
    return redirect("/play/?said=refused")


@require_GET
@signed_in
def tournaments(request: HttpRequest, player: Player) -> HttpResponseBase:
    """The player's tournaments."""
    return _page(request, "tournaments", player, tab="tournaments", **shown.tournaments_of(player))


@require_GET
@signed_in
def tournament(request: HttpRequest, player: Player, tournament_id: str) -> HttpResponseBase:
    """One of them, with its board."""
    try:
        found = shown.tournament_of(player, tournament_id)
    except TournamentNotFound:
        return _page(request, "gone", player, tab="tournaments", status=404)
    template = "board" if "fragment" in request.GET else "tournament"
    return _page(request, template, player, tab="tournaments", **found)


@require_GET
@signed_in
def applications(request: HttpRequest, player: Player) -> HttpResponseBase:
    """The applications that may act for the player."""
    found = connections.connections_of(player.pk)
    return _page(request, "applications", player, tab="applications", connections=found)


@require_http_methods(["GET", "POST"])
@signed_in
def disconnect(request: HttpRequest, player: Player, app_id: int) -> HttpResponseBase:
    """Ask whether an application is to be disconnected, and do it."""
    connection = connections.connections_of(player.pk).filter(application__app_id=app_id).first()
    if connection is None:
        return redirect("play:applications")
    if request.method == "GET":
        return _page(request, "disconnect", player, tab="applications", connection=connection)
    with suppress(connections.NotConnected):  # pressed twice
        connections.disconnect(player.pk, connection.application_id, actor=actor_of(request, player), at=clock.now())
    return redirect("/play/applications?said=disconnected")


@require_GET
@guarded
def enter(request: HttpRequest, token: str) -> HttpResponseBase:
    """Follow a link that signs its player in, once."""
    if not _admitted(request):
        return _page(request, "sign_in", slow=True, status=429)
    try:
        made = browsers.enter_by_link(token, at=clock.now())
    except DomainError as refused:
        if player_of(request) is not None:  # the page was loaded again
            return redirect("play:home")
        return _page(request, "sign_in", problem=NOT_IN.get(refused.code, refused.message), status=403)
    return remember(HttpResponse(status=303, headers={"Location": PATH}), made, request)


@require_http_methods(["GET", "POST"])
@guarded
def sign_in(request: HttpRequest) -> HttpResponseBase:
    """Come in with a name and the code of an authenticator."""
    known = {name: request.GET.get(name, "")[:64] for name in ("operator", "name")}
    if request.method == "GET":
        return redirect("play:home") if player_of(request) else _page(request, "sign_in", known=known)
    if not _admitted(request):
        return _page(request, "sign_in", known=known, slow=True, status=429)
    given = {name: request.POST.get(name, "").replace("\x00", "")[:64] for name in ("operator", "name", "code")}
    try:
        made = browsers.enter_by_code(given["operator"], given["name"], given["code"], at=clock.now())
    except DomainError as refused:
        return _page(request, "sign_in", known=given, problem=NOT_IN.get(refused.code, refused.message))
    return remember(HttpResponse(status=303, headers={"Location": PATH}), made, request)


@require_POST
@guarded
def sign_out(request: HttpRequest) -> HttpResponseBase:
    """Leave; the session is worth nothing from now on."""
    browsers.leave(request.COOKIES.get(COOKIE, ""), at=clock.now())
    answer = redirect("/play/sign-in?said=left")
    answer.delete_cookie(COOKIE, path=PATH, samesite="Lax")
    return answer


def _admitted(request: HttpRequest) -> bool:
    verdict = limits.take(f"play:{address_of(request)}", [limits.Window("sign-in", TRIES_PER_MINUTE, 60)])
    return verdict is None or verdict.allowed
