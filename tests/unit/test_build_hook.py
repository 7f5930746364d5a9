"""The build hook: the bundle is made again when what it is made of changes, and builds install no linter."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import hatch_build

ROOT = Path(__file__).parents[2]

SOURCES = [
    "hatch_build.py",
    "assets/package.json",
    "assets/package-lock.json",
    "assets/src/log/live.js",
    "assets/src/shell/app.css",
    "templates/reporting/results.css",
]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout whose bundle is fresh."""
    for name in [*SOURCES, "templates/reporting/report.html"]:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    assets = hatch_build.Assets(tmp_path)
    assets.bundle.mkdir(parents=True)
    (assets.bundle / "built-from.sha256").write_text(assets._fingerprint())
    assert assets.fresh
    return tmp_path


@pytest.mark.parametrize("name", SOURCES)
def test_the_bundle_is_stale_when_a_source_changes(checkout: Path, name: str):
    (checkout / name).write_text("changed")
    assert not hatch_build.Assets(checkout).fresh


def test_the_bundle_is_stale_when_a_source_is_added(checkout: Path):
    (checkout / "assets/src/log/another.js").write_text("")
    assert not hatch_build.Assets(checkout).fresh


def test_a_template_that_is_no_style_leaves_the_bundle_fresh(checkout: Path):
    (checkout / "templates/reporting/report.html").write_text("changed")
    assert hatch_build.Assets(checkout).fresh


def test_every_style_that_the_bundle_imports_from_elsewhere_is_a_template():
    imports = [
        line.split('"')[1]
        for file in (ROOT / "assets/src").rglob("*.css")
        for line in file.read_text(encoding="utf-8").splitlines()
        if line.startswith("@import")
    ]
    outside = {name for name in imports if name.startswith("../../")}
    assert outside
    for name in outside:
        assert (ROOT / "assets/src/shell" / name).resolve().is_relative_to(ROOT / "templates")


def test_a_build_needs_no_linter():
    declared = json.loads((ROOT / "assets/package.json").read_text())
    assert set(declared["devDependencies"]) == {"@biomejs/biome"}
    locked = json.loads((ROOT / "assets/package-lock.json").read_text())["packages"]
    assert {name for name, each in locked.items() if "biome" in name and not each.get("dev")} == set()


@pytest.mark.parametrize("folder", ["assets", "tests/published"])
def test_a_lock_names_no_address_that_packages_come_from(folder: str):
    locked = json.loads((ROOT / folder / "package-lock.json").read_text())["packages"]
    assert not [name for name, each in locked.items() if "resolved" in each]
