"""The receiver and URLs that a run would go to."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from retailops_sandbox import composing
from retailops_sandbox.model import Receiver
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
        context.target(receiver, plan.scenario.action, plan.scenario.edition, plan.scenario.variables)
        for plan in _different(receiver, plans)
    ]
    if not targets:
        targets = [context.default_target(receiver)]
    urls = tuple(dict.fromkeys(target.url for target in targets))
    # A problem of some scenarios only is no problem of the run: their results will say why.
    problems = [target.problem for target in targets]
    return Target(receiver, urls, problems[0] if all(problems) else "")


def _different(receiver: Receiver, plans: Sequence[Plan]) -> list[Plan]:
    """The plans that may be sent to different URLs: all, or one for each contract."""
    if any(composing.has_placeholder(text) for text in (receiver.base_url, *receiver.paths.values())):
        return list(plans)
    return list({(plan.scenario.action, plan.scenario.edition): plan for plan in plans}.values())


def for_run(receiver: Receiver) -> Receiver:
    """The receiver for the options of a run: a stand-in has no URL before it is started."""
    return msgspec.structs.replace(receiver, base_url="") if receiver.stand_in else receiver
