"""Runs, deliveries and results are read as they were written, at once and from anywhere."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.model import Difference, Expectation, Judgement, Number, Verdict, encoder
from retailops_sandbox.runlog.entries import Entry
from retailops_sandbox.runlog.ports import Log
from retailops_sandbox.runlog.query import Query
from tests.support.backends import Backend, begun, writing
from tests.support.logged import newest_deliveries
from tests.support.mixed_runs import mixed_runs
from tests.support.records import LATER, RUN, judge, make_delivery, make_result, some_delivery


def test_a_delivery_is_seen_at_once_and_before_it_is_judged(backend: Backend) -> None:
    run, log = begun(backend), backend.open_log()
    delivery = make_delivery(run)
    run.append(delivery)
    assert log.delivery(delivery.id) == Entry(delivery, ())
    assert Entry(delivery, ()).judgement is None
    judgement = judge(delivery)
    run.append(judgement)
    entry = log.delivery(delivery.id)
    assert entry is not None
    assert entry.judgement == judgement


def test_a_run_is_running_then_finished(backend: Backend) -> None:
    run, log = begun(backend), backend.open_log()
    run.append(make_delivery(run))
    (summary,) = log.runs()
    assert (summary.id, summary.state, summary.deliveries) == (RUN, "running", 1)
    run.finish("2024-05-01T12:01:00Z")
    (summary,) = log.runs()
    assert (summary.state, summary.deliveries, summary.problems) == ("finished", 1, ())
    assert summary.info is not None
    assert summary.info.finished_at == "2024-05-01T12:01:00Z"
    assert summary.info.receiver == "local"


def test_a_run_whose_process_died_is_interrupted_and_whole(backend: Backend) -> None:
    run = begun(backend)
    delivery = make_delivery(run)
    run.append(delivery)
    backend.abandon(run)
    (summary,) = backend.open_log().runs()
    assert (summary.state, summary.problems) == ("interrupted", ())
    assert backend.open_log().delivery(delivery.id) is not None


def test_what_was_logged_reads_the_same_before_and_after_the_run_ends(backend: Backend) -> None:
    run = begun(backend)
    deliveries = [make_delivery(run) for _ in range(3)]
    for delivery in deliveries:
        run.append(delivery)
        run.append(judge(delivery))
    before = newest_deliveries(backend.open_log(), 10)
    run.finish()
    assert newest_deliveries(backend.open_log(), 10) == before
    assert [entry.delivery for entry in reversed(before)] == deliveries


def test_results_read_the_same_before_and_after_the_run_ends(backend: Backend) -> None:
    run, log = begun(backend), backend.open_log()
    delivery = make_delivery(run)
    results = (make_result(), make_result("b", "failed"))
    for record in (delivery, judge(delivery), *results):
        run.append(record)
    live, live_deliveries = log.run(RUN), log.deliveries(RUN)
    assert live is not None
    assert (live.state, live.results, log.results(RUN)) == ("running", 2, list(results))
    run.finish("2024-05-01T12:01:00Z", stopped=True)
    kept = log.run(RUN)
    assert kept is not None
    assert (kept.state, kept.results, log.results(RUN)) == ("stopped", 2, list(results))
    assert log.deliveries(RUN) == live_deliveries == [Entry(delivery, (judge(delivery),))]
    assert backend.open_log().runs()[0].outcomes == {"passed": 1, "failed": 1}
    assert backend.open_log().results(RUN) == list(results)
    assert (log.run("no such run"), log.deliveries("no such run")) == (None, [])


def test_runs_of_the_same_second_are_ordered_by_their_time(backend: Backend) -> None:
    ids = [f"20240501T120000Z-{random}" for random in ("bbbbbb", "cccccc", "aaaaaa")]
    for number, id in enumerate(ids):
        started_at = f"2024-05-01T12:00:00.{number}00Z"
        with writing(backend, id, started_at) as run:
            run.append(make_result())
    assert [run.id for run in backend.open_log().runs()] == ids[::-1]


def test_numbers_keep_their_spelling(backend: Backend) -> None:
    run = begun(backend)
    delivery = make_delivery(run)
    body = {"total": Number("35.00"), "huge": 12345678901234567890123, "tiny": Number("1E-400")}
    difference = Difference(kind="changed", expected=Number("35.00"), actual=Number("35.10"))
    run.append(delivery)
    run.append(
        Judgement(
            delivery=delivery.id,
            verdict="failed",
            at="2024-05-01T12:00:02Z",
            differences=(difference,),
            expectation=Expectation(body=body, max_ms=12.5),
        )
    )

    def spelled() -> bytes:
        entry = backend.open_log().delivery(delivery.id)
        assert entry is not None
        assert entry.judgement is not None
        return encoder.encode(entry.judgement)

    live = spelled()
    assert b'"total":35.00,"huge":12345678901234567890123,"tiny":1E-400' in live
    assert b'"expected":35.00,"actual":35.10' in live
    run.finish()
    assert spelled() == live


def test_a_judgement_from_another_run_joins_its_delivery(backend: Backend) -> None:
    run, serve = begun(backend), begun(backend, LATER)
    delivery = make_delivery(run)
    run.append(delivery)
    run.append(judge(delivery, "failed", "2024-05-01T12:00:02.000Z"))
    run.append(judge(delivery, "errored", "2024-05-01T12:00:02.002Z"))
    serve.append(judge(delivery, "passed", "2024-05-01T12:00:02.001Z"))
    run.finish()
    log = backend.open_log()
    while_serve_runs = log.delivery(delivery.id)
    assert while_serve_runs is not None
    assert [judgement.verdict for judgement in while_serve_runs.judgements] == ["failed", "passed", "errored"]
    assert newest_deliveries(log, 10) == [while_serve_runs]
    serve.finish()
    assert log.delivery(delivery.id) == while_serve_runs


def test_of_judgements_of_one_instant_the_last_is_the_latest(backend: Backend) -> None:
    with writing(backend) as run:
        delivery = make_delivery(run)
        run.append(delivery)
        run.append(judge(delivery, "passed"))
        run.append(judge(delivery, "failed"))
    log = backend.open_log()
    for expected in ("failed", "errored"):
        entry = log.delivery(delivery.id)
        assert entry is not None
        assert entry.judgement is not None
        assert (entry.judgement.verdict, entry.row(SHIPPED_CONTRACTS).verdict, next(log.rows()).verdict) == (
            expected,
        ) * 3
        with writing(backend, f"{LATER}{expected}") as later:
            later.append(judge(delivery, "errored"))


def test_the_latest_judgement_is_that_of_the_latest_time_whenever_it_comes(
    backend: Backend,
) -> None:
    with writing(backend) as run:
        delivery = make_delivery(run)
        run.append(delivery)
        judgements: list[tuple[Verdict, int]] = [("passed", 2), ("failed", 4), ("errored", 3)]
        for verdict, second in judgements:
            run.append(judge(delivery, verdict, f"2024-05-01T12:00:0{second}.000Z"))
    log = backend.open_log()
    (row,) = log.rows()
    assert (row.verdict, row.first_verdict) == ("failed", "passed")
    entry = log.delivery(delivery.id)
    assert entry is not None
    assert [each.verdict for each in entry.judgements] == ["passed", "errored", "failed"]


def test_what_is_not_there_is_none(backend: Backend) -> None:
    log = backend.open_log()
    assert (log.runs(), log.opened(), log.latest_results(), log.count()) == ([], [], {}, 0)
    assert newest_deliveries(log, 10) == []
    for id in ("", "x", f"{RUN}.000001", "../../etc/passwd"):
        assert log.delivery(id) is None
        assert (log.run(id), log.deliveries(id), log.results(id), log.opened_from(id)) == (None, [], [], "")
        assert newest_deliveries(log, 10, before=id) == []


def test_deliveries_of_a_run_come_in_the_order_in_which_they_were_sent(backend: Backend) -> None:
    run, log = begun(backend), backend.open_log()
    scenarios = ("a", "b", "", "a")
    made = [
        some_delivery(id=run.next_id(), run=RUN, scenario=scenario, sent_at=f"2024-05-01T12:00:0{second}Z")
        for second, scenario in enumerate(scenarios)
    ]
    for delivery in reversed(made):
        run.append(delivery)
    run.append(judge(made[3]))

    def found(*wanted: str) -> list[Entry]:
        return log.deliveries(RUN, wanted)

    for _ in range(2):
        entries = log.deliveries(RUN)
        assert [entry.delivery for entry in entries] == made
        assert [len(entry.judgements) for entry in entries] == [0, 0, 0, 1]
        assert found("a") == [entries[0], entries[3]]
        assert found("b", "") == entries[1:3]
        assert found("c") == found() == []
        assert log.deliveries(LATER, {"a"}) == []
        run.finish()


def test_what_a_run_holds_is_counted(backend: Backend) -> None:
    run, log = begun(backend), backend.open_log()
    other = begun(backend, LATER)
    made = [make_delivery(run) for _ in range(4)]
    for delivery in made:
        run.append(delivery)
    for delivery, verdict in ((made[0], "failed"), (made[0], "passed"), (made[1], "failed")):
        run.append(judge(delivery, verdict))
    other.append(judge(made[2], "errored"))
    for verdict in ("failed", "failed", "recorded"):
        run.append(make_result(verdict=verdict))
    for _ in range(2):
        found, judging = log.run(RUN), log.run(LATER)
        assert found is not None
        assert judging is not None
        assert (found.deliveries, log.count()) == (4, 4)
        # Each delivery with its latest verdict, as far as its own run judged it.
        assert found.verdicts == {"passed": 1, "failed": 1, "": 2}
        assert found.outcomes == {"failed": 2, "recorded": 1}
        assert (found.judges, judging.judges) == (frozenset(), {RUN})
        assert (judging.deliveries, judging.verdicts) == (0, {})
        run.finish()


def test_a_damaged_run_is_listed_and_hides_no_other(backend: Backend) -> None:
    for id in (RUN, LATER):
        with writing(backend, id) as run:
            run.append(make_delivery(run))
    before = backend.open_log()
    assert len(before.runs()) == 2
    backend.damage(RUN)
    for log in (before, backend.open_log()):
        good, damaged = log.runs()
        assert (good.id, good.problems) == (LATER, ())
        assert (damaged.id, len(damaged.problems)) == (RUN, 1)
        assert RUN in str(damaged.problems[0])
        assert "\n" not in str(damaged.problems[0])
        assert [row.run for row in log.rows(Query(run=LATER))] == [LATER]
        assert log.delivery(f"{LATER}.000001") is not None


def test_many_threads_ask_at_once_while_a_run_is_written(backend: Backend) -> None:
    log = mixed_runs(backend)
    before = len(list(log.rows()))
    run = begun(backend, "20240501T150000Z-cccccc")
    made = [make_delivery(run, f"2024-05-01T15:00:{second:02}.000Z") for second in range(40)]
    logs = [log] * 4 + [backend.open_log()] * 2
    together = Barrier(len(logs) + 1, timeout=60)

    def ask(log: Log) -> int:
        """The number of changes that a cursor tells until all is read."""
        cursor = log.cursor()
        together.wait()
        told = seen = 0
        while seen < before + len(made):
            rows = list(log.rows())
            assert len(rows) >= seen
            assert rows == sorted(rows, key=lambda row: row.sort, reverse=True)
            entries = log.deliveries(run.info.id)
            assert [entry.delivery for entry in entries] == made[: len(entries)]
            assert all(log.delivery(entry.delivery.id) == entry for entry in entries[-1:])
            seen = len(rows)
            told += len(cursor.changes() or ())
        return told + len(cursor.changes() or ())

    def write() -> None:
        together.wait()
        for delivery in made:
            run.append(delivery)
        run.finish()

    with ThreadPoolExecutor(len(logs) + 1) as pool:
        asking = [pool.submit(ask, each) for each in logs]
        pool.submit(write).result()
        assert [each.result() for each in asking] == [len(made)] * len(logs)
