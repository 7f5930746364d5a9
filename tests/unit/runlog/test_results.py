"""The latest results of scenarios, and all results of one: what any log answers."""

from __future__ import annotations

from pathlib import Path

import msgspec

from retailops_sandbox.model import Result, RunInfo, Verdict
from retailops_sandbox.runlog.opening import open_log, open_run
from retailops_sandbox.runlog.ports import LogReader, RunWriter

A, B, C = (f"scenarios/{letter}.scenario.json" for letter in "abc")


def begun(runs_dir: Path, hour: int) -> RunWriter:
    """A run that started at this hour."""
    started = f"2024-05-01T{hour:02}:00:00.000Z"
    run = open_run(runs_dir, RunInfo(id=f"20240501T{hour:02}0000Z-aaaaaa", started_at=started))
    run.begin()
    return run


def result(scenario: str, verdict: Verdict, **fields: bool) -> Result:
    return Result(scenario=scenario, name=scenario, verdict=verdict, at="2024-05-01T12:00:01.000Z", **fields)


def ended(runs_dir: Path, hour: int, *results: Result) -> str:
    """A run that has ended with these results; its id."""
    run = begun(runs_dir, hour)
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


def test_the_latest_result_of_a_scenario_is_that_of_the_newest_run_that_has_one(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    assert latest(log) == {}
    # In another order than they are listed in.
    ended(tmp_path, 11, result(A, "failed"), result(B, "passed"))
    assert latest(log) == {A: ("11", "failed"), B: ("11", "passed")}
    ended(tmp_path, 10, result(A, "errored"), result(C, "recorded"))
    ended(tmp_path, 12, result(B, "skipped"))
    seen = {A: ("11", "failed"), B: ("12", "skipped"), C: ("10", "recorded")}
    assert latest(log) == seen
    assert latest(open_log(tmp_path)) == seen
    assert of(log, A) == [("11", "failed"), ("10", "errored")]
    assert of(log, B) == [("12", "skipped"), ("11", "passed")]
    assert of(log, "scenarios/none.scenario.json") == []


def test_results_have_the_whole_record_and_that_of_their_run(tmp_path: Path) -> None:
    id = ended(tmp_path, 10, result(A, "failed", stopped=True))
    log = open_log(tmp_path)
    (found,) = log.results_of(A)
    assert found.result == result(A, "failed", stopped=True)
    run = log.run(id)
    assert run is not None
    assert found.run == run.info
    assert found.run.finished_at == "2024-05-01T10:30:00.000Z"
    assert log.latest_results()[A] == found


def test_results_of_a_run_that_goes_on_count_as_they_come(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    ended(tmp_path, 10, result(A, "failed"), result(B, "failed"))
    run = begun(tmp_path, 11)
    assert latest(log) == {A: ("10", "failed"), B: ("10", "failed")}
    run.append(result(A, "passed"))
    assert latest(log) == {A: ("11", "passed"), B: ("10", "failed")}
    newer = begun(tmp_path, 12)
    newer.append(result(B, "errored"))
    run.append(result(B, "passed"))
    assert latest(log) == {A: ("11", "passed"), B: ("12", "errored")}
    for each in (newer, run):
        each.finish("2024-05-01T12:30:00.000Z")
    assert latest(log) == {A: ("11", "passed"), B: ("12", "errored")}
    assert of(log, B) == [("12", "errored"), ("11", "passed"), ("10", "failed")]


def test_of_a_scenario_that_ran_twice_in_a_run_the_last_result_comes_first(tmp_path: Path) -> None:
    ended(tmp_path, 10, result(A, "failed"), result(B, "passed"), result(A, "passed"))
    log = open_log(tmp_path)
    assert latest(log) == {A: ("10", "passed"), B: ("10", "passed")}
    assert of(log, A) == [("10", "passed"), ("10", "failed")]


def test_a_run_that_is_deleted_takes_its_results_with_it(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    ended(tmp_path, 10, result(A, "passed"))
    last = ended(tmp_path, 11, result(A, "failed"), result(B, "failed"))
    assert latest(log) == {A: ("11", "failed"), B: ("11", "failed")}
    (tmp_path / f"{last}.json").unlink()
    assert latest(log) == {A: ("10", "passed")}
    assert of(log, A) == [("10", "passed")]
    assert of(log, B) == []


def test_a_run_that_is_deleted_while_it_goes_on_takes_its_results_with_it(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    ended(tmp_path, 10, result(A, "passed"))
    run = begun(tmp_path, 11)
    run.append(result(A, "failed"))
    run.append(result(B, "failed"))
    assert latest(log) == {A: ("11", "failed"), B: ("11", "failed")}
    (tmp_path / f"{run.info.id}.journal").unlink()
    assert latest(log) == {A: ("10", "passed")}
    run.finish("2024-05-01T11:30:00.000Z")
    assert latest(log) == {A: ("11", "failed"), B: ("11", "failed")}


def test_a_damaged_run_and_one_from_elsewhere_hide_no_results(tmp_path: Path) -> None:
    runs_dir = tmp_path / "runs"
    ended(runs_dir, 10, result(A, "passed"))
    damaged = ended(runs_dir, 11, result(A, "failed"))
    (runs_dir / f"{damaged}.json").write_text("{")
    elsewhere = ended(tmp_path / "elsewhere", 12, result(A, "errored"))
    log = open_log(runs_dir)
    log.open(tmp_path / "elsewhere" / f"{elsewhere}.json", "from-ci.json")
    assert latest(log) == {A: ("10", "passed")}
    assert of(log, A) == [("10", "passed")]


def test_what_was_answered_is_the_askers(tmp_path: Path) -> None:
    """Nobody's later question changes an answer that somebody still holds."""
    log = open_log(tmp_path)
    ended(tmp_path, 10, result(A, "failed"))
    before = log.latest_results()
    held = {id: msgspec.structs.replace(found) for id, found in before.items()}
    ended(tmp_path, 11, result(A, "passed"))
    assert latest(log) == {A: ("11", "passed")}
    assert dict(before) == held


def test_scenarios_are_known_from_other_runs_that_are_not_later(tmp_path: Path) -> None:
    early = ended(tmp_path, 10, result(A, "failed"))
    late = ended(tmp_path, 11, result(A, "passed"), result(B, "passed"))
    log = open_log(tmp_path)
    assert log.scenarios_before(late, {A, B, C}) == {A}
    assert log.scenarios_before(early, {A, B, C}) == set()
    assert log.scenarios_before("20240501T120000Z-nobody", {A}) == set()
