"""The filter of the log in an address, whose parameters have the names of a query's fields."""

from __future__ import annotations

import msgspec
from starlette.requests import Request

from retailops_sandbox.runlog.query import Query
from retailops_sandbox.web.shell.addresses import query_string
from retailops_sandbox.web.shell.rows import FlightRow


class FilterTerm(msgspec.Struct, frozen=True):
    """A field of a query that is not empty."""

    name: str
    value: str
    without: str
    """The query string of the filter without it."""


_NAMES = {"order": "about"}
"""What fields of a query are called on pages, where that is not their name."""


def query_of(request: Request) -> Query:
    """The query in a request's address, unchecked."""
    return Query(**{name: request.query_params.get(name, "").strip() for name in Query.__struct_fields__})


def accepts_flight(query: Query, flight: FlightRow) -> bool:
    """Whether a query accepts a delivery in flight, which has no answer and no verdict yet."""
    if query.verdict or query.status or query.fault or query.code or query.order or query.text:
        return False
    return query.accepts(flight)


def terms(query: Query) -> list[FilterTerm]:
    """The fields of a query that are not empty."""
    return [
        FilterTerm(_NAMES.get(name, name), value, query_string(msgspec.structs.replace(query, **{name: ""})))
        for name, value in msgspec.structs.asdict(query).items()
        if value
    ]
