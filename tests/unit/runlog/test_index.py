"""The index may be deleted, damaged or out of date at any time, and the log says the same all along."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Connection, Engine
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS, ContractSource
from retailops_sandbox.errors import FileError
from retailops_sandbox.model import Judgement, Verdict
from retailops_sandbox.runlog import opening
from retailops_sandbox.runlog.files import folder
from retailops_sandbox.runlog.index import database, tables, updating
from retailops_sandbox.runlog.index.index import FolderIndex
from retailops_sandbox.runlog.index.indexed import State
from retailops_sandbox.runlog.place import LogPlace
from retailops_sandbox.runlog.ports import Log, RunWriter
from retailops_sandbox.runlog.query import Query
from retailops_sandbox.runlog.rows import sort_of
from tests.support.contracts import ACTION, EDITION, contract_document, with_own
from tests.support.logged import open_log
from tests.support.privileges import unprivileged
from tests.support.records import LATER, RUN, judge, make_delivery, make_result, open_run

ROOT = Path(__file__).parents[3]
EACH = 6
"""Deliveries of each run."""


@pytest.fixture
def runs_dir(tmp_path: Path) -> Path:
    """A run that has ended, and one whose process died and that judged a delivery of the first again."""
    verdicts: tuple[Verdict, ...] = ("passed", "failed", "errored")
    with open_run(tmp_path) as run:
        made = [sent(run, number) for number in range(EACH)]
        for number, id in enumerate(made):
            run.append(judged(id, verdicts[number % 3]))
        run.append(make_result())
    later = open_run(tmp_path, LATER)
    for number in range(EACH):
        sent(later, 30 + number)
    later.append(judged(made[1], "passed", second=59))
    later.close()
    return tmp_path


def sent(run: RunWriter, second: int) -> str:
    delivery = make_delivery(run, f"2024-05-01T12:00:{second:02}.000Z")
    run.append(delivery)
    return delivery.id


def judged(id: str, verdict: Verdict, second: int = 10) -> Judgement:
    return Judgement(delivery=id, verdict=verdict, at=f"2024-05-01T13:00:{second:02}.000Z")


def index_of(runs_dir: Path) -> Path:
    return runs_dir.parent / "index.db"


def said(log: Log) -> tuple[object, ...]:
    """All that a log says of its deliveries."""
    rows = list(log.rows())
    entries = [log.delivery(row.id) for row in rows]
    assert [entry.row(SHIPPED_CONTRACTS) for entry in entries if entry is not None] == rows
    results = {id: found.result for id, found in log.latest_results().items()}
    return rows, entries, log.runs(), [log.results(run.id) for run in log.runs()], results, log.count()


def test_it_is_made_once_beside_the_folder_and_is_for_its_owner_alone(runs_dir: Path) -> None:
    before = said(open_log(runs_dir))
    index = index_of(runs_dir)
    assert stat.S_IMODE(index.stat().st_mode) == 0o600
    written = changes_of(index)
    assert said(open_log(runs_dir)) == before
    assert changes_of(index) == written
    # Nothing of it is in the folder of the runs.
    assert {path.suffix for path in runs_dir.iterdir()} == {".json", ".journal"}


def changes_of(index: Path) -> int:
    """How many times the index was written."""
    connection = sqlite3.connect(index)
    (changes,) = connection.execute("SELECT changes FROM state").fetchone()
    connection.close()
    return int(changes)


def spoil(index: Path, text: bytes) -> None:
    for suffix in ("-wal", "-shm"):
        Path(f"{index}{suffix}").unlink(missing_ok=True)
    index.write_bytes(text)


def cut(index: Path) -> None:
    settle(index)
    spoil(index, index.read_bytes()[: index.stat().st_size // 2])


def scribble(index: Path) -> None:
    """Write over every page but the first, which names the tables."""
    settle(index)
    text = bytearray(index.read_bytes())
    text[4096:] = random.Random(0).randbytes(len(text) - 4096)
    spoil(index, bytes(text))


def settle(index: Path) -> None:
    """Move what was written last into the file itself."""
    connection = sqlite3.connect(index)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def execute(statement: str) -> Callable[[Path], None]:
    def change(index: Path) -> None:
        with sqlite3.connect(index) as connection:
            connection.execute(statement)
        connection.close()

    return change


DAMAGE: dict[str, Callable[[Path], None]] = {
    "empty": lambda index: spoil(index, b""),
    "no database": lambda index: spoil(index, b"no database at all\n" * 1000),
    "cut off": cut,
    "scribbled over": scribble,
    "a table is gone": execute("DROP TABLE deliveries"),
    "a column is gone": execute("ALTER TABLE runs RENAME COLUMN record TO recorded"),
}
WRONG = {
    "a run": "UPDATE runs SET record = '{'",
    "no run": "UPDATE runs SET record = NULL",
    "a judgement": "UPDATE deliveries SET judged = 'x'",
    "codes": "UPDATE deliveries SET codes = 'x'",
    "a verdict": "UPDATE deliveries SET verdict = 'x'",
    "no id": "UPDATE deliveries SET id = NULL",
    "a number": "UPDATE deliveries SET number = 'x'",
    "a place before the file": "UPDATE deliveries SET offset = -5",
    "a size below nothing": "UPDATE deliveries SET size = -5",
    "no place": "UPDATE deliveries SET offset = NULL",
    "another place": "UPDATE deliveries SET offset = offset + 1",
    "a place beyond the file": "UPDATE deliveries SET offset = 1000000000000",
    "the place of a judgement": "UPDATE judgements_elsewhere SET size = -5",
    "the place of a result": "UPDATE results SET size = -5",
    "no state": "DELETE FROM state",
    "two states": "INSERT INTO state SELECT * FROM state",
    "a state": "UPDATE state SET changes = 'x'",
}
"""Values that SQLite has nothing against."""
CHANGED: dict[str, Callable[[Path], None]] = {
    "deleted": Path.unlink,
    "another database": execute("DROP TABLE state"),
    "another format": execute("UPDATE state SET format = 99"),
    "other contracts": execute("UPDATE state SET lookups = 1"),
    "no state": execute("DELETE FROM state"),
}


@pytest.mark.parametrize("is_open", [True, False], ids=["while it is open", "before it is opened"])
@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_one_is_made_anew_and_that_is_said_once(runs_dir: Path, kind: str, is_open: bool) -> None:
    before = said(open_log(runs_dir))
    told: list[str] = []
    log = open_log(runs_dir, told.append)
    if is_open:
        assert said(log) == before
    DAMAGE[kind](index_of(runs_dir))
    assert said(log) == before
    assert said(log) == before
    assert said(open_log(runs_dir, told.append)) == before
    line = f"{index_of(runs_dir)}: was damaged, and is made anew from the run files"
    # Who has it open may not come across the damage, and an empty file is a new one.
    assert told in ([[line], []] if is_open or kind == "empty" else [[line]])


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_value_in_it_is_damage_that_is_said_once(runs_dir: Path, kind: str) -> None:
    before = said(open_log(runs_dir))
    told: list[str] = []
    log = open_log(runs_dir, told.append)
    log.runs()
    execute(WRONG[kind])(index_of(runs_dir))
    # Whoever has read the runs does not read them again.
    is_known = kind in ("a run", "no run")
    asked = open_log(runs_dir, told.append) if is_known else log
    for _ in range(2):
        assert (said(asked), found(asked)) == (before, found(open_log(runs_dir)))
    assert told == [f"{index_of(runs_dir)}: was damaged, and is made anew from the run files"]


def test_a_record_that_is_another_one_is_damage(runs_dir: Path) -> None:
    before = said(open_log(runs_dir))
    told: list[str] = []
    log = open_log(runs_dir, told.append)
    log.runs()
    execute("UPDATE deliveries SET id = id || '7'")(index_of(runs_dir))
    assert [entry.delivery.run for entry in log.deliveries(RUN)] == [RUN] * EACH
    assert (said(log), len(told)) == (before, 1)


def found(log: Log) -> list[object]:
    """What a log finds by a text and by run."""
    return [list(log.rows(Query(text="35.00"))), *(log.deliveries(run.id) for run in log.runs())]


@pytest.mark.parametrize("kind", [*DAMAGE, "a run", "no state", "two states", "a state"])
def test_reindexing_mends_a_damaged_one(runs_dir: Path, kind: str) -> None:
    before = said(open_log(runs_dir))
    (DAMAGE.get(kind) or execute(WRONG[kind]))(index_of(runs_dir))
    log = open_log(runs_dir)
    done = log.reindex()
    assert (done.made, done.problems) == (2, [])
    assert said(log) == before


@pytest.mark.parametrize("kind", CHANGED)
def test_one_that_does_not_fit_is_made_anew_without_a_word(runs_dir: Path, kind: str) -> None:
    told: list[str] = []
    before = said(open_log(runs_dir, told.append))
    CHANGED[kind](index_of(runs_dir))
    assert said(open_log(runs_dir, told.append)) == before
    assert told == []


def test_one_by_other_contracts_is_made_anew(tmp_path: Path) -> None:
    body = '{"hold": {"refnum": "H-1"}}'
    with open_run(tmp_path) as run:
        made = make_delivery(run)
        request = msgspec.structs.replace(made.request, body=body)
        sent = msgspec.structs.replace(made, action=ACTION, edition=EDITION, request=request)
        run.append(sent)
    now = [SHIPPED_CONTRACTS]
    log = opening.open_log(LogPlace(tmp_path), lambda: now[0])

    def found(log: Log) -> list[str]:
        return [row.id for row in log.rows(Query(order="H-1"))]

    assert found(log) == []
    now[0] = with_own(contract_document())
    assert found(log) == [sent.id]
    now[0] = with_own(contract_document(subject=None))
    assert found(log) == []


def test_one_that_is_deleted_while_it_is_open_is_made_anew(runs_dir: Path) -> None:
    logs = [open_log(runs_dir), open_log(runs_dir)]
    before = said(logs[0])
    assert said(logs[1]) == before
    reading = logs[0].rows()
    found = [next(reading)]
    for path in runs_dir.parent.glob("index.db*"):
        path.unlink()
    assert [*found, *reading] == before[0]
    with open_run(runs_dir, "20240501T140000Z-cccccc") as run:
        sent(run, 50)
    assert [log.count() for log in logs if len(list(log.rows()))] == [2 * EACH + 1] * 2
    assert said(logs[1]) == said(open_log(runs_dir))


ASKS = """
import sys
from pathlib import Path
from tests.support.logged import open_log
log = open_log(Path(sys.argv[1]), lambda line: print(line, end=" "))
for _ in sys.stdin:
    print(len(list(log.rows())), flush=True)
