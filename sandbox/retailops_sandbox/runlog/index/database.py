"""The database of the index: SQLite in `index.db`, or in memory where that cannot be written.

It holds nothing that the run files do not, so it may be deleted or damaged at any time: another one is made.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Any

import msgspec
from sqlalchemy import URL, Connection, Engine, create_engine, event, select
from sqlalchemy.exc import DBAPIError, MultipleResultsFound, NoResultFound
from sqlalchemy.pool import ConnectionPoolEntry, StaticPool

from retailops_sandbox.errors import FileError
from retailops_sandbox.regular_files import no_link
from retailops_sandbox.runlog.index.indexed import State
from retailops_sandbox.runlog.index.places import IndexLost
from retailops_sandbox.runlog.index.tables import FORMAT, metadata, state

_LONGEST_WAIT = 60.0
"""Seconds to wait for other processes that write the index; each writes for less than a second."""
_SETTING_UP = 1.0
"""Seconds in which other processes have set up a new index."""
_PAUSE = 0.02
_LARGEST_JOURNAL = 4 * 1024 * 1024
"""Bytes of SQLite's own journal of the index that stay on disk once it was moved into the file."""
_DAMAGED = {"SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_ERROR", "SQLITE_IOERR"}
"""Among them a table that is missing, or is another one; and files of which only some were deleted."""
_NO_ROOM = {f"SQLITE_IOERR_{each}" for each in ("WRITE", "FSYNC", "DIR_FSYNC", "TRUNCATE", "SHMSIZE")}
"""The disk takes no more, or a limit of the process is reached."""
_BUSY = {"SQLITE_BUSY", "SQLITE_LOCKED"}


