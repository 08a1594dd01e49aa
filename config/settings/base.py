"""What every installation shares. The environment is read here and nowhere else.

Unset means the default beside the name; DATABASE_URL and REDIS_URL unset mean the embedded services.
"""

from pathlib import Path

import django_stubs_ext
import environ

from config import addresses
from config.settings.admin import DATE_FORMAT, DATETIME_FORMAT, LOGIN_REDIRECT_URL, UNFOLD  # noqa: F401 - settings
from config.settings.logs import configure_logging

# Classes that only the type stubs know as generic may be written so: ModelAdmin[Player].
django_stubs_ext.monkeypatch()

env = environ.Env()

BASE_DIR = addresses.REPOSITORY
DATA_DIR = Path(env.str("PODIUM_DATA_DIR", default=str(BASE_DIR / ".data"))).absolute()

# --- who we are -------------------------------------------------------------------------------------------------------

SECRET_KEY = env.str("SECRET_KEY", default="")
# Fernet keys, newest first. Empty: one key derived from SECRET_KEY.
ENCRYPTION_KEYS = env.list("ENCRYPTION_KEYS", default=[])
DEBUG = False
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
# Where clients reach this installation from outside; absolute links are built on it. `manage.py up` keeps its address
# in the file, so that a command in another terminal writes down the same one.
PUBLIC_URL_FILE = DATA_DIR / "public_url"
PUBLIC_URL = env.str("PUBLIC_URL", default=addresses.public_url(PUBLIC_URL_FILE)).rstrip("/")
# How many reverse proxies stand in front: that many entries at the end of X-Forwarded-For are believed.
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", default=0)

GAME_LAUNCH_URL = env.str("GAME_LAUNCH_URL", default="https://play.example/{slug}")
GAME_PLATFORM_URL = env.str("GAME_PLATFORM_URL", default="")
# Sent to the game platform with every notice, as X-Internal-Api-Key.
GAME_PLATFORM_KEY = env.str("GAME_PLATFORM_KEY", default="")
# Payouts per transaction: more are faster, fewer make shorter locks and a smoother progress bar.
PAYOUT_BATCH = env.int("PAYOUT_BATCH", default=5000)
# A file or URL in the European Central Bank's XML that is read for every operator; empty: rates come by API and staff.
EXCHANGE_RATES_SOURCE = env.str("EXCHANGE_RATES_SOURCE", default="")
# Rounds of games that no tournament watches are kept as well: reports need them.
ROUNDS_KEEP_UNWATCHED = env.bool("ROUNDS_KEEP_UNWATCHED", default=True)
# Rounds that the scorer counts in one transaction: many, because every entry among them is written once.
ROUNDS_COUNTED_AT_ONCE = env.int("ROUNDS_COUNTED_AT_ONCE", default=40_000)
# How much a partition of rounds holds: day, week or month.
ROUNDS_PARTITION = env.str("ROUNDS_PARTITION", default="week")
# Partitions that ended longer ago are let go of: dropped, or detached to be archived. 0 keeps them all.
ROUNDS_KEPT_DAYS = env.int("ROUNDS_KEPT_DAYS", default=0)
ROUNDS_EXPIRED = env.str("ROUNDS_EXPIRED", default="drop")
# How often each process writes down what it counted for the health of intake; 0 never does.
ROUNDS_COUNT_SECONDS = env.float("ROUNDS_COUNT_SECONDS", default=2.0)
# How long a process goes by what it last read of a key that sends many calls: so long may a revoked one still be taken.
INTEGRATION_KEYS_SECONDS = env.float("INTEGRATION_KEYS_SECONDS", default=1.0)
GAME_KEYS_SECONDS = env.float("GAME_KEYS_SECONDS", default=1.0)
# Integrations: refuse calls that did not come by TLS, and keys that may be used from anywhere.
INTEGRATIONS_REQUIRE_HTTPS = env.bool("INTEGRATIONS_REQUIRE_HTTPS", default=False)
INTEGRATIONS_REQUIRE_ALLOW_LIST = env.bool("INTEGRATIONS_REQUIRE_ALLOW_LIST", default=False)
# How long before its start a tournament's games are told as active.
ACTIVE_GAMES_AHEAD_SECONDS = env.int("ACTIVE_GAMES_AHEAD_SECONDS", default=24 * 3600)
# How long a game server that asked for a synchronous answer waits for its turn (rooms.md 3.0.3).
ROOM_SYNC_SECONDS = env.float("ROOM_SYNC_SECONDS", default=25.0)
# The chain that rumble money moves on: "simulated", the class of an adapter (package.module.Class), or nothing.
CHAIN = env.str("CHAIN", default="simulated")
# How long the simulated chain takes to make a transaction final.
CHAIN_FINALITY_SECONDS = env.float("CHAIN_FINALITY_SECONDS", default=2.0)
# How long a player has to sign a payment (rumble.md 4.3).
SIGNING_SECONDS = env.int("SIGNING_SECONDS", default=600)
PLAYER_TOKEN_ALGORITHM = env.str("PLAYER_TOKEN_ALGORITHM", default="EdDSA")

