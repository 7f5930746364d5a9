"""The program's commands. A module for each, named like it, holds it as `command` and is imported when the
command is used, so that `run` starts fast."""

from __future__ import annotations

import errno
import io
import sys
from typing import Any

import click

from retailops_sandbox import __version__
from retailops_sandbox.cli.groups import LazyGroup
from retailops_sandbox.cli.output import complain, is_text
from retailops_sandbox.errors import SandboxError
from retailops_sandbox.runlog.place import without_passwords
from retailops_sandbox.session.streams import give_up, write_out

_MODULES = {
    "serve": "retailops_sandbox.cli.serve",
    "run": "retailops_sandbox.cli.run",
    "merge": "retailops_sandbox.cli.merge",
    "send": "retailops_sandbox.cli.send",
    "check": "retailops_sandbox.cli.check",
    "probe": "retailops_sandbox.cli.probe",
    "load": "retailops_sandbox.cli.load",
    "import": "retailops_sandbox.cli.import_",
    "record": "retailops_sandbox.cli.record",
    "log": "retailops_sandbox.cli.log",
    "export": "retailops_sandbox.cli.export",
    "init": "retailops_sandbox.cli.init",
    "receiver": "retailops_sandbox.cli.receiver",
    "schema": "retailops_sandbox.cli.schema",
    "contract": "retailops_sandbox.cli.contract",
}
"""Each command's module, in the order of `--help`."""


class _Commands(LazyGroup):
    """Runs `serve` where no command is named; shows a user's mistake as one line, with exit code 2."""

    def main(self, *args: Any, **extra: Any) -> Any:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                # A character that the terminal cannot show must not end a run.
                stream.reconfigure(errors="replace")
        try:
            return super().main(*args, **extra)
        except OSError as error:
            if error.errno != errno.ENOSPC or error.filename is not None:
                raise
            give_up(sys.stdout, error)  # --help, which the framework prints
            sys.exit(2)
        finally:
            write_out("", flush=True)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        for each in args:
            if not is_text(each):
                complain(f"error: the argument {each!r} is not UTF-8")
                ctx.exit(2)
        if not args or (args[0].startswith("-") and args[0] not in ("--help", "--version", "-h")):
            args = ["serve", *args]
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except SandboxError as error:
            complain(f"error: {without_passwords(str(error))}")
            ctx.exit(2)
        except click.UsageError as error:
            # It names the argument that it does not know, and that may be the URL of a log.
            raise click.UsageError(without_passwords(error.format_message()), error.ctx) from error
        except KeyboardInterrupt:
            ctx.exit(130)


@click.group(cls=_Commands, modules=_MODULES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="retailops-sandbox")
def main() -> None:
    """Impersonates RetailOPS: calls your receiver, and judges its answers.

    Without a command it serves the browser application.
    """
