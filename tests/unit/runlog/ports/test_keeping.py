"""Runs are pinned, finished for processes that died, and deleted; nothing else goes."""

from __future__ import annotations

import contextlib
from threading import Barrier, Thread

import pytest

from retailops_sandbox.errors import FileError
from retailops_sandbox.model import Judgement
from retailops_sandbox.runlog.ports import LogReader
from retailops_sandbox.runlog.retention import Pruned, Retention
from tests.support.backends import Backend, begun
from tests.support.records import judge, make_delivery, make_result

NOW = "2024-05-31T12:00:00.000Z"
OLD, YOUNG = "20240501T120000Z-aaaaaa", "20240530T120000Z-bbbbbb"


def write(backend: Backend, id: str, *, about: str = "") -> str:
    """A run that has ended, with a delivery; its id. `about` is a delivery that it judges again."""
    run = begun(backend, id)
    delivery = make_delivery(run)
    run.append(delivery)
    run.append(judge(delivery))
    if about:
        run.append(Judgement(delivery=about, verdict="failed", at="2024-05-30T12:00:00.000Z"))
    run.finish("2024-05-01T12:01:00Z")
    return delivery.id


def runs(log: LogReader) -> list[str]:
    return [run.id for run in log.runs()]


def removed(pruned: Pruned) -> list[str]:
    return [each.run.id for each in pruned.removed]


def kept(pruned: Pruned) -> dict[str, str]:
    """Why each run over a limit was kept."""
    return {each.run.id: each.reason for each in pruned.kept}


# --- pins ---


def test_a_run_is_pinned_until_it_is_unpinned(backend: Backend) -> None:
    write(backend, OLD)
    write(backend, YOUNG)
    log, other = backend.open_log(), backend.open_log()

    def pinned() -> list[str]:
        return [run.id for run in other.runs() if run.is_pinned]

    assert pinned() == []
    for _ in range(2):
        log.pin(OLD)
        assert pinned() == [OLD]
    for _ in range(2):
        log.unpin(OLD)
        assert pinned() == []


def test_a_run_that_goes_on_can_be_pinned_and_stays_so(backend: Backend) -> None:
    log = backend.open_log()
    run = begun(backend, OLD)
    run.append(make_delivery(run))
    log.pin(OLD)
    run.finish(NOW)
    found = log.run(OLD)
    assert found is not None
    assert (found.is_pinned, found.state) == (True, "finished")


def test_a_run_that_is_not_there_cannot_be_pinned(backend: Backend) -> None:
    log = backend.open_log()
    write(backend, OLD)
    with pytest.raises(FileError):
        log.pin(YOUNG)
    log.prune(Retention(runs=0), NOW)
    with pytest.raises(FileError):
        log.pin(OLD)
    log.unpin(YOUNG)
    assert log.runs() == []


# --- runs whose processes died ---


def test_what_a_dead_process_left_is_finished_as_it_is(backend: Backend) -> None:
    died, running = begun(backend, OLD), begun(backend, YOUNG)
    delivery = make_delivery(died)
    for record in (delivery, judge(delivery), make_result()):
        died.append(record)
    backend.abandon(died)
    log = backend.open_log()

    def said() -> tuple[object, ...]:
        return log.run(OLD), log.deliveries(OLD), log.results(OLD), list(log.rows())

    before = said()
    for _ in range(2):
        assert backend.open_log().recover() == []
        assert said() == before
        assert {run.id: run.state for run in log.runs()} == {OLD: "interrupted", YOUNG: "running"}
    running.append(make_delivery(running))
    running.finish(NOW)
    assert {run.id: run.state for run in log.runs()} == {OLD: "interrupted", YOUNG: "finished"}


# --- pruning ---


def test_a_run_that_goes_is_gone_for_every_reader(backend: Backend) -> None:
    write(backend, OLD)
    write(backend, YOUNG)
    log = backend.open_log()
    assert len(log.runs()) == 2
    would = backend.open_log().prune(Retention(runs=1), NOW, dry_run=True)
    assert runs(log) == [YOUNG, OLD]
    done = backend.open_log().prune(Retention(runs=1), NOW)
    assert (removed(done), done.deliveries, done.kept, done.problems) == ([OLD], 1, [], [])
    assert done.size > 0
    assert would == done
    assert runs(log) == [YOUNG]
    assert log.delivery(f"{OLD}.000001") is None
    assert [row.run for row in log.rows()] == [YOUNG]
    assert log.count() == 1


def test_a_run_that_goes_on_stays_and_one_whose_process_died_goes(backend: Backend) -> None:
    running = begun(backend, YOUNG)
    running.append(make_delivery(running))
    died = begun(backend, OLD)
    died.append(make_delivery(died))
    backend.abandon(died)
    done = backend.open_log().prune(Retention(runs=0), NOW)
    assert (removed(done), kept(done)) == ([OLD], {YOUNG: "it is running"})
    running.append(make_delivery(running))
    running.finish()
    assert [(run.id, run.deliveries) for run in backend.open_log().runs()] == [(YOUNG, 2)]


