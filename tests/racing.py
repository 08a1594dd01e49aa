"""Run the same work at once, to see what a race does."""

from collections.abc import Callable
from threading import Barrier, Thread
from typing import Any

from django.db import connection


def in_parallel(n: int, work: Callable[..., Any]) -> list[Any]:
    """Call `work` in `n` threads that set off together; return each one's result, or the exception it raised.

    A `work` that takes an argument is given its number, from 0. Tests that use this need committed data
    (`django_db(transaction=True)`), because every thread has a database connection of its own.
    """
    outcomes: list[Any] = [None] * n
    barrier = Barrier(n, timeout=30)

    def run(number: int) -> None:
        try:
            barrier.wait()
            outcomes[number] = work(number) if _takes_argument(work) else work()
        except Exception as raised:  # noqa: BLE001 - the caller judges it
            outcomes[number] = raised
        finally:
            connection.close()

    threads = [Thread(target=run, args=(number,)) for number in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def _takes_argument(work: Callable[..., Any]) -> bool:
    code = getattr(work, "__code__", None)
    return bool(code and code.co_argcount)
