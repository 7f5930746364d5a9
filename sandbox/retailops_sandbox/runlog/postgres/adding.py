"""Adds the records of a run to the database, in the order of its journal or run file.

The driver's statements, without SQLAlchemy: `run` would take as long to import that as to send hundreds of
deliveries. A test compares the columns with `schema`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import msgspec
import psycopg

from retailops_sandbox.contracts.catalogue import ContractSource
from retailops_sandbox.model import Delivery, DeliveryInFlight, Judgement, Record, Result, RunInfo, encoder
from retailops_sandbox.runlog.postgres.signals import CHANNEL, RUNS_LOCK
from retailops_sandbox.runlog.rows import DeliveryRow, judged_row, row_of, sort_of
from retailops_sandbox.runlog.sql.texts import as_key, as_text

PUSH_LOCK = 0x52535055
"""The advisory lock of transactions that bring in what may be there: two of them would miss each other's."""

Stored = tuple[Record, str]
"""A record, and its JSON as the sandbox spells it (`spelling.record_text`)."""


class RunRows:
    """The rows of one run, while this process adds to them.

    Its connection commits each statement, unless a method says otherwise.
    """

    def __init__(self, connection: psycopg.Connection[Any], info: RunInfo, contracts: ContractSource) -> None:
        """`connection` is one of `connecting.adding`. `contracts` tell the ids and codes of deliveries."""
        self._connection = connection
        self._info = info
        self._contracts = contracts
        self._sort = sort_of(info.started_at)
        self._counts = _Counts(info.id)
        self.number = 0
        """The run's number in the database, once it has begun."""
        self.is_new = False
        """Whether the run was not in the database when it began."""
        self._known_size = 0
        """The bytes of the records that it had in the database then."""

    def begin(self) -> None:
        """Put the run into the database, unless it is there."""
        put = self._connection.execute(_RUN, (as_key(self._info.id), _run_text(self._info)))
        self.is_new = put.rowcount == 1
        found = self._connection.execute(_NUMBER, (as_key(self._info.id),)).fetchone()
        assert found is not None
        self.number, self._known_size = found
        self._connection.execute(_NOTIFY)

    def hold(self) -> bool:
        """Take the lock of a run that goes on, until the connection ends; whether this one has it."""
        found = self._connection.execute(_HOLD, (RUNS_LOCK, self.number)).fetchone()
        return found is not None and bool(found[0])

    def check(self) -> None:
        """Nothing where the connection is alive; psycopg.OperationalError where it is lost. Asks nothing."""
        for _ in range(2):  # What the server said last comes before the end.
            self._connection.pgconn.consume_input()

    def add(
        self,
        records: Iterable[Stored],
        *,
        flying: Sequence[DeliveryInFlight] = (),
        shown: Collection[str] = (),
        landed: Sequence[str] = (),
    ) -> list[str]:
        """Add the next records, none of which is in the database, in one transaction.

        `flying` are deliveries to be shown as in flight from now on, `shown` the ids of all that are shown,
        `landed` those of deliveries that ended. Returns the ids of those shown that were among the records.
        """
        batch = self._batch(records)
        again = sorted(batch.judged - batch.judged_at_once)
        logged = [id for id in shown if as_key(id) in batch.rows]
        landed = [*landed, *logged]
        if not (again or flying or landed):
            self._connection.execute(_ADD, self._values(batch))
            return logged
        with self._connection.pipeline(), self._connection.transaction():
            self._connection.execute(_ADD, self._values(batch))
            self._judge(again, batch.broken)
            if flying:
                self._connection.execute(_FLY, (self.number, _json(list(map(_flight, flying)))))
            if landed:
                self._connection.execute(_LANDED, (list(map(as_key, landed)),))
        return logged

    def add_later(self, records: Sequence[Stored]) -> None:
        """Add those of the next records that are not in the database, in one transaction.

        All records come in the order in which they were appended, from the first one on.
        """
        if self._counts.size + sum(len(text.encode()) for _, text in records) <= self._known_size:
            for record, text in records:
                self._counts.add(record, text)
            return
        with self._connection.transaction():
            self.add_missing(records)

    def add_missing(self, records: Iterable[Stored]) -> tuple[int, int]:
        """Add those of the next records that are not in the database.

        The number of these, and of those that the database has otherwise. It is done in a transaction of the
        caller's.
        """
        batch = self._batch(records)
        self._connection.execute(_LOCK, (PUSH_LOCK,))
        # Besides the records it selects a row that is none.
        values = self._values(batch)
        added = self._connection.execute(_ADD, values).fetchall()
        # Another run that is in the database may have judged one of these deliveries.
        self._judge(sorted({id for id, _ in added if id is not None}), batch.broken)
        found = self._connection.execute(_DIFFERENT, values[:4]).fetchone()
        assert found is not None
        return sum(is_record for _, is_record in added), found[0]

    def end(self, info: RunInfo) -> None:
        """Keep the record of a run that has ended, and forget what was in flight. It is held no longer."""
        with self._connection.pipeline():
            with self._connection.transaction():
                if info.finished_at:
                    self._connection.execute(_END, (_run_text(info), self.number))
                self._connection.execute(_LANDED_ALL, (self.number,))
                self._connection.execute(_NOTIFY)
            # The server takes a moment to notice that a connection is closed.
            self._connection.execute(_RELEASE, (RUNS_LOCK, self.number))

    def _batch(self, records: Iterable[Stored]) -> _Batch:
        batch, contracts = _Batch(), self._contracts()
        for record, text in records:
            number = self._counts.add(record, text)
            if isinstance(record, Delivery):
                batch.rows[as_key(record.id)] = row_of(record, contracts), text
            elif isinstance(record, Judgement):
                batch.add_judgement(record, number, text)
            else:
                batch.results.append(_result(record, number, text))
        return batch

    def _values(self, batch: _Batch) -> tuple[Any, ...]:
        deliveries = [_delivery(row, text) for row, text in batch.rows.values()]
        found = (_json(deliveries), _json(batch.judgements), _json(batch.results))
        return (self.number, *found, self._sort, *self._counts.values())

    def _judge(self, ids: Sequence[str], broken: Sequence[int]) -> None:
        """Give deliveries the verdicts of all their judgements.

        `broken` are the numbers of those that say that the payload breaks the contract.
        """
        if ids:
            # The second statement sees what others committed before the first had the rows.
            self._connection.execute(_HOLD_ROWS, (ids,))
            self._connection.execute(_JUDGE, (ids, self.number, list(broken)))


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
        is_first = delivery in self.rows and delivery not in self.judged
        self.judged.add(delivery)
        if is_first:
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

    def add(self, record: Record, text: str) -> int:
        """Count a record; its number among those of its kind."""
        self.size += len(text.encode())
        if isinstance(record, Judgement):
            return self._add_judgement(record)
        if isinstance(record, Delivery):
            if record.id not in self._judged:
                self._judged[record.id] = "", ""
                self._verdicts[""] += 1
            return len(self._judged)
        self._outcomes[record.verdict] += 1
        return self._outcomes.total()

    def _add_judgement(self, judgement: Judgement) -> int:
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

    def values(self) -> tuple[Any, ...]:
        """The values of the run's row: deliveries, verdicts, outcomes, judges, size."""
        verdicts = {verdict: count for verdict, count in self._verdicts.items() if count}
        return (
            len(self._judged),
            _json(verdicts) if verdicts else "",
            _json(self._outcomes) if self._outcomes else "",
            as_text(_json(sorted(self._judges))) if self._judges else "",
            self.size,
        )


