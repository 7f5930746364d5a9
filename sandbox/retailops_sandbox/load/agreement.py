"""What a master and its workers have in common: they send the same, to the same receiver."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import msgspec

from retailops_sandbox import __version__
from retailops_sandbox.engine import Sources
from retailops_sandbox.load.setup import LoadSetup
from retailops_sandbox.scenarios.scenario import Plan


class Agreement(msgspec.Struct, frozen=True):
    """What must be the same in each process of a load test; of long things a digest."""

    version: str
    """That of this program."""
    receiver: str
    """The receiver's URL, without what is secret."""
    scenarios: str
    """Of the files' texts, wherever they are."""
    fixtures: str
    """Of the payloads and expectations that steps take from fixtures."""
    contracts: str
    options: str
    """Of the variables and the time-out."""

    def to_message(self) -> dict[str, Any]:
        """The agreement as a message to the master holds it."""
        message: dict[str, Any] = msgspec.to_builtins(self)
        return message

    @classmethod
    def from_message(cls, message: Any) -> Agreement:
        """The agreement of a worker's message; ValidationError where it is none of this version."""
        return msgspec.convert(message, cls)

    def refusal(self, worker: Agreement) -> str:
        """Why a worker cannot take part in this master's test; empty where it can."""
        if worker.version != self.version:
            return f"it has version {worker.version} of this program, and the master has {self.version}"
        found = []
        if worker.receiver != self.receiver:
            found.append(f"it sends to {worker.receiver}, and the master's test is of {self.receiver}")
        words = {"options": "--var and --timeout"}
        names = ("scenarios", "fixtures", "contracts", "options")
        other = [words.get(name, name) for name in names if getattr(worker, name) != getattr(self, name)]
        if other:
            listed = " and ".join(filter(None, (", ".join(other[:-1]), other[-1])))
            found.append(f"its {listed} differ from the master's")
        return "; ".join(found)


def agreement(setup: LoadSetup, receiver: str, sources: Sources) -> Agreement:
    """What the process of this setup does; `receiver` is its receiver's URL for people.

    Raises SandboxError for a fixture or a contract that cannot be read.
    """
    plans = setup.plans
    contracts = {each for plan in plans for each in plan.scenario.contracts}
    return Agreement(
        version=__version__,
        receiver=receiver,
        scenarios=_digest(plan.text.replace("\r\n", "\n") for plan in plans),
        fixtures=_digest(_fixtures(plans, sources)),
        contracts=_digest(repr(sources.contracts.load(*each)) for each in contracts),
        options=_digest([repr((sorted(setup.variables.items()), setup.timeout_ms))]),
    )


def _fixtures(plans: Iterable[Plan], sources: Sources) -> set[str]:
    used = {
        (*plan.scenario.contract_of(step), step.fixture)
        for plan in plans
        for step in plan.scenario.steps
        if step.fixture is not None
    }
    found = set()
    for action, edition, name in used:
        expected = sources.cases.expectation(action, edition, name)
        payload = sources.cases.payload(action, edition, name).payload
        found.add(repr((action, edition, name, payload, expected and expected.expectation)))
    return found


def _digest(texts: Iterable[str]) -> str:
    return hashlib.sha256(repr(sorted(texts)).encode("utf-8", "surrogatepass")).hexdigest()[:16]
