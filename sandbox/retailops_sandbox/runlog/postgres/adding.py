"""Adds the records of a run to the database, in the order of its journal or run file.

The driver's statements, without SQLAlchemy: `run` would take as long to import that as to send hundreds of
deliveries. A test compares the columns with `schema`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import psycopg

from retailops_sandbox.contracts.catalogue import Contracts
from retailops_sandbox.model import Delivery, DeliveryInFlight, Judgement, Record, Result, RunInfo, encoder
from retailops_sandbox.runlog.postgres.signals import CHANNEL, RUNS_LOCK
from retailops_sandbox.runlog.postgres.spelling import record_text
from retailops_sandbox.runlog.rows import DeliveryRow, judged_row, row_of, sort_of
from retailops_sandbox.runlog.sql.texts import as_key, as_text

PUSH_LOCK = 0x52535055
"""The advisory lock of transactions that bring in what may be there: two of them would miss each other's."""

Stored = tuple[Record, bytes]
"""A record and its JSON."""


class RunRows:
    """The rows of one run, while this process adds to them.

    All is done in the connection's transaction, which the caller ends.
    """

    def __init__(self, connection: psycopg.Connection[Any], info: RunInfo, contracts: Contracts) -> None:
        """`contracts` tell the ids and codes by which deliveries are found."""
        self._connection = connection
        self._info = info
        self._contracts = contracts
        self._sort = sort_of(info.started_at)
        self._counts = _Counts(info.id)
        self.number = 0
        """The run's number in the database, once it has begun."""
        self.is_new = False
        """Whether the run was not in the database when it began."""

    def begin(self) -> None:
        """Put the run into the database, unless it is there."""
        put = self._connection.execute(_RUN, (as_key(self._info.id), _run_text(self._info)))
        self.is_new = put.rowcount == 1
        found = self._connection.execute(_NUMBER, (as_key(self._info.id),)).fetchone()
        assert found is not None
        self.number = found[0]

    def hold(self) -> bool:
        """Take the lock of a run that goes on, until the connection ends; whether this one has it."""
        found = self._connection.execute(_HOLD, (RUNS_LOCK, self.number)).fetchone()
        return found is not None and bool(found[0])

    def add(self, records: Iterable[Stored]) -> None:
        """Add the next records, none of which is in the database. Nothing is waited for in a pipeline."""
        batch = self._batch(records)
        self._insert(batch)
        self._judge(sorted(batch.judged - batch.judged_at_once), batch.broken)
        self._connection.execute(_COUNTS, self._counts.values(self.number))

    def add_missing(self, records: Iterable[Stored]) -> int:
        """Add those of the next records that are not in the database; the number of these."""
        batch = self._batch(records)
        self._connection.execute(_LOCK, (PUSH_LOCK,))
        found = [[row[0] for row in cursor] for cursor in self._insert(batch)]
        deliveries, judgements, _ = found
        # Another run that is in the database may have judged one of these deliveries.
        self._judge(sorted({*deliveries, *judgements}), batch.broken)
        self._connection.execute(_COUNTS, self._counts.values(self.number))
        return sum(map(len, found))

    def end(self, info: RunInfo) -> None:
        """Keep the record of a run that has ended, and forget what was in flight."""
        if info.finished_at:
            self._connection.execute(_END, (_run_text(info), self.number))
        self._connection.execute(_LANDED_ALL, (self.number,))

    def fly(self, flights: Sequence[DeliveryInFlight]) -> None:
        """Show deliveries in flight."""
        rows = [DeliveryRow(**msgspec.structs.asdict(each)) for each in flights]
        given = [{"id": as_key(each.id), "row": as_text(encoder.encode(each).decode())} for each in rows]
        self._connection.execute(_FLY, (self.number, _json(given)))

    def land(self, ids: Sequence[str]) -> None:
        """Show these deliveries as in flight no longer."""
        self._connection.execute(_LANDED, ([as_key(each) for each in ids],))

    def notify(self) -> None:
        """Wake whoever watches the log, when the transaction is committed."""
        self._connection.execute(_NOTIFY, (CHANNEL,))

    def _batch(self, records: Iterable[Stored]) -> _Batch:
        batch = _Batch()
        for record, document in records:
            text = record_text(document)
            self._counts.size += len(text.encode())
            if isinstance(record, Delivery):
                self._counts.delivery(record.id)
                batch.rows[as_key(record.id)] = row_of(record, self._contracts), text
            elif isinstance(record, Judgement):
                batch.add_judgement(record, self._counts.judgement(record), text)
            else:
                batch.results.append(_result(record, self._counts.result(record), text))
        return batch

    def _insert(self, batch: _Batch) -> list[psycopg.Cursor[Any]]:
        """Insert what is not there; the ids of the deliveries, and of those that were judged, and results."""
        deliveries = [_delivery(row, text) for row, text in batch.rows.values()]
        return [
            self._connection.execute(statement, values)
            for statement, values in (
                (_DELIVERIES, (_json(deliveries), self.number)),
                (_JUDGEMENTS, (self.number, _json(batch.judgements))),
                (_RESULTS, (self.number, self._sort, _json(batch.results))),
            )
        ]

    def _judge(self, ids: Sequence[str], broken: Sequence[int]) -> None:
        """Give deliveries the verdicts of all their judgements.

        `broken` are the numbers of those that say that the payload breaks the contract.
        """
        if ids:
            # The second statement sees what others committed before the first had the rows.
            self._connection.execute(_HOLD_ROWS, (ids,))
            self._connection.execute(_JUDGE, {"ids": ids, "run": self.number, "broken": list(broken)})


