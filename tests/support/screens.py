"""Pictures of every place in both themes, wide and narrow. As a script: the README's, into `docs/`."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.support import chromium, tour
from tests.support.tour import NARROW, PLACES, WIDE, Place, Tour

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "screenshots"
"""Ignored by git; to be looked at after a change to what is shown."""

THEMES = ("light", "dark")
SIZES = {"wide": WIDE, "narrow": NARROW}
_README_SIZE = {"width": 1120, "height": 600}
README = {"delivery-failed": "result.png", "compose": "compose.png", "run": "run.png"}
"""The places that the README shows, and the files in `docs/`."""


def take(browser: Browser, visited: Tour, place: Place, folder: Path = FOLDER) -> list[Path]:
    """Pictures of one place, whole pages, by theme and then by size."""
    folder.mkdir(exist_ok=True)
    taken = []
    with visited.visit(browser, place) as page:
        for size, viewport in SIZES.items():
            page.set_viewport_size(viewport)
            for theme in THEMES:
                page.emulate_media(color_scheme=theme, reduced_motion="reduce")
                taken.append(folder / f"{place.name}-{theme}-{size}.png")
                _settled(page).screenshot(path=taken[-1], full_page=True)
    return taken


def for_the_readme(browser: Browser, visited: Tour, folder: Path = ROOT / "docs") -> list[Path]:
    """The README's pictures: what a window shows, in the light theme."""
    taken = []
    for place in PLACES:
        if place.name in README:
            options: dict[str, Any] = {"color_scheme": "light", "viewport": _README_SIZE}
            with visited.visit(browser, place, **options) as page:
                taken.append(folder / README[place.name])
                _settled(page).screenshot(path=taken[-1])
    return taken


def _settled(page: Page) -> Page:
    page.evaluate("document.fonts.ready.then(() => true)")
    return page


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        program = chromium.find(playwright.chromium.executable_path)
        browser = playwright.chromium.launch(executable_path=program, args=chromium.LAUNCH_OPTIONS)
        with tour.prepared(Path(folder)) as prepared:
            for path in for_the_readme(browser, prepared):
                print(f"{path.relative_to(ROOT)}: {path.stat().st_size // 1024} KB")
        browser.close()


if __name__ == "__main__":
    main()
