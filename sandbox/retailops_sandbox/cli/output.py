"""Printing, also where standard output or standard error cannot be written any more."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import TextIO

import click


def say(text: str, *, end: str = "\n", flush: bool = False) -> None:
    """Print a line. Where standard output cannot be written, it is discarded and the command goes on."""
    try:
        print(text, end=end, flush=flush)
    except OSError as error:
        give_up(sys.stdout, error)


def complain(text: str) -> None:
    """Print one line to standard error."""
    from retailops_sandbox.reporting.render.lines import in_line

    try:
        click.echo(harmless(in_line(text)), err=True)
    except OSError as error:
        give_up(sys.stderr, error)


def harmless(line: str) -> str:
    """The line; in GitHub Actions without commands to the runner."""
    if not is_github(os.environ):
        return line
    from retailops_sandbox.reporting.reporters import github

    return github.harmless(line)


def is_github(environment: Mapping[str, str]) -> bool:
    """Whether this runs in GitHub Actions."""
    return environment.get("GITHUB_ACTIONS") == "true"


def give_up(stream: TextIO, error: OSError) -> None:
    """Discard further output to this stream, and say so on standard error."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
    if stream is sys.stdout and not isinstance(error, BrokenPipeError):
        complain(f"standard output cannot be written: {error.strerror}")


def is_text(text: str) -> bool:
    """Whether the text can be encoded as UTF-8: arguments from the system may not be."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
