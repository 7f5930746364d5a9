"""`receiver`: runs the stand-in alone."""

from __future__ import annotations

import asyncio
import os

import click

from retailops_sandbox.cli.options import here, workspace_option
from retailops_sandbox.cli.output import say
from retailops_sandbox.errors import UsageError
from retailops_sandbox.workspace.workspace import Workspace


@click.command("receiver")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=8081, show_default=True)
@workspace_option
def command(host: str, port: int, workspace: str | None) -> None:
    """Run the stand-in receiver alone. It proves nothing about yours."""

    from retailops_sandbox.standin import StandIn
    from retailops_sandbox.standin.careless import CARELESS

    found = Workspace.find(workspace, os.environ, here())

    async def listen() -> None:
        stand_in = StandIn(lambda: found.contracts)
        address = await stand_in.start(host, port)
        say(f"stand-in receiver: {address}  (Ctrl-C ends it)")
        say(f"it answers {', '.join(stand_in.actions)}")
        say("under /careless/MODE it is wrong in one way, to try a probe with:")
        for mode, each in CARELESS.items():
            say(f"  {mode:20} {each.what}")
        say(f"{address}/ lists what else it does", flush=True)
        try:
            await asyncio.Event().wait()
        finally:
            await stand_in.stop()

    try:
        asyncio.run(listen())
    except OSError as error:
        raise UsageError(
            f"cannot listen at {host}:{port}: {error.strerror}", mend="choose another --port"
        ) from error
