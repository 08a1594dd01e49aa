"""A secret key for installations that were given none."""

import secrets
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile


def kept(data_dir: Path) -> str:
    """Return this data directory's own random secret, made on the first call; only its owner can read the file.

    Processes that start at once agree: the file appears whole, under its name, exactly once.
    """
    path = data_dir / "secret_key"
    if not path.exists():
        data_dir.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile("w", dir=data_dir) as draft:  # created with mode 600
            draft.write(secrets.token_urlsafe(48))
            draft.flush()
            with suppress(FileExistsError):
                path.hardlink_to(draft.name)
    return path.read_text()
