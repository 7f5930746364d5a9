"""`serve`: serves the browser application."""

from __future__ import annotations

import os
from pathlib import Path

import click

from retailops_sandbox.cli.log.names import log_of
from retailops_sandbox.cli.log.prune import pruned_lines
from retailops_sandbox.cli.log_level import diagnosing, log_level_option
from retailops_sandbox.cli.options import current_settings, found_workspace, log_options
from retailops_sandbox.cli.output import complain, note, say
from retailops_sandbox.runlog.retention import Pruned, Retention


@click.command("serve")
@log_options
@click.option("--host", metavar="ADDRESS", help="The address to listen at; 127.0.0.1 unless told.")
@click.option(
    "--port", type=click.IntRange(0, 65535), metavar="N", help="8080 unless told, 0 for a free one."
)
@click.option(
    "--open", "files", multiple=True, metavar="FILE", help="Show this run file, too; only to be looked at."
)
@click.option("--token", metavar="TOKEN", help="What a browser must show; needed unless loopback.")
@log_level_option
def command(
    workspace: str | None,
    host: str | None,
    port: int | None,
    files: tuple[str, ...],
    token: str | None,
    log_level: str | None,
) -> None:
    """Serve the browser application, with the stand-in receiver beside it."""
    import asyncio

    from retailops_sandbox.web.serve import serve

    chosen = current_settings()
    folder = found_workspace(workspace)

    log = log_of(folder)
    kept = Retention(chosen.keep_runs, chosen.keep_days)
    if folder.database and kept.is_any:
        note("keep-runs and keep-days delete nothing: from a shared log only `log prune` does")
        kept = Retention()
    opened = {file: log.open(Path(file), file) for file in files}

    def on_ready(address: str, stand_in: str) -> None:
        say(f"RetailOPS sandbox: {address}  (Ctrl-C ends it)")
        say(f"stand-in receiver: {stand_in}")
        if folder.database:
            say(f"log:               {folder.log_place}")
        say(f"workspace:         {folder.root}", flush=not opened)
        for file, run in opened.items():
            say(f"opened:            {file}: {address}runs/{run}", flush=True)

    def on_pruned(pruned: Pruned) -> None:
        # Deleted runs are always reported, as nobody asked for pruning; nothing is printed where none was.
        if pruned.removed:
            for line in pruned_lines(pruned):
                say(line, flush=True)
        if pruned.problems:
            more = f" (and {len(pruned.problems) - 1} more like this)" if len(pruned.problems) > 1 else ""
            complain(f"error: {pruned.problems[0]}{more}")

    serving = serve(
        folder,
        log,
        host=host or chosen.host,
        port=chosen.port if port is None else port,
        token=token or chosen.token,
        environment=os.environ,
        secret_env=chosen.secret_env,
        diagnosing=lambda redact: diagnosing(log_level, redact, folder),
        on_ready=on_ready,
        on_unwritable=lambda error: complain(f"warning: nothing can be sent until it can be logged: {error}"),
        notice=note,
        retention=kept,
        on_pruned=on_pruned,
    )
    asyncio.run(serving)
