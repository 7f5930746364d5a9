"""Brings the index up to date with the run files and journals in the log's folder."""

from __future__ import annotations

import gc
import os
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

import msgspec
from sqlalchemy import Connection, delete, func, insert, select, update

from retailops_sandbox.contracts.catalogue import Contracts, ContractSource
from retailops_sandbox.errors import FileError, unreadable
from retailops_sandbox.model import Number, Verdict
from retailops_sandbox.regular_files import no_link
from retailops_sandbox.runlog.files import runfile
from retailops_sandbox.runlog.files.folder import Look, RunFolder, RunOnDisk, Stamp
from retailops_sandbox.runlog.files.journal import NO_HEAD, NO_RECORD, TABLES, UNDECODABLE, Head, Line
from retailops_sandbox.runlog.files.runfile import StoredRecords
from retailops_sandbox.runlog.index import indexed
from retailops_sandbox.runlog.index.database import Database
from retailops_sandbox.runlog.index.filling import Filling, RunDraft, Totals
from retailops_sandbox.runlog.index.indexed import IndexedRun, InIndex, KnownRun, Problem, State
from retailops_sandbox.runlog.index.places import Place, Stale
from retailops_sandbox.runlog.index.tables import runs, state
from retailops_sandbox.runlog.rows import lookups, sort_of

_LINES_AT_ONCE = 2000
_RECORDS_AT_ONCE = 10_000
"""The most records in one transaction, so that other processes wait for less than a second."""


class Updating:
    """Brings an index up to date with a folder. One thread at a time may use it."""

    def __init__(self, folder: RunFolder, database: Database, contracts: ContractSource) -> None:
        self._folder = folder
        self._contracts = contracts
        self._database = database
        self._state = State("", -1, -1)
        """The index as it was last read."""
        self._indexed: dict[str, InIndex] = {}
        """The runs in the index, by id."""
        self._unfinished: dict[str, tuple[int, int]] = {}
        """The size of each journal, and up to where it is indexed, where the rest is an unfinished line."""
        self._unreadable: dict[str, Stamp] = {}
        """The stamp of each run file that could not be read."""
        self.runs: dict[str, KnownRun] = {}
        """The runs of the folder, by id, as of the last time."""

    def refresh(self, at: Look) -> None:
        """Bring the index up to date with these files of the folder.

        Stale where files changed meanwhile; IndexLost where the index turned out to be damaged.
        """
        self._read()
        found = self._folder.look(at)
        new = [run for id, run in found.items() if not self._is_known(id, run)]
        gone = self._indexed.keys() - found.keys()
        if not new and not gone and len(self.runs) == len(found):
            return
        if gone:
            self._delete(gone)
        if outdated := [run for run in new if self._is_outdated(run)]:
            # The oldest first: what is added in order fills the pages of the database.
            self._write(sorted(outdated, key=lambda run: run.id, reverse=True))
        runs = {id: run for id, run in self.runs.items() if id in found}
        runs |= {run.id: KnownRun(self._indexed.get(run.id, InIndex()), run) for run in new}
        self.runs = runs

    def clear(self) -> None:
        """Empty the index, so that the next time it is made anew."""
        with self._database.writing() as connection:
            self._database.clear(connection)

    def _read(self) -> None:
        """Read what other processes have written into the index since the last time."""
        self._database.look_again()
        with self._database.reading() as connection:
            now = self._database.state(connection)
            if now == self._state:
                return
            if now.identity != self._state.identity:
                self._indexed, self._unfinished, since = {}, {}, -1
            else:
                since = self._state.changes
            for number, id, changed, record in connection.execute(_RUNS.where(runs.c.changed > since)):
                self._indexed[id] = InIndex(number, changed, indexed.decoder.decode(record or ""))
            if now.results != self._state.results:  # It is set, too, where a run is deleted.
                left = set(connection.scalars(_IDS))
                self._indexed = {id: each for id, each in self._indexed.items() if id in left}
        self._state = now

    def _is_known(self, id: str, run: RunOnDisk) -> bool:
        """Whether nothing of a run has changed since the last time, on disk or in the index."""
        known, of_index = self.runs.get(id), self._indexed.get(id)
        if known is None or of_index is None:
            return False
        return known.on_disk is run and known.in_index is of_index and run.stamp == known.indexed.stamp

    def _is_outdated(self, run: RunOnDisk) -> bool:
        """Whether a run has more than the index."""
        known = self._indexed.get(run.id, InIndex()).indexed
        if run.error is not None:
            return False
        if run.stamp != known.stamp:
            return run.stamp is None or self._unreadable.get(run.id) != run.stamp
        if known.is_in_run_file:
            return False
        size = run.journal_size or 0
        return size != known.offset and self._unfinished.get(run.id) != (size, known.offset)

    # --- writing ---

    def _delete(self, ids: Collection[str]) -> None:
        with self._writing() as (connection, change):
            filling = Filling(connection, change)
            for id in ids:
                # Asked again, because another run may have this number by now.
                number = connection.scalar(select(runs.c.number).where(runs.c.id == id))
                if number is not None:
                    filling.delete(number)
                    connection.execute(delete(runs).where(runs.c.number == number))
            connection.execute(update(state).values(results=change))
        for id in ids:
            del self._indexed[id]

    def _write(self, outdated: Sequence[RunOnDisk]) -> None:
        """Write what the index lacks of these runs, the last one first."""
        rest, total, contracts = list(outdated), 0, self._contracts()
        while rest:
            written: dict[str, InIndex] = {}
            with self._writing() as (connection, change), _uncollected():
                records = 0
                while rest and records < _RECORDS_AT_ONCE:
                    filling = Filling(connection, change)
                    one = _RunUpdate(connection, filling, change, rest[-1], contracts)
                    is_done = one.write()
                    written[rest[-1].id] = one.in_index
                    records += one.size
                    if is_done:
                        rest.pop()
            self._indexed |= written
            total += records
        if total > _RECORDS_AT_ONCE:
            self._database.settle()
        for run in outdated:
            known = self._indexed[run.id].indexed
            self._unfinished[run.id] = run.journal_size or 0, known.offset
            if run.stamp is not None and run.stamp != known.stamp:
                self._unreadable[run.id] = run.stamp

    @contextmanager
    def _writing(self) -> Iterator[tuple[Connection, int]]:
        """A connection to write one change with, and its number; Stale where the index is another one."""
        with self._database.writing() as connection:
            before = self._database.state(connection)
            if before.identity != self._state.identity:
                raise Stale
            change = before.changes + 1
            connection.execute(update(state).values(changes=change))
            yield connection, change


