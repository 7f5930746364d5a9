from __future__ import annotations

import pytest

from retailops_sandbox.load.counts import Counts
from retailops_sandbox.load.series import Change, Step, What
from retailops_sandbox.load.totals import exit_code_at_rates

LATE = "answers do not come in time (deadline)"
LOST = "answers lose their events"


@pytest.mark.parametrize(
    ("what", "code"),
    [(None, 0), ("slow", 1), ("behind", 1), ("users", 1), ("wrong", 1), ("machine", 5), ("short", 5)],
)
def test_a_rate_that_is_not_held_is_a_failure_and_one_that_is_not_measured_is_no_success(
    what: What | None, code: int
):
    assert exit_code_at_rates(0, Change(what=what) if what else None, []) == code


@pytest.mark.parametrize("code", [1, 2, 3, 5, 130])
def test_wrong_answers_and_what_ended_the_test_come_first(code: int):
    assert exit_code_at_rates(code, None, []) == code
    assert exit_code_at_rates(code, Change(what="behind"), []) == code
    assert exit_code_at_rates(code, Change(what="short"), []) == code


@pytest.mark.parametrize(("wrong", "code"), [({LATE: 9}, 5), ({LATE: 9, LOST: 1}, 1)])
def test_what_is_late_by_the_fault_of_this_machine_is_no_failure(wrong: dict[str, int], code: int):
    steps = [Step(rate=10, counts=Counts(wrong=wrong))]
    assert exit_code_at_rates(1, Change(what="machine"), steps) == code
    assert exit_code_at_rates(1, Change(what="short"), steps) == 1