class _Batch:
    """Records that are added at once, as the rows that they become."""

    def __init__(self) -> None:
        self.rows: dict[str, tuple[DeliveryRow, str]] = {}
        """By the delivery's key: its row and its record."""
        self.judgements: list[dict[str, Any]] = []
        self.results: list[dict[str, Any]] = []
        self.judged: set[str] = set()
        """The keys of all deliveries that were judged."""
        self.judged_at_once: set[str] = set()
        """The keys of those whose row has its verdict already."""
        self.broken: list[int] = []

    def add_judgement(self, judgement: Judgement, number: int, text: str) -> None:
        delivery = as_key(judgement.delivery)
        if judgement.payload_violations:
            self.broken.append(number)
        self.judged.add(delivery)
        if delivery in self.rows and delivery not in self.judged_at_once:
            row, record = self.rows[delivery]
            self.rows[delivery] = judged_row(row, judgement), record
            self.judged_at_once.add(delivery)
        else:
            self.judged_at_once.discard(delivery)
        self.judgements.append(
            {
                "number": number,
                "delivery": delivery,
                "at": as_text(judgement.at),
                "verdict": judgement.verdict,
                "differences": len(judgement.differences),
                "record": text,
            }
        )


class _Counts:
    """What the row of a run says of its records."""

    def __init__(self, run: str) -> None:
        self._run = run
        self._judged: dict[str, tuple[str, str]] = {}
        """When the run itself judged each of its deliveries last, and how."""
        self._verdicts: Counter[str] = Counter()
        self._outcomes: Counter[str] = Counter()
        self._judges: set[str] = set()
        self._judgements = 0
        self.size = 0

    def delivery(self, id: str) -> None:
        if id not in self._judged:
            self._judged[id] = "", ""
            self._verdicts[""] += 1

    def judgement(self, judgement: Judgement) -> int:
        """Count a judgement; its number."""
        self._judgements += 1
        run = judgement.delivery.rpartition(".")[0]
        known = self._judged.get(judgement.delivery)
        if run != self._run:
            self._judges.add(run)
        elif known is not None and known[0] <= judgement.at:
            self._verdicts[known[1]] -= 1
            self._verdicts[judgement.verdict] += 1
            self._judged[judgement.delivery] = judgement.at, judgement.verdict
        return self._judgements

    def result(self, result: Result) -> int:
        """Count a result; its number."""
        self._outcomes[result.verdict] += 1
        return self._outcomes.total()

    def values(self, number: int) -> dict[str, Any]:
        """The values of the run's row."""
        verdicts = {verdict: count for verdict, count in self._verdicts.items() if count}
        return {
            "number": number,
            "deliveries": len(self._judged),
            "verdicts": _json(verdicts) if verdicts else "",
            "outcomes": _json(self._outcomes) if self._outcomes else "",
            "judges": as_text(_json(sorted(self._judges))) if self._judges else "",
            "size": self.size,
        }


def _delivery(row: DeliveryRow, text: str) -> dict[str, Any]:
    """The values of a delivery's columns, and the keys by which it is found."""
    values: dict[str, Any] = {name: _in_column(name, getattr(row, name)) for name in _FIELDS}
    values["sort"] = row.sort[0]
    values["status_class"] = row.status_class
    values["unedited_fixture"] = as_key(row.unedited_fixture)
    values["verdict"] = row.verdict or ""
    values["record"] = text
    for name, found in (("orders", row.orders), ("codes", row.codes)):
        values[name] = as_text(_json(found)) if found else ""
        values[f"{name}_keys"] = list(dict.fromkeys(map(as_key, found)))
    return values


