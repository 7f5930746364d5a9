"""Whatever happens to a log's files and its index, it answers as one who reads all files at each question."""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar, get_args

import msgspec
import pytest

from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.model import Delivery, Judgement, Result, RunInfo, Verdict
from retailops_sandbox.runlog.files import folder
from retailops_sandbox.runlog.index import database
from retailops_sandbox.runlog.query import Query
from retailops_sandbox.runlog.retention import Retention
from retailops_sandbox.runlog.rows import NOT_JUDGED, DeliveryRow, judged_row, row_of
from tests.support.logged import open_log
from tests.support.records import OpenRun, begin_run, make_delivery, make_result

_T = TypeVar("_T")
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
SCENARIOS = ("scenarios/a.scenario.json", "scenarios/b.scenario.json")
TEXTS = ("1", "12", "35.00", "order 3", "Order")
INSTANTS = ("2024-05-01", "2024-05-01T12:00:03Z", "2024-05-01 12:00", "2024-05-01T12:00:05.500Z")


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Questions look at the files of all runs, and nobody waits for an index that stays locked."""
    monkeypatch.setattr(folder, "_QUICK", 1000.0)
    monkeypatch.setattr(database, "_SETTING_UP", 0.05)


def test_a_log_answers_as_its_files_say(tmp_path: Path, soak: bool) -> None:
    for seed in range(60 if soak else 3):
        log = ChangingLog(tmp_path / str(seed) / "runs", random.Random(seed))
        for _ in range(400 if soak else 120):
            log.change()
            for _ in range(log.chance.randrange(3)):
                got, want = log.answer()
                assert got == want, f"seed {seed}: {log.history[-15:]}"
        log.close()


@dataclass
class Run:
    """A run as its files have it."""

    state: str
    finished_at: str
    deliveries: list[Delivery]
    judgements: list[Judgement]
    results: list[Result]


class ChangingLog:
    """A log that runs write, two readers of it, and somebody who changes its files by hand."""

    def __init__(self, runs_dir: Path, chance: random.Random) -> None:
        self.chance = chance
        self.history: list[str] = []
        self._runs_dir = runs_dir
        runs_dir.mkdir(parents=True)
        self._index = runs_dir.parent / "index.db"
        self._running: dict[str, OpenRun] = {}
        self._begun = self._second = 0
        self._readers = [Reader(runs_dir), Reader(runs_dir)]
        self._changes: dict[Callable[[], None], int] = {
            self._begin: 4,
            self._deliver: 30,
            self._judge: 15,
            self._result: 6,
            self._finish: 4,
            self._die: 2,
            self._tear: 1,
            self._hide: 1,
            self._recover: 1,
            self._prune: 1,
            self._delete: 1,
            self._edit: 3,
            self._delete_index: 2,
            self._damage_index: 2,
            self._reindex: 1,
            self._open_again: 1,
        }

    def change(self) -> None:
        """Have something happen."""
        (change,) = self.chance.choices(list(self._changes), list(self._changes.values()))
        self.history.append(change.__name__)
        change()

    def close(self) -> None:
        for run in self._running.values():
            run.close()

    # --- what runs do ---

    def _begin(self) -> None:
        if len(self._running) < 3:
            id = f"20240501T12{self._begun // 60:02}{self._begun % 60:02}Z-aaaaaa"
            started = f"2024-05-01T12:00:{self._begun // 3 % 60:02}Z"  # some begin at one instant
            self._running[id] = begin_run(self._runs_dir, RunInfo(id=id, started_at=started))
            self._begun += 1

    def _deliver(self) -> None:
        for run in self._one_of(self._running.values()):
            for _ in range(self.chance.choice((1, 1, 3, 12))):
                fraction = self.chance.choice(("000", "500"))
                sent = make_delivery(run, f"2024-05-01T12:00:{self.chance.randrange(10):02}.{fraction}Z")
                body = json.dumps({"a": f"Order {self.chance.randrange(20)}", "b": 35.00})
                request = msgspec.structs.replace(sent.request, body=body)
                run.append(msgspec.structs.replace(sent, request=request))

    def _judge(self) -> None:
        sent = [each.id for run in self._read().values() for each in run.deliveries]
        for run in self._one_of(self._running.values()):
            own = [id for id in sent if id.startswith(run.info.id)] or sent
            for _ in range(self.chance.choice((1, 4))):
                for id in self._one_of(self.chance.choice((own, sent))):
                    run.append(Judgement(delivery=id, verdict=self.chance.choice(VERDICTS), at=self._now()))

    def _result(self) -> None:
        for run in self._one_of(self._running.values()):
            run.append(make_result(self.chance.choice(SCENARIOS), self.chance.choice(VERDICTS)))

    def _finish(self) -> None:
        for id in self._one_of(self._running):
            self._running.pop(id).finish(self._now())

    def _die(self) -> None:
        for id in self._one_of(self._running):
            self._running.pop(id).close()

    # --- what happens to files ---

    def _tear(self) -> None:
        for journal in self._one_of(self._left("journal")):
            with journal.open("ab") as file:
                file.write(b'{"delivery":{"id"')

    def _hide(self) -> None:
        """Move a file away, and back when one reader has asked."""
        for path in self._one_of(self._left("journal") or self._left("json")):
            hidden = path.rename(self._runs_dir.parent / path.name)
            list(self.chance.choice(self._readers).log.rows())
            hidden.rename(path)

    def _recover(self) -> None:
        self.chance.choice(self._readers).log.recover()

    def _prune(self) -> None:
        self.chance.choice(self._readers).log.prune(Retention(runs=4), "2024-05-03T00:00:00Z")

    def _delete(self) -> None:
        for path in self._one_of(self._left("json")):
            path.with_suffix(".journal").unlink(missing_ok=True)
            path.unlink()

    def _edit(self) -> None:
        """Change or delete a record of a run that has ended, with another program."""
        for path in self._one_of(self._left("json")):
            if path.with_suffix(".journal").exists():
                continue
            tables = json.loads(path.read_text())
            table = tables[self.chance.choice(("deliveries", "judgements", "results"))]
            for number in self._one_of(table):
                if "verdict" in table[number]:
                    table[number]["verdict"] = self.chance.choice(VERDICTS)
                else:
                    del table[number]
            path.write_text(json.dumps(tables, ensure_ascii=self.chance.random() < 0.5))
            # The clock of a file system may not have gone on since the last time.
            self._second += 1
            os.utime(path, (self._second, self._second))

    # --- what happens to the index ---

    def _delete_index(self) -> None:
        for suffix in self.chance.choice((("",), ("", "-wal", "-shm"))):
            Path(f"{self._index}{suffix}").unlink(missing_ok=True)

    def _damage_index(self) -> None:
        if self._index.exists():
            garbage = b"" if self.chance.random() < 0.3 else b"x" * 8192
            with self._index.open("r+b") as file:
                file.write(garbage)
                file.truncate(None if garbage else 0)

    def _reindex(self) -> None:
        self.chance.choice(self._readers).log.reindex()

    def _open_again(self) -> None:
        self._readers[self.chance.randrange(2)] = Reader(self._runs_dir)

    # --- answers ---

    def answer(self) -> tuple[object, object]:
        """What one of the readers answers to a question, and what the files say."""
        runs = self._read()
        reader = self.chance.choice(self._readers)
        return self.chance.choice(
            (self._rows, self._rows, self._runs, self._results, self._delivery, self._watched)
        )(reader, runs)

    def _rows(self, reader: Reader, runs: dict[str, Run]) -> tuple[object, object]:
        query, newest_first = self._query(runs), self.chance.random() < 0.5
        found = [each for each in rows_of(runs) if query.accepts(each[0]) and query.is_in(each[1])]
        rows = sorted((row for row, _ in found), key=lambda row: row.sort, reverse=newest_first)
        after = None
        for place in self._one_of(rows):
            after = place.key
            rows = [row for row in rows if (row.sort < place.sort if newest_first else row.sort > place.sort)]
        return list(reader.log.rows(query, after=after, newest_first=newest_first)), rows

    def _query(self, runs: dict[str, Run]) -> Query:
        fields = {
            "verdict": (*VERDICTS, NOT_JUDGED),
            "run": tuple(runs),
            "text": TEXTS,
            "since": INSTANTS,
            "until": INSTANTS,
        }
        asked = {
            name: self.chance.choice(values)
            for name, values in fields.items()
            if values and self.chance.random() < 0.3
        }
        return Query(**asked).checked()

    def _runs(self, reader: Reader, runs: dict[str, Run]) -> tuple[object, object]:
        got = {run.id: (run.state, run.deliveries, run.verdicts, run.outcomes) for run in reader.log.runs()}
        want = {}
        for id, run in runs.items():
            own = rows_of({id: run})
            verdicts = Counter(row.verdict or "" for row, _ in own)
            outcomes = Counter(result.verdict for result in run.results)
            want[id] = (run.state, len(own), verdicts, outcomes)
        return got, want

    def _results(self, reader: Reader, runs: dict[str, Run]) -> tuple[object, object]:
        newest = [(id, runs[id]) for id in sorted(runs, reverse=True)]
        want = {
            scenario: [
                (id, run.finished_at, result)
                for id, run in newest
                for result in reversed(run.results)
                if result.scenario == scenario
            ]
            for scenario in SCENARIOS
        }
        got = {
            scenario: [
                (each.run.id, each.run.finished_at, each.result) for each in reader.log.results_of(scenario)
            ]
            for scenario in SCENARIOS
        }
        latest = {
            scenario: (each.run.id, each.run.finished_at, each.result)
            for scenario, each in reader.log.latest_results().items()
        }
        return (got, latest), (want, {scenario: found[0] for scenario, found in want.items() if found})

    def _delivery(self, reader: Reader, runs: dict[str, Run]) -> tuple[object, object]:
        for row, delivery in self._one_of(rows_of(runs)):
            judged = [each for run in runs.values() for each in run.judgements if each.delivery == row.id]
            judged.sort(key=lambda each: each.at)
            entry = reader.log.delivery(row.id)
            return entry and (entry.row(SHIPPED_CONTRACTS), entry.delivery, entry.judgements), (
                row,
                delivery,
                tuple(judged),
            )
        return None, None

    def _watched(self, reader: Reader, runs: dict[str, Run]) -> tuple[object, object]:
        want = {row.id: row for row, _ in rows_of(runs)}
        seen = reader.watched()
        return {id: row for id, row in seen.items() if id in want}, want

    # --- reading ---

    def _read(self) -> dict[str, Run]:
        """All runs, each read as a whole."""
        ids = {path.stem for path in self._runs_dir.iterdir() if path.suffix in (".json", ".journal")}
        return {id: self._read_run(id) for id in ids}

    def _read_run(self, id: str) -> Run:
        journal = self._runs_dir / f"{id}.journal"
        finished_at = ""
        if journal.exists():
            # What is behind the last line break is unfinished.
            lines = [json.loads(line) for line in journal.read_bytes().split(b"\n")[:-1]]
            found = {name: [line[name] for line in lines if name in line] for name in _TABLES}
        else:
            tables = json.loads((self._runs_dir / f"{id}.json").read_text())
            found = {name: list(tables.get(table, {}).values()) for name, table in _TABLES.items()}
            finished_at = tables["run"]["1"].get("finished_at", "")
        state = "running" if id in self._running else "finished" if finished_at else "interrupted"
        return Run(
            state,
            finished_at,
            msgspec.convert(found["delivery"], list[Delivery]),
            msgspec.convert(found["judgement"], list[Judgement]),
            msgspec.convert(found["result"], list[Result]),
        )

    def _left(self, suffix: str) -> list[Path]:
        """The files with this suffix of runs whose processes are gone."""
        return [path for path in sorted(self._runs_dir.glob(f"*.{suffix}")) if path.stem not in self._running]

    def _one_of(self, values: Iterable[_T]) -> list[_T]:
        """One of these values, or none where there is none."""
        known = list(values)
        return [self.chance.choice(known)] if known else []

    def _now(self) -> str:
        self._second += 1
        return f"2024-05-02T{self._second // 3600:02}:{self._second // 60 % 60:02}:{self._second % 60:02}Z"


class Reader:
    """A log as one process opens it, which also follows what changes."""

    def __init__(self, runs_dir: Path) -> None:
        self.log = open_log(runs_dir)
        self._cursor = self.log.cursor()
        self._seen = {row.id: row for row in self.log.rows()}

    def watched(self) -> dict[str, DeliveryRow]:
        """The rows of all deliveries, known by their changes alone."""
        self.log.runs()  # What was changed by hand is looked for by questions.
        changes = self._cursor.changes()
        if changes is None:
            self._seen = {row.id: row for row in self.log.rows()}
        else:
            self._seen |= {change.row.id: change.row for change in changes}
        return self._seen


def rows_of(runs: dict[str, Run]) -> list[tuple[DeliveryRow, Delivery]]:
    """The rows of all deliveries of these runs, as these judged them, and the deliveries."""
    judged: dict[str, list[Judgement]] = {}
    for run in runs.values():
        for judgement in run.judgements:
            judged.setdefault(judgement.delivery, []).append(judgement)
    found = []
    for run in runs.values():
        for delivery in run.deliveries:
            row = row_of(delivery, SHIPPED_CONTRACTS)
            for judgement in sorted(judged.get(delivery.id, ()), key=lambda each: each.at):
                row = judged_row(row, judgement)
            found.append((row, delivery))
    return found


_TABLES = {"delivery": "deliveries", "judgement": "judgements", "result": "results"}
