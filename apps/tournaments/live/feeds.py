"""What a process knows of one tournament, and of one operator, that somebody listens to."""

import asyncio

from apps.tournaments.live.listener import Listener
from apps.tournaments.live.messages import LEADERBOARD, PLAYERS
from apps.tournaments.live.source import Picture

# How often one board is read at most.
BOARD_SECONDS = 0.5
# A board is read again after this long without any sign: what its rows show besides the ranking may have changed.
REREAD_SECONDS = 5.0


class Feed:
    """One tournament that somebody listens to. `read` is when its board was read last, by the monotonic clock."""

    def __init__(self, tournament_id: int) -> None:
        """Begin without listeners and without a board."""
        self.tournament_id = tournament_id
        self.listeners: set[Listener] = set()
        self.picture: Picture | None = None
        self.sign: object = None
        self.read = float("-inf")
        self.reading = False

    @property
    def watched(self) -> bool:
        """Whether anybody wants the board or the scores that are read from it."""
        return any(LEADERBOARD in one.channels or PLAYERS in one.channels for one in self.listeners)

    def forget(self) -> None:
        """Forget a board that nobody has watched: it may be old. It is read at the next look."""
        self.picture, self.sign, self.read = None, None, float("-inf")

    def is_due(self, sign: object, now: float) -> bool:
        """Tell whether the board is to be read now."""
        if self.reading or not self.watched or now - self.read < BOARD_SECONDS:
            return False
        return sign is None or sign != self.sign or now - self.read > REREAD_SECONDS

    def show(self, picture: Picture) -> None:
        """Hand out a board that differs from the last one, and the scores that do."""
        before, self.picture = self.picture, picture
        if before is not None:
            for player_id, text in picture.scores.items():
                if before.scores.get(player_id) != text:
                    for listener in self.listeners:
                        listener.score(player_id, text)
        if before is None or before.text != picture.text:
            for listener in self.listeners:
                listener.show(picture.text)


class Desk:
    """An operator whose facts this process reads: all up to `through` have been handed out to its feeds."""

    def __init__(self, operator_id: int) -> None:
        """Begin with nothing read."""
        self.operator_id = operator_id
        self.through: int | None = None
        self.feeds: dict[int, Feed] = {}
        # Listeners that are about to join: the desk stays for them.
        self.guests = 0
        self.reading = False
        self.rung = False
        # Held while facts are read and handed out: a feed that joins in between would miss some.
        self.lock = asyncio.Lock()
