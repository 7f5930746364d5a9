"""The PostgreSQL that tests use: whose it is, what is in it, and how it goes away."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from tests.support import postgres
from tests.support.postgres_proxy import PostgresProxy

ASK_AND_DIE = """
import os, signal
from tests.support import postgres
with postgres.owned_server():
    with postgres.fresh_database():
        print(os.environ[postgres.FOLDER], postgres.server().port, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
"""


def test_each_database_is_empty_at_first_and_asks_for_a_password() -> None:
    for _ in range(2):
        with postgres.empty_database() as url, psycopg.connect(url) as connection:
            connection.execute("create table a (b int)")
    wrong = url.replace(url.partition("@127")[0].rpartition(":")[2], "wrong")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong)


def test_a_server_ends_with_its_owner_however_that_ends(tmp_path: Path) -> None:
    environ = {name: value for name, value in os.environ.items() if name != postgres.FOLDER}
    died = subprocess.run(
        [sys.executable, "-c", ASK_AND_DIE],
        cwd=Path(__file__).parents[3],
        env=environ | {"TMPDIR": "/tmp"},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert died.returncode == -signal.SIGKILL
    folder, port = died.stdout.split()
    # The lock is free as soon as the server has been stopped, and the folder is gone then.
    try:
        with (Path(folder) / "running.lock").open() as running:
            fcntl.flock(running, fcntl.LOCK_SH)
    except FileNotFoundError:
        pass
    assert not Path(folder).exists()
    with pytest.raises(psycopg.OperationalError, match="refused"):
        psycopg.connect(f"postgresql://127.0.0.1:{port}/postgres")


def test_a_database_goes_away_and_comes_back(cut_database: tuple[str, PostgresProxy]) -> None:
    url, proxy = cut_database
    lost = psycopg.connect(url)
    proxy.cut()
    with pytest.raises(psycopg.OperationalError, match="closed the connection"):
        lost.execute("select 1")
    with pytest.raises(psycopg.OperationalError, match="refused"):
        psycopg.connect(url)
    proxy.mend()
    with psycopg.connect(url) as connection:
        assert connection.execute("select 1").fetchone() == (1,)
    lost.close()


def test_a_silent_network_holds_back_what_is_sent(cut_database: tuple[str, PostgresProxy]) -> None:
    url, proxy = cut_database
    with psycopg.connect(url) as connection, ThreadPoolExecutor() as threads:
        proxy.silence()
        answer = threads.submit(connection.execute, "select 1")
        with socket.create_connection(("127.0.0.1", proxy.port)):
            assert not answer.done()
            proxy.mend()
        assert answer.result().fetchone() == (1,)
