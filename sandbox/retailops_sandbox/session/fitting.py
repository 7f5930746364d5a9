"""Which scenarios a receiver can answer: those of its editions, and of the action of its URL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from retailops_sandbox import composing
from retailops_sandbox.composing.editions import SpokenEditions, spoken
from retailops_sandbox.contracts.catalogue import Contracts
from retailops_sandbox.errors import SandboxError
from retailops_sandbox.model import Json, Receiver
from retailops_sandbox.scenarios.scenario import Plan


class Fitting(msgspec.Struct, frozen=True):
    """The plans of some that a receiver can answer."""

    plans: Sequence[Plan]
    others: tuple[str, ...]
    """What those are of that are left out: editions, or other actions."""
    left_out: int
    speaks: SpokenEditions

    @property
    def line(self) -> str:
        """What is left out, and why, in one line; empty where nothing is."""
        if not self.left_out:
            return ""
        scenarios = f"{self.left_out:,} scenario{'' if self.left_out == 1 else 's'}"
        return (
            f"left out: {scenarios} of {' and '.join(self.others)}, because the receiver {self.speaks.words}"
        )


def fitting(plans: Sequence[Plan], speaks: SpokenEditions) -> Fitting:
    """The plans all of whose steps a receiver can answer, as far as is known."""
    # Thousands of plans are of few contracts.
    said = [tuple(plan.scenario.contracts) for plan in plans]
    each = set(said)
    others = {edition for names in each for _, edition in names if not speaks.includes(edition)}
    spoken = {names for names in each if others.isdisjoint(edition for _, edition in names)}
    fit = {
        names for names in spoken if not speaks.action or {action for action, _ in names} == {speaks.action}
    }
    kept = plans if fit == each else [plan for plan, names in zip(plans, said, strict=True) if names in fit]
    of = (*sorted(others), *(("other actions",) if fit != spoken else ()))
    return Fitting(kept, of, len(plans) - len(kept), speaks)


def editions_of(
    receiver: Receiver,
    variables: Mapping[str, Json],
    environment: Mapping[str, str],
    contracts: Contracts,
) -> SpokenEditions:
    """The editions that a receiver speaks, with its placeholders filled as far as they can be."""
    names = composing.Names(given=variables, environment=environment, receiver=receiver.variables)
    try:
        receiver = composing.resolve(receiver, names)
    except SandboxError:
        # A send says what is missing; the URL as it is written may still tell the edition.
        return spoken(receiver, contracts)
    return spoken(receiver, contracts)
