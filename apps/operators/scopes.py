"""What a key may do: one enum, one list. Nothing is implied by anything else (operators.md 2.2, podium.md 2)."""

from collections.abc import Mapping

from django.db import models


class Scope(models.TextChoices):
    """One permission of a key."""

    TOURNAMENTS_READ = "tournaments.read"
    TOURNAMENTS_WRITE = "tournaments.write"
    TOURNAMENTS_DELETE = "tournaments.delete"
    PLAYERS_READ = "players.read"
    PLAYERS_WRITE = "players.write"
    RESULTS_READ = "results.read"
    WALLETS_READ = "wallets.read"
    WALLETS_WRITE = "wallets.write"
    KEYS_READ = "keys.read"
    KEYS_WRITE = "keys.write"
    GAMES_READ = "games.read"
    GAMES_WRITE = "games.write"
    SETTINGS_READ = "settings.read"
    SETTINGS_WRITE = "settings.write"
    EVENTS_READ = "events.read"
    WEBHOOKS_READ = "webhooks.read"
    WEBHOOKS_WRITE = "webhooks.write"
    MATCHES_READ = "matches.read"
    MATCHES_WRITE = "matches.write"


_READ_ONLY = (Scope.TOURNAMENTS_READ, Scope.PLAYERS_READ, Scope.RESULTS_READ)
_MANAGER = (
    Scope.TOURNAMENTS_READ,
    Scope.TOURNAMENTS_WRITE,
    Scope.TOURNAMENTS_DELETE,
    Scope.PLAYERS_READ,
    Scope.RESULTS_READ,
)

# The named roles of a key (operators.md 2.1). "Full Access" is the six documented permissions, not ours.
KEY_ROLES: Mapping[str, tuple[Scope, ...]] = {
    "Full Access": (*_MANAGER, Scope.PLAYERS_WRITE),
    "Tournament Manager": _MANAGER,
    "Read Only": _READ_ONLY,
    "Player Registration": (Scope.TOURNAMENTS_READ, Scope.PLAYERS_READ, Scope.PLAYERS_WRITE),
}
EVERY_SCOPE: tuple[Scope, ...] = tuple(Scope)
