"""PostgreSQL and Redis come with the first user of a data directory and go with the last."""

import os
import signal
from pathlib import Path

import psycopg
import pytest
from redis.exceptions import RedisError

from config import addresses
from tests.house import User, eventually, redis_answers, servants, sql

EVERYTHING = ["bin/postgres", "keeper.py", "keeper.py", "redis-server"]


def answer(data_dir: Path) -> bool:
    """Say whether both services answer."""
    try:
        return sql(data_dir, "SELECT 1") == [(1,)] and redis_answers(data_dir)
    except (psycopg.OperationalError, RedisError):
        return False


def test_two_data_directories_know_nothing_of_each_other(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    users = [User(one), User(other)]
    for user in users:
        user.ready()
    sql(one, "CREATE TABLE here ()")
    with pytest.raises(psycopg.errors.UndefinedTable):
        sql(other, "SELECT * FROM here")
    for user in users:
        user.leave()
    assert servants(one) == servants(other) == {}


def test_the_last_user_takes_the_services_along_and_finds_the_data_again(tmp_path):
    first, second = User(tmp_path).ready(), User(tmp_path).ready()
    sql(tmp_path, "CREATE TABLE kept ()")
    first.leave()
    assert sorted(servants(tmp_path).values()) == EVERYTHING
    assert sql(tmp_path, "SELECT * FROM kept") == []
    assert redis_answers(tmp_path)

    second.leave()
    assert servants(tmp_path) == {}
    assert list(tmp_path.glob("*/run/*")) == []

    third = User(tmp_path).ready()
    assert sql(tmp_path, "SELECT * FROM kept") == []
    third.leave()


def test_users_who_come_at_once_share_one_server_that_is_theirs_alone(tmp_path):
    users = [User(tmp_path) for _ in range(6)]
    for user in users:
        user.ready()
    assert sorted(servants(tmp_path).values()) == EVERYTHING
    for name in ("postgres", "redis"):
        assert (tmp_path / name).stat().st_mode & 0o077 == 0  # nobody else reaches the sockets
    for user in users:
        user.leave()
    assert servants(tmp_path) == {}


def test_a_killed_user_keeps_nothing_alive(tmp_path):
    User(tmp_path).ready().kill()
    assert eventually(lambda: servants(tmp_path) == {})


def test_a_user_who_arrives_while_the_services_stop_gets_new_ones(tmp_path):
    for _ in range(3):
        User(tmp_path).ready().kill()
    last = User(tmp_path).ready()
    assert answer(tmp_path)
    last.leave()
    assert servants(tmp_path) == {}


def test_a_dead_server_is_started_again_for_those_who_use_it(tmp_path):
    user = User(tmp_path).ready()
    for pid, kind in servants(tmp_path).items():
        if kind != "keeper.py":
            os.kill(pid, signal.SIGKILL)
    assert eventually(lambda: answer(tmp_path))
    user.leave()
    assert servants(tmp_path) == {}


def test_a_killed_keeper_takes_its_server_along_and_the_next_user_brings_another(tmp_path):
    orphan = User(tmp_path).ready()
    for pid, kind in servants(tmp_path).items():
        if kind == "keeper.py":
            os.kill(pid, signal.SIGKILL)
    user = User(tmp_path).ready()
    assert answer(tmp_path)
    orphan.leave()
    user.leave()
    assert servants(tmp_path) == {}


def test_what_a_crashed_machine_left_behind_is_no_obstacle(tmp_path):
    User(tmp_path).ready().leave()
    # After the restart, the numbers of the old processes belong to others: here to a busy one of our own account.
    for service, file in (("postgres", "cluster/postmaster.pid"), ("redis", "redis.pid")):
        (tmp_path / service / file).write_text(f"{os.getpid()}\n")
        (tmp_path / service / "ready").touch()
    sockets = addresses.socket_dir(tmp_path / "redis")
    sockets.mkdir(mode=0o700, exist_ok=True)
    (sockets / "redis.sock").touch()
    user = User(tmp_path).ready()
    assert answer(tmp_path)
    user.leave()


def test_a_path_too_long_for_a_socket_works(tmp_path):
    data_dir = tmp_path / ("a long name " * 10) / ("another one " * 10)
    user = User(data_dir).ready()
    assert answer(data_dir)
    user.leave()
    assert servants(data_dir) == {}
    assert not addresses.socket_dir(data_dir / "postgres").exists()
    assert not addresses.socket_dir(data_dir / "redis").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has another account run PostgreSQL")
def test_root_may_keep_its_data_in_a_folder_closed_to_others(tmp_path):
    closed = tmp_path / "home"
    closed.mkdir(mode=0o700)
    user = User(closed / "data").ready()
    assert answer(closed / "data")
    assert closed.stat().st_mode & 0o777 == 0o701  # others may pass through, and still can't look
    user.leave()


def test_a_service_that_can_not_start_says_why(tmp_path):
    (tmp_path / "postgres" / "cluster").mkdir(parents=True)
    user = User(tmp_path)
    _, errors = user.process.communicate(timeout=120)
    assert user.process.returncode == 1
    assert "did not start. The end of its log" in errors
    assert "postgresql.conf" in errors
    assert servants(tmp_path) == {}
