"""The board of a tournament: its ranking in Redis, derived from PostgreSQL and worth nothing without it.

Losing Redis, all of it or a part, means slower and never wrong: whoever reads gets None, asks PostgreSQL, and a rebuild
is on its way. What a board that answers guarantees:

* One answer is one moment of the board. Its order is exactly `querysets.RANKING`, because every member spells the
  whole order out, and what is ranked (points, times, entries, in or out) is read from the members themselves.
* It is behind PostgreSQL by the time between a commit and the `push` after it: milliseconds.
* A push that was lost (the process died in between, Redis was away) is made up for by `sweep`, which the beat rings
  every few seconds. A board that no sweep has looked at for `TRUST_SECONDS` does not answer, so that is the bound on
  its staleness even when Redis comes back with the memory of last week and the beat is dead. One gap: a lost push of a
  transaction that took longer than `upkeep.MARGIN` to commit waits for the verification every `upkeep.VERIFY_EVERY`.
* Pushes may arrive in any order: the higher `score_version` of an entry wins. A change that kept its version, which no
  verb makes, is found by whoever reads the row and by the verification.

`packing` is the form of a member, `scripts` what Redis runs, `store` talks to Redis, `upkeep` fills and heals boards.
"""

from apps.tournaments.board.packing import Place
from apps.tournaments.board.store import Page, Silent, around, drop, mend, news, page, push, ranks, remember
from apps.tournaments.board.upkeep import LIVE, REBUILD, SWEEP, rebuild, sweep

__all__ = [
    "LIVE",
    "REBUILD",
    "SWEEP",
    "Page",
    "Place",
    "Silent",
    "around",
    "drop",
    "mend",
    "news",
    "page",
    "push",
    "ranks",
    "rebuild",
    "remember",
    "sweep",
]