"""


def test_the_file_alone_may_be_deleted_while_other_processes_use_it(runs_dir: Path) -> None:
    told: list[str] = []
    log = open_log(runs_dir, told.append)
    command = [sys.executable, "-c", ASKS, str(runs_dir)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:

        def answer_of_other() -> str:
            assert other.stdin is not None
            assert other.stdout is not None
            other.stdin.write("\n")
            other.stdin.flush()
            return other.stdout.readline()

        for number in range(4):
            known = 2 * EACH + number
            assert (len(list(log.rows())), answer_of_other()) == (known, f"{known}\n")
            index_of(runs_dir).unlink()
            if number % 2:
                assert answer_of_other() == f"{known}\n"
            with open_run(runs_dir, f"20240501T14000{number}Z-cccccc") as run:
                sent(run, 50)
            assert len(list(log.rows())) == known + 1
        other.communicate()
    assert told == []


def test_who_watches_learns_that_an_index_is_another_one(runs_dir: Path) -> None:
    log = open_log(runs_dir)
    cursor = log.cursor()
    assert cursor.changes() == []
    index_of(runs_dir).unlink()
    assert cursor.changes() is None
    with open_run(runs_dir, "20240501T140000Z-cccccc") as run:
        id = sent(run, 50)
        changes = cursor.changes()
        assert changes is not None
        assert [(each.row.id, each.is_new) for each in changes] == [(id, True)]


def test_watching_looks_at_no_file_of_a_run_that_has_ended(
    runs_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = open_log(runs_dir)
    cursor = log.cursor()
    looked: list[str] = []
    look = folder.RunFolder._look_at

    def counted(self: folder.RunFolder, id: str, *, has_journal: bool) -> folder.RunOnDisk:
        looked.append(id)
        return look(self, id, has_journal=has_journal)

    monkeypatch.setattr(folder.RunFolder, "_look_at", counted)
    assert cursor.changes() == []
    assert looked == [LATER]


def test_what_is_indexed_is_not_read_again(runs_dir: Path) -> None:
    log = open_log(runs_dir)
    rows = list(log.rows())
    for path in runs_dir.iterdir():
        status = path.stat()
        path.write_bytes(b"#" * status.st_size)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert list(log.rows()) == rows
    assert list(open_log(runs_dir).rows(Query(verdict="failed"))) == [
        r for r in rows if r.verdict == "failed"
    ]


def test_there_is_none_where_there_is_no_folder_for_it(tmp_path: Path) -> None:
    runs_dir = tmp_path / "absent" / "runs"
    log = open_log(runs_dir)
    assert (log.runs(), list(log.rows()), log.count()) == ([], [], 0)
    assert not runs_dir.parent.exists()
    with open_run(runs_dir) as run:
        sent(run, 1)
    assert len(list(log.rows())) == 1
    assert index_of(runs_dir).exists()


@pytest.mark.parametrize("is_there", [True, False], ids=["out of date", "absent"])
def test_it_is_kept_in_memory_where_it_cannot_be_written_and_that_is_said_once(is_there: bool) -> None:
    # Not in pytest's own folder, which is closed to all but its owner.
    with tempfile.TemporaryDirectory() as name:
        runs_dir = Path(name) / "runs"
        Path(name).chmod(0o755)
        with open_run(runs_dir) as run:
            sent(run, 1)
        if is_there:
            open_log(runs_dir).runs()
        with open_run(runs_dir, LATER) as run:
            sent(run, 2)
        for path in (runs_dir, *runs_dir.iterdir(), *runs_dir.parent.glob("index.db*")):
            path.chmod(0o755)
        told: list[str] = []
        with unprivileged():
            log = open_log(runs_dir, told.append)
            assert [run.id for run in log.runs()] == [LATER, RUN]
            assert [row.run for row in log.rows()] == [LATER, RUN]
        (line,) = told
        assert line.startswith(f"{index_of(runs_dir)}: cannot be written: ")
        assert line.endswith(" (the log's index is kept in memory)")
        assert index_of(runs_dir).exists() == is_there


def test_a_folder_in_its_place_is_no_obstacle(runs_dir: Path) -> None:
    index_of(runs_dir).mkdir()
    told: list[str] = []
    log = open_log(runs_dir, told.append)
    assert len(list(log.rows())) == 2 * EACH
    assert told == [
        f"{index_of(runs_dir)}: cannot be written: is a directory (the log's index is kept in memory)"
    ]


def test_a_link_in_its_place_is_not_followed(
    runs_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "precious"
    elsewhere.write_text("precious")
    index_of(runs_dir).symlink_to(elsewhere)
    assert len(list(open_log(runs_dir).rows())) == 2 * EACH
    assert elsewhere.read_text() == "precious"


def test_others_that_write_it_for_too_long_are_named(runs_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "_LONGEST_WAIT", 0.2)
    open_log(runs_dir).runs()
    other = sqlite3.connect(index_of(runs_dir), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with open_run(runs_dir, "20240501T140000Z-cccccc") as run:
        sent(run, 50)
    with pytest.raises(FileError, match="is being written by another process"):
        open_log(runs_dir).runs()
    other.rollback()
    other.close()
    assert len(open_log(runs_dir).runs()) == 3


@pytest.mark.parametrize("mode", ["NORMAL", "EXCLUSIVE"])
def test_one_that_another_process_sets_up_is_not_deleted(
    runs_dir: Path, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_LONGEST_WAIT", 0.2)
    monkeypatch.setattr(database, "_SETTING_UP", 0.1)
    index = index_of(runs_dir)
    other = sqlite3.connect(index, isolation_level=None)
    for statement in (f"locking_mode = {mode}", "journal_mode = WAL", "user_version = 1"):
        other.execute(f"PRAGMA {statement}")
    other.execute("BEGIN IMMEDIATE")
    told: list[str] = []
    log = open_log(runs_dir, told.append)
    before = index.stat().st_ino
    for _ in range(2):
        with pytest.raises(FileError, match="is being written by another process"):
            log.runs()
    assert (index.stat().st_ino, told) == (before, [])
    other.rollback()
    other.close()
    assert len(log.runs()) == 2


def failure(name: str, message: str) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError(message)
    error.sqlite_errorname = name
    return error


@pytest.mark.parametrize(
    ("name", "said_of_it"),
    [
        ("SQLITE_IOERR_SHORT_READ", "was damaged, and is made anew from the run files"),
        ("SQLITE_CANTOPEN", "cannot be used: no luck (the log's index is kept in memory)"),
    ],
)
def test_one_that_fails_while_it_is_read_is_replaced(
    runs_dir: Path, name: str, said_of_it: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    log = open_log(runs_dir, told.append)
    before = said(log)
    failures: list[sqlite3.Error] = []
    state = database.Database.state

    def failing(self: database.Database, connection: Connection) -> State:
        if failures:
            raise failures.pop()
        return state(self, connection)

    monkeypatch.setattr(database.Database, "state", failing)
    failures.append(failure(name, "no luck"))
    assert (said(log), said(log)) == (before, before)
    assert told == [f"{index_of(runs_dir)}: {said_of_it}"]


def test_one_that_fails_again_once_it_was_replaced_is_given_up(
    runs_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare = database._prepare

    def failing(engine: Engine, path: Path | None, lookups: int) -> None:
        if engine.url.database:
            raise failure("SQLITE_IOERR_READ", "disk I/O error")
        prepare(engine, path, lookups)

    monkeypatch.setattr(database, "_prepare", failing)
    told: list[str] = []
    log = open_log(runs_dir, told.append)
    assert len(list(log.rows())) == 2 * EACH
    index = index_of(runs_dir)
    assert told == [
        f"{index}: was damaged, and is made anew from the run files",
        f"{index}: cannot be written: disk i/o error (the log's index is kept in memory)",
    ]


@pytest.mark.parametrize(
    "name", ["a?b", "a%20b#c", "?mode=memory", "a b:c@d", "file:x", os.fsdecode(b"caf\xe9")]
)
def test_it_is_beside_the_runs_whatever_the_folder_is_called(tmp_path: Path, name: str) -> None:
    runs_dir = tmp_path / name / "runs"
    with open_run(runs_dir) as run:
        sent(run, 1)
    told: list[str] = []
    assert len(list(open_log(runs_dir, told.append).rows())) == 1
    assert {path.name for path in runs_dir.parent.iterdir()} >= {"runs", "index.db"}
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert told == []


def test_its_journal_is_small_once_it_is_filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(updating, "_RECORDS_AT_ONCE", 500)
    many_runs(tmp_path, 12, 100)
    log = open_log(tmp_path)
    assert len(list(log.rows())) == 1200
    assert Path(f"{index_of(tmp_path)}-wal").stat().st_size < 100_000
    assert log.count() == 1200


def test_threads_share_one_index(runs_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Path] = []
    make = FolderIndex.__init__

    def slowly(
        self: FolderIndex, runs_dir: Path, contracts: ContractSource, notice: Callable[[str], None]
    ) -> None:
        made.append(runs_dir)
        time.sleep(0.05)
        make(self, runs_dir, contracts, notice)

    monkeypatch.setattr(FolderIndex, "__init__", slowly)
    log = open_log(runs_dir)
    with ThreadPoolExecutor(4) as threads:
        assert set(threads.map(lambda _: log.count(), range(4))) == {0}
    assert made == [runs_dir]


def test_runs_that_go_take_all_that_is_theirs(runs_dir: Path) -> None:
    log = open_log(runs_dir)
    assert len(list(log.rows())) == 2 * EACH
    assert [each.verdict for each in log.rows(Query(run=RUN), newest_first=False)][1] == "passed"
    (runs_dir / f"{LATER}.journal").unlink()
    assert [each.verdict for each in log.rows(newest_first=False)] == ["passed", "failed", "errored"] * 2
    (runs_dir / f"{LATER}.json").unlink()
    assert [run.id for run in log.runs()] == [RUN]
    (runs_dir / f"{RUN}.json").unlink()
    assert list(log.rows()) == []
    assert log.latest_results() == {}
    connection = sqlite3.connect(index_of(runs_dir))
    for table in ("runs", "deliveries", "orders", "codes", "judgements_elsewhere", "results"):
        assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)
    connection.close()


@pytest.mark.parametrize("id", [RUN, LATER])
def test_a_run_that_only_another_reader_missed_is_indexed_again(
    runs_dir: Path, tmp_path_factory: pytest.TempPathFactory, id: str
) -> None:
    logs = [open_log(runs_dir), open_log(runs_dir)]
    before = said(logs[0])
    files = list(runs_dir.glob(f"{id}.*"))
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    hidden = [path.rename(elsewhere / path.name) for path in files]
    assert len(list(logs[1].rows())) == EACH
    for path in hidden:
        path.rename(runs_dir / path.name)
    assert (said(logs[0]), said(logs[0])) == (before, before)


def test_a_record_that_is_damaged_once_it_is_indexed_hides_no_other(runs_dir: Path) -> None:
    logs = [open_log(runs_dir)]
    assert len(list(logs[0].rows(Query(run=RUN)))) == EACH
    path = runs_dir / f"{RUN}.json"
    path.write_bytes(path.read_bytes().replace(b'"sent_at":"', b'"sent_at":17,"was":"', 2))
    logs.append(open_log(runs_dir))
    for log in logs:
        found = log.run(RUN)
        assert found is not None
        assert [problem.pointer for problem in found.problems] == ["/deliveries/1", "/deliveries/2"]
        assert found.deliveries == len(log.deliveries(RUN)) == len(list(log.rows(Query(run=RUN)))) == EACH - 2


def test_reindexing_makes_it_anew(runs_dir: Path) -> None:
    log = open_log(runs_dir)
    before = said(log)
    execute("UPDATE deliveries SET receiver = 'wrong'")(index_of(runs_dir))
    assert list(log.rows(Query(receiver="local"))) == []
    done = log.reindex()
    assert (done.made, done.problems) == (2, [])
    assert said(log) == before
    assert list(log.rows(Query(receiver="wrong"))) == []


FILLS = """
import sys
from pathlib import Path
from tests.support.logged import open_log
print("ready", flush=True)
log = open_log(Path(sys.argv[1]), print)
print(len(list(log.rows())), flush=True)
"""


@contextmanager
def filling(runs_dir: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that brings the index up to date."""
    command = [sys.executable, "-c", FILLS, str(runs_dir)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def many_runs(runs_dir: Path, runs: int, each: int) -> None:
    for number in range(runs):
        with open_run(runs_dir, f"20240601T{number:06}Z-aaaaaa") as run:
            for second in range(each):
                delivery = make_delivery(run, f"2024-06-01T12:{number:02}:{second % 60:02}.000Z")
                run.append(delivery)
                run.append(judge(delivery))


def test_a_reader_that_is_killed_while_it_fills_it_leaves_it_whole(tmp_path: Path, soak: bool) -> None:
    many_runs(tmp_path, 12, 100)
    chance = random.Random(1)
    was_cut_off = 0
    for _ in range(60 if soak else 6):
        for path in tmp_path.parent.glob("index.db*"):
            path.unlink()
        with filling(tmp_path) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            time.sleep(chance.random() * 0.5)
            process.send_signal(signal.SIGKILL)
        was_cut_off += process.returncode == -signal.SIGKILL
        told: list[str] = []
        log = open_log(tmp_path, told.append)
        assert len(list(log.rows())) == 1200
        assert sum(run.verdicts["passed"] for run in log.runs()) == 1200
        assert told == []
    assert was_cut_off


def test_many_processes_fill_it_at_once_and_all_say_the_same(tmp_path: Path) -> None:
    many_runs(tmp_path, 12, 100)
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", FILLS, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    answers = [process.communicate()[0] for process in processes]
    assert answers == ["ready\n1200\n"] * 4
    connection = sqlite3.connect(index_of(tmp_path))
    assert connection.execute("SELECT count(*), count(DISTINCT id) FROM deliveries").fetchone() == (
        1200,
        1200,
    )
    connection.close()


def test_a_long_journal_is_read_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(updating, "_LINES_AT_ONCE", 7)
    run = open_run(tmp_path)
    log = open_log(tmp_path)
    sent(run, 0)
    assert len(list(log.rows())) == 1
    for second in range(1, 30):
        run.append(judged(sent(run, second), "failed", second))
    assert [row.verdict for row in log.rows(newest_first=False)] == [None] + ["failed"] * 29
    assert log.runs()[0].verdicts == {"": 1, "failed": 29}
    run.finish()
    assert log.runs()[0].verdicts == {"": 1, "failed": 29}
    assert log.count() == 30


def test_its_tables_can_be_made_in_postgresql_too() -> None:
    made = [
        str(CreateTable(table).compile(dialect=postgresql.dialect()))
        for table in tables.metadata.sorted_tables
    ]
    made += [
        str(CreateIndex(index).compile(dialect=postgresql.dialect()))
        for table in tables.metadata.sorted_tables
        for index in table.indexes
    ]
    assert len(made) > 20
    assert not any("ROWID" in each for each in made)


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("2024-05-01T12:00:00Z", "2024-05-01T12:00:00.001Z"),
        ("2024-05-01T12:00:00.999Z", "2024-05-01T12:00:01Z"),
        ("no time at all", "1970-01-01T00:00:01Z"),
        ("2024-05-01", "2024-05-01T00:00:00.000001Z"),
    ],
)
def test_instants_sort_as_they_follow_each_other(earlier: str, later: str) -> None:
    assert sort_of(earlier) < sort_of(later)


