"""Printing, also where standard output or standard error cannot be written any more."""

from __future__ import annotations

import sys
from collections.abc import Mapping

import click

from retailops_sandbox.foreign_text import in_json, in_line, without_commands
from retailops_sandbox.session.streams import give_up, write_out


def say(text: str, *, flush: bool = False) -> None:
    """Print a line, whatever others wrote into it."""
    write_out(in_line(text) + "\n", flush=flush)


def show(line: str) -> None:
    """Print a line that was put together of visible texts, perhaps in colour."""
    write_out(without_commands(line) + "\n")


def write_json(document: bytes) -> None:
    """Print a JSON document in a line."""
    write_out(in_json(document.decode()) + "\n")


def complain(text: str) -> None:
    """Print one line to standard error."""
    try:
        click.echo(in_line(text), err=True)
    except OSError as error:
        give_up(sys.stderr, error)


def note(text: str) -> None:
    """Print a line to standard error that is no error."""
    complain(f"note: {text}")


def is_github(environment: Mapping[str, str]) -> bool:
    """Whether this runs in GitHub Actions."""
    return environment.get("GITHUB_ACTIONS") == "true"


def is_text(text: str) -> bool:
    """Whether the text can be encoded as UTF-8: arguments from the system may not be."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