# --- what we are made of ----------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    # Unfold stands before the admin, because it replaces the admin's templates.
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_fsm",
    "pgtrigger",
    "simple_history",
    "django_structlog",
    "django_prometheus",
    "django_migration_linter",
    "channels",
    "apps.core",
    "apps.operators",
    "apps.ledger",
    "apps.events",
    "apps.jobs",
    "apps.rooms",
    "apps.tournaments",
    "apps.matches",
    "apps.rounds",
    "apps.rumble",
    "config",  # for the commands that compose every area
]

MIDDLEWARE = [
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "apps.core.middleware.RequestIdMiddleware",
    "apps.core.express.ExpressLane",
    "apps.core.requestlog.RequestLog",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]

# Calls to these never come from browsers, and there are thousands a second: they take no session, cookie or form.
EXPRESS_PATHS = {"/gamerounds/": "apps.rounds.api.urls"} | {
    f"{mount}/{start}/": "apps.rooms.api.mounts" for mount in ("/api", "", "/api/api") for start in ("game", "task")
}

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
ASGI_APPLICATION = "config.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- what we stand on -------------------------------------------------------------------------------------------------

# Which services are ours to start; config.embedded does so when a process that needs them begins.
EMBEDDED_SERVICES = [
    name
    for name, variable in (("postgres", "DATABASE_URL"), ("redis", "REDIS_URL"))
    if not env.str(variable, default="")
]
# False trades the safety of the data for speed, and only the tests may.
EMBEDDED_DURABLE = True

DATABASES = {"default": env.db("DATABASE_URL", default=addresses.postgres_url(DATA_DIR))}
DATABASE_POOL_SIZE = env.int("DATABASE_POOL_SIZE", default=0)
DATABASES["default"] |= {
    "ENGINE": "apps.core.postgresql",
    # A pool hands connections out per request, so with one nothing else may hold on to them.
    "CONN_MAX_AGE": 0 if DATABASE_POOL_SIZE else env.int("CONN_MAX_AGE", default=60),
    "CONN_HEALTH_CHECKS": True,
    # PgBouncer in transaction mode may give every transaction another server connection: a cursor that outlives its
    # transaction breaks. (Prepared statements would too; Django leaves them off unless asked.)
    "DISABLE_SERVER_SIDE_CURSORS": True,
}
if DATABASE_POOL_SIZE:
    DATABASES["default"].setdefault("OPTIONS", {})["pool"] = {"min_size": 1, "max_size": DATABASE_POOL_SIZE}

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = addresses.numbered(
    env.str("REDIS_URL", default="") or addresses.redis_url(DATA_DIR), env.int("REDIS_DATABASE", default=None)
)
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}

# --- work in the background -------------------------------------------------------------------------------------------

CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", default="") or addresses.broker_url(REDIS_URL)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "beat")


