"""Pictures of every page, to be looked at: `screenshots/` is ignored by git."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.support import screens
from tests.support.tour import PLACES, Place, Tour


def size(picture: Path) -> tuple[int, int]:
    """Width and height, as a PNG's first chunk says."""
    width, height = struct.unpack(">II", picture.read_bytes()[16:24])
    return width, height


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The first page in `make test`, and in `make soak` each of them in all its states."""
    if "place" in metafunc.fixturenames:
        chosen = PLACES if metafunc.config.getoption("--soak") else PLACES[:1]
        metafunc.parametrize("place", chosen, ids=lambda place: place.name)


def test_a_place_is_pictured_in_both_themes_and_both_sizes(browser: Browser, visited: Tour, place: Place):
    taken = screens.take(browser, visited, place)
    assert [path.name for path in taken] == [
        f"{place.name}-{theme}-{width}.png" for width in ("wide", "narrow") for theme in ("light", "dark")
    ]
    light, dark, narrow_light, narrow_dark = taken
    assert light.read_bytes() != dark.read_bytes()
    assert narrow_light.read_bytes() != narrow_dark.read_bytes()
    # A whole page is as wide as its window: what is wider scrolls in its own box.
    assert {size(path)[0] for path in (light, dark)} == {screens.WIDE["width"]}
    assert {size(path)[0] for path in (narrow_light, narrow_dark)} == {screens.NARROW["width"]}


def test_the_readme_shows_few_small_pictures(browser: Browser, visited: Tour, tmp_path: Path):
    made = {path.name: path for path in screens.for_the_readme(browser, visited, tmp_path)}
    assert set(made) == set(screens.README.values())
    readme = (screens.ROOT / "README.md").read_text()
    for name, path in made.items():
        assert f"(docs/{name})" in readme
        for picture in (path, screens.ROOT / "docs" / name):
            assert picture.stat().st_size < 150_000
            assert size(picture) == size(path)
