"""The log in a PostgreSQL database. Importing any of it without the extra raises the UsageError for that."""

from __future__ import annotations

from retailops_sandbox.errors import UsageError

try:
    import psycopg as psycopg
except ImportError as error:
    raise UsageError(
        "a log in PostgreSQL needs packages that are not installed",
        mend="pip install 'retailops-sandbox[postgres]'",
    ) from error