# --- Several readers, and what changes between their questions ------------------------------------------


@pytest.mark.parametrize(
    "query", [Query(text='"a":35'), Query(run=RUN, text='"a":35'), Query(run=RUN), Query()]
)
def test_a_list_that_is_read_while_the_index_is_made_anew_misses_nothing(
    tmp_path: Path, query: Query
) -> None:
    log = open_log(tmp_path)
    runs = [open_run(tmp_path, id) for id in (RUN, LATER)]
    for run in runs:
        for number in range(400):
            sent(run, number % 60)
        log.runs()
    before = [row.id for row in log.rows(query)]
    reading = log.rows(query)
    found = [next(reading).id for _ in range(100)]
    index_of(tmp_path).unlink()
    log.runs()
    found += [row.id for row in reading]
    assert found == before
    for run in runs:
        run.close()


def test_a_text_is_found_however_its_characters_are_escaped(tmp_path: Path) -> None:
    with open_run(tmp_path) as run:
        sent(run, 1)
    path = tmp_path / f"{RUN}.json"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("ü«", "\\u00fc\\u00ab"), encoding="utf-8")
    assert len(list(open_log(tmp_path).rows(Query(text="ü«")))) == 1


def test_the_latest_results_are_those_of_now(tmp_path: Path) -> None:
    with open_run(tmp_path) as run:
        run.append(make_result(verdict="passed"))
    log = open_log(tmp_path)
    assert [each.result.verdict for each in log.latest_results().values()] == ["passed"]
    path = tmp_path / f"{RUN}.json"
    path.write_bytes(path.read_bytes().replace(b'"passed"', b'"failed"'))
    assert [each.result.verdict for each in log.latest_results().values()] == ["failed"]
    path.unlink()
    with open_run(tmp_path, LATER) as later:
        later.append(make_result(verdict="errored"))
    found = list(log.latest_results().values())
    assert [(each.run.id, each.result.verdict) for each in found] == [(LATER, "errored")]


