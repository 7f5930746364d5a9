"""The receiver and URLs that a run would go to."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from retailops_sandbox import composing
from retailops_sandbox.model import Receiver, encoder
from retailops_sandbox.scenarios.scenario import Plan
from retailops_sandbox.web.shell.context import AppContext, Target
from retailops_sandbox.web.shell.known_receivers import KnownReceivers

FRESH = "a fresh stand-in, started for the run"
"""Shown in place of a URL: each run starts a stand-in of its own, without orders of earlier runs."""


def run_target(context: AppContext, receivers: KnownReceivers, name: str, plans: Sequence[Plan]) -> Target:
    """The receiver of this name, and the URLs that a run of these scenarios would go to."""
    receiver = receivers.find(name)
    if receiver is None:
        return Target.gone(name, receivers)
    if receiver.stand_in:
        return Target(receiver, (FRESH,))
    targets = [
        context.target(receiver, *agreed, plan.scenario.variables)
        for plan, agreed in _different(receiver, plans)
    ]
    if not targets:
        targets = [context.default_target(receiver)]
    urls = tuple(dict.fromkeys(target.url for target in targets))
    # A problem of some scenarios only is no problem of the run: their results will say why.
    problems = [target.problem for target in targets]
    return Target(receiver, urls, problems[0] if all(problems) else "")


def _different(receiver: Receiver, plans: Sequence[Plan]) -> list[tuple[Plan, tuple[str, str]]]:
    """A plan and a contract of its steps, of each kind that may be sent to another URL, or may lack a value
    of the receiver."""
    each_contract = [(plan, agreed) for plan in plans for agreed in plan.scenario.contracts]
    if not any(composing.has_placeholder(text) for text in (receiver.base_url, *receiver.paths.values())):
        return list({agreed: (plan, agreed) for plan, agreed in each_contract}.values())
    names = composing.references(encoder.encode(receiver).decode())
    return list({(agreed, _values(plan, names)): (plan, agreed) for plan, agreed in each_contract}.values())


def _values(plan: Plan, names: Sequence[str]) -> bytes:
    """The variables of a plan, as far as they tell what these names stand for."""
    scenario = plan.scenario
    used = {name: scenario.variables[name] for name in names if name in scenario.variables}
    values = encoder.encode(used) if used else b""
    # Such a value refers to others.
    return encoder.encode(scenario.variables) if b"${" in values else values


def for_run(receiver: Receiver) -> Receiver:
    """The receiver for the options of a run: a stand-in has no URL before it is started."""
    return msgspec.structs.replace(receiver, base_url="") if receiver.stand_in else receiver
