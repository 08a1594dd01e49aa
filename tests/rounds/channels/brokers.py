"""A real RabbitMQ on loopback, as Debian packages it, with nothing left behind."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import amqp

from apps.core import leash

# Debian's wrapper in the path changes the user; this is what it wraps.
SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
WHY_NOT = "no RabbitMQ server: apt-get install rabbitmq-server"
START_SECONDS = 240.0


def is_there() -> bool:
    """Whether there is a server to start."""
    return SERVER.exists() and shutil.which("epmd") is not None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def rabbitmq(folder: Path) -> Iterator[int]:
    """Run a server with its own port mapper, and give its port; user and password are both `guest`."""
    port, mapper_port, distribution = free_port(), free_port(), free_port()
    (folder / "plugins").write_text("[].\n")
    (folder / "rabbitmq.conf").write_text(
        f"listeners.tcp.1 = 127.0.0.1:{port}\nlog.console = true\nlog.console.level = error\n"
        "vm_memory_high_watermark.absolute = 256MB\n"
    )
    environment = {
        **os.environ,
        "HOME": str(folder),
        "ERL_EPMD_PORT": str(mapper_port),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODENAME": f"podium{port}@localhost",
        "RABBITMQ_DIST_PORT": str(distribution),
        "RABBITMQ_MNESIA_BASE": str(folder / "data"),
        "RABBITMQ_LOG_BASE": str(folder / "logs"),
        "RABBITMQ_PID_FILE": str(folder / "pid"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq"),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1",
    }
    log = (folder / "server.log").open("ab")

    def start(*words: str) -> "subprocess.Popen[bytes]":
        # On a leash: a test run that is killed leaves no server behind.
        return subprocess.Popen(
            [sys.executable, "-P", leash.__file__, str(os.getpid()), *words],
            env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip

    running = [start(str(shutil.which("epmd")), "-port", str(mapper_port), "-address", "127.0.0.1"), start(str(SERVER))]
    try:
        until = time.monotonic() + START_SECONDS
        while True:
            try:
                connect(port).close()
                break
            except (OSError, amqp.exceptions.AMQPError):
                told = (folder / "server.log").read_text(errors="replace")[-2000:]
                assert running[1].poll() is None, f"RabbitMQ ended: {told}"
                assert time.monotonic() < until, f"RabbitMQ does not answer: {told}"
                time.sleep(0.2)
        yield port
    finally:
        for process in reversed(running):
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        log.close()


def connect(port: int) -> amqp.Connection:
    """A connection of the client's, to publish and look."""
    connection = amqp.Connection(
        host=f"127.0.0.1:{port}", userid="guest", password="guest", virtual_host="/", connect_timeout=5
    )
    connection.connect()
    return connection
