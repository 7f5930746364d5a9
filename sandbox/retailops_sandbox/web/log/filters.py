"""The filter of the log, as an address spells it: its parameters have the names of a query's fields."""

from __future__ import annotations

from urllib.parse import urlencode

import msgspec
from starlette.requests import Request

from retailops_sandbox.runlog.query import Query
from retailops_sandbox.web.shell.rows import Row


class LogFilter(msgspec.Struct, frozen=True):
    """One thing that a filter asks, and the address of the list without it."""

    name: str
    value: str
    without: str


def query_of(request: Request) -> Query:
    """What a request asks of the log, unchecked: fields that are not there ask nothing."""
    said = {name: request.query_params.get(name, "").strip() for name in Query.__struct_fields__}
    return Query(**said)


def address(query: Query) -> str:
    """The query as an address spells it, with its question mark; empty where it asks nothing."""
    said = {name: value for name, value in msgspec.structs.asdict(query).items() if value}
    return f"?{urlencode(said)}" if said else ""


def accepts_flight(query: Query, flight: Row) -> bool:
    """Whether a query lets through what is in flight, of which nothing is known but where it goes."""
    known = Query(receiver=query.receiver, action=query.action, edition=query.edition)
    return (
        query == known
        and query.receiver in ("", flight.receiver)
        and query.action in ("", flight.action)
        and query.edition in ("", flight.edition)
    )


def asked(query: Query) -> list[LogFilter]:
    """What a query asks, one by one."""
    return [
        LogFilter(name, value, address(msgspec.structs.replace(query, **{name: ""})))
        for name, value in msgspec.structs.asdict(query).items()
        if value
    ]
