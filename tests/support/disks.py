"""A small disk for tests in which it is full or read-only.

Where the system allows it, it is a file system in memory, in a mount namespace that only the processes of
the test see. Elsewhere a full disk is a limit on the size of files, and a read-only one a folder's mode.
"""

from __future__ import annotations

import contextlib
import os
import resource
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

_UNSHARE = ("unshare", "--user", "--map-root-user", "--mount")
_SIZE = "16m"


class Disk:
    """A folder on a disk of its own."""

    def __init__(self, holder: subprocess.Popen[str] | None, folder: Path) -> None:
        self._holder = holder
        self._mounted = folder
        self._is_full = False
        self.folder = folder if holder is None else Path(f"/proc/{holder.pid}/root{folder}")
        """The path of the disk's folder for this process."""

    def command(self, *arguments: str) -> list[str]:
        """The arguments that run the command on the disk, with its folder as current folder."""
        if self._holder is None:
            limit = ("prlimit", "--fsize=0:unlimited") if self._is_full else ()
            return ["env", "--chdir", str(self._mounted), *limit, *arguments]
        enter = ("nsenter", f"--target={self._holder.pid}", "--user", "--mount", "--preserve-credentials")
        return [*enter, f"--wd={self.folder}", *arguments]

    def fill(self, *processes: int) -> None:
        """Fill the disk: writes of these processes, and of later ones, fail from now on."""
        self._is_full = True
        if self._holder is None:
            for each in processes:
                hard = resource.prlimit(each, resource.RLIMIT_FSIZE)[1]
                resource.prlimit(each, resource.RLIMIT_FSIZE, (0, hard))
            return
        with open(self.folder / "filler", "ab", buffering=0) as filler, contextlib.suppress(OSError):
            for size in (1 << 16, 1):
                with contextlib.suppress(OSError):
                    while filler.write(bytes(size)):
                        pass

    def clear(self, *processes: int) -> None:
        """Make room on the disk again."""
        self._is_full = False
        if self._holder is None:
            for each in processes:
                hard = resource.prlimit(each, resource.RLIMIT_FSIZE)[1]
                resource.prlimit(each, resource.RLIMIT_FSIZE, (hard, hard))
            return
        (self.folder / "filler").unlink()

    def must_be_mounted(self) -> None:
        """Skip the test where a full disk would keep its processes from writing to other disks, too."""
        if self._holder is None:
            pytest.skip("no mount namespace, and a limit on the size of files holds everywhere")

    def must_freeze(self) -> None:
        """Skip the test where `freeze` could not keep anybody from writing."""
        if self._holder is None and os.geteuid() == 0:
            pytest.skip("no mount namespace, and nothing is read-only for root")

    def freeze(self) -> None:
        """Make it read-only."""
        self._freeze(thaw=False)

    def thaw(self) -> None:
        """Make it writable again."""
        self._freeze(thaw=True)

    def _freeze(self, *, thaw: bool) -> None:
        if self._holder is not None:
            # What is open for writing stays so, as it does where a folder's permissions change.
            folder = shlex.quote(str(self._mounted))
            script = f"mount --bind {folder} {folder} && mount -o remount,bind,ro {folder}"
            enter = ("nsenter", f"--target={self._holder.pid}", "--user", "--mount")
            subprocess.run([*enter, "sh", "-c", f"umount --lazy {folder}" if thaw else script], check=True)
            return
        for path in [self._mounted, *self._mounted.rglob("*")]:
            path.chmod(path.stat().st_mode | 0o200 if thaw else path.stat().st_mode & ~0o222)


@contextlib.contextmanager
def disk(folder: Path) -> Iterator[Disk]:
    """A disk at an empty folder, until the block ends."""
    if not _may_mount():
        made = Disk(None, folder)
        yield made
        made.thaw()
        return
    script = f'mount -t tmpfs -o size={_SIZE} none "$0" && echo ready && exec cat'
    with subprocess.Popen(
        [*_UNSHARE, "sh", "-c", script, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        try:
            assert holder.stdout.readline() == "ready\n"
            yield Disk(holder, folder)
        finally:
            holder.stdin.close()


@cache
def _may_mount() -> bool:
    """Whether a process may have a disk of its own here."""
    if not all(map(shutil.which, ("unshare", "nsenter"))):
        return False
    tried = subprocess.run(
        [*_UNSHARE, "mount", "-t", "tmpfs", "none", "/tmp"], capture_output=True, check=False
    )
    return tried.returncode == 0
