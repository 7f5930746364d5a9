"""A real PostgreSQL for tests: one server for all workers of a run, and a database of its own for each test.

The server listens on 127.0.0.1 and wants a password. The first test that asks starts it (half a second); it
ends with the run, however that ends. A database is a copy of a template with the tables in it (20 ms).

`tests/conftest.py` makes this module a plugin of pytest. Without pytest, as in bench/:
`with owned_server(), fresh_database() as url:`.
"""

from __future__ import annotations

import fcntl
import functools
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec
import pytest

from tests.support.postgres_proxy import PostgresProxy

if TYPE_CHECKING:
    import psycopg

FOLDER = "RETAILOPS_TESTS_POSTGRES"
"""The variable of the environment with the folder of the run's server."""

OWNER = "sandbox"
"""Who owns the databases of the tests and connects to them: no superuser."""

TEMPLATE = "with_tables"


class Server(msgspec.Struct, frozen=True):
    """A server that runs."""

    port: int
    password: str
    pid: int
    """Of the process that stops it."""

    def url(self, database: str, user: str = OWNER, port: int | None = None) -> str:
        """The address of a database, with the password, as it is written in the setting `log`."""
        password = quote(self.password, safe="")
        return f"postgresql://{user}:{password}@127.0.0.1:{port or self.port}/{database}"


@functools.cache
def server() -> Server:
    """The server of this run, which is started if nobody asked for it before."""
    folder = Path(os.environ[FOLDER])
    ready = folder / "server.json"
    with (folder / "starting.lock").open("w") as starting:
        fcntl.flock(starting, fcntl.LOCK_EX)
        if not ready.exists():
            program = Path(__file__).with_name("postgres_server.py")
            begun = subprocess.run(
                [sys.executable, str(program), str(folder)], stderr=subprocess.PIPE, text=True, check=False
            )
            assert begun.returncode == 0, begun.stderr
    return msgspec.json.decode(ready.read_bytes(), type=Server)


@contextmanager
def owned_server() -> Iterator[None]:
    """Let this process and its children use one server, which is not started before one of them asks.

    It is stopped when the block ends, or this process.
    """
    folder = Path(tempfile.mkdtemp(prefix="retailops-postgres-"))
    with (folder / "owner.lock").open("w") as owner:
        fcntl.flock(owner, fcntl.LOCK_EX)
        os.environ[FOLDER] = str(folder)
        try:
            yield
        finally:
            del os.environ[FOLDER]
            _close()
            _stop(folder)


def _stop(folder: Path) -> None:
    if not (folder / "server.json").exists():
        shutil.rmtree(folder)
        return
    with (folder / "running.lock").open("r") as running:
        os.kill(json.loads((folder / "server.json").read_bytes())["pid"], signal.SIGTERM)
        fcntl.flock(running, fcntl.LOCK_SH)


@contextmanager
def fresh_database() -> Iterator[str]:
    """The address of a database of its own with the tables of a log."""
    _make_template()
    with _database(TEMPLATE) as url:
        yield url


@contextmanager
def empty_database() -> Iterator[str]:
    """The address of a database of its own without tables."""
    with _database("template0") as url:
        yield url


@contextmanager
def proxied(url: str) -> Iterator[tuple[str, PostgresProxy]]:
    """The address of the same database through a proxy, and that proxy, which a test cuts and mends."""
    with PostgresProxy(server().port) as proxy:
        yield url.replace(f":{server().port}/", f":{proxy.port}/"), proxy


def shows_no_password(text: str) -> None:
    """That a text has the password of the server in no spelling."""
    password = server().password
    for secret in (password, quote(password), quote(password, safe=""), password[-8:]):
        assert secret not in text, text


_names = (f"test_{os.getpid()}_{number}" for number in itertools.count())
_left: list[str] = []


@contextmanager
def _database(template: str) -> Iterator[str]:
    name = next(_names)
    # Deleting waits until the last session has ended, and at the next test it has.
    while _left:
        admin().execute(f"drop database {_left.pop()} with (force)")
    admin().execute(f"create database {name} template {template} owner {OWNER}")
    try:
        yield server().url(name)
    finally:
        _left.append(name)


@functools.cache
def _make_template() -> None:
    """Make the database of which those with tables are copies, unless another worker has made it."""
    from retailops_sandbox.runlog.postgres.migrating import migrate

    with (Path(os.environ[FOLDER]) / "making-template.lock").open("w") as making:
        fcntl.flock(making, fcntl.LOCK_EX)
        if not _template_exists():
            admin().execute(f"create database making template template0 owner {OWNER}")
            migrate(server().url("making"))
            admin().execute(f"alter database making rename to {TEMPLATE}")


def _template_exists() -> bool:
    found = admin().execute("select from pg_database where datname = %s", [TEMPLATE])
    return found.fetchone() is not None


@functools.cache
def admin() -> psycopg.Connection[Any]:
    """The connection of a superuser to the server."""
    import psycopg

    connection = psycopg.connect(server().url("postgres", "postgres"), autocommit=True)
    with (Path(os.environ[FOLDER]) / "making-owner.lock").open("w") as making:
        fcntl.flock(making, fcntl.LOCK_EX)
        if connection.execute("select from pg_roles where rolname = %s", [OWNER]).fetchone() is None:
            connection.execute(
                psycopg.sql.SQL("create role {} login password {}").format(
                    psycopg.sql.Identifier(OWNER), psycopg.sql.Literal(server().password)
                )
            )
    return connection


def _close() -> None:
    """Forget the server, and leave no connection open."""
    if admin.cache_info().currsize:
        admin().close()
    for cached in (admin, _make_template, server):
        cached.cache_clear()
    _left.clear()


# What pytest calls and hands out.

_OWNED = pytest.StashKey[Any]()


def pytest_configure(config: pytest.Config) -> None:
    if FOLDER not in os.environ:
        owned = config.stash[_OWNED] = owned_server()
        owned.__enter__()


def pytest_unconfigure(config: pytest.Config) -> None:
    if (owned := config.stash.get(_OWNED, None)) is not None:
        owned.__exit__(None, None, None)
    else:
        _close()


@pytest.fixture
def database() -> Iterator[str]:
    """The address of a database with the tables of a log, which is this test's own."""
    with fresh_database() as url:
        yield url


@pytest.fixture
def database_without_tables() -> Iterator[str]:
    """The address of a database in which `log init` has not been run, which is this test's own."""
    with empty_database() as url:
        yield url


@pytest.fixture
def cut_database(database: str) -> Iterator[tuple[str, PostgresProxy]]:
    """The address of a database behind a proxy, and the proxy."""
    with proxied(database) as (url, proxy):
        yield url, proxy
