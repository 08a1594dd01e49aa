"""The Celery application: a doorbell for rows that are due, never the place where work is kept."""

import os
import warnings
from typing import Any

from celery import Celery, signals
from celery.platforms import SecurityWarning
from django.conf import settings

from config import embedded

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")

# A worker may run as root, as the demo does in a container: messages are JSON and can't carry code.
warnings.filterwarnings("ignore", category=SecurityWarning)

app = Celery("podium")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(lambda: [name for name in settings.INSTALLED_APPS if name.startswith("apps.")])


@signals.celeryd_init.connect
@signals.beat_init.connect
def use_services(**_: Any) -> None:
    """The worker and the beat are users of the embedded services like every other process."""
    embedded.start()
