"""Where reports go: checked before anything is sent, written when the run has ended."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from retailops_sandbox import errors
from retailops_sandbox.errors import FileError, UsageError
from retailops_sandbox.workspace.files import check_writable, checked, write_atomically


class Reports(msgspec.Struct, frozen=True, kw_only=True):
    """The reports that are asked for, each with its file."""

    junit_xml: Path | None = None
    report_json: Path | None = None
    report_html: Path | None = None

    def options(self) -> dict[str, Path]:
        """Those that are asked for, by the option that does."""
        given = {f"--{name.replace('_', '-')}": getattr(self, name) for name in self.__struct_fields__}
        return {option: file for option, file in given.items() if file is not None}

    def check(self) -> None:
        """UsageError or FileError for what would come to light only when the run is over."""
        asked = self.options()
        seen: dict[str, str] = {}
        for option, file in asked.items():
            real = os.path.realpath(file)
            if real in seen:
                raise UsageError(f"{seen[real]} and {option} both name {file}", mend="name two files")
            seen[real] = option
        for file in asked.values():
            _check(file)


def _check(file: Path) -> None:
    # What is there and no file is written in place, anything else replaced in its folder.
    check_writable(file, file if is_special(file) else Path(os.path.realpath(file)).parent)


def is_special(path: Path) -> bool:
    """Whether a path is there and neither a file nor a folder: a device or a pipe, written in place."""
    return checked(Path.exists, path) and not path.is_file() and not path.is_dir()


def write(file: Path, text: str) -> None:
    """Write a report, a link's target where it is one; FileError where that fails."""
    try:
        if is_special(file):
            file.write_text(text, encoding="utf-8")
        else:
            write_atomically(Path(os.path.realpath(file)), text)
    except OSError as error:
        raise unwritable(file, error) from error


def unwritable(file: Path, error: OSError) -> FileError:
    """The error of a report that cannot be written."""
    return errors.unwritable(file, error)
