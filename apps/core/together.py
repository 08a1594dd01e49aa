"""Do the work of calls that come at the same moment as one piece of work.

What a transaction costs, it costs for one row as for fifty. While one call's work is under way, those that come
meanwhile wait, and one of them then does the work of all. Who comes alone begins at once; where several have just come
together, the next ones give others a moment to join (as PostgreSQL does with `commit_delay`).
"""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

# The moment, in seconds. Far less than the work takes, and worth a quarter of its cost.
PAUSE = 0.0005


class _Caller(Generic[Item, Result]):
    """One call that waits: for its result, or for its turn to do the work."""

    __slots__ = ("item", "outcome", "woken")

    def __init__(self, item: Item) -> None:
        self.item = item
        self.woken = threading.Lock()
        self.woken.acquire()
        self.outcome: tuple[Result] | BaseException | None = None


class Together(Generic[Item, Result]):
    """A piece of work that callers of one process share; safe to call from any number of threads."""

    def __init__(
        self,
        work: Callable[[Sequence[Item]], Sequence[Result]],
        *,
        most: int,
        blameless: tuple[type[BaseException], ...] = (),
    ) -> None:
        """Share `work`, which returns the results of up to `most` items in their order.

        What it raises, it raises for all of them; but errors other than `blameless` ones may be the fault of a single
        item, so then each item is worked on by itself.
        """
        self._work = work
        self._most = most
        self._blameless = blameless
        self._lock = threading.Lock()
        self._waiting: list[_Caller[Item, Result]] = []
        self._busy = False
        self._company = False

    def do(self, item: Item) -> Result:
        """Return the result of `item`, once its work is done. Raises what the work raises."""
        me: _Caller[Item, Result] = _Caller(item)
        with self._lock:
            self._waiting.append(me)
            mine = not self._busy
            self._busy = True
        if not mine:
            me.woken.acquire()
            mine = me.outcome is None
        if mine:
            self._do_for_all()
        if isinstance(me.outcome, tuple):
            return me.outcome[0]
        # Each caller needs a traceback of its own, and some needn't share a fault.
        if isinstance(me.outcome, self._blameless):
            raise type(me.outcome)(*me.outcome.args) from me.outcome
        return self._work([item])[0]

    def _do_for_all(self) -> None:
        if self._company:
            time.sleep(PAUSE)
        with self._lock:
            callers, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
        self._company = len(callers) > 1
        try:
            results = self._work([caller.item for caller in callers])
            for caller, result in zip(callers, results, strict=True):
                caller.outcome = (result,)
        except BaseException as problem:
            for caller in callers:
                caller.outcome = problem
            if len(callers) == 1 or not isinstance(problem, Exception):
                raise
        finally:
            self._pass_on(callers)

    def _pass_on(self, done: Sequence[_Caller[Item, Result]]) -> None:
        """Wake the first of those who wait to do the next work, and then those whose work is done."""
        with self._lock:
            following = self._waiting[0] if self._waiting else None
            self._busy = following is not None
        if following is not None:
            following.woken.release()
        for caller in done:
            caller.woken.release()
