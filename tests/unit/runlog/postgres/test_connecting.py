"""A database is reached by any URL that libpq takes, and why it cannot be used is said with what is wrong."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

from retailops_sandbox.errors import UsageError
from retailops_sandbox.runlog.postgres.connecting import connect, problem
from retailops_sandbox.runlog.postgres.migrating import migrate
from retailops_sandbox.runlog.postgres.version import check_database
from tests.support import postgres


def test_a_url_may_say_by_options_and_by_libpq_s_files_where_the_database_is(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = postgres.server()
    name = database.rpartition("/")[2]
    options = f"user={postgres.OWNER}&host=127.0.0.1&port={server.port}"
    lines = ["[team]", f"dbname={name}", f"password={server.password}", *options.split("&")]
    (tmp_path / "services").write_text("\n".join(lines))
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services"))
    password = quote(server.password)
    by_options = f"postgresql:///{name}?{options}&password={password}&application_name=team@ci/a"
    for url in (by_options, f"{database}?sslrootcert=/etc/ssl/ca.pem", "postgresql:///?service=team"):
        with closing(connect(url)) as connection:
            assert connection.info.dbname == name
    monkeypatch.setenv("PGSERVICE", "team")
    with closing(connect("postgresql://")) as connection:
        assert connection.info.dbname == name


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ("colour=blue", "PostgreSQL does not know the option 'colour' of this URL"),
        ("sslmode=sometimes", 'cannot be used: invalid sslmode value: "sometimes"'),
        ("connect_timeout=soon", "cannot be used: bad value for connect_timeout: 'soon'"),
        ("port=99999", 'cannot be used: invalid port number: "99999"'),
        ("service=none", 'cannot be used: definition of service "none" not found'),
    ],
)
def test_an_option_that_nobody_can_use_is_named(options: str, line: str, database: str) -> None:
    with pytest.raises(UsageError) as refused:
        connect(f"{database}?{options}")
    assert line in str(refused.value)
    postgres.shows_no_password(str(refused.value))


def test_a_server_that_lets_nobody_in_needs_another_line_and_no_database() -> None:
    said = 'connection failed: FATAL:  pg_hba.conf rejects connection for host "::1", database "log"'
    refused = problem(psycopg.OperationalError(said), "postgresql://db/log")
    assert isinstance(refused, UsageError)
    assert "adds a line to pg_hba.conf" in str(refused)


def test_a_database_that_cannot_keep_all_characters_is_refused(latin_database: str) -> None:
    for use in (migrate, check_database):
        with pytest.raises(UsageError, match=r"its encoding is LATIN1, .* UTF8 .*createdb --encoding UTF8"):
            use(latin_database)


@pytest.fixture
def latin_database() -> Iterator[str]:
    """The address of a database that has the characters of ISO 8859-1 alone."""
    name = f"latin_{os.getpid()}"
    postgres.admin().execute(
        f"create database {name} template template0 encoding 'LATIN1' locale 'C' owner {postgres.OWNER}"
    )
    yield postgres.server().url(name)
    postgres.admin().execute(f"drop database {name} with (force)")
