"""The trigram index, by which PostgreSQL finds the deliveries that hold a text without reading all."""

from __future__ import annotations

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from retailops_sandbox.runlog.postgres.schema import TEXT_INDEX


def make_text_index(connection: Connection) -> bool:
    """Make the index, if it is not there; whether it is there then.

    It needs the extension pg_trgm, which a server may not have and a user may not be allowed to make.
    """
    offered = text("select from pg_available_extensions where name = 'pg_trgm'")
    if connection.execute(offered).first() is None:
        return False
    try:
        with connection.begin_nested():
            connection.execute(text("create extension if not exists pg_trgm"))
            connection.execute(
                text(f"create index if not exists {TEXT_INDEX} on deliveries using gin (record gin_trgm_ops)")
            )
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) != _NOT_ALLOWED:
            raise
        return False
    return True


_NOT_ALLOWED = "42501"
"""SQLSTATE: insufficient_privilege."""