def _in_column(name: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return as_key(value) if name in KEYS else as_text(value)


def _result(result: Result, number: int, text: str) -> dict[str, Any]:
    return {
        "number": number,
        "scenario": as_key(result.scenario),
        "verdict": result.verdict,
        "record": text,
    }


def _run_text(info: RunInfo) -> str:
    return encoder.encode(msgspec.convert(info, RunInfo, from_attributes=True)).decode()


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


_FIELDS = DeliveryRow.__struct_fields__
KEYS = frozenset(
    {
        *("id", "action", "edition", "receiver", "scenario", "parent", "fault", "verdict"),
        *("status_class", "unedited_fixture"),
    }
)
"""The columns of a delivery that have the beginning of a text alone."""
DELIVERY_TYPES = {
    "record": "text",
    "sort": "bigint",
    "status_class": "text",
    "unedited_fixture": "text",
    "sent_at": "text",
    "id": "text",
    "action": "text",
    "edition": "text",
    "receiver": "text",
    "stand_in": "boolean",
    "scenario": "text",
    "step": "text",
    "fixture": "text",
    "number": "integer",
    "attempt": "integer",
    "parent": "text",
    "dropped": "boolean",
    "status": "smallint",
    "fault": "text",
    "total_ms": "double precision",
    "orders": "text",
    "subjects": "integer",
    "codes": "text",
    "events": "integer",
    "off_contract": "boolean",
    "breaks_contract": "boolean",
    "verdict": "text",
    "first_verdict": "text",
    "differences": "integer",
}
"""The columns of a delivery that its writer gives, besides its run, and their types."""

# One value with all rows as JSON takes a fraction of the time that a value for each column of each row does.
_RUN = "insert into runs (id, record) values (%s, %s) on conflict (id) do nothing"
_NUMBER = "select number from runs where id = %s"
_HOLD = "select pg_try_advisory_lock(%s, %s::integer)"
_LOCK = "select pg_advisory_xact_lock(%s)"
_NAMES = ", ".join(DELIVERY_TYPES)
_DELIVERIES = f"""
with given as (
  select row_number() over () as place, each.*
  from json_to_recordset(%s) as each(
    {", ".join(f"{name} {kind}" for name, kind in DELIVERY_TYPES.items())}, orders_keys json, codes_keys json
  )
), added as (
  insert into deliveries (run, {_NAMES}) select %s, {_NAMES} from given order by place
  on conflict (id) do nothing returning id, position, sort
), orders_of_added as (
  insert into orders (value, sort, delivery)
  select json_array_elements_text(given.orders_keys), added.sort, added.position
  from added join given on given.id = added.id
), codes_of_added as (
  insert into codes (value, sort, delivery)
  select json_array_elements_text(given.codes_keys), added.sort, added.position
  from added join given on given.id = added.id
)
select id from added
"""
_JUDGEMENTS = """
insert into judgements (run, number, delivery, at, verdict, differences, record)
select %s, each.* from json_to_recordset(%s) as each(
  number integer, delivery text, at text, verdict text, differences integer, record text
)
order by number on conflict (run, number) do nothing returning delivery
"""
_RESULTS = """
insert into results (run, sort, number, scenario, verdict, record)
select %s, %s, each.* from json_to_recordset(%s) as each(
  number integer, scenario text, verdict text, record text
)
order by number on conflict (run, number) do nothing returning number
"""
_HOLD_ROWS = "select from deliveries where id = any(%s) order by id for update"
_FIRST = """
select judgements.* from judgements join runs on runs.number = judgements.run
where judgements.delivery = wanted.id order by judgements.at {0}, runs.id {0}, judgements.number {0} limit 1
"""
_JUDGE = f"""
update deliveries set
  verdict = latest.verdict, differences = latest.differences, first_verdict = earliest.verdict,
  breaks_contract = deliveries.breaks_contract or (
    deliveries.off_contract and earliest.run = %(run)s and earliest.number = any(%(broken)s::integer[])
  ),
  changed = pg_current_xact_id()
from unnest(%(ids)s::text[]) as wanted(id),
  lateral ({_FIRST.format("asc")}) as earliest, lateral ({_FIRST.format("desc")}) as latest
where deliveries.id = wanted.id
"""
# What another machine brought in may be more of the run than what this one has.
_COUNTS = """
update runs set deliveries = %(deliveries)s, verdicts = %(verdicts)s, outcomes = %(outcomes)s,
  judges = %(judges)s, size = %(size)s
where number = %(number)s and size < %(size)s
"""
_END = "update runs set record = %s where number = %s"
_FLY = """
insert into in_flight (run, id, row)
select %s, each.* from json_to_recordset(%s) as each(id text, row text) on conflict (id) do nothing
"""
_LANDED = "delete from in_flight where id = any(%s)"
_LANDED_ALL = "delete from in_flight where run = %s"
_NOTIFY = "select pg_notify(%s, '')"
