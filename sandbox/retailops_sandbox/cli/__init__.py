"""The command line. Each command puts the real ports together and leaves the work to the engine.

commands.py   the commands, each of which has a module here
options.py    options that several commands share, and the receiver that they choose
log_level.py  `--log-level`
job.py        from the options of `run` and `send` to a run, and its exit code
dry_run.py    the requests that would be sent
check.py      mistakes in the files of a workspace, without sending
accept.py     answers that differed, accepted into the files
screen.py     the output of a run: on a terminal, in a log, on GitHub
output.py     printing
groups.py     groups of commands: their help, and modules that are imported when they are used
log/          the commands of `log`
"""

from __future__ import annotations

import gc
import os
import sys
from importlib import import_module
from typing import Any, NoReturn


def program() -> NoReturn:
    """The installed program: runs its command and exits at once.

    The garbage collector runs rarely, as a run makes almost no reference cycles, and importing none at all.
    The process exits without the interpreter's shutdown, which takes as long as its start.
    """
    gc.set_threshold(100_000, 20, 100)
    if sys.argv[1:2] in (["run"], ["send"], ["check"]):
        # `run` leaves TLS to libcurl; asyncio with OpenSSL takes a fifth longer to import.
        _import_without("ssl", "asyncio")
        # msgspec takes from it what Python 3.11 has itself.
        _import_without("typing_extensions", "msgspec")
    from retailops_sandbox.cli.commands import main

    code: object = 0
    try:
        main()
    except SystemExit as leaving:
        code = leaving.code
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else 0 if code is None else 1)


def _import_without(absent: str, module: str) -> None:
    """Import a module that does without another one where there is none, and so in less time.

    Whoever imports the other one afterwards gets it.
    """
    if absent in sys.modules:
        return
    modules: dict[str, Any] = sys.modules
    modules[absent] = None
    import_module(module)
    del modules[absent]
