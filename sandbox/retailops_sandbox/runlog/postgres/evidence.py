"""Reads the records of deliveries, with their judgements."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import msgspec
from sqlalchemy import ColumnElement, Connection, select

from retailops_sandbox.errors import FileError
from retailops_sandbox.model import Delivery, Judgement, Number
from retailops_sandbox.runlog.entries import Entry
from retailops_sandbox.runlog.postgres.schema import deliveries, judgements, runs
from retailops_sandbox.runlog.rows import sort_of
from retailops_sandbox.runlog.sql.tables import chunks

_T = TypeVar("_T")


def entries(connection: Connection, run: str, scenarios: Container[str] | None = None) -> list[Entry]:
    """The deliveries of a run, all or for these scenarios, the oldest first; none for an unknown run."""
    of_run = _OF_RUNS.where(runs.c.id == run)
    if scenarios is None:
        records = connection.execute(of_run.order_by(deliveries.c.sort, deliveries.c.id)).all()
        # "/" comes after "." in the order of texts.
        about = (judgements.c.delivery >= f"{run}.") & (judgements.c.delivery < f"{run}/")
        return _judged(records, judgements_about(connection, run, about))
    names = of_run.with_only_columns(deliveries.c.id, deliveries.c.scenario)
    wanted = [id for id, scenario in connection.execute(names) if scenario in scenarios]
    found: list[Entry] = []
    for some in chunks(wanted):
        records = connection.execute(_OF_RUNS.where(deliveries.c.id.in_(some))).all()
        found += _judged(records, judgements_about(connection, run, judgements.c.delivery.in_(some)))
    return sorted(found, key=lambda each: (sort_of(each.delivery.sent_at), each.delivery.id))


def entry(connection: Connection, id: str) -> Entry | None:
    """The delivery of this id; None if there is none."""
    records = connection.execute(_RECORDS.where(deliveries.c.id == id)).all()
    if not records:
        return None
    known = judgements_about(connection, id.rpartition(".")[0], judgements.c.delivery == id)
    return _judged(records, known)[0]


def deliveries_of(connection: Connection, ids: Collection[str]) -> Iterator[Delivery]:
    """Those deliveries that have these ids, without judgements."""
    for some in chunks(ids):
        for id, record in connection.execute(_RECORDS.where(deliveries.c.id.in_(some))):
            yield delivery(id, record)


def delivery(id: str, record: str) -> Delivery:
    """The delivery of a record; FileError where it is damaged."""
    return decoded(_delivery_decoder, record, f"delivery {id}")


def decoded(decoder: msgspec.json.Decoder[_T], record: str, what: str) -> _T:
    """A record; FileError where it is damaged. `what` is the record for people."""
    try:
        return decoder.decode(record)
    except (msgspec.DecodeError, RecursionError) as error:
        raise FileError(f"{what} in the database is damaged: {error}") from error


def _judged(records: Sequence[Any], known: Mapping[str, list[Judgement]]) -> list[Entry]:
    return [Entry(delivery(id, record), tuple(known.get(id, ()))) for id, record in records]


def judgements_about(
    connection: Connection, run: str, about: ColumnElement[bool]
) -> dict[str, list[Judgement]]:
    """The judgements about deliveries of a run, by the delivery's id, in order of time."""
    asked = select(judgements.c.delivery, judgements.c.record)
    asked = asked.join(runs, runs.c.number == judgements.c.run).where(about)
    # Of those of one instant, the run's own come first.
    asked = asked.order_by(judgements.c.at, runs.c.id != run, runs.c.id, judgements.c.number)
    found: dict[str, list[Judgement]] = {}
    for id, record in connection.execute(asked):
        one = decoded(_judgement_decoder, record, f"a judgement of delivery {id}")
        found.setdefault(id, []).append(one)
    return found


_delivery_decoder = msgspec.json.Decoder(Delivery, float_hook=Number)
_judgement_decoder = msgspec.json.Decoder(Judgement, float_hook=Number)
_RECORDS = select(deliveries.c.id, deliveries.c.record)
_OF_RUNS = _RECORDS.join(runs, runs.c.number == deliveries.c.run)
