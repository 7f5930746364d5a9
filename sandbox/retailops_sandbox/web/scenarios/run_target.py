"""Where a run would go: the receiver, the exact URLs, and whether that is what the page showed."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from retailops_sandbox import composing
from retailops_sandbox.model import Receiver
from retailops_sandbox.scenarios.scenario import Plan
from retailops_sandbox.web.shell.context import AppContext
from retailops_sandbox.web.shell.sends import unconfirmed

FRESH = "a fresh stand-in, started for the run"
"""What is shown in place of a URL: each run has its own, with its orders as new."""


class RunTarget(msgspec.Struct, frozen=True):
    """A receiver, and the exact URLs that a run of some scenarios would go to."""

    receiver: Receiver
    urls: tuple[str, ...]
    problem: str = ""
    """Why nothing can be sent there."""
    is_gone: bool = False
    """There is no receiver of that name."""

    @property
    def shown(self) -> str:
        """What a form keeps of the URLs that were shown with it."""
        return "\n".join(self.urls)


def at(context: AppContext, name: str, plans: Sequence[Plan]) -> RunTarget:
    """Where these scenarios would be sent, with the receiver of this name."""
    found = [each for each in context.receivers() if each.name == name]
    if not found:
        gone = context.receivers_problem or f"there is no receiver {name!r} any more: choose one"
        return RunTarget(Receiver(name, ""), (), gone, is_gone=True)
    receiver = found[0]
    if receiver.stand_in:
        return RunTarget(receiver, (FRESH,))
    targets = [
        context.target(receiver, plan.scenario.action, plan.scenario.edition, plan.scenario.variables)
        for plan in _different(receiver, plans)
    ]
    if not targets:
        action = context.actions()[0]
        targets = [context.target(receiver, action.name, action.editions[0])]
    urls = tuple(dict.fromkeys(target.url for target in targets))
    # One that some scenarios can reach is no problem: the others say in the results why they could not.
    problems = [target.problem for target in targets]
    return RunTarget(receiver, urls, problems[0] if all(problems) else "")


def _different(receiver: Receiver, plans: Sequence[Plan]) -> list[Plan]:
    """Those of the plans that may be sent to different URLs: one for each contract, or all."""
    if any(composing.has_placeholder(text) for text in (receiver.base_url, *receiver.paths.values())):
        return list(plans)
    return list({(plan.scenario.action, plan.scenario.edition): plan for plan in plans}.values())


def refusal(aim: RunTarget, *, shown: str, confirmed: str) -> tuple[str, str]:
    """Why nothing may be sent there yet, and the field to say it at; two empty texts where it may."""
    if aim.problem:
        return "receiver", aim.problem
    if aim.receiver.protected and confirmed != aim.receiver.name:
        return "confirmed", unconfirmed(aim.receiver)
    new = [url for url in aim.urls if url not in shown.split("\n")]
    if new:
        said = f"Nothing was sent: the URL is {new[0]} now, and the page showed {shown or 'none'}."
        return "send", f"{said} If this is the right one, run once more."
    return "", ""


def for_run(receiver: Receiver) -> Receiver:
    """The receiver as a run is told of it: a stand-in has no URL before it is started."""
    return msgspec.structs.replace(receiver, base_url="") if receiver.stand_in else receiver
