"""Who caused a change."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Actor:
    """Who caused a change. Every write operation takes one; there is no default."""

    kind: str  # "staff" | "key" | "game" | "player" | "system"
    ref: str
    request_id: str = ""

    def __str__(self) -> str:
        return f"{self.kind}:{self.ref}"


SYSTEM = Actor("system", "podium")
