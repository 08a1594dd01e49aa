"""Schemathesis over the whole description, for tests that bring real things to name: what is promised of every call."""

from contextlib import contextmanager
from unittest import mock

import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.config import (
    GenerationConfig,
    PhasesConfig,
    ProjectConfig,
    ProjectsConfig,
    SchemathesisConfig,
    StatefulPhaseConfig,
)

from apps.core import express

load_all_checks()
PROMISES = [
    CHECKS.get_one(name)
    for name in (
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_schema_conformance",
    )
]
EXAMPLES = 3


def described():
    """The description as `/api/schema/` serves it, and how much of it is tried."""
    project = ProjectConfig(
        generation=GenerationConfig(with_security_parameters=False, max_examples=EXAMPLES, deterministic=True),
        phases=PhasesConfig(stateful=StatefulPhaseConfig(enabled=False)),
    )
    description = SchemaGenerator().get_schema(request=None, public=True)
    config = SchemathesisConfig(projects=ProjectsConfig(default=project))
    return schemathesis.openapi.from_dict(description, config=config)


schema = described()


@contextmanager
def one_connection():
    """Keep the connection over a request, as Django's own test client does: the test's transaction is on it."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    try:
        with mock.patch.object(express, "close_old_connections"):
            yield
    finally:
        for signal in signals:
            signal.connect(close_old_connections)


# The rumble dialect, and what operators call about it.
RUMBLE = r"^/developers-api/|^/api/(applications|chain)|^/api/players/\{user_id\}/(connections|payments|signin-link)"

as_it_comes = hypothesis_settings(
    deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
