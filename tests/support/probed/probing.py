"""A probe of a receiver as the command line makes it, in this process."""

from __future__ import annotations

from pathlib import Path

from retailops_sandbox.engine import Options
from retailops_sandbox.model import Receiver
from retailops_sandbox.probe.probes import AREAS, Area
from retailops_sandbox.probe.probing import ProbeOptions
from retailops_sandbox.probe.report import ProbeReport
from retailops_sandbox.redaction import SecretPolicy
from retailops_sandbox.session.probing import ProbeSetup, execute
from retailops_sandbox.workspace.workspace import Workspace
from tests.support.probed.receiving import TOKEN


def probe(
    url: str,
    folder: Path,
    *,
    action: str = "order_cancel",
    edition: str = "v1",
    token: str = TOKEN,
    areas: tuple[Area, ...] = AREAS,
    max_requests: int | None = None,
    max_seconds: float = 90.0,
    provider_ms: int = 15_000,
    seed: int = 16,
) -> ProbeReport:
    """The report of a probe with the shipped fixtures. `folder` is where the log goes."""
    workspace = Workspace(folder)
    environment = {"PROBED_TOKEN": token}
    receiver = Receiver(name="probed", base_url=url, token="${env:PROBED_TOKEN}")
    names = [each.name for each in workspace.fixtures(action, edition)]
    setup = ProbeSetup(
        workspace=workspace,
        contract=workspace.contracts.load(action, edition),
        options=Options(receiver=receiver),
        probe=ProbeOptions(
            fixtures=tuple(sorted(names, key=lambda name: name != "default")),
            areas=areas,
            seed=seed,
            max_requests=max_requests,
            max_seconds=max_seconds,
            provider_ms=provider_ms,
        ),
        environment=environment,
        policy=SecretPolicy(environment, receivers=[receiver], named=()),
    )
    return execute(setup, lambda progress: None).report
