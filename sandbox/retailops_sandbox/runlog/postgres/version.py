"""The version of the tables in a database: the latest migration that was run there."""

from __future__ import annotations

from contextlib import closing
from functools import cache
from typing import Any

import psycopg

from retailops_sandbox.runlog.place import database_words, log_option
from retailops_sandbox.runlog.postgres.connecting import (
    CREATEDB,
    GRANT,
    DatabaseAway,
    DatabaseRefused,
    asking,
    problem,
)

EARLIER = ("0001",)
"""The migrations before the latest, in their order."""
LATEST = "0002"
"""The migration after which a database has the tables that this sandbox reads and writes."""
VERSION_TABLE = "log_version"
_MAY_WRITE = "select has_table_privilege('runs', 'insert') and has_table_privilege('deliveries', 'insert')"


@cache
def check_database(url: str) -> None:
    """DatabaseRefused for a database that cannot keep a log; none for one that cannot be reached now.

    Each process looks once.
    """
    try:
        may_write = _may_write(url)
    except DatabaseAway:
        # Whoever writes says so, and keeps what there is.
        return
    if not may_write:
        raise DatabaseRefused(
            f"{database_words(url)}: its user may read the log, and not write it",
            mend=GRANT,
        )


def _may_write(url: str) -> bool:
    with closing(asking(url)) as connection:
        check_tables(connection, url)
        try:
            return connection.execute(_MAY_WRITE).fetchone() == (True,)
        except psycopg.Error as error:
            raise problem(error, url) from None


def check_tables(connection: psycopg.Connection[Any], url: str) -> None:
    """DatabaseRefused where the tables are missing, or older or newer than this sandbox uses them."""
    check_encoding(connection, url)
    found = version_of(connection, url)
    if found == LATEST:
        return
    place = database_words(url)
    make = f"retailops-sandbox log init {log_option(url)}"
    if not found:
        raise DatabaseRefused(f"{place}: has no tables of a log", mend=f"make them: {make}")
    if found in EARLIER:
        raise DatabaseRefused(
            f"{place}: has the tables of an older version: {found}, and this one uses {LATEST}",
            mend=f"bring them up to date: {make}",
        )
    raise DatabaseRefused(
        f"{place}: has the tables of a newer version: {found}, and this one uses {LATEST}",
        mend="pip install -U 'retailops-sandbox[postgres]'",
    )


def check_encoding(connection: psycopg.Connection[Any], url: str) -> None:
    """UsageError for a database that cannot keep all characters."""
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise DatabaseRefused(
            f"{database_words(url)}: its encoding is {encoding}, and a log needs UTF8",
            mend=f"make another database for it: {CREATEDB}",
        )


def version_of(connection: psycopg.Connection[Any], url: str) -> str:
    """The version of a database's tables; empty where it has none."""
    try:
        if connection.execute("select to_regclass(%s)", [VERSION_TABLE]).fetchone() == (None,):
            return ""
        found = connection.execute(f"select version_num from {VERSION_TABLE}").fetchone()
    except psycopg.Error as error:
        raise problem(error, url) from None
    return found[0] if found is not None else ""
