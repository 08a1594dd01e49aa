"""Settings come from the environment, and secrets are made, never shipped."""

import os
import subprocess
import sys

import pytest

from config import addresses, secret
from config.addresses import REPOSITORY
from tests.racing import in_parallel


def settings_of(module: str, ask: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Print one expression over the settings, in a process with this environment only."""
    bare = {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": module, **environment}
    code = f"from django.conf import settings; print({ask})"
    return subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, env=bare, capture_output=True, text=True, check=False
    )


def test_each_data_directory_has_its_own_secret(tmp_path):
    mine, yours = secret.kept(tmp_path / "mine"), secret.kept(tmp_path / "yours")
    assert mine == secret.kept(tmp_path / "mine")
    assert mine != yours
    assert len(mine) >= 50
    assert (tmp_path / "mine" / "secret_key").stat().st_mode & 0o777 == 0o600


def test_processes_that_start_at_once_agree_on_the_secret(tmp_path):
    assert len(set(in_parallel(8, lambda: secret.kept(tmp_path)))) == 1


def test_production_without_a_secret_does_not_start():
    answer = settings_of("config.settings.production", "settings.DEBUG")
    assert answer.returncode == 1
    assert "SECRET_KEY" in answer.stderr


def test_given_services_are_used_and_none_are_embedded(tmp_path):
    answer = settings_of(
        "config.settings.local",
        "settings.EMBEDDED_SERVICES, settings.DATABASES['default']['HOST'], settings.CELERY_BROKER_URL",
        DATABASE_URL="postgres://me:secret@db.example:5433/podium",
        REDIS_URL="redis://cache.example:6379/2",
        PODIUM_DATA_DIR=str(tmp_path),
    )
    assert answer.stdout == "[] db.example redis://cache.example:6379/2\n"


def test_a_pool_takes_the_place_of_persistent_connections(tmp_path):
    answer = settings_of(
        "config.settings.local",
        "settings.DATABASES['default']['CONN_MAX_AGE'], settings.DATABASES['default']['OPTIONS']['pool']['max_size']",
        DATABASE_POOL_SIZE="7",
        PODIUM_DATA_DIR=str(tmp_path),
    )
    assert answer.stdout == "0 7\n"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("redis://cache.example:6379/2", "redis://cache.example:6379/5"),
        ("rediss://:word@cache.example", "rediss://:word@cache.example/5"),
        ("unix:///run/redis.sock?db=0", "unix:///run/redis.sock?db=5"),
    ],
)
def test_a_worker_of_the_tests_gets_a_redis_database_of_its_own(given, expected):
    assert addresses.numbered(given, 5) == expected
