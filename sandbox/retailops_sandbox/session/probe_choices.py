"""What is probed, where a face does not say all of it: the contract, the fixtures, the areas."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from random import Random

from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.errors import UsageError, did_you_mean
from retailops_sandbox.model import DEFAULT_ACTION, Json, Receiver
from retailops_sandbox.probe.orders import OrderIds
from retailops_sandbox.probe.probes import AREAS, SENT_AREAS, Area
from retailops_sandbox.probe.report import ProbeReport
from retailops_sandbox.scenarios.scenario import Plan
from retailops_sandbox.session.collect import read_plans
from retailops_sandbox.session.fitting import editions_of
from retailops_sandbox.workspace.workspace import Workspace


def contract(
    workspace: Workspace,
    receiver: Receiver,
    variables: Mapping[str, Json],
    environment: Mapping[str, str],
    action: str = "",
    edition: str = "",
) -> Contract:
    """The contract of an action and edition; those of the receiver's URL and token where none are named."""
    contracts = workspace.contracts
    speaks = editions_of(receiver, variables, environment, contracts)
    wanted = action or speaks.action or DEFAULT_ACTION
    return contracts.load(wanted, edition or speaks.edition_of(wanted, contracts))


def fixtures(workspace: Workspace, agreed: Contract, first: str = "") -> tuple[str, ...]:
    """The names of a contract's fixtures, the one to begin with first; UsageError without that one."""
    names = [each.name for each in workspace.fixtures(agreed.action, agreed.edition)]
    if first and first not in names:
        known = f"there are {', '.join(names)}" if names else ""
        raise UsageError(
            f"there is no fixture {first!r} of {agreed.action} {agreed.edition}",
            mend=did_you_mean(first, names) or known,
        )
    return tuple(sorted(names, key=lambda name: name != (first or "default")))


def areas(only: Collection[Area]) -> tuple[Area, ...]:
    """The areas to try: those that are named, else all. What the answers show comes with every request."""
    if unknown := sorted(set(only) - set(SENT_AREAS)):
        raise UsageError(f"there is no area {unknown[0]!r} to try", mend=f"there are {', '.join(SENT_AREAS)}")
    return tuple(each for each in AREAS if not only or each in only or each not in SENT_AREAS)


def orders(given: str) -> str:
    """A range of order ids: the one that is given, else a fresh one, whatever the seed.

    The ids that come of a seed alone would be those of an earlier probe, which the receiver knows by now.
    """
    return given or str(OrderIds.drawn(Random()))


def comparable(report: ProbeReport, agreed: Contract, file: str) -> ProbeReport:
    """The report of a file, if it is of the same contract; else UsageError."""
    if (report.action, report.edition) != (agreed.action, agreed.edition):
        raise UsageError(
            f"{file} is of {report.action} {report.edition}, and {agreed.action} {agreed.edition} is probed",
            mend="give the report of a probe of the same contract",
        )
    return report


def shipped_plans() -> Sequence[Plan]:
    """The scenarios that ship."""
    shipped = Workspace.shipped()
    files, _ = shipped.scenarios_to_run()
    plans, _ = read_plans(files, shipped.scenario_id)
    return plans
