"""What Redis is asked. Its own statistics count the calls of the other workers of a test run too."""

from collections.abc import Iterator
from contextlib import contextmanager

from redis import Redis

END = "no more to note"
# How a connection begins.
GREETINGS = frozenset({"hello", "client", "select"})


@contextmanager
def noted(redis: Redis) -> Iterator[list[str]]:
    """Note the names of the commands that this worker's database gets; they are in the list after the block."""
    database = redis.connection_pool.connection_kwargs.get("db", 0)
    names: list[str] = []
    with redis.monitor() as monitor:
        yield names
        redis.echo(END)
        while True:
            told = monitor.next_command()
            if int(told["db"]) != database:
                continue
            if END in told["command"]:
                return
            name = told["command"].split(" ", 1)[0].lower()
            if name not in GREETINGS:
                names.append(name)
