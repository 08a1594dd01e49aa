"""Structured logs: one line per happening, with the request's id in it, for people or as JSON."""

from typing import Any

import structlog
from structlog.typing import Processor

_SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
]


def configure_logging(*, level: str, style: str, requests: bool) -> dict[str, Any]:
    """Set structlog up and return Django's LOGGING, so that both write the same lines to standard error.

    `style` is "json" or "console"; JSON writes tracebacks as one field, the console as people read them. Unless
    `requests` asks for all, only requests that failed get a line: at thousands a second the others cost real time.
    """
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    ending: list[Processor] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if style == "json"
        else [
            structlog.dev.ConsoleRenderer(
                colors=False,
                # The richer one prints local variables, and with them secrets.
                exception_formatter=structlog.dev.plain_traceback,
            )
        ]
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "lines": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *ending],
                "foreign_pre_chain": _SHARED,
            },
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "lines"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # django-structlog says the same with more in it.
            "django.server": {"level": "WARNING"},
            "django.request": {"level": "ERROR"},
            "django_structlog.middlewares.request": {"level": "INFO" if requests else "WARNING"},
            "celery": {"level": "WARNING"},
            "httpx": {"level": "WARNING"},
        },
    }
