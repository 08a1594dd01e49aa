"""One machine, no set-up: what `manage.py` uses unless told otherwise."""

from config import secret
from config.settings.base import *  # noqa: F403
from config.settings.base import ALLOWED_HOSTS, DATA_DIR, SECRET_KEY, env

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = SECRET_KEY or secret.kept(DATA_DIR)
ALLOWED_HOSTS = ALLOWED_HOSTS or ["localhost", "127.0.0.1", "[::1]"]

# Static files come straight from the packages that bring them: nothing to collect.
WHITENOISE_USE_FINDERS = True

# Receivers of webhooks run beside us here. Loopback only: other private addresses are refused as everywhere.
EGRESS_ALLOW_LOOPBACK = env.bool("EGRESS_ALLOW_LOOPBACK", default=True)
EGRESS_REQUIRE_HTTPS = env.bool("EGRESS_REQUIRE_HTTPS", default=False)