def every(seconds: float, task: str) -> dict[str, object]:
    """Ring for a task every `seconds`. A ring that nobody heard expires, so a worker that was down finds no heap."""
    return {"task": task, "schedule": seconds, "options": {"expires": max(seconds, 5)}}


CELERY_BEAT_SCHEDULE = {
    "number facts": every(1, "events.number_facts"),
    "tournaments": every(1, "tournaments.tick"),
    "rooms": every(1, "rooms.tick"),
    "forget old room tasks": every(3600, "rooms.forget_tasks"),
    "boards": every(2, "boards.sweep"),
    "matches": every(1, "matches.tick"),
    "chain": every(1, "ledger.chain_tick"),
    "containers": every(1, "rumble.tick"),
    "connection codes": every(5, "rumble.expire_codes"),
    "forget browsers of players": every(3600, "rumble.forget_browsers"),
    "score rounds": every(1, "rounds.score"),
    "close rounds of bets and wins": every(2, "rounds.close_overdue"),
    "keep partitions of rounds": every(3600, "rounds.keep_partitions"),
    "forget old counts of rounds": every(3600, "rounds.forget_counts"),
    "heartbeat": every(5, "core.heartbeat"),
    "payouts to operators": every(1, "ledger.remit_tick"),
    "exchange rates": every(6 * 3600, "ledger.fetch_exchange_rates"),
    "forget old deliveries": every(600, "events.purge_deliveries"),
    "forget old answers": every(3600, "operators.purge_idempotency"),
}

# --- calls out --------------------------------------------------------------------------------------------------------

# Nobody outside chooses an address on this machine for us to call; only a developer's machine allows it.
EGRESS_ALLOW_LOOPBACK = env.bool("EGRESS_ALLOW_LOOPBACK", default=False)
# Networks (CIDR) whose private addresses may be called, for operators whose receivers live inside.
EGRESS_ALLOWED_NETWORKS = env.list("EGRESS_ALLOWED_NETWORKS", default=[])
# Whether receivers outside those networks need TLS.
EGRESS_REQUIRE_HTTPS = env.bool("EGRESS_REQUIRE_HTTPS", default=True)
# Whether a queue without a key of its own may use this machine's (boto3's chain: environment, files, instance role).
# Whoever may add queues can then reach everything that the machine may.
SQS_AMBIENT_CREDENTIALS = env.bool("SQS_AMBIENT_CREDENTIALS", default=False)

# How long the payout and debit API of an operator may take to answer (rounds.md 3.5, 3.6).
CALLBACK_SECONDS = env.float("CALLBACK_SECONDS", default=10.0)
# A payout that failed for now is sent again so often by itself, and so long after the try before.
PAYOUT_RETRIES = env.int("PAYOUT_RETRIES", default=5)
PAYOUT_RETRY_SECONDS = env.int("PAYOUT_RETRY_SECONDS", default=300)
# The pauses after each try of a debit that failed for now; after the last one a person decides.
DEBIT_RETRY_SECONDS = env.list("DEBIT_RETRY_SECONDS", cast=float, default=[1, 3, 10, 300, 300, 300, 300, 300])
# Webhooks that one relay process sends at the same time, one thread each.
RELAY_THREADS = env.int("RELAY_THREADS", default=256)
# How long an endpoint may do nothing but fail before it is switched off.
WEBHOOK_DISABLE_SECONDS = env.int("WEBHOOK_DISABLE_SECONDS", default=3 * 24 * 3600)
# How long deliveries stay on record once they are over, and how long those that nobody took.
WEBHOOK_KEPT_SECONDS = env.int("WEBHOOK_KEPT_SECONDS", default=14 * 24 * 3600)
DEAD_LETTERS_KEPT_SECONDS = env.int("DEAD_LETTERS_KEPT_SECONDS", default=60 * 24 * 3600)