class Database:
    """The database of the index. Any thread may use it."""

    def __init__(self, path: Path | None, lookups: Callable[[], int], notice: Callable[[str], None]) -> None:
        """`path` is None for an index that is kept in memory; `notice` takes a line for users.

        `lookups` gives `rows.lookups` of the contracts as they are now.
        """
        self._path = path
        self._lookups = lookups
        self._made_by = 0
        """The `lookups` that the engine's database was opened with."""
        self._notice = notice
        self._engine: Engine | None = None
        self._file: os.stat_result | None = None
        """The status of the file that the engine uses; None where that is in memory."""
        self._is_given_up = False
        """Whether the file cannot be used, so that the index is kept in memory."""
        self._was_damaged = False
        """Whether the file was damaged, and the one that took its place was not written yet."""
        self._changing = RLock()
        """Held while the engine changes; in memory, where all share one connection, also by who uses it."""

    def look_again(self) -> None:
        """See whether the file is still the one that is used, and the contracts are the same. Blocks.

        The file may have been deleted, and a contract changed.
        """
        with self._changing:
            if self._engine is not None and (self._is_other_file() or self._lookups() != self._made_by):
                self._close()

    def _is_other_file(self) -> bool:
        if self._path is None or self._is_given_up:
            return False
        if self._file is None:
            return self._path.parent.is_dir()  # It is in memory only while there is no folder for it.
        return not _is_at(self._path, self._file)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection to read from; IndexLost where the index turns out to be damaged."""
        with self._connected(writes=False) as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A connection whose changes are kept when the block ends without an exception.

        No other process writes meanwhile. IndexLost where the index is damaged, or the disk full.
        """
        with self._connected(writes=True) as connection, connection.begin():
            yield connection
        self._was_damaged = False

    def settle(self) -> None:
        """Move what was written into the file itself, unless somebody reads or writes just now. Blocks."""
        with self._connected(writes=False) as connection:
            driver = _driver(connection)
            driver.execute("PRAGMA busy_timeout = 0")
            driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            _wait_long(driver)

    def state(self, connection: Connection) -> State:
        """Which index it is, and how many times it was written."""
        return msgspec.convert(tuple(connection.execute(_STATE).one()), State)

    def clear(self, connection: Connection) -> None:
        """Empty the index, which is another one from then on."""
        for table in metadata.sorted_tables:
            connection.execute(table.delete())
        _identify(connection, self._lookups())

    def discard(self) -> None:
        """Have another index take the place of this one, which does not fit the run files."""
        with self._changing:
            is_file = self._file is not None
            self._close()
            if is_file:
                self._delete()

    # --- connections ---

    @contextmanager
    def _connected(self, *, writes: bool) -> Iterator[Connection]:
        with self._changing:
            engine = self._opened()
            held = self._file is None
            if held:
                self._changing.acquire()
        try:
            with engine.connect() as connection:
                yield connection.execution_options(writes=writes)
        except _Error as error:
            self._failed(engine, error, writes=writes)
            raise IndexLost from error
        finally:
            if held:
                self._changing.release()

    def _opened(self) -> Engine:
        while self._engine is None:
            engine, file = self._new_engine()
            lookups = self._lookups()
            try:
                _prepare(engine, self._path, lookups)
            except _Error as error:
                engine.dispose()
                self._raise_if_busy(error)
                if file is None:
                    raise
                self._replace(error, writes=True)
            else:
                self._engine, self._file, self._made_by = engine, file, lookups
        return self._engine

    def _new_engine(self) -> tuple[Engine, os.stat_result | None]:
        """An engine and the status of its file; in memory where that cannot be written or has no folder."""
        if self._path is not None and not self._is_given_up and self._path.parent.is_dir():
            try:
                status = _made(self._path)
            except OSError as error:
                self._give_up("written", error.strerror or str(error))
            else:
                return _engine(str(self._path), max_overflow=-1), status
        return _engine(None, poolclass=StaticPool), None

    def _close(self) -> None:
        if self._engine is not None:
            self._engine.dispose()
        self._engine, self._file = None, None

    # --- failures ---

    def _failed(self, engine: Engine, error: Exception, *, writes: bool) -> None:
        """Have another index take the place of one that failed; FileError where others only use it."""
        self._raise_if_busy(error)
        with self._changing:
            if engine is not self._engine:
                return  # Another thread has done this already.
            if self._path is None or self._file is None:
                raise error
            is_there = _is_at(self._path, self._file)
            self._close()
            if is_there:
                self._replace(error, writes=writes)

    def _raise_if_busy(self, error: Exception) -> None:
        name = _error_name(error)
        if any(name.startswith(each) for each in _BUSY):
            raise FileError(
                f"is being written by another process for more than {_LONGEST_WAIT:.0f} seconds",
                mend="try again, or delete it: it is made anew",
                file=str(self._path),
            ) from error

    def _replace(self, error: Exception, *, writes: bool) -> None:
        """Delete a file that is damaged; give it up for any other reason, or when that did not help."""
        name = _error_name(error)
        is_damaged = any(name.startswith(each) for each in _DAMAGED) and name not in _NO_ROOM
        if is_damaged and not self._was_damaged:
            self._was_damaged = True
            self._delete()
        else:
            self._give_up("written" if writes else "used", str(getattr(error, "orig", error)))

    def _delete(self) -> None:
        """Delete the file, because it is damaged."""
        assert self._path is not None
        self._notice(f"{self._path}: was damaged, and is made anew from the run files")
        try:
            # In this order: once the file is gone, another process makes a new one with new files beside it.
            _delete_beside(self._path)
            self._path.unlink(missing_ok=True)
        except OSError as error:
            self._give_up("written", error.strerror or str(error))

    def _give_up(self, done: str, reason: str) -> None:
        self._is_given_up = True
        self._notice(f"{self._path}: cannot be {done}: {reason.lower()} (the log's index is kept in memory)")


def _made(path: Path) -> os.stat_result:
    """The status of the file, which is made where there is none: SQLite gives all its files its mode."""
    try:
        descriptor, is_new = no_link(path, os.O_RDWR | os.O_CREAT | os.O_EXCL), True
    except FileExistsError:
        descriptor, is_new = no_link(path, os.O_RDWR | os.O_CREAT), False
    try:
        if is_new:
            # Those are of a file that was deleted, and belong to the processes that still use that.
            _delete_beside(path)
        return os.fstat(descriptor)
    finally:
        os.close(descriptor)