def indexed_file(run: RunOnDisk, contracts: Contracts) -> tuple[Database, KnownRun]:
    """An index in memory of one run file, and its run."""
    database = Database(None, lambda: lookups(contracts), notice=lambda _: None)
    with database.writing() as connection:
        one = _RunUpdate(connection, Filling(connection, change=1), 1, run, contracts)
        one.write()
    return database, KnownRun(one.in_index, run)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Keep Python from looking for cycles: drafts have none, and there are so many that it takes a tenth."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class _RunUpdate:
    """Writes what the index lacks of one run."""

    def __init__(
        self, connection: Connection, filling: Filling, change: int, run: RunOnDisk, contracts: Contracts
    ) -> None:
        self._connection = connection
        self._filling = filling
        self._change = change
        self._run = run
        self._contracts = contracts
        self._draft = RunDraft(run.id, contracts)
        self.size = 0
        """How many records were written."""
        # Asked again, because another process may have written more of it meanwhile.
        found = connection.execute(_RUNS.where(runs.c.id == run.id)).first()
        self._is_new = found is None
        if found is None:
            self._number: int = 1 + (connection.scalar(_LAST_NUMBER) or 0)
            connection.execute(insert(runs).values(number=self._number, id=run.id))
            self.indexed = IndexedRun()
        else:
            self._number = found.number
            self.indexed = indexed.decoder.decode(found.record)

    @property
    def in_index(self) -> InIndex:
        """The run as it is in the index now."""
        return InIndex(self._number, self._change, self.indexed)

    def write(self) -> bool:
        """Write it, or the next part of a long journal; whether that was all."""
        size = self._journal_size()
        is_whole = self._is_new or self._run.stamp != self.indexed.stamp or size < self.indexed.offset
        had_results = bool(self.indexed.outcomes)
        if is_whole:
            self.indexed = IndexedRun(stamp=self._run.stamp)
            if self._run.stamp is not None:
                self._read_run_file()
        is_done = not size or self._read_journal(None if is_whole else _LINES_AT_ONCE)
        info = self.indexed.info
        totals = self._filling.write(
            self._number,
            self._draft,
            sort=None if info is None else sort_of(info.started_at),
            is_whole=is_whole,
        )
        if self._draft.results or (is_whole and had_results):
            self._connection.execute(update(state).values(results=self._change))
        self._count(totals, is_whole=is_whole)
        self._keep()
        return is_done

    def _journal_size(self) -> int:
        """The size of the journal now: another process may have indexed more than was there before."""
        if self._run.journal_size is None:
            return 0
        try:
            return os.stat(self._run.journal).st_size
        except FileNotFoundError as error:
            raise Stale from error  # The run ended meanwhile, and has its run file now.

    def _read_run_file(self) -> None:
        path = self._run.run_file
        if self._run.journal_size and runfile.is_only_begun(path):
            return  # All of the run is in the journal.
        try:
            # What is decoded shows that it is JSON. Only where something is wrong is that looked at apart.
            head, problems, as_written = self._add_records(runfile.records(path, TABLES))
            if problems:
                self._draft = RunDraft(self._run.id, self._contracts)
                head, problems, as_written = self._add_records(runfile.records(path))
        except FileError as error:
            if isinstance(error.__cause__, FileNotFoundError):
                raise Stale from error
            self._draft = RunDraft(self._run.id, self._contracts)
            # Whether it can be read may change without its stamp.
            is_damaged = not isinstance(error.__cause__, OSError)
            self._change_to(stamp=self._run.stamp if is_damaged else None, problems=(Problem.of(error),))
            return
        if head is not None and head.id != self._run.id:
            self._draft = RunDraft(self._run.id, self._contracts)
            self._change_to(problems=(self._wrong_name(head.id, ".json"),))
            return
        self._change_to(run_file_head=head, as_written=as_written, problems=tuple(problems))

    def _add_records(self, stored_records: StoredRecords) -> tuple[Head | None, list[Problem], bool]:
        """Add the records of the run file; its head, what is damaged, and whether each is a line."""
        head: Head | None = None
        problems: list[Problem] = []
        for stored in stored_records:
            if stored.table == "run":
                head = head or runfile.head(self._run.run_file, stored)
                continue
            try:
                record = runfile.decoded(self._run.run_file, stored)
            except FileError as error:
                problems.append(Problem.of(error))
                continue
            if record is not None:
                self._draft.add(record, Place(False, *stored.span))
        return head, problems, stored_records.are_lines

    def _read_journal(self, most: int | None) -> bool:
        """Read whole lines that are not indexed; whether these were all."""
        offset, number = self.indexed.offset, self.indexed.lines
        try:
            with open(self._run.journal, "rb", opener=no_link) as file:
                file.seek(offset)
                for text in file:
                    if not text.endswith(b"\n"):
                        break
                    if most is not None and number - self.indexed.lines >= most:
                        self._change_to(offset=offset, lines=number)
                        return False
                    number += 1
                    if not self._read_line(
                        text, number, Place(in_journal=True, offset=offset, size=len(text))
                    ):
                        return True
                    offset += len(text)
        except FileNotFoundError as error:
            raise Stale from error  # The run ended meanwhile, and has its run file now.
        except OSError as error:
            raise unreadable(self._run.journal, error) from error
        self._change_to(offset=offset, lines=number)
        return True

    def _read_line(self, text: bytes, number: int, place: Place) -> bool:
        """Read a line; whether to go on with the next."""
        try:
            line = _line.decode(text)
        except UNDECODABLE as error:
            self._name_line(number, str(error))
            return True
        if number == 1 and not line.run:
            self._name_line(number, NO_HEAD)
        record = line.delivery or line.judgement or line.result
        if record:
            self._draft.add(record, place)
        elif line.run:
            if line.run.id != self._run.id:
                problem = self._wrong_name(line.run.id, ".journal")
                # What it holds is not of this run. It is looked at again where its size changes.
                self._change_to(problems=(*self.indexed.problems, problem), offset=self._run.journal_size)
                return False
            if self.indexed.journal_head is None:
                self._change_to(journal_head=line.run)
            return not self.indexed.is_in_run_file
        elif line.finished_at:
            self._change_to(finished_at=line.finished_at, stopped=line.stopped)
        else:
            self._name_line(number, NO_RECORD)
        return True

    def _name_line(self, number: int, reason: str) -> None:
        problem = Problem(f"damaged: {reason}", "it is kept as it is", in_journal=True, line=number, column=1)
        self._change_to(problems=(*self.indexed.problems, problem))

    def _wrong_name(self, id: str, suffix: str) -> Problem:
        return Problem(f"holds run {id}", f"name it {id}{suffix} to see it", in_journal=suffix == ".journal")

    def _change_to(self, **fields: object) -> None:
        self.indexed = msgspec.structs.replace(self.indexed, **fields)

    # --- numbers ---

    def _count(self, totals: Totals, *, is_whole: bool) -> None:
        before = IndexedRun() if is_whole else self.indexed
        verdicts = Counter(before.verdicts)
        verdicts.update(totals.verdicts)
        outcomes: Counter[Verdict] = Counter(before.outcomes)
        outcomes.update(result.verdict for result, _ in self._draft.results)
        sorts = [*totals.sorts, *([before.first, before.last] if before.deliveries else [])]
        judges = {id.rpartition(".")[0] for id, _ in self._draft.elsewhere}
        self.size = len(self._draft.drafts) + len(self._draft.results) + len(self._draft.elsewhere)
        self._change_to(
            deliveries=before.deliveries + totals.deliveries,
            verdicts={verdict: count for verdict, count in verdicts.items() if count},
            outcomes=dict(outcomes),
            first=min(sorts, default=0),
            last=max(sorts, default=0),
            judges=tuple(sorted({*before.judges, *judges})),
        )

    def _keep(self) -> None:
        values = {"record": msgspec.json.encode(self.indexed).decode(), "changed": self._change}
        self._connection.execute(update(runs).where(runs.c.number == self._number).values(**values))


_line = msgspec.json.Decoder(Line, float_hook=Number)
_RUNS = select(runs.c.number, runs.c.id, runs.c.changed, runs.c.record)
_IDS = select(runs.c.id)
_LAST_NUMBER = select(func.max(runs.c.number))
