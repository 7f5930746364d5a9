"""The smallest request that shows a finding, and the scenario that sends it again."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.model import Step
from retailops_sandbox.probe import phrases
from retailops_sandbox.probe.baseline import Baseline, ValidRequests
from retailops_sandbox.probe.observing import Observer
from retailops_sandbox.probe.probes import Probe, Trial
from retailops_sandbox.probe.report import Finding, Smallest
from retailops_sandbox.probe.sending import Sender, is_whole
from retailops_sandbox.probe.shrinking import is_small, shrink
from retailops_sandbox.scenarios import scenario

_BY_ONE = frozenset(
    (
        *("crash", "hang-up", "malformed", "too-large", "off-contract", "wrong-status", "refuses-valid"),
        *("accepts-anything", "html", "stack-trace", "sql", "file-path", "framework-page", "secret-echoed"),
        *("contradiction", "no-code", "no-message", "content-type", "null-array", "other-source"),
    )
)
"""The kinds that one request shows by itself, and quickly."""
_MOST_TRIES = 30
"""The most requests to make one smaller."""
_LONGEST = 64 * 1024
"""The most characters of a scenario's text that a report keeps."""


class SmallestRequests:
    """Makes the requests smaller that show findings."""

    def __init__(
        self, contract: Contract, sender: Sender, found: Baseline, valid: ValidRequests, *, timeout_ms: int
    ) -> None:
        self._sender = sender
        self._valid = valid
        self._timeout_ms = timeout_ms
        # One of its own: what is sent here must not be taken for answers to trials.
        self._observer = Observer(contract)
        self._observer.baseline(found.answered)

    async def of(self, finding: Finding, probe: Probe) -> Smallest | None:
        """A smaller request that shows a finding; None where none was found."""
        smallest = finding.smallest
        step, trial = _of_step(probe, smallest.step)
        if finding.kind not in _BY_ONE or is_whole(probe) or is_small(step, self._valid.places(step, trial)):
            return None
        seen = ""

        async def shows(smaller: Step) -> bool:
            nonlocal seen
            renumbered = self._valid.renumbered(smaller, trial)
            one = msgspec.structs.replace(
                probe,
                scenario=msgspec.structs.replace(probe.scenario, steps=[renumbered]),
                trials=(trial,),
            )
            answered = (await self._sender.send(one, timeout_ms=self._timeout_ms)).answered
            observed = [each for answer in answered for each in self._observer.observe(answer)]
            is_shown = any(each.kind == finding.kind for each in observed)
            seen = answered[-1].delivery.id if is_shown else seen
            return is_shown

        kept = self._valid.places(step, trial)
        shrunk = await shrink(step, shows, most=_MOST_TRIES, kept=kept)
        if not seen:
            return None
        return msgspec.structs.replace(
            smallest,
            delivery=seen,
            shown=phrases.shown(trial.field, trial.what, shrunk),
            scenario=_text(probe, [shrunk], finding.title),
        )


def with_scenario(finding: Finding, probe: Probe, valid: Probe | None) -> Smallest:
    """The smallest request of a finding with the text of a scenario that sends it again.

    `valid` is a valid request, to send behind one that takes a receiver down.
    """
    smallest = finding.smallest
    step, _ = _of_step(probe, smallest.step)
    steps = [*probe.scenario.steps] if is_whole(probe) else [step]
    if finding.kind == "down" and valid is not None:
        steps += valid.scenario.steps
    return msgspec.structs.replace(smallest, scenario=_text(probe, steps, finding.title))


def _of_step(probe: Probe, name: str) -> tuple[Step, Trial]:
    number = next(number for number, trial in enumerate(probe.trials) if trial.step == name)
    return probe.scenario.steps[number], probe.trials[number]


def _text(probe: Probe, steps: Sequence[Step], title: str) -> str:
    """The text of a scenario file; empty where it is too long to be kept."""
    text = scenario.spelled(msgspec.structs.replace(probe.scenario, name=title, steps=[*steps]))
    return text if len(text) <= _LONGEST else ""
