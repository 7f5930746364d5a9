"""The latest results of scenarios, and all results of one: what any log answers."""

from __future__ import annotations

from pathlib import Path

import msgspec

from retailops_sandbox.model import Result, Verdict
from retailops_sandbox.runlog.ports import LogReader, RunWriter
from retailops_sandbox.runlog.retention import Retention
from tests.support import backends
from tests.support.backends import Backend

A, B, C = (f"scenarios/{letter}.scenario.json" for letter in "abc")


def begun(backend: Backend, hour: int) -> RunWriter:
    """A run that started at this hour."""
    return backends.begun(backend, f"20240501T{hour:02}0000Z-aaaaaa", f"2024-05-01T{hour:02}:00:00.000Z")


def result(scenario: str, verdict: Verdict, **fields: bool) -> Result:
    return Result(scenario=scenario, name=scenario, verdict=verdict, at="2024-05-01T12:00:01.000Z", **fields)


def ended(backend: Backend, hour: int, *results: Result) -> str:
    """A run that has ended with these results; its id."""
    run = begun(backend, hour)
    for each in results:
        run.append(each)
    run.finish(f"2024-05-01T{hour:02}:30:00.000Z")
    return run.info.id


def latest(log: LogReader) -> dict[str, tuple[str, str]]:
    """The hour and the verdict of each scenario's latest result."""
    return {id: (found.run.id[9:11], found.result.verdict) for id, found in log.latest_results().items()}


def of(log: LogReader, scenario: str) -> list[tuple[str, str]]:
    """The hour and the verdict of each result of a scenario."""
    return [(found.run.id[9:11], found.result.verdict) for found in log.results_of(scenario)]


def test_the_latest_result_of_a_scenario_is_that_of_the_newest_run_that_has_one(backend: Backend) -> None:
    log = backend.open_log()
    assert latest(log) == {}
    # In another order than they are listed in.
    ended(backend, 11, result(A, "failed"), result(B, "passed"))
    assert latest(log) == {A: ("11", "failed"), B: ("11", "passed")}
    ended(backend, 10, result(A, "errored"), result(C, "recorded"))
    ended(backend, 12, result(B, "skipped"))
    seen = {A: ("11", "failed"), B: ("12", "skipped"), C: ("10", "recorded")}
    assert latest(log) == seen
    assert latest(backend.open_log()) == seen
    assert of(log, A) == [("11", "failed"), ("10", "errored")]
    assert of(log, B) == [("12", "skipped"), ("11", "passed")]
    assert of(log, "scenarios/none.scenario.json") == []


def test_results_have_the_whole_record_and_that_of_their_run(backend: Backend) -> None:
    id = ended(backend, 10, result(A, "failed", stopped=True))
    log = backend.open_log()
    (found,) = log.results_of(A)
    assert found.result == result(A, "failed", stopped=True)
    run = log.run(id)
    assert run is not None
    assert found.run == run.info
    assert found.run.finished_at == "2024-05-01T10:30:00.000Z"
    assert log.latest_results()[A] == found


def test_results_of_a_run_that_goes_on_count_as_they_come(backend: Backend) -> None:
    log = backend.open_log()
    ended(backend, 10, result(A, "failed"), result(B, "failed"))
    run = begun(backend, 11)
    assert latest(log) == {A: ("10", "failed"), B: ("10", "failed")}
    run.append(result(A, "passed"))
    assert latest(log) == {A: ("11", "passed"), B: ("10", "failed")}
    newer = begun(backend, 12)
    newer.append(result(B, "errored"))
    run.append(result(B, "passed"))
    assert latest(log) == {A: ("11", "passed"), B: ("12", "errored")}
    for each in (newer, run):
        each.finish("2024-05-01T12:30:00.000Z")
    assert latest(log) == {A: ("11", "passed"), B: ("12", "errored")}
    assert of(log, B) == [("12", "errored"), ("11", "passed"), ("10", "failed")]


