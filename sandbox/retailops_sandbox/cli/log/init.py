"""`log init`: makes the tables of a log in a PostgreSQL database."""

from __future__ import annotations

import click

from retailops_sandbox.cli.log.names import shared_workspace
from retailops_sandbox.cli.options import log_options
from retailops_sandbox.cli.output import complain, say
from retailops_sandbox.runlog.opening import make_tables


@click.command("init")
@log_options
def command(workspace: str | None) -> None:
    """Make the tables of a log in the PostgreSQL database of --log, or bring them up to date.

    What is there stays. Run again, it changes nothing.
    """
    place = shared_workspace(workspace).log_place
    done = make_tables(place)
    if not done.before:
        say(f"made the tables of a log in {place}")
    elif done.before != done.after:
        say(f"brought the tables of the log in {place} up to date, from {done.before} to {done.after}")
    else:
        say(f"the tables of the log in {place} are up to date")
    if done.mended:
        say(f"rows that were restored from another server, and are of this one now: {done.mended:,}")
    if not done.has_text_index:
        complain(
            "note: without the extension pg_trgm a search for text reads one delivery after the other"
            " (have it made by CREATE EXTENSION pg_trgm, and run log init again)"
        )
