"""Addresses of the live sockets, for config.asgi."""

from typing import Any

from channels.routing import URLRouter
from django.urls import re_path

from apps.tournaments.live import bell
from apps.tournaments.live.farewell import before_stop
from apps.tournaments.live.hub import Hub
from apps.tournaments.live.sockets import Receive, Scope, Send, Sockets
from apps.tournaments.live.source import Database

hub = Hub(Database(), bell=bell.listen)
_sockets = Sockets(hub)


class _Live:
    """The sockets, which say goodbye when the process is told to stop."""

    prepared = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self.prepared:
            self.prepared = True
            before_stop(hub.farewell)
        await _sockets(scope, receive, send)


async def nowhere(_scope: Scope, receive: Receive, send: Send) -> None:
    """There is no socket at this address."""
    await receive()
    body = b'{"success":false,"error":{"code":"NOT_FOUND","message":"There is nothing at this address.","details":{}}}'
    headers = [(b"content-type", b"application/json")]
    await send({"type": "websocket.http.response.start", "status": 404, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": body})


# Channels takes any ASGI application where Django would want a view.
_live: Any = _Live()
_nowhere: Any = nowhere
# Clients of the original write either prefix, with and without the slash (operators.md 7).
application: Any = URLRouter(
    [
        re_path(r"^(?:api/)?ws/tournaments/(?P<id>[^/]+)/?$", _live),
        re_path(r"", _nowhere),
    ]
)