def test_of_a_scenario_that_ran_twice_in_a_run_the_last_result_comes_first(backend: Backend) -> None:
    ended(backend, 10, result(A, "failed"), result(B, "passed"), result(A, "passed"))
    log = backend.open_log()
    assert latest(log) == {A: ("10", "passed"), B: ("10", "passed")}
    assert of(log, A) == [("10", "passed"), ("10", "failed")]


def test_a_run_that_is_deleted_takes_its_results_with_it(backend: Backend) -> None:
    log = backend.open_log()
    first = ended(backend, 10, result(A, "passed"))
    last = ended(backend, 11, result(A, "failed"), result(B, "failed"))
    assert latest(log) == {A: ("11", "failed"), B: ("11", "failed")}
    backend.open_log().pin(first)
    pruned = backend.open_log().prune(Retention(runs=0), "2024-05-02T00:00:00Z")
    assert [each.run.id for each in pruned.removed] == [last]
    assert latest(log) == {A: ("10", "passed")}
    assert of(log, A) == [("10", "passed")]
    assert of(log, B) == []


def test_a_damaged_run_and_one_from_elsewhere_hide_no_results(
    backend: Backend, elsewhere: Backend, tmp_path: Path
) -> None:
    ended(backend, 10, result(A, "passed"))
    backend.damage(ended(backend, 11, result(A, "failed")))
    path = tmp_path / "from-ci"
    assert elsewhere.open_log().export(ended(elsewhere, 12, result(A, "errored")), path)
    log = backend.open_log()
    log.open(path, "from CI")
    assert latest(log) == {A: ("10", "passed")}
    assert of(log, A) == [("10", "passed")]


def test_many_results_of_a_scenario_are_read_to_the_last(backend: Backend) -> None:
    for hour in range(3):
        ended(backend, hour, *(result(A, verdict) for verdict in ("failed", "passed") * 12))
    found = of(backend.open_log(), A)
    assert found == [(f"{hour:02}", verdict) for hour in (2, 1, 0) for verdict in ("passed", "failed") * 12]


def test_what_was_answered_is_the_askers(backend: Backend) -> None:
    """Nobody's later question changes an answer that somebody still holds."""
    log = backend.open_log()
    ended(backend, 10, result(A, "failed"))
    before = log.latest_results()
    held = {id: msgspec.structs.replace(found) for id, found in before.items()}
    ended(backend, 11, result(A, "passed"))
    assert latest(log) == {A: ("11", "passed")}
    assert dict(before) == held


def test_scenarios_are_known_from_other_runs_that_are_not_later(backend: Backend) -> None:
    early = ended(backend, 10, result(A, "failed"))
    late = ended(backend, 11, result(A, "passed"), result(B, "passed"))
    log = backend.open_log()
    assert log.scenarios_before(late, {A, B, C}) == {A}
    assert log.scenarios_before(early, {A, B, C}) == set()
    assert log.scenarios_before("20240501T120000Z-nobody", {A}) == set()


def test_runs_of_one_instant_have_one_order(backend: Backend) -> None:
    ids = [f"20240501T120000Z-{letter * 6}" for letter in "bca"]
    for id in ids:
        with backends.writing(backend, id) as run:
            run.append(result(A, "passed"))
        backend.open_log().runs()
    log = backend.open_log()
    assert [run.id for run in log.runs()] == sorted(ids, reverse=True)
    assert [each.run.id for each in log.results_of(A)] == sorted(ids, reverse=True)
    assert log.latest_results()[A].run.id == max(ids)


def test_results_that_come_while_they_are_read_are_not_read_twice(backend: Backend) -> None:
    run = begun(backend, 10)
    for _ in range(30):
        run.append(result(A, "passed"))
    log = backend.open_log()
    reading = log.results_of(A)
    found = [next(reading)]
    run.append(result(A, "passed"))
    found += reading
    assert len(found) == 30


def test_the_latest_result_has_its_run_as_it_is_now(backend: Backend) -> None:
    run = begun(backend, 10)
    run.append(result(A, "passed"))
    log = backend.open_log()
    assert log.latest_results()[A].run.finished_at == ""
    run.finish("2024-05-01T12:30:00Z")
    assert log.latest_results()[A].run.finished_at == "2024-05-01T12:30:00Z"
