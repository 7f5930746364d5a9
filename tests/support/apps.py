"""The web application in this process, for tests of its pages that send nothing."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from retailops_sandbox import resources
from retailops_sandbox.engine import DeliveryLog, Transport
from retailops_sandbox.runlog.ports import Log
from retailops_sandbox.standin import StandIn
from retailops_sandbox.web import serve
from retailops_sandbox.web.app import Application, create_app
from retailops_sandbox.web.shell.context import AppContext
from retailops_sandbox.web.shell.pages import Pages
from retailops_sandbox.workspace.workspace import Workspace


def context_of(folder: Path, log: Log | None = None) -> AppContext:
    """The state of a process that serves a workspace, without what it would send and write with."""
    nothing = object()
    return AppContext(
        Workspace(folder),
        transport=cast(Transport, nothing),
        writer=cast(DeliveryLog, nothing),
        environment={},
        secret_env=(),
        stand_in=StandIn(),
        stand_in_url="http://127.0.0.1:9",
        log=log,
    )


def app_of(folder: Path, log: Log | None = None) -> Application:
    """The application of a workspace, without what it would send and write with."""
    context = context_of(folder, log)
    pages = Pages(resources.templates_dir(), Path(serve.__file__).with_name("static"))
    return create_app(context, pages)
