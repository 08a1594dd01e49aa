"""The `web` process: everything that answers over HTTP."""

import os

from django.core.wsgi import get_wsgi_application

from config import embedded

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")

embedded.start()
django = get_wsgi_application()

from apps.core.express import Door  # noqa: E402 - Django has to be set up first

application = Door(django)
