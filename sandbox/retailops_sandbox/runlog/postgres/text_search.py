"""The condition of a query's text, which a trigram index on the records can serve."""

from __future__ import annotations

from sqlalchemy import ColumnElement

from retailops_sandbox.runlog.postgres.schema import deliveries
from retailops_sandbox.runlog.query import Query, spelled

_SPECIAL = str.maketrans({"\\": r"\\", "%": r"\%", "_": r"\_"})


def may_hold(query: Query) -> ColumnElement[bool]:
    """Whether a record has the text anywhere; `Query.is_in` says of the delivery whether it holds it.

    Records are spelled as the sandbox spells them, in which the text is looked for.
    """
    needle = spelled(query.text).decode()
    pattern = f"%{needle.translate(_SPECIAL)}%"
    # In the collation of records, only A to Z have another case.
    if needle.encode().lower() == needle.encode():
        return deliveries.c.record.ilike(pattern)
    return deliveries.c.record.like(pattern)
