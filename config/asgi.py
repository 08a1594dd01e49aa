"""The `live` process: sockets only. HTTP belongs to `web`, which is several times faster at it."""

import os

from channels.routing import ProtocolTypeRouter
from django.core.asgi import get_asgi_application

from config import embedded

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")

embedded.start()
django = get_asgi_application()

# Only a Django that is set up can import models.
from apps.tournaments.live.routing import application as sockets  # noqa: E402

application = ProtocolTypeRouter({"http": django, "websocket": sockets})
