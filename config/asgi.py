"""The `live` process: sockets only. HTTP belongs to `web`, which is several times faster at it."""

import os

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application

from config import embedded

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")

embedded.start()
django = get_asgi_application()

application = ProtocolTypeRouter({"http": django, "websocket": URLRouter([])})
