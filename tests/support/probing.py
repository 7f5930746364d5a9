"""Probes of the receivers of `tests.support.probed`, without a browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from retailops_sandbox.engine import Options
from retailops_sandbox.model import Receiver
from retailops_sandbox.probe.probing import ProbeOptions, ProbeProgress
from retailops_sandbox.redaction import SecretPolicy
from retailops_sandbox.session import probing
from retailops_sandbox.session.probing import FinishedProbe, ProbeSetup
from retailops_sandbox.workspace.workspace import Workspace
from tests.support.probed.receiving import TOKEN

ACTION, EDITION = "order_cancel", "v1"


def setup(url: str, root: Path, *, token: str = TOKEN, protected: bool = False, **probe: Any) -> ProbeSetup:
    """The probe of a receiver of order_cancel v1 with the shipped fixtures."""
    workspace = Workspace(root)
    receiver = Receiver(name="mine", base_url=url, token=token, protected=protected)
    fixtures = tuple(each.name for each in workspace.fixtures(ACTION, EDITION))
    return ProbeSetup(
        workspace=workspace,
        contract=workspace.contracts.load(ACTION, EDITION),
        options=Options(receiver=receiver),
        probe=ProbeOptions(**{"fixtures": fixtures, "seed": 1, **probe}),
        environment={},
        policy=SecretPolicy({}, receivers=[receiver], named=()),
    )


def probed(
    url: str, root: Path, on_progress: Callable[[ProbeProgress], None] = lambda progress: None, **probe: Any
) -> FinishedProbe:
    """A probe of a receiver, to its end."""
    return probing.execute(setup(url, root, **probe), on_progress)