def test_what_is_damaged_or_pinned_stays(backend: Backend) -> None:
    write(backend, OLD)
    write(backend, YOUNG)
    backend.damage(OLD)
    log = backend.open_log()
    log.pin(YOUNG)
    done = backend.open_log().prune(Retention(runs=0, days=0), NOW)
    assert removed(done) == []
    assert kept(done) == {OLD: "it is damaged, and kept as it is", YOUNG: "it is pinned"}
    assert len(log.deliveries(YOUNG)) == 1
    log.unpin(YOUNG)
    assert removed(backend.open_log().prune(Retention(runs=0), NOW)) == [YOUNG]
    assert runs(log) == [OLD]


def test_without_a_limit_and_in_an_empty_log_nothing_goes(backend: Backend) -> None:
    log = backend.open_log()
    assert log.prune(Retention(runs=0), NOW) == Pruned([], [], [])
    write(backend, OLD)
    assert log.prune(Retention(), NOW) == Pruned([], [], [])
    assert log.prune(Retention(days=30), "2024-05-31T12:00:00Z") == Pruned([], [], [])
    assert runs(log) == [OLD]


def test_a_verdict_that_was_changed_is_not_changed_back(backend: Backend) -> None:
    id = write(backend, OLD)
    write(backend, YOUNG, about=id)
    backend.open_log().pin(OLD)
    assert backend.open_log().prune(Retention(runs=0), NOW).removed == []
    entry = backend.open_log().delivery(id)
    assert entry is not None
    assert [each.verdict for each in entry.judgements] == ["passed", "failed"]
    backend.open_log().unpin(OLD)
    assert len(backend.open_log().prune(Retention(runs=0), NOW).removed) == 2


def test_who_reads_the_log_while_it_is_pruned_reads_what_is_left(backend: Backend) -> None:
    write(backend, OLD)
    write(backend, YOUNG)
    log = backend.open_log()
    cursor = log.cursor()
    rows = log.rows()
    assert next(rows).run in (OLD, YOUNG)
    backend.open_log().prune(Retention(runs=0), NOW)
    assert {row.run for row in rows} <= {OLD, YOUNG}
    assert list(log.rows()) == []
    assert cursor.changes() == []
    assert (log.run(OLD), log.deliveries(OLD)) == (None, [])
    assert log.results(YOUNG) == []


def test_of_many_who_pin_and_prune_at_once_each_is_told_the_truth(backend: Backend) -> None:
    ids = [f"202405{day:02}T120000Z-aaaaaa" for day in range(1, 29)]
    for id in ids:
        write(backend, id)
    together = Barrier(3)
    pinned: set[str] = set()
    removed: list[str] = []

    def pin_all() -> None:
        log = backend.open_log()
        together.wait()
        for id in ids:
            with contextlib.suppress(FileError):
                log.pin(id)
                pinned.add(id)

    def prune_all() -> None:
        together.wait()
        removed.extend(each.run.id for each in backend.open_log().prune(Retention(runs=0), NOW).removed)

    threads = [Thread(target=each) for each in (pin_all, prune_all, prune_all)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    there = {run.id for run in backend.open_log().runs()}
    # Who was told that it is pinned has it, and what went was not pinned.
    assert pinned <= there
    assert there.isdisjoint(removed)
    assert there | set(removed) == set(ids)


def test_a_run_that_comes_after_others_were_deleted_is_whole_for_every_reader(backend: Backend) -> None:
    for day in (1, 2, 3):
        write(backend, f"2024060{day}T120000Z-aaaaaa")
    logs = [backend.open_log(), backend.open_log()]
    assert [log.count() for log in logs if log.runs()] == [3, 3]
    logs[1].prune(Retention(runs=2), "2030-01-01T00:00:00Z")
    assert len(logs[1].runs()) == 2
    write(backend, "20240701T120000Z-aaaaaa")
    for log in (*logs[::-1], *logs, backend.open_log()):
        assert len(list(log.rows())) == log.count() == 3


# --- indexing anew ---


def test_a_log_that_is_indexed_anew_says_the_same(backend: Backend) -> None:
    id = write(backend, OLD)
    write(backend, YOUNG, about=id)
    logs = [backend.open_log(), backend.open_log()]

    def said(log: LogReader) -> tuple[object, ...]:
        return list(log.rows()), log.runs(), [log.deliveries(run) for run in (OLD, YOUNG)]

    before = said(logs[0])
    done = logs[0].reindex()
    assert (done.made, done.problems) == (2, [])
    assert [said(log) for log in logs] == [before, before]


def test_indexing_anew_counts_and_names_what_it_could_not(backend: Backend) -> None:
    write(backend, OLD)
    write(backend, YOUNG)
    backend.damage(YOUNG)
    done = backend.open_log().reindex()
    assert (done.made, len(done.problems)) == (1, 1)
    assert YOUNG in str(done.problems[0])
