"""The demo's secrets, made once per data directory and readable by its owner only."""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self


@dataclass(frozen=True, slots=True)
class Keys:
    """What a person needs to look around: the password of every demo login, and the keys by operator slug."""

    password: str
    operator_keys: dict[str, str] = field(default_factory=dict)
    internal_keys: dict[str, str] = field(default_factory=dict)
    # Key and secret of each operator's game.
    game_keys: dict[str, tuple[str, str]] = field(default_factory=dict)
    # The secrets of each operator's match clients, by client id.
    match_clients: dict[str, dict[str, str]] = field(default_factory=dict)
    # App id and secret key of each operator's rumble application.
    applications: dict[str, tuple[int, str]] = field(default_factory=dict)
    # Id and key of each operator's integration.
    integrations: dict[str, tuple[str, str]] = field(default_factory=dict)
    # The secret of the webhook endpoint that the demo's own receiver stands behind, by the endpoint's public id.
    webhook_secrets: dict[str, str] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> Self | None:
        """Return what an earlier start has left, if anything."""
        return cls(**json.loads(path.read_text())) if path.exists() else None

    def are_whole(self) -> bool:
        """Tell whether everything is there that a demo of today needs."""
        return all(asdict(self).values())

    def save(self, path: Path) -> None:
        """Keep the secrets for the next start."""
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w") as file:
            json.dump(asdict(self), file)
