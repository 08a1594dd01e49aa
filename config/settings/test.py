"""For pytest: a data directory of its own, and a Redis database for each xdist worker."""

import os

from config.addresses import REPOSITORY

# Said in the environment, before `base` reads it, so that processes which a test starts share it: no test ever touches
# the data of a running installation.
os.environ["PODIUM_DATA_DIR"] = os.environ.get("PODIUM_TEST_DATA_DIR", str(REPOSITORY / ".data" / "test"))
# gw0, gw1, … count from 1; without xdist it is 0. PostgreSQL databases are told apart by pytest-django.
os.environ["REDIS_DATABASE"] = str(int(os.environ.get("PYTEST_XDIST_WORKER", "gw-1").removeprefix("gw")) + 1)

from config.settings.local import *  # noqa: F403 - after the lines above

EMBEDDED_DURABLE = False
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
