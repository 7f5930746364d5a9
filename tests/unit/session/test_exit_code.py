"""session/exit_code.py: of the codes that apply, the first one in order."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from retailops_sandbox.engine import ScenarioResult, StepResult
from retailops_sandbox.errors import FileError
from retailops_sandbox.model import Scenario, Shard, Step
from retailops_sandbox.scenarios.scenario import Plan
from retailops_sandbox.session.exit_code import exit_code
from tests.support.finished import finished_run

PLAN = Plan("a", "a", Scenario(name="a", steps=[Step(name="x", fixture="default")]), False, "")
ERROR = FileError("cannot be written", file="r.xml")
PASSED: dict[str, Any] = {"verdict": "passed", "sent": 1}
FAILED: dict[str, Any] = {"verdict": "failed", "sent": 1}
FAULT: dict[str, Any] = {"verdict": "errored", "sent": 1, "faults": 1}
EXPECTED_FAULT: dict[str, Any] = {"verdict": "passed", "sent": 1, "faults": 1}
NOT_COMPOSED: dict[str, Any] = {"verdict": "errored", "unreadable": True}
REFUSED: dict[str, Any] = {"verdict": "errored"}
RECORDED: dict[str, Any] = {"verdict": "recorded", "sent": 1}
SKIPPED: dict[str, Any] = {"verdict": "skipped"}


@pytest.mark.parametrize(
    ("code", "steps", "run"),
    [
        (130, [FAILED], {"interrupted": True, "unwritten": [ERROR]}),
        (2, [FAULT], {"unwritten": [ERROR]}),
        (2, [PASSED], {"unreadable": [ERROR]}),
        (2, [FAULT, NOT_COMPOSED], {}),
        (3, [FAULT, FAULT], {}),
        (1, [FAULT, PASSED], {}),
        (1, [REFUSED], {}),
        (1, [PASSED, FAILED], {}),
        (5, [RECORDED, SKIPPED], {}),
        (5, [], {}),
        (0, [PASSED, RECORDED, SKIPPED], {}),
        (0, [EXPECTED_FAULT], {}),
    ],
)
def test_the_first_that_applies(code: int, steps: list[dict[str, Any]], run: dict[str, Any]):
    results = [
        ScenarioResult(PLAN, each["verdict"], (StepResult(number=0, name="x", **each),), 0.1)
        for each in steps
    ]
    assert exit_code(finished_run(*results, **run)) == code


@pytest.mark.parametrize(
    ("count", "steps", "code"),
    [(3, [RECORDED, SKIPPED], 0), (3, [], 0), (1, [RECORDED], 5), (3, [FAILED], 1)],
)
def test_a_shard_of_several_that_judged_nothing_is_not_red(
    count: int, steps: list[dict[str, Any]], code: int
):
    results = [
        ScenarioResult(PLAN, each["verdict"], (StepResult(number=0, name="x", **each),), 0.1)
        for each in steps
    ]
    finished = finished_run(*results)
    info = msgspec.structs.replace(finished.info, shard=Shard(number=1, count=count))
    assert exit_code(msgspec.structs.replace(finished, info=info)) == code
