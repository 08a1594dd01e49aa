"""How much of the processors others have used: what stays comparable on a machine that does more than one thing."""

import psutil
from django.db import connection


def spent(root: psutil.Process) -> float:
    """Seconds of a process, of its descendants that live, and of their children that have ended."""
    total = 0.0
    for process in (root, *root.children(recursive=True)):
        try:
            total += sum(process.cpu_times()[:4])
        except psutil.NoSuchProcess:  # it ended just now
            continue
    return total


def postmaster() -> psutil.Process:
    """The process above the one that serves our connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (backend,) = cursor.fetchone()
    return psutil.Process(backend).parent()


def web() -> psutil.Process:
    """The web server that this benchmark has started."""
    return next(child for child in psutil.Process().children() if "granian" in child.cmdline())
