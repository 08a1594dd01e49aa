"""The Celery application: a doorbell for rows that are due, never the place where work is kept."""

import os

from celery import Celery
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")

app = Celery("podium")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(lambda: [name for name in settings.INSTALLED_APPS if name.startswith("apps.")])