def _delete_beside(path: Path) -> None:
    """Delete the files that SQLite keeps beside a database."""
    for suffix in ("-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)


def _engine(path: str | None, **pool: Any) -> Engine:
    """An engine for a file, whatever its name is made of, or for the memory."""
    options = {"check_same_thread": False, "timeout": _LONGEST_WAIT}
    engine = create_engine(URL.create("sqlite", database=path), connect_args=options, **pool)
    event.listen(engine, "connect", _set_up)
    event.listen(engine, "begin", _begin)
    return engine


def _set_up(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
    # `_begin` begins each transaction: Python's own module does so only for some statements.
    connection.isolation_level = None
    # What a crash of the machine damages is made anew.
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA temp_store = MEMORY")
    # Pages that are written often are moved into the file less often.
    connection.execute("PRAGMA wal_autocheckpoint = 4000")
    connection.execute(f"PRAGMA journal_size_limit = {_LARGEST_JOURNAL}")


def _begin(connection: Connection) -> None:
    # At once with the right to write: a transaction that first reads may find that another one has written.
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _prepare(engine: Engine, path: Path | None, lookups: int) -> None:
    """Make the tables where there are none, or they are of another format or other contracts."""
    with engine.connect() as connection:
        _let_readers_be(_driver(connection), path)
        if _is_current(connection, lookups):
            return
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        if _is_current(connection, lookups):
            return  # Another process has made them.
        _drop_all(connection)
        metadata.create_all(connection, checkfirst=False)
        _identify(connection, lookups)


def _driver(connection: Connection) -> sqlite3.Connection:
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver


def _let_readers_be(connection: sqlite3.Connection, path: Path | None) -> None:
    """Have readers not wait for who writes. The file remembers it."""
    start = time.monotonic()
    while True:
        try:
            connection.execute("PRAGMA busy_timeout = 0")
            connection.execute("PRAGMA journal_mode = WAL")
            break
        except sqlite3.OperationalError as error:
            waited = time.monotonic() - start
            if not error.sqlite_errorname.startswith("SQLITE_BUSY") or waited > _LONGEST_WAIT:
                raise
            if waited > _SETTING_UP and path is not None and not _lets_readers_be(path):
                # Somebody emptied it while others have it open: these notice when it is another file.
                raise sqlite3.DatabaseError("it stays locked") from error
        time.sleep(_PAUSE)
    _wait_long(connection)


def _lets_readers_be(path: Path) -> bool:
    """Whether a database is in WAL mode, by the version in its header of who may read it."""
    try:
        with open(path, "rb") as file:
            return file.read(20)[19:] == b"\x02"
    except OSError:
        return False


def _wait_long(connection: sqlite3.Connection) -> None:
    connection.execute(f"PRAGMA busy_timeout = {_LONGEST_WAIT * 1000:.0f}")


def _is_current(connection: Connection, lookups: int) -> bool:
    if not connection.exec_driver_sql("SELECT 1 FROM sqlite_master WHERE name = 'state'").first():
        return False
    found = connection.exec_driver_sql("SELECT * FROM state").mappings().first()
    return found is not None and (found.get("format"), found.get("lookups")) == (FORMAT, lookups)


def _drop_all(connection: Connection) -> None:
    found = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars().all()
    for name in found:
        quoted = connection.dialect.identifier_preparer.quote_identifier(name)
        connection.exec_driver_sql(f"DROP TABLE {quoted}")


def _identify(connection: Connection, lookups: int) -> None:
    values = {"format": FORMAT, "lookups": lookups, "identity": secrets.token_hex(8)}
    connection.execute(state.insert().values(values | {"changes": 0, "results": 0}))


def _is_at(path: Path, status: os.stat_result) -> bool:
    try:
        return os.path.samestat(os.stat(path), status)
    except OSError:
        return False


def _error_name(error: Exception) -> str:
    """SQLite's name of an error, such as `SQLITE_FULL`."""
    return getattr(getattr(error, "orig", error), "sqlite_errorname", "SQLITE_NOTADB")


_Error = (DBAPIError, sqlite3.Error, MultipleResultsFound, NoResultFound, msgspec.MsgspecError)
"""What a damaged index leads to. SQLite does not notice where a value became another one."""
_STATE = select(state.c.identity, state.c.changes, state.c.results)
