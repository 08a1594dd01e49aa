"""The addresses of the room dialect, below each of its three mounts (rooms.md 1).

Each is spelled out: nothing else below a mount is swallowed, so that the root keeps its own pages for what is not here.
"""

from apps.rooms.api.game.urls import urlpatterns as game
from apps.rooms.api.people.urls import urlpatterns as people

urlpatterns = [*game, *people]
