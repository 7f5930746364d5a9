"""Makes the SQL of a query of the log."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, literal_column, or_, select

from retailops_sandbox.runlog.index.tables import ROW, codes, deliveries, orders, sort_of
from retailops_sandbox.runlog.query import Query
from retailops_sandbox.runlog.rows import NOT_JUDGED

_AFTER_ALL = "~"
"""Sorts after all ids of deliveries."""
Sort = tuple[int, str]
"""`sort_of` the instant at which a delivery was sent, and its id: the order of all lists."""


def rows(query: Query, run: int | None, *, after: Sort | None, newest_first: bool, most: int) -> Select[Any]:
    """Selects `ROW` of the first deliveries of a query, in order; `run` is the number of the query's run.

    `text` is left out. With `after`, only those beyond that place in the direction asked for.
    """
    found = select(*ROW, *_PLACE).where(*_conditions(query, run))
    # By the table that has few of them and has them in order.
    sort: ColumnElement[int] = deliveries.c.sort
    for table, value in ((codes, query.code), (orders, query.order)):
        if value:
            found = found.join(table, table.c.delivery == deliveries.c.position).where(table.c.value == value)
            sort = table.c.sort
    id = deliveries.c.id
    if after is not None:
        at, last = after
        if newest_first:
            found = found.where(sort <= at, or_(sort < at, id < last))
        else:
            found = found.where(sort >= at, or_(sort > at, id > last))
    in_order = (sort.desc(), id.desc()) if newest_first else (sort, id)
    return found.order_by(*in_order).limit(most)


def edge(query: Query, first: int, last: int, *, newest_first: bool) -> Sort | None:
    """The bound of the keys of a run's rows, in the direction asked for; None where it has no row for it.

    `first` and `last` are `sort_of` the run's first and last delivery.
    """
    start, end = _first_sort(query), _end_sort(query)
    if last < start or (end is not None and first >= end):
        return None
    return (last, _AFTER_ALL) if newest_first else (first, "")


def _first_sort(query: Query) -> int:
    """`sort_of` the first instant that `since` includes."""
    return sort_of(query.since) if query.since else 0


def _end_sort(query: Query) -> int | None:
    """`sort_of` the first instant that `until` no longer includes; None where there is no end."""
    if not query.until:
        return None
    end = datetime.fromisoformat(query.until.removesuffix("Z"))
    return sort_of((end if len(query.until) > len("2024-05-01") else end + timedelta(days=1)).isoformat())


def _conditions(query: Query, run: int | None) -> Iterator[ColumnElement[bool]]:
    column = deliveries.c
    if run is not None:
        yield column.run == run
    for name in ("receiver", "action", "edition", "scenario", "parent"):
        if value := getattr(query, name):
            yield column[name] == value
    if query.parent:
        yield column.parent > _NONE
    if query.verdict:
        yield column.verdict == ("" if query.verdict == NOT_JUDGED else query.verdict)
    if query.status.endswith("xx"):
        yield column.status_class == query.status
    elif query.status:
        yield column.status == int(query.status)
    if query.fault:
        # The index of faults has only the deliveries that have one, and is used where the query says so.
        yield column.fault > _NONE
        if query.fault != "any":
            yield column.fault == query.fault
    if query.since:
        yield column.sort >= _first_sort(query)
    end = _end_sort(query)
    if end is not None:
        yield column.sort < end


# Written into the statement, because a partial index is not used for a value that is bound to it.
_NONE: ColumnElement[str] = literal_column("''")
_PLACE = (deliveries.c.in_journal, deliveries.c.offset, deliveries.c.size)
