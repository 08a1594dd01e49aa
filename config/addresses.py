"""Where the embedded services listen: a function of the data directory alone, so settings need not start them."""

import hashlib
from pathlib import Path
from urllib.parse import quote, urlsplit

REPOSITORY = Path(__file__).resolve().parents[1]

# The system allows about 107 bytes for the path of a Unix socket.
LONGEST_SOCKET_PATH = 100


def socket_dir(home: Path) -> Path:
    """Return where a service that lives in `home` puts its socket: there, or in /tmp if the path were too long."""
    if len(bytes(home / "run" / ".s.PGSQL.5432.lock")) <= LONGEST_SOCKET_PATH:
        return home / "run"
    # /tmp itself, not the user's TMPDIR: every process has to arrive at the same place.
    return Path("/tmp") / f"podium-{hashlib.sha256(bytes(home)).hexdigest()[:16]}"  # noqa: S108 - made with mode 700


def postgres_url(data_dir: Path) -> str:
    """Return the DATABASE_URL of the PostgreSQL embedded in this data directory."""
    return f"postgres://postgres@/{quote(str(socket_dir(data_dir / 'postgres')))}/podium"


def redis_url(data_dir: Path) -> str:
    """Return the REDIS_URL of the Redis embedded in this data directory."""
    return f"unix://{quote(str(socket_dir(data_dir / 'redis')))}/redis.sock?db=0"


def public_url(kept: Path) -> str:
    """Return where clients reach this installation unless settings say so: where it was last up, else the usual."""
    return kept.read_text().strip() if kept.is_file() else "http://127.0.0.1:8000"


def numbered(redis: str, database: int | None) -> str:
    """Return the same Redis with another of its numbered databases; None keeps the one it names."""
    if database is None:
        return redis
    parts = urlsplit(redis)
    if parts.scheme == "unix":
        # Not geturl(): it drops the empty authority of a scheme it does not know, and Redis needs unix:///path.
        return f"unix://{parts.netloc}{parts.path}?db={database}"
    return parts._replace(path=f"/{database}").geturl()


def broker_url(redis: str) -> str:
    """Say a Redis address the way Celery wants it, which spells Unix sockets its own way."""
    if redis.startswith("unix://"):
        return redis.replace("unix://", "redis+socket://").replace("?db=", "?virtual_host=")
    return redis
