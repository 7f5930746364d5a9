"""`log`: the deliveries and runs of a workspace, on the command line.

list_.py      deliveries or runs, each on a line
show.py       one delivery or run, with all its evidence
prune.py      deletes runs
upkeep.py     pins runs, and makes the index anew
init.py       makes the tables of a log in PostgreSQL
push.py       brings run files into a log in PostgreSQL
shapes.py     what `--format json` writes
table.py      rows in columns
names.py      finds the run that a word names

`log export` is `export`.
"""

from __future__ import annotations

import click

from retailops_sandbox.cli.groups import LazyGroup

_MODULES = {
    "list": "retailops_sandbox.cli.log.list_",
    "show": "retailops_sandbox.cli.log.show",
    "export": "retailops_sandbox.cli.export",
    "prune": "retailops_sandbox.cli.log.prune",
    "pin": "retailops_sandbox.cli.log.upkeep:pin",
    "unpin": "retailops_sandbox.cli.log.upkeep:unpin",
    "reindex": "retailops_sandbox.cli.log.upkeep:reindex",
    "init": "retailops_sandbox.cli.log.init",
    "push": "retailops_sandbox.cli.log.push",
}


@click.group("log", cls=LazyGroup, modules=_MODULES)
def command() -> None:
    """The deliveries and runs of a workspace: what was sent, and what came back."""
