"""Finds the deliveries that hold a text: looks through them in order, or asks a trigram index for the rest.

The server does not know how often a text occurs in long records, and so cannot choose between the two itself.
"""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select

from retailops_sandbox.runlog.postgres.schema import TEXT_INDEX, deliveries, tables
from retailops_sandbox.runlog.query import Query, spelled
from retailops_sandbox.runlog.rows import Sort
from retailops_sandbox.runlog.sql import selecting

_SPECIAL = str.maketrans({"\\": r"\\", "%": r"\%", "_": r"\_"})
_TRIGRAM = re.compile(r"\w{3}")

HAS_INDEX = select(func.to_regclass(TEXT_INDEX).is_not(None))
"""Whether the database has the trigram index."""


def looked_through(
    query: Query, run: int | None, *, after: Sort | None, newest_first: bool, most: int
) -> Select[Any]:
    """Selects rows and records: of the first deliveries of a query those that may hold its text.

    `most` is how many are looked through; `looked` is how many were. The last of them is always selected, so
    that the next look goes on from there.
    """
    first = selecting.rows(tables, query, run, after=after, newest_first=newest_first, most=most)
    looked = first.add_columns(deliveries.c.record, deliveries.c.sort).cte("looked")
    forth = [looked.c.sort, looked.c.id]
    back = [each.desc() for each in forth]
    in_order, reversed_order = (back, forth) if newest_first else (forth, back)
    of_last = select(looked.c.id).order_by(*reversed_order).limit(1)
    how_many = select(func.count()).select_from(looked).scalar_subquery()
    return (
        select(looked, how_many.label("looked"))
        .where(or_(_holds(looked.c.record, query), looked.c.id == of_last.scalar_subquery()))
        .order_by(*in_order)
    )


def index_can_find(query: Query) -> bool:
    """Whether a trigram index helps to find the text of a query."""
    return _TRIGRAM.search(_needle(query)) is not None


def in_index(
    query: Query, run: int | None, *, after: Sort | None, newest_first: bool, most: int
) -> Select[Any]:
    """Selects rows and records: deliveries of a query that may hold its text, in no order."""
    found = selecting.rows(tables, query, run, after=after, newest_first=newest_first, most=most)
    pattern = f"%{_needle(query).translate(_SPECIAL)}%"
    record = deliveries.c.record
    holds = record.ilike(pattern) if _is_any_case(query) else record.like(pattern)
    return found.add_columns(record).where(holds).order_by(None)


def _holds(record: ColumnElement[str], query: Query) -> ColumnElement[bool]:
    """Whether a record has the text anywhere; `Query.is_in` says of the delivery whether it holds it.

    Records are spelled as the sandbox spells them, in which the text is looked for.
    """
    # This takes half the time of LIKE.
    text = func.lower(record) if _is_any_case(query) else record
    return func.strpos(text, _needle(query)) > 0


def _needle(query: Query) -> str:
    return spelled(query.text).decode()


def _is_any_case(query: Query) -> bool:
    """Whether case does not count. In the collation of records, only A to Z have another case."""
    needle = spelled(query.text)
    return needle == needle.lower()
