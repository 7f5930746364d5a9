"""Connects to the database of a log, and says why that cannot be used: in one line, without the password."""

from __future__ import annotations

import logging
import re
import time
from typing import Any, TypeVar

import psycopg
from psycopg import conninfo, pq
from psycopg.abc import PQGen

from retailops_sandbox.errors import FileError, SandboxError, UsageError
from retailops_sandbox.runlog.place import check_database_url, database_words, log_option
from retailops_sandbox.runlog.postgres.limits import ANSWER_S

# Python prints the warnings of loggers that have no handler: what the driver says of a lost connection.
logging.getLogger("psycopg").addHandler(logging.NullHandler())

_R = TypeVar("_R")
_C = TypeVar("_C", bound=psycopg.Connection[Any])
_OPTIONS: dict[str, Any] = {
    "connect_timeout": 5,  # seconds
    # A network that went silent is noticed within about ten seconds.
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
    "application_name": "retailops-sandbox",
    "client_encoding": "UTF8",
}
_REFUSED = re.compile(
    r"password authentication failed|authentication failed for|no password supplied|does not exist"
    r"|pg_hba\.conf|not permitted to log in|permission denied|certificate|SSL"
    r"|invalid \S+ value|invalid port number|bad value for|definition of service|could not match"
)
"""What a server says to who will not get in by waiting, and the driver of options that nobody can use."""
_PARAMETERS = "its options are the parameter key words of libpq"
_SERVER_SAID = re.compile(r"failed: \w+:  ")
"""A server's own words begin with a severity in its language and two blanks."""
_FOR_NOW = re.compile(
    "starting up|shutting down|accepting connections|recovery|too many clients|too many connections"
    "|connection slots|terminating connection"
)
"""What a server says to who will get in by waiting."""
CREATEDB = "createdb --encoding UTF8 --template template0 NAME"
"""The command that makes a database for a log."""
GRANT = "grant it select, insert, update and delete on the tables of the log"
"""What a user needs who writes a log."""
_MENDS = {
    "pg_hba.conf": "whoever runs the server adds a line to pg_hba.conf that lets this user in from here",
    "password": "it stands in the URL of the log, in PGPASSWORD or in ~/.pgpass",
    "database": f"make it first: {CREATEDB}",
    "permission denied": GRANT,
}
_NOT_ALLOWED = ("25006", "42501")
"""SQLSTATE: the server only reads, as a standby does; the user may not do this."""
_NO_TABLES = ("42P01", "42703", "3F000")
"""SQLSTATE: a table, a column or a schema is missing."""


class DatabaseAway(FileError):
    """A database that cannot be reached at present."""


class DatabaseRefused(UsageError):
    """A database that does not let this process in, or has no log that it can use."""


class Unanswered(psycopg.OperationalError):
    """Nothing came from the database for too long."""


def connect(url: str, *, autocommit: bool = False) -> psycopg.Connection[Any]:
    """A connection to the database of a log; DatabaseAway or UsageError where there is none."""
    return _connected(psycopg.Connection, url, autocommit=autocommit)


def asking(url: str, *, autocommit: bool = True) -> AnsweredConnection:
    """A connection that is lost where the database does not answer."""
    return _connected(AnsweredConnection, url, autocommit=autocommit)


class AnsweredConnection(psycopg.Connection[Any]):
    """A connection that is lost once nothing has come from the database for some time.

    The system notices a network that is silent, but not a server that has stopped.
    """

    patience = ANSWER_S
    """The most seconds in which nothing comes."""

    def wait(self, gen: PQGen[_R], *args: Any, **named: Any) -> _R:
        return super().wait(self._answered(gen), *args, **named)

    def _answered(self, gen: PQGen[_R]) -> PQGen[_R]:
        """What the driver waits for, while it is told now and then whether something has come."""
        last = time.monotonic()
        try:
            waiting = next(gen)
            while True:
                ready = yield waiting
                now = time.monotonic()
                if ready:
                    last = now
                elif now - last > self.patience:
                    self.close()
                    raise Unanswered(f"it has not answered for {self.patience:g} seconds")
                waiting = gen.send(ready)
        except StopIteration as end:
            result: _R = end.value
            return result


def _connected(kind: type[_C], url: str, *, autocommit: bool) -> _C:
    # What the URL says itself comes first.
    options = _OPTIONS | _parsed(url)
    try:
        return kind.connect(**options, autocommit=autocommit)
    except psycopg.Error as error:
        raise problem(error, url) from None


def adding(url: str) -> psycopg.Connection[Any]:
    """A connection that adds records: each statement is committed, and values are written `$1`."""
    connection = connect(url, autocommit=True)
    connection.cursor_factory = psycopg.RawCursor
    return connection


def _parsed(url: str) -> dict[str, Any]:
    """The options in a URL; UsageError where it is none."""
    check_database_url(url)
    try:
        return conninfo.conninfo_to_dict(url)
    except psycopg.Error:
        # Without what the driver says of it, which may quote the password.
        known = {option.keyword.decode() for option in pq.Conninfo.get_defaults()} | {"ssl"}
        named = [each.partition("=")[0] for each in url.partition("?")[2].split("&")]
        unknown = next((f"the option {name!r}" for name in named if name not in known), "the options")
        raise UsageError(
            f"{database_words(url)}: PostgreSQL does not know {unknown} of this URL", mend=_PARAMETERS
        ) from None


def problem(error: psycopg.Error, url: str) -> SandboxError:
    """The error of a database for users: DatabaseAway where it may help to wait, else UsageError."""
    place = database_words(url)
    if error.sqlstate in _NO_TABLES:
        mend = f"retailops-sandbox log init {log_option(url)}"
        return DatabaseRefused(f"{place}: holds no log that this version can use", mend=mend)
    reason = _reason(error, url)
    refused = _SERVER_SAID.search(str(error)) and not _FOR_NOW.search(reason)
    if refused or _REFUSED.search(reason) or error.sqlstate in _NOT_ALLOWED:
        mends = (mend for word, mend in _MENDS.items() if word in reason)
        return DatabaseRefused(
            f"{place}: cannot be used: {reason}", mend=next(mends, "mend the setting `log`")
        )
    return DatabaseAway(f"cannot be reached: {reason}", file=place)


def is_users(error: psycopg.Error) -> bool:
    """Whether an error of a statement comes from the database's state, and not from the statement."""
    return isinstance(error, psycopg.OperationalError) or error.sqlstate in (*_NO_TABLES, *_NOT_ALLOWED)


def _reason(error: psycopg.Error, url: str) -> str:
    """What the driver says, in one line without the password."""
    text = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    text = (
        text.removeprefix("connection failed: ").removeprefix("connection is bad: ").rpartition("FATAL:  ")[2]
    )
    password = conninfo.conninfo_to_dict(url).get("password")
    return text.replace(str(password), "…") if password else text
