"""Confirms which request a fault comes from: it is sent again alone, and a valid one behind it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias

import msgspec

from retailops_sandbox.probe.observing import Answered
from retailops_sandbox.probe.probes import Probe
from retailops_sandbox.probe.sending import AWAY, Sender, fault_kind, is_accepted, is_crash

PAUSES = (0.05, 0.1, 0.2, 0.5, 1.0, 1.0, 1.0, 1.0, 1.0)
"""Seconds before each look whether a receiver that went down is back."""
_ENOUGH = 2
"""After so many confirmations of a kind of change, further faults of it are believed: each may take long."""

_Shown: TypeAlias = Literal["fault", "down"]


class Confirmed(msgspec.Struct, frozen=True, kw_only=True):
    """What came of looking into faults."""

    answered: Sequence[Answered] = ()
    """What is to be observed in their place."""
    is_answered: bool = False
    """Whether a request that met a fault was answered when it was sent again."""
    is_gone: bool = False
    """Whether the receiver answers no valid request any more."""


class Confirmation:
    """Looks into the faults of one probe."""

    def __init__(self, sender: Sender, valid: Callable[[], Probe]) -> None:
        """`valid` makes a valid request as a check, about another order each time where that is possible."""
        self._sender = sender
        self._valid = valid
        self._seen: Counter[tuple[_Shown, str]] = Counter()
        """How often what a fault shows was confirmed, by kind of change."""

    async def of_fault(self, suspect: Answered, before: Answered | None) -> Confirmed:
        """What comes of a trial that met a fault; `before` is the last one that was answered before it."""
        trouble = await self._trouble()
        if trouble is not None and not await self._is_back():
            return self._gone(suspect, trouble)
        if self._is_known(suspect, trouble):
            return Confirmed(answered=[suspect if trouble is None else _behind(suspect, trouble)])
        seen = None
        if before is not None and fault_kind(suspect) in AWAY:
            # What takes a receiver down may be answered, and only the next request finds nobody.
            seen = await self._again(before)
        if seen is None or not seen.trial.is_check:
            seen = await self._again(suspect)
        if seen is None:
            return Confirmed()
        is_answered = not fault_kind(seen) and not seen.trial.is_check
        is_gone = not is_accepted(seen) and not await self._is_back() and not self._sender.is_stopped
        return Confirmed(answered=[seen], is_answered=is_answered, is_gone=is_gone)

    async def of_crash(self, suspect: Answered, before: Answered | None) -> Confirmed:
        """What comes of a 5xx: perhaps the trial before it left the receiver in a bad state."""
        if self._seen["fault", suspect.trial.what] >= _ENOUGH:
            return Confirmed(answered=[suspect])
        seen = await self._again(suspect)
        if seen is None or is_crash(seen):
            self._seen["fault", suspect.trial.what] += 1
        elif before is not None:
            seen = await self._again(before)
        if seen is None or not seen.trial.is_check:
            return Confirmed(answered=[suspect])
        is_gone = not await self._is_back() and not self._sender.is_stopped
        return Confirmed(answered=[seen], is_gone=is_gone)

    async def of_check(self, failed: Answered, candidates: Sequence[Answered]) -> Confirmed:
        """What comes of a valid request that was not accepted: which of the trials before it did that."""
        if await self._trouble() is not None and not await self._is_back():
            return self._gone(candidates[-1] if candidates else failed, failed)
        for candidate in sorted(candidates, key=lambda each: -self._seen["down", each.trial.what]):
            seen = await self._again(candidate)
            if seen is None:
                return Confirmed()
            if seen.trial.is_check:
                is_gone = not await self._is_back() and not self._sender.is_stopped
                return Confirmed(answered=[seen], is_gone=is_gone)
        # Whatever came before, it is a valid request that was not accepted.
        trial = msgspec.structs.replace(failed.trial, is_check=False)
        return Confirmed(answered=[msgspec.structs.replace(failed, trial=trial)])

    async def of_receiver(self) -> Confirmed:
        """What comes of a fault that is told as it is: whether valid requests are answered after it."""
        is_gone = await self._trouble() is not None and not await self._is_back()
        return Confirmed(is_gone=is_gone and not self._sender.is_stopped)

    async def _again(self, suspect: Answered) -> Answered | None:
        """Send a trial again, and a valid request behind it.

        Returns the answer to the trial, or that to the valid request where it is not accepted; None where the
        probe was stopped.
        """
        probe = alone(suspect, self._valid())
        # Apart, because the engine skips what follows a fault.
        sent = [
            *(await self._sender.send(probe, last=1)).answered,
            *(await self._sender.send(probe, first=1)).answered,
        ]
        if len(sent) < 2 or self._sender.is_stopped:
            return None
        first, check = sent[0], sent[-1]
        # Where a request hangs, the next one may have to wait for it: that is the same cause.
        if is_accepted(check) or fault_kind(first) == "deadline":
            self._seen["fault", first.trial.what] += bool(fault_kind(first))
            return first
        self._seen["down", first.trial.what] += 1
        return check

    def _is_known(self, suspect: Answered, trouble: Answered | None) -> bool:
        shown: _Shown = "fault" if trouble is None else "down"
        return fault_kind(suspect) not in AWAY and self._seen[shown, suspect.trial.what] >= _ENOUGH

    def _gone(self, culprit: Answered, trouble: Answered) -> Confirmed:
        told = culprit if fault_kind(culprit) == "deadline" else _behind(culprit, trouble)
        return Confirmed(answered=[told], is_gone=not self._sender.is_stopped)

    async def _trouble(self) -> Answered | None:
        """The answer to a valid request; None where it is accepted."""
        answered = (await self._sender.send(self._valid())).answered
        return None if not answered or is_accepted(answered[-1]) else answered[-1]

    async def _is_back(self) -> bool:
        """Wait until a valid request is accepted again; False where that takes too long."""
        for pause in PAUSES:
            if await self._trouble() is None:
                return not self._sender.is_stopped
            await self._sender.pause(pause)
        return False


def alone(suspect: Answered, valid: Probe) -> Probe:
    """A probe of the step of one trial alone, and a valid request behind it."""
    probe = suspect.probe
    step = next(each for each in probe.scenario.steps if each.name == suspect.trial.step)
    scenario = msgspec.structs.replace(probe.scenario, steps=[step, *valid.scenario.steps])
    return msgspec.structs.replace(probe, scenario=scenario, trials=(suspect.trial, *valid.trials))


def _behind(culprit: Answered, check: Answered) -> Answered:
    """The answer to a valid request, told as the one behind a trial."""
    probe = msgspec.structs.replace(culprit.probe, trials=(culprit.trial, check.trial))
    return msgspec.structs.replace(check, probe=probe)
