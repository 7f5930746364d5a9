"""report/github.py: what the runner takes for a command, and what it must not."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from retailops_sandbox.engine import ScenarioResult, StepResult
from retailops_sandbox.errors import SourceError
from retailops_sandbox.model import Difference, Judgement, Scenario, Step, Verdict
from retailops_sandbox.reporting.reporters import github
from retailops_sandbox.scenarios.scenario import Plan
from tests.support.finished import STAND_IN, finished_run

TEXT = '{"steps": [\n  {"fixture": "default"},\n  {"fixture": "default"}\n]}'


def result(
    verdict: Verdict = "failed", *, name: str = "a", file: str = "a.scenario.json", actual: Any = 1
) -> ScenarioResult:
    scenario = Scenario(name=name, steps=[Step(name="x", fixture="default")] * 2)
    plan = Plan(file, file, scenario, False, TEXT)
    difference = Difference(
        kind="changed", expected_pointer="/a", actual_pointer="/a", expected=0, actual=actual
    )
    spoiled = Judgement(delivery="r.1", verdict=verdict, at="", differences=(difference,))
    steps = (
        StepResult(number=0, name="x", verdict="passed"),
        StepResult(number=1, name="y", verdict=verdict, judgements=(spoiled,) if verdict == "failed" else ()),
    )
    return ScenarioResult(plan, verdict, steps, 0.1)


def runner_reads(line: str) -> str | None:
    """The command that the runner takes a line for: `::name` at its start, `##[name` anywhere."""
    found = re.match(r"\s*::([\w-]+)", line) or re.search(r"##\[([\w-]+)", line)
    return found[1] if found else None


def properties(command: str) -> dict[str, str]:
    head = command.removeprefix("::error ").partition("::")[0]
    pairs = dict(each.split("=", 1) for each in head.split(","))
    return {name: spelled(text) for name, text in pairs.items()}


def spelled(text: str) -> str:
    """What the runner makes of it."""
    for code, character in (("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
        text = text.replace(code, character)
    return text


def test_a_failed_step_is_marked_at_its_line_of_its_file(tmp_path: Path):
    failed = result(file=str(tmp_path / "s" / "a.scenario.json"))
    (command,) = github.annotated(finished_run(failed), root=str(tmp_path))
    assert properties(command) == {
        "file": "s/a.scenario.json",
        "line": "3",
        "title": "a: step 'y' failed",
    }
    message = spelled(command.rpartition("::")[2])
    assert message == "/a: expected 0, got 1 (changed)\nreceiver: shop"


def test_a_file_of_no_repository_is_named_in_words(tmp_path: Path):
    (command,) = github.annotated(finished_run(result(file="/elsewhere/a.json")), root=str(tmp_path))
    assert set(properties(command)) == {"title"}
    assert "::/elsewhere/a.json:3: /a: expected" in command
    # A folder whose name begins alike is another one.
    (command,) = github.annotated(finished_run(result(file=f"{tmp_path}x/a.json")), root=str(tmp_path))
    assert "file" not in properties(command)


def test_it_says_when_it_was_the_stand_in():
    (command,) = github.annotated(finished_run(result(), receiver=STAND_IN), root="/")
    assert "it proves nothing about a real receiver" in command
    assert "it proves nothing about a real receiver" in plain(
        github.summary(finished_run(result(), receiver=STAND_IN))
    )
    assert "shop" in github.summary(finished_run(result()))


def test_there_are_at_most_ten_and_what_is_unreadable_comes_first():
    broken = SourceError("is not JSON", file="b.scenario.json", line=2, column=3)
    commands = github.annotated(finished_run(*[result() for _ in range(20)], unreadable=[broken]), root="/")
    assert len(commands) == 10
    assert "unreadable" in commands[0]
    assert properties(commands[0])["line"] == "2"
    assert github.annotated(finished_run(result("passed"), result("skipped")), root="/") == []


nasty = st.text(alphabet="ab:,%#[]\r\n\x1b\u2028 ", max_size=40)


@given(nasty, nasty)
def test_nothing_gets_out_of_an_annotation(name: str, actual: str):
    (command,) = github.annotated(finished_run(result(name=name, actual=actual)), root="/elsewhere")
    assert len(command.splitlines()) == 1
    assert runner_reads(command) == "error"
    assert set(properties(command)) == {"title"}
    assert command.count("::error") == 1


# --- the summary ---


def plain(markdown: str) -> str:
    """The summary as a reader sees its text."""
    return re.sub(r"&#(\d+);", lambda found: chr(int(found[1])), markdown)


def test_the_summary_lists_what_failed_first_and_names_all():
    text = github.summary(finished_run(result("passed", name="fine"), result(name="bad")))
    assert text.startswith("### RetailOPS sandbox: 1 passed, 1 failed\n")
    rows = [line for line in plain(text).splitlines() if line.startswith(("| ✗", "| ✓"))]
    assert "bad" in rows[0]
    assert "step 'y': /a: expected 0, got 1 (changed)" in rows[0]
    assert "fine" in rows[1]
    assert "nothing ran" in github.summary(finished_run())


def test_the_summary_says_what_was_not_compared():
    judged = Judgement(delivery="r.1", verdict="passed", at="", unchecked=("events",))
    fine = result("passed", name="fine")
    steps = (fine.steps[0], msgspec.structs.replace(fine.steps[1], judgements=(judged,)))
    text = github.summary(finished_run(ScenarioResult(fine.plan, "passed", steps, 0.1)))
    assert "events were not compared in 1 of 2 steps" in plain(text)


MARKUP = "|`*_<b>[x](http://evil.example)![y](z)\n# @all #1 ~~ & \\ <script> www.evil.example"


def test_a_receivers_answer_is_no_markup():
    text = github.summary(finished_run(result(name=MARKUP, actual=MARKUP)))
    (row,) = [line for line in text.splitlines() if line.startswith("| ✗")]
    assert row.count("|") == 5
    inside = re.sub(r"&#\d+;|<br>", "", row.strip("| "))
    assert not set(inside) & set("`*_<>[]()!#@~&\\.")
    assert "http://" not in row
    assert "www." not in row
    assert "evil" in row


def test_the_summary_is_cut_before_github_refuses_it():
    many = [result(name=f"{number} {'ä|' * 200}") for number in range(2_000)]
    text = github.summary(finished_run(*many))
    assert len(text.encode()) <= github.MOST_SUMMARY
    assert len(text.encode()) > github.MOST_SUMMARY * 0.9
    assert "More than GitHub takes" in text
    passed = github.summary(finished_run(*[result("passed") for _ in range(9_000)]), room=50_000)
    assert passed.count("<details>") == passed.count("</details>") == 1
    assert passed.endswith("other reports.\n")
    assert github.summary(finished_run(result()), room=0) == ""
