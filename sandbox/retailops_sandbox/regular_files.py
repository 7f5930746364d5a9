"""Opening, making and replacing regular files.

A pipe, a device or a socket in the place of a file is an error and never waits. What holds evidence is for
its owner alone. What a process that died left half written is deleted by the next that writes there.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import BinaryIO

PRIVATE_FILE, SHARED_FILE = 0o600, 0o666
"""Modes of new files, before the process's umask: of evidence, and of what a user names or shares."""
_PRIVATE_FOLDER = 0o700
_NEVER_WAIT = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_FOLLOW_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_ABANDONED = 300.0
"""Seconds after which a half-written file that nobody writes to is abandoned."""
_TEMPORARY = re.compile(r"\..+\.[0-9a-f]{8}\.new")


def regular(path: str | os.PathLike[str], flags: int) -> int:
    """Open a file, as an `opener` of `open`; OSError for what is no regular file."""
    try:
        descriptor = os.open(path, flags | _NEVER_WAIT, PRIVATE_FILE)
    except OSError as error:
        if error.errno == errno.ENXIO:  # A socket, or a device that is not there.
            raise _not_regular(path) from None
        raise
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return descriptor
    os.close(descriptor)
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    raise _not_regular(path)


def _not_regular(path: str | os.PathLike[str]) -> OSError:
    return OSError(errno.EINVAL, "it is not a regular file", str(path))


def no_link(path: str | os.PathLike[str], flags: int) -> int:
    """Open a file, as `regular` does; OSError for a link, too."""
    try:
        return regular(path, flags | _FOLLOW_NO_LINK)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise OSError(errno.ELOOP, "it is a link", str(path)) from None
        raise


def special(path: str | os.PathLike[str], flags: int) -> int:
    """Open a pipe or a device to write, as an `opener` of `open`; OSError for a pipe that nobody reads."""
    try:
        descriptor = os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
    except OSError as error:
        if error.errno == errno.ENXIO:
            raise OSError(errno.ENXIO, "it is a pipe that nobody reads", str(path)) from None
        raise
    os.set_blocking(descriptor, True)
    return descriptor


def make_private_folder(path: Path) -> None:
    """Make a folder that only its owner can enter; those above it that are missing are like any other.

    A folder that is there stays as it is.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir(mode=_PRIVATE_FOLDER, exist_ok=True)


@contextmanager
def replacement(target: Path, *, mode: int, sync: bool) -> Iterator[BinaryIO]:
    """A file to write that replaces `target` once it is complete, or not at all. Raises OSError.

    It has the mode of the file that it replaces, or else `mode`. With `sync` it is on disk before that.
    """
    new = temporary(target)
    try:
        with open(new, "xb", buffering=1 << 20, opener=partial(os.open, mode=mode)) as file:
            keep_mode(target, file.fileno())
            yield file
            if sync:
                file.flush()
                os.fsync(file.fileno())
        os.replace(new, target)
    except BaseException:
        new.unlink(missing_ok=True)
        raise


def temporary(target: Path) -> Path:
    """A free name beside a file, for what is to replace it.

    The first time in a folder, those that earlier processes left there are deleted.
    """
    _sweep(target.parent)
    return target.with_name(f".{target.name}.{os.urandom(4).hex()}.new")


def keep_mode(target: Path, descriptor: int) -> None:
    """Give a new file the mode of the one that it will replace, if there is one."""
    try:
        mode = stat.S_IMODE(os.stat(target).st_mode)
    except FileNotFoundError:
        return
    if hasattr(os, "fchmod"):
        os.fchmod(descriptor, mode)


@cache
def _sweep(folder: Path) -> None:
    """Delete the abandoned temporary files of this user in a folder."""
    for abandoned in _abandoned(folder):
        abandoned.unlink(missing_ok=True)


def _abandoned(folder: Path) -> list[Path]:
    since = time.time() - _ABANDONED
    try:
        with os.scandir(folder) as entries:
            named = [each for each in entries if _TEMPORARY.fullmatch(each.name)]
    except FileNotFoundError:
        return []
    return [Path(each.path) for each in named if _is_own_and_old(each, since)]


def _is_own_and_old(entry: os.DirEntry[str], since: float) -> bool:
    try:
        status = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return False  # Its process has renamed it.
    return status.st_mtime < since and (not hasattr(os, "getuid") or status.st_uid == os.getuid())