def _delivery(row: DeliveryRow, text: str) -> dict[str, Any]:
    """The values of a delivery's columns, and the keys by which it is found."""
    values = msgspec.structs.asdict(row)
    values["unedited_fixture"] = row.unedited_fixture
    for name in _TEXTS:
        value = values[name]
        if len(value) > _SHORT or "\0" in value:
            values[name] = as_key(value) if name in KEYS else as_text(value)
    values["sort"] = row.sort[0]
    values["status_class"] = row.status_class
    values["verdict"] = row.verdict or ""
    values["record"] = text
    for name, found in (("orders", row.orders), ("codes", row.codes)):
        values[name] = as_text(_json(found)) if found else ""
        values[f"{name}_keys"] = list(dict.fromkeys(map(as_key, found)))
    return values


def _flight(sent: DeliveryInFlight) -> dict[str, str]:
    row = DeliveryRow(**msgspec.structs.asdict(sent))
    return {"id": as_key(row.id), "row": as_text(_json(row))}


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


_TEXTS = (
    *("sent_at", "id", "action", "edition", "receiver", "scenario", "step", "fixture", "parent", "fault"),
    "unedited_fixture",
)
_SHORT = 100
"""Characters that a column of any kind has whole."""
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

# With `$1` for values: the driver need not look for them in the text.
_RUN = "insert into runs (id, record) values ($1, $2) on conflict (id) do nothing"
_NUMBER = "select number, size from runs where id = $1"
_HOLD = "select pg_try_advisory_lock($1, $2::integer)"
_LOCK = "select pg_advisory_xact_lock($1)"
_NAMES = ", ".join(DELIVERY_TYPES)
# One statement takes a fraction of the time of several, and rows as JSON of that of a value for each column.
# What another machine brought in may be more of the run than what this one has: then its counts stay.
_ADD = f"""
with given as (
  select row_number() over () as place, each.*
  from json_to_recordset($2) as each(
    {", ".join(f"{name} {kind}" for name, kind in DELIVERY_TYPES.items())}, orders_keys json, codes_keys json
  )
), added as (
  insert into deliveries (run, {_NAMES}) select $1::bigint, {_NAMES} from given order by place
  on conflict (id) do nothing returning id, position, sort
), with_orders as (
  insert into orders (value, sort, delivery)
  select json_array_elements_text(given.orders_keys), added.sort, added.position
  from added join given on given.id = added.id
), with_codes as (
  insert into codes (value, sort, delivery)
  select json_array_elements_text(given.codes_keys), added.sort, added.position
  from added join given on given.id = added.id
), judged as (
  insert into judgements (run, number, delivery, at, verdict, differences, record)
  select $1::bigint, each.* from json_to_recordset($3) as each(
    number integer, delivery text, at text, verdict text, differences integer, record text
  )
  order by number on conflict (run, number) do nothing returning delivery
), ended as (
  insert into results (run, sort, number, scenario, verdict, record)
  select $1::bigint, $5::bigint, each.* from json_to_recordset($4) as each(
    number integer, scenario text, verdict text, record text
  )
  order by number on conflict (run, number) do nothing returning number
), counted as (
  update runs set deliveries = $6::integer, verdicts = $7, outcomes = $8, judges = $9, size = $10::bigint
  where number = $1::bigint and size < $10::bigint
)
select id, true from added union all select delivery, true from judged
union all select null, true from ended union all select null, pg_notify('{CHANNEL}', '') is null
"""
_DIFFERENT = """
select
  (select count(*) from json_to_recordset($2) as each(id text, record text)
    join deliveries using (id) where deliveries.record <> each.record)
  + (select count(*) from json_to_recordset($3) as each(number integer, record text)
    join judgements using (number) where judgements.run = $1::bigint and judgements.record <> each.record)
  + (select count(*) from json_to_recordset($4) as each(number integer, record text)
    join results using (number) where results.run = $1::bigint and results.record <> each.record)
"""
_HOLD_ROWS = "select from deliveries where id = any($1) order by id for update"
_FIRST = """
select judgements.* from judgements join runs on runs.number = judgements.run
where judgements.delivery = wanted.id order by judgements.at {0}, runs.id {0}, judgements.number {0} limit 1
"""
_JUDGE = f"""
update deliveries set
  verdict = latest.verdict, differences = latest.differences, first_verdict = earliest.verdict,
  breaks_contract = deliveries.breaks_contract or (
    deliveries.off_contract and earliest.run = $2 and earliest.number = any($3::integer[])
  ),
  changed = pg_current_xact_id()
from unnest($1::text[]) as wanted(id),
  lateral ({_FIRST.format("asc")}) as earliest, lateral ({_FIRST.format("desc")}) as latest
where deliveries.id = wanted.id
"""
_END = "update runs set record = $1 where number = $2"
_FLY = """
insert into in_flight (run, id, row)
select $1::bigint, each.* from json_to_recordset($2) as each(id text, row text) on conflict (id) do nothing
"""
_LANDED = "delete from in_flight where id = any($1)"
_RELEASE = "select pg_advisory_unlock($1, $2::integer)"
_LANDED_ALL = "delete from in_flight where run = $1"
_NOTIFY = f"select pg_notify('{CHANNEL}', '')"
