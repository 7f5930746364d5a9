"""The lock on a journal: its holder is the process that owns the run. It is free once that dies."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from retailops_sandbox.regular_files import PRIVATE_FILE, no_link

_BINARY = getattr(os, "O_BINARY", 0)

if sys.platform == "win32":
    import msvcrt

    # Windows lets nobody else read what is locked, so the locked byte lies beyond any record.
    _FAR = 1 << 62

    def _lock(fd: int) -> None:
        os.lseek(fd, _FAR, os.SEEK_SET)
        msvcrt.locking(fd, msvcrt.LK_LOCK, 1)

    def _try_lock(fd: int, *, shared: bool = False) -> bool:
        os.lseek(fd, _FAR, os.SEEK_SET)
        try:
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _lock(fd: int) -> None:
        fcntl.flock(fd, fcntl.LOCK_EX)

    def _try_lock(fd: int, *, shared: bool = False) -> bool:
        try:
            fcntl.flock(fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def create(path: Path) -> int:
    """Make a file, open it for appending, and lock it until it is closed; FileExistsError if there is one."""
    fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL | _BINARY, PRIVATE_FILE)
    try:
        # Waits for processes that saw the new name and test, for an instant, whether it is locked.
        _lock(fd)
    except BaseException:
        os.close(fd)
        raise
    return fd


def take(path: Path) -> int | None:
    """Open and lock a file until it is closed; None if another process has locked it, or it is gone."""
    try:
        fd = no_link(path, os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        if _try_lock(fd) and is_at(fd, path):
            return fd
    except BaseException:
        os.close(fd)
        raise
    os.close(fd)
    return None


def is_held(path: Path) -> bool:
    """Whether a process, perhaps this one, has locked the file."""
    try:
        fd = no_link(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        # Shared, so that two processes that test at once do not take each other for the owner.
        return not _try_lock(fd, shared=True)
    finally:
        os.close(fd)


def is_at(fd: int, path: Path) -> bool:
    """Whether this is still the file at the path: somebody may have deleted it meanwhile."""
    try:
        return os.path.samestat(os.fstat(fd), os.stat(path))
    except FileNotFoundError:
        return False
