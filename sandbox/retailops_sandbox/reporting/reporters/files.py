"""Checking and writing the files of reports."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from retailops_sandbox.errors import UsageError, unwritable
from retailops_sandbox.regular_files import special
from retailops_sandbox.workspace.files import check_writable, checked, write_atomically


def check(asked: Mapping[str, Path]) -> None:
    """UsageError or FileError for reports that could not be written at the end, by their options."""
    seen: dict[str, str] = {}
    for option, file in asked.items():
        real = os.path.realpath(file)
        if real in seen:
            raise UsageError(f"{seen[real]} and {option} both name {file}", mend="name two files")
        seen[real] = option
    for file in asked.values():
        _check(file)


def _check(file: Path) -> None:
    # A device or a pipe is written in place; any other file is replaced, which needs its folder writable.
    check_writable(file, file if is_special(file) else Path(os.path.realpath(file)).parent)


def is_special(path: Path) -> bool:
    """Whether a path is there and neither a file nor a folder: a device or a pipe, written in place."""
    return checked(Path.exists, path) and not path.is_file() and not path.is_dir()


def write(file: Path, text: str) -> None:
    """Write a report, to a link's target if it is a link; FileError where that fails."""
    try:
        if is_special(file):
            with open(file, "w", encoding="utf-8", opener=special) as written:
                written.write(text)
        else:
            write_atomically(Path(os.path.realpath(file)), text)
    except OSError as error:
        raise unwritable(file, error) from error
