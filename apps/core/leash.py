"""Processes that end with the one that started them, even if that one is killed.

As a script, `leash.py PARENT COMMAND …` puts itself on the leash and becomes the command.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def end_with(parent: int, how: signal.Signals) -> None:
    """Ask the kernel to send this process `how` when `parent` is gone. Linux only; elsewhere nothing happens."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, how)
        if os.getppid() != parent:  # it was gone before we asked
            os.kill(os.getpid(), how)


if __name__ == "__main__":
    end_with(int(sys.argv[1]), signal.SIGTERM)
    os.execv(sys.argv[2], sys.argv[2:])  # noqa: S606 - the command line of our own supervisor
