"""The database of a log, for those who read and keep it: connections, and what their errors mean."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Any

import psycopg
from psycopg.sql import SQL, Identifier
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError

from retailops_sandbox.runlog.place import database_words
from retailops_sandbox.runlog.postgres import connecting
from retailops_sandbox.runlog.postgres.limits import LONG_ANSWER_S
from retailops_sandbox.runlog.postgres.version import check_tables

_POOL = 5
"""The most connections that stay open; more are made where more threads ask at once."""


class Database:
    """The database of a log. Any thread may use it. DatabaseAway or UsageError where it cannot be used."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.place = database_words(url)
        """The URL for people."""
        self._has_tables = False
        """Whether its tables are known to be those that this version uses."""
        self._engine = _engine(self._connection)
        weakref.finalize(self, self._engine.dispose)

    @contextmanager
    def reading(self, *, patience: float | None = None) -> Iterator[Connection]:
        """A connection that reads the log as it is at its first statement.

        `patience` is how many seconds the server may take to answer, where that may be long.
        """
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with self._connected(patience, options) as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A connection whose changes are kept when the block ends without an exception.

        Each statement sees what others committed before it.
        """
        with self._connected(LONG_ANSWER_S, {"isolation_level": "READ COMMITTED"}) as connection:
            yield connection
            connection.commit()

    def listener(self, channel: str) -> Listener:
        """Begin to listen to what is notified on a channel."""
        return Listener(self._url, channel)

    def _connection(self) -> psycopg.Connection[Any]:
        with ExitStack() as opened:
            connection = opened.enter_context(closing(connecting.asking(self._url)))
            if not self._has_tables:
                check_tables(connection, self._url)
                self._has_tables = True
            # What is compiled for a query of some milliseconds takes longer than the query.
            connection.execute("set jit = off")
            connection.autocommit = False
            # A plan that is made once for all values does not know how rare a value is.
            connection.prepare_threshold = None
            opened.pop_all()
            return connection

    @contextmanager
    def _connected(self, patience: float | None, options: dict[str, Any]) -> Iterator[Connection]:
        try:
            with self._engine.connect() as connection, _patient(connection, patience):
                yield connection.execution_options(**options)
        except DBAPIError as error:
            if isinstance(error.orig, psycopg.Error) and connecting.is_users(error.orig):
                raise connecting.problem(error.orig, self._url) from None
            raise


@contextmanager
def _patient(connection: Connection, patience: float | None) -> Iterator[None]:
    """Let the server take so many seconds to answer, while the block runs."""
    driver = connection.connection.driver_connection
    if patience is None or not isinstance(driver, connecting.AnsweredConnection):
        yield
        return
    driver.patience = patience
    try:
        yield
    finally:
        del driver.patience


class Listener:
    """Listens to what is notified on a channel, by a connection of its own."""

    def __init__(self, url: str, channel: str) -> None:
        self._connection = connecting.asking(url)
        # Nobody closes what nobody waits for any more.
        weakref.finalize(self, self._connection.close)
        try:
            self._connection.execute(SQL("listen {}").format(Identifier(channel)))
        except psycopg.Error as error:
            self._connection.close()
            raise connecting.problem(error, url) from None

    @property
    def is_lost(self) -> bool:
        """Whether the connection is lost, so that nothing more will be notified."""
        return self._connection.closed

    def wait(self, seconds: float) -> bool:
        """Wait until something is notified, at most for so long; whether something may have been."""
        try:
            return bool(list(self._connection.notifies(timeout=seconds, stop_after=1)))
        except psycopg.OperationalError:
            self._connection.close()
            return True


def _engine(connected: Callable[[], psycopg.Connection[Any]]) -> Engine:
    engine = create_engine(
        "postgresql+psycopg://",
        creator=connected,
        use_native_hstore=False,
        pool_size=_POOL,
        max_overflow=-1,
        pool_pre_ping=True,
    )
    event.listen(engine, "handle_error", _not_made_anew)
    return engine


def _not_made_anew(context: ExceptionContext) -> None:
    """Make no other connection where a server does not answer: that would wait as long again."""
    if context.is_pre_ping and isinstance(context.original_exception, connecting.Unanswered):
        context.is_disconnect = False
