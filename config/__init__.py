"""How Podium is put together: settings, entry points and the services it can bring along."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
