"""What the steps of a scenario do, in words."""

from __future__ import annotations

import msgspec
from msgspec import UNSET

from retailops_sandbox.errors import SourceError
from retailops_sandbox.foreign_text import WHOLE
from retailops_sandbox.model import Expectation, Step
from retailops_sandbox.reporting.render.wire_words import spelled
from retailops_sandbox.scenarios import capturing, scenario
from retailops_sandbox.scenarios.scenario import Plan, judged_by_fixture


class StepSummary(msgspec.Struct, frozen=True):
    """A step of a scenario in words."""

    name: str
    sends: str
    delivered: str
    expects: str
    captures: str
    together: bool
    """Whether it is sent at the same time as the step before."""
    line: int


def step_summaries(text: str) -> list[StepSummary]:
    """The summaries of the steps in the text of a scenario's file; none for a text that is no scenario."""
    try:
        plan = scenario.read(text, id="", file="")
    except SourceError:
        return []
    return [step_summary(plan, number) for number in range(len(plan.scenario.steps))]


def step_summary(plan: Plan, number: int) -> StepSummary:
    """The summary of the step with this number, from 0."""
    step = plan.scenario.steps[number]
    return StepSummary(
        name=step.name,
        sends=_sends(step, plan),
        delivered=_delivered(step),
        expects=_expects(step),
        captures=", ".join(
            f"{name} from {capturing.spelled(wanted) or WHOLE}" for name, wanted in step.capture.items()
        ),
        together=step.together,
        line=plan.line(number),
    )


def _sends(step: Step, plan: Plan) -> str:
    whole = plan.scenario
    agreed = whole.contract_of(step)
    other = [" ".join(agreed)] if agreed != (whole.action, whole.edition) else []
    body = "raw bytes" if step.raw is not None else "a payload of its own"
    words = [*other, f"fixture {step.fixture}" if step.fixture is not None else body]
    words += [f"{len(step.remove)} removed"] if step.remove else []
    words += [f"{len(step.set)} set"] if step.set else []
    words += ["off contract"] if step.off_contract else []
    return ", ".join(words)


def _delivered(step: Step) -> str:
    deliver = step.deliver
    words = [f"{deliver.times} times" if deliver.times > 1 else "once"]
    words += [f"{deliver.parallel} at once"] if deliver.parallel > 1 else []
    words += [f"{deliver.delay_ms} ms apart"] if deliver.delay_ms else []
    words += (
        [f"hung up on after {deliver.drop_after_ms} ms first"] if deliver.drop_after_ms is not None else []
    )
    words += [f"within {deliver.timeout_ms} ms"] if deliver.timeout_ms else []
    added = [name for name, value in deliver.headers.items() if value is not None]
    words += [f"with {', '.join(added)}"] if added else []
    left_out = [name for name, value in deliver.headers.items() if value is None]
    words += [f"without {', '.join(left_out)}"] if left_out else []
    words += [f"as {deliver.content_type}"] if deliver.content_type else []
    words += [spelled(deliver.wire)] if deliver.wire is not None else []
    words += ["together with the step before"] if step.together else []
    if step.repeat_while is not None:
        words.append(
            f"again while {step.repeat_while.captured} is not empty, "
            f"{step.repeat_while.at_most:,} times at most"
        )
    return ", ".join(words)


def _expects(step: Step) -> str:
    if isinstance(step.expect, Expectation):
        return _expected(step.expect)
    if isinstance(step.expect, list):
        return f"{len(step.expect)} answers, in order"
    return "what its fixture expects" if judged_by_fixture(step) else "nothing: recorded"


def _expected(expect: Expectation) -> str:
    if expect.fault is not None:
        return f"the fault {expect.fault}"
    statuses = expect.status if isinstance(expect.status, list) else [expect.status]
    words = [f"status {' or '.join(map(str, statuses))}" if expect.status else "an accepted status"]
    words += ["a body"] if expect.body is not UNSET else []
    words += [f"{len(expect.rules)} {'rule' if len(expect.rules) == 1 else 'rules'}"] if expect.rules else []
    words += [f"headers {', '.join(expect.headers)}"] if expect.headers else []
    words += [f"within {expect.max_ms:g} ms"] if expect.max_ms is not None else []
    return ", ".join(words)
