"""Groups of commands: their help, and modules that are imported when a command is used."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

_WHOLE = 1_000
"""Characters: more than any sentence has."""


class ListedGroup(click.Group):
    """A group whose help has each command's whole first sentence, which click would cut to one line."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write each command with its sentence."""
        found = ((name, self.get_command(ctx, name)) for name in self.list_commands(ctx))
        rows = [(name, each.get_short_help_str(_WHOLE)) for name, each in found if each is not None]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


class LazyGroup(ListedGroup):
    """A group that imports a command's module when the command is used."""

    def __init__(self, *args: Any, modules: Mapping[str, str] | None = None, **extra: Any) -> None:
        """`modules` has for each command, in the order of `--help`, its module, or `module:name`.

        Without a name, the command is the module's `command`.
        """
        super().__init__(*args, **extra)
        self._modules = dict(modules or {})

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._modules)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._modules:
            return None
        module, _, name = self._modules[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), name or "command")
        return command