# --- people and keys --------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "operators.User"
AUTHENTICATION_BACKENDS = ["apps.operators.roles.RoleBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "admin:login"

# --- HTTP -------------------------------------------------------------------------------------------------------------

# The largest body anyone sends is a batch of rounds.
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
APPEND_SLASH = False

REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["apps.core.api.json.Renderer"],
    "DEFAULT_PARSER_CLASSES": ["apps.core.api.json.Parser"],
    # Each dialect names its own; a view that forgets lets nobody in.
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAdminUser"],
    "EXCEPTION_HANDLER": "apps.core.api.errors.exception_handler",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Podium",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "PREPROCESSING_HOOKS": ["apps.core.api.schema.each_call_once"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "apps.core.api.schema.errors_everywhere",
        "apps.rounds.api.schema.with_rounds",
    ],
    # Several things have a `status`; generated clients want a name for each set of its words.
    "ENUM_NAME_OVERRIDES": {
        "TournamentStatusEnum": "apps.tournaments.api.casino.words.TOURNAMENT_WORDS",
        "EntryStatusEnum": "apps.tournaments.api.casino.words.ENTRY_FILTERS",
        "GamePlatformStatusEnum": "apps.tournaments.api.internal.schemas.STATUSES",
        "MatchModeEnum": "apps.matches.api.words.MODES",
        "MatchTiePolicyEnum": "apps.matches.api.words.TIE_POLICIES",
        "MatchOutcomeEnum": "apps.matches.api.words.OUTCOMES",
        "MatchStateEnum": "apps.matches.api.words.STATES",
        "MatchStatusEnum": "apps.matches.api.words.WIRE_STATUSES",
        "MatchDisputeStateEnum": "apps.matches.api.words.DISPUTE_STATES",
        "MatchDisputeTypeEnum": "apps.matches.api.words.DISPUTE_TYPES",
        "MatchScoreOrderEnum": "apps.matches.api.words.SCORE_ORDERS",
        "MatchScoreOrderTakenEnum": "apps.matches.api.words.SCORE_ORDERS_TAKEN",
        "PrizeTypeEnum": ["percentage"],
        "TournamentRailEnum": ["wallet", "clearing", "operator"],
        "RoundsRailEnum": ["wallet", "operator"],
        "RumbleStatusEnum": "apps.rumble.api.dialect.answers.TOURNAMENT_WORDS",
        "RumbleSettingsStatusEnum": "apps.rumble.api.dialect.answers.SETTINGS_WORDS",
        "RumbleParticipantStatusEnum": "apps.rumble.api.dialect.answers.PARTICIPANT_WORDS",
        "EscrowContainerStatusEnum": "apps.rumble.api.dialect.answers.CONTAINER_WORDS",
        "EscrowTransferStatusEnum": "apps.rumble.api.dialect.answers.TRANSFER_WORDS",
        "ChainTransactionStatusEnum": "apps.rumble.api.operator.serializers.CHAIN_WORDS",
        "RoomTaskStatusEnum": "apps.rooms.api.game.docs.TASK_WORDS",
        "WebhookDeliveryStateEnum": "apps.events.api.webhook_shapes.STATES",
    },
}

STATIC_URL = "/static/"

# --- time and language ------------------------------------------------------------------------------------------------

USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
USE_I18N = False

# --- what we say ------------------------------------------------------------------------------------------------------

LOGGING = configure_logging(
    level=env.str("LOG_LEVEL", default="INFO"),
    style=env.str("LOG_FORMAT", default="console"),
    requests=env.bool("LOG_REQUESTS", default=False),
)
# Upstream is our own RequestIdMiddleware, which has checked what the client sent.
DJANGO_STRUCTLOG_TRUST_UPSTREAM_REQUEST_ID = True
DJANGO_STRUCTLOG_CELERY_ENABLED = True
# Bells ring every second: their start and success are noise, their failure is not.
DJANGO_STRUCTLOG_CELERY_DEFAULT_LOG_LEVEL = 10
PROMETHEUS_EXPORT_MIGRATIONS = False

# Migrations of others are theirs to judge.
MIGRATION_LINTER_OPTIONS = {
    "include_apps": [name.removeprefix("apps.") for name in INSTALLED_APPS if name.startswith("apps.")],
    "ignore_initial_migrations": True,
}