def test_a_judgement_that_is_edited_in_another_run_is_seen(tmp_path: Path) -> None:
    with open_run(tmp_path) as run:
        id = sent(run, 1)
    with open_run(tmp_path, LATER) as later:
        later.append(judged(id, "errored"))
    log = open_log(tmp_path)
    assert [row.verdict for row in log.rows()] == ["errored"]
    path = tmp_path / f"{LATER}.json"
    path.write_bytes(path.read_bytes().replace(b'"errored"', b'"passed"'))
    assert [row.verdict for row in log.rows()] == ["passed"]


def test_a_journal_that_comes_back_as_it_was_is_read_again(tmp_path: Path) -> None:
    run = open_run(tmp_path)
    for second in range(3):
        sent(run, second)
    run.close()
    logs = [open_log(tmp_path), open_log(tmp_path)]
    assert len(list(logs[0].rows())) == 3
    journal, aside = tmp_path / f"{RUN}.journal", tmp_path.parent / "aside"
    journal.rename(aside)
    assert list(logs[1].rows()) == []
    aside.rename(journal)
    for log in logs:
        assert len(list(log.rows())) == 3
        assert log.runs()[0].problems == ()


def test_one_run_file_that_cannot_be_read_does_not_make_each_question_write(runs_dir: Path) -> None:
    (runs_dir / "20240501T150000Z-dddddd.json").mkdir()
    log = open_log(runs_dir)
    (damaged,) = [run for run in log.runs() if run.problems and run.info is None]
    assert "is a directory" in str(damaged.problems[0])
    written = changes_of(index_of(runs_dir))
    assert [len(log.runs()) for _ in range(5)] == [3] * 5
    assert changes_of(index_of(runs_dir)) == written
