"""`--log-level`: diagnostics on standard error."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

import click

from retailops_sandbox import composing
from retailops_sandbox.cli.options import Command, here
from retailops_sandbox.cli.output import complain
from retailops_sandbox.errors import ComposeError
from retailops_sandbox.redaction import SecretPolicy, Secrets
from retailops_sandbox.workspace import settings
from retailops_sandbox.workspace.workspace import Workspace

if TYPE_CHECKING:
    from retailops_sandbox.engine import Options

_LEVELS = ("debug", "info", "warning", "error")


def log_level_option(command: Command) -> Command:
    """`--log-level`."""
    return click.option(
        "--log-level",
        type=click.Choice(_LEVELS),
        help="Say on standard error what is done, from this level on; nothing unless given.",
    )(command)


def known_secrets(options: Options, environment: Mapping[str, str], policy: SecretPolicy) -> Secrets:
    """The secrets of sends with these options that are known before any step."""
    receiver = options.receiver
    names = composing.Names(given=options.variables, environment=environment, receiver=receiver.variables)
    try:
        return policy.secrets(receiver, composing.resolve(receiver, names))
    except ComposeError:
        # Scenarios fill its placeholders. The steps' own redaction knows the secrets that result.
        return policy.secrets(receiver)


@contextlib.contextmanager
def diagnosing(level: str | None, redact: Callable[[str], str], workspace: Workspace) -> Iterator[None]:
    """Show diagnostics of the block if a level is given, starting with where workspace and settings are."""
    if level is None:
        yield
        return
    from retailops_sandbox import diagnostics

    with diagnostics.shown(level, complain, redact):
        logger = diagnostics.logger(__name__)
        logger.info("workspace: %s", workspace.root)
        for place in settings.places(os.environ, here()):
            logger.info("settings: %s", place)
        yield
