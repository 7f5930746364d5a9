"""Makes the tables of a log in a database, and brings those of an older version up to date."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import msgspec
import psycopg
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from retailops_sandbox.errors import UsageError
from retailops_sandbox.runlog.place import database_words
from retailops_sandbox.runlog.postgres.connecting import connect, problem
from retailops_sandbox.runlog.postgres.text_index import make_text_index
from retailops_sandbox.runlog.postgres.version import (
    EARLIER,
    LATEST,
    VERSION_TABLE,
    check_encoding,
    check_tables,
    version_of,
)

SCRIPTS = Path(__file__).with_name("migrations")
_ONE_AT_A_TIME = 0x52534C48
"""The number of the advisory lock that a migration holds."""
_TAKEN = ("42P07", "42710")
"""SQLSTATE: a table, an index or another thing of this name is there already."""


class Migrated(msgspec.Struct, frozen=True):
    """What became of a database."""

    before: str
    """The version of the tables before; empty where there were none."""
    after: str
    has_text_index: bool
    mended: int
    """The deliveries that were of later transactions than the server's latest: they are of another server."""


def migrate(url: str) -> Migrated:
    """Make what is missing of the tables of a log, in one transaction. What is there is left as it is.

    DatabaseAway where the database cannot be reached; UsageError where the tables cannot be made, or are of a
    newer version.
    """
    # The driver's own connection: the URL, with its password, is never SQLAlchemy's.
    engine = create_engine("postgresql+psycopg://", creator=lambda: connect(url), poolclass=NullPool)
    try:
        with engine.begin() as connection:
            return _migrate(connection, url)
    except DBAPIError as error:
        if not isinstance(error.orig, psycopg.Error):
            raise
        raise _not_made(error.orig, url) from None


def _migrate(connection: Connection, url: str) -> Migrated:
    connection.execute(text("select pg_advisory_xact_lock(:number)"), {"number": _ONE_AT_A_TIME})
    driver = cast("psycopg.Connection[Any]", connection.connection.dbapi_connection)
    check_encoding(driver, url)
    before = version_of(driver, url)
    if before and before not in EARLIER:
        check_tables(driver, url)
    else:
        _run_scripts(connection)
    return Migrated(before, LATEST, make_text_index(connection), _mend_transactions(connection))


def _run_scripts(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    scripts = Config()
    # It reads a per cent sign as the beginning of a name.
    folder = str(SCRIPTS).replace("%", "%%")
    scripts.set_main_option("script_location", folder)
    scripts.set_main_option("path_separator", "os")
    scripts.attributes["connection"] = connection
    command.upgrade(scripts, "head")


def _mend_transactions(connection: Connection) -> int:
    """Make the rows of later transactions than the server's latest its own, and tell all who watch."""
    ahead = connection.execute(
        text(
            "update deliveries set added = pg_current_xact_id(), changed = pg_current_xact_id()"
            " where changed > pg_current_xact_id()"
        )
    ).rowcount
    if ahead:
        connection.execute(text("update state set identity = gen_random_uuid()::text"))
    return ahead


def _not_made(error: psycopg.Error, url: str) -> Exception:
    if error.sqlstate in _TAKEN:
        return UsageError(
            f"{database_words(url)}: has tables with these names, and none that says that they are a log's:"
            f" {error.diag.message_primary}",
            mend=f"make a database of its own for the log; if this is one, restore its {VERSION_TABLE}, too",
        )
    return problem(error, url)
