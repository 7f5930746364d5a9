"""Links that lead out of a folder, which are not followed."""

from __future__ import annotations

import os
from pathlib import Path

from retailops_sandbox.errors import FileError


def leads_out(path: Path, folder: Path) -> bool:
    """Whether a link on the way to a path leads out of a folder."""
    inside = os.path.join(os.path.realpath(folder), "")
    return not os.path.join(os.path.realpath(path), "").startswith(inside)


def link_error(path: Path) -> FileError:
    """The error of a link that is not followed."""
    return FileError(
        f"is not read: a link leads out of the folder, to {os.path.realpath(path)}",
        mend="put a copy in its place",
        file=str(path),
    )
