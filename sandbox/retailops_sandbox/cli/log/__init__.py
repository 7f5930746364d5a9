"""`log`: what was sent, on the command line.

list_.py      deliveries or runs, each in a line
show.py       one of them, with all there is
prune.py      which runs go
upkeep.py     pins and summaries
shapes.py     what `--format json` writes
names.py      the run that a word means

`log export` is `export`.
"""

from __future__ import annotations

import click

from retailops_sandbox.cli.lazy import LazyGroup

_MODULES = {
    "list": "retailops_sandbox.cli.log.list_",
    "show": "retailops_sandbox.cli.log.show",
    "export": "retailops_sandbox.cli.export",
    "prune": "retailops_sandbox.cli.log.prune",
    "pin": "retailops_sandbox.cli.log.upkeep:pin",
    "unpin": "retailops_sandbox.cli.log.upkeep:unpin",
    "reindex": "retailops_sandbox.cli.log.upkeep:reindex",
}


@click.group("log", cls=LazyGroup, modules=_MODULES)
def command() -> None:
    """The deliveries and runs of a workspace: what was sent, and what came back."""
