"""Makes the SQL of a query of the log, for SQLite and for PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, Table, and_, literal_column, or_, select

from retailops_sandbox.runlog.query import Query
from retailops_sandbox.runlog.rows import NOT_JUDGED, Sort
from retailops_sandbox.runlog.sql.tables import DeliveryTables


def rows(
    tables: DeliveryTables,
    query: Query,
    run: int | None,
    *,
    after: Sort | None,
    newest_first: bool,
    most: int,
) -> Select[Any]:
    """Selects `tables.row` of the first deliveries of a query, in order.

    `run` is the number of the query's run. `text` is left out. With `after`, only those beyond that place in
    the direction asked for.
    """
    deliveries, orders, codes = tables
    found = select(*tables.row).where(*_conditions(deliveries, query, run))
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


def latest_verdicts(tables: DeliveryTables, receiver: str, action: str, edition: str) -> Select[Any]:
    """Selects name and latest verdict of each fixture that was sent to a receiver."""
    deliveries = tables.deliveries
    # Both read the index of cases: the names alone, and one row for each of them.
    fixtures = _of_cases(deliveries, receiver, action, edition)
    names = (
        select(deliveries.c.unedited_fixture).where(fixtures, deliveries.c.unedited_fixture > "").distinct()
    )
    fixture = names.subquery().c.unedited_fixture
    each = deliveries.alias()
    newest = (
        select(each.c.verdict)
        .where(_of_cases(each, receiver, action, edition), each.c.unedited_fixture == fixture)
        .order_by(each.c.sort.desc(), each.c.id.desc())
        .limit(1)
    )
    return select(fixture, newest.scalar_subquery())


def _of_cases(table: FromClause, receiver: str, action: str, edition: str) -> ColumnElement[bool]:
    """Whether a delivery was sent by hand to this receiver, of this action and edition."""
    column = table.c
    return and_(
        column.receiver == receiver,
        column.action == action,
        column.edition == edition,
        column.scenario == "",
    )


def _conditions(deliveries: Table, query: Query, run: int | None) -> Iterator[ColumnElement[bool]]:
    column = deliveries.c
    if run is not None:
        yield column.run == run
    for name in ("receiver", "action", "edition", "scenario", "parent"):
        if value := getattr(query, name):
            yield column[name] == value
    if query.parent:
        yield column.parent > _NONE
    if query.fixture:
        yield column.unedited_fixture == query.fixture
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
    if query.first_sort is not None:
        yield column.sort >= query.first_sort
    if query.end_sort is not None:
        yield column.sort < query.end_sort


# Written into the statement, because a partial index is not used for a value that is bound to it.
_NONE: ColumnElement[str] = literal_column("''")
