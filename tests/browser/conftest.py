"""What the tests in a browser share: the browser of this machine, and the pages that it opens."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, Playwright, expect

from tests.support import chromium, tour
from tests.support.serving import Served, serving
from tests.support.tour import Tour
from tests.support.watching import opened


def pytest_configure() -> None:
    # A machine may be busy: only what does not come at all fails.
    expect.set_options(timeout=60_000)


@pytest.fixture(scope="session")
def browser_type_launch_args(
    browser_type_launch_args: dict[str, Any], playwright: Playwright
) -> dict[str, Any]:
    """The launch arguments of pytest-playwright, with the browser of this machine."""
    return {
        **browser_type_launch_args,
        "executable_path": chromium.find(playwright.chromium.executable_path),
        "args": chromium.LAUNCH_OPTIONS,
    }


@pytest.fixture(scope="session", autouse=True)
def whole_pages() -> Iterator[None]:
    """A click waits for the whole page: what still comes may move the button from under the pointer."""
    click = Locator.click

    def click_when_whole(button: Locator, **options: Any) -> None:
        button.page.wait_for_load_state()
        click(button, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Locator, "click", click_when_whole)
        yield


@pytest.fixture(scope="session")
def visited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tour]:
    """Every place there is, to be looked at and not to be changed."""
    with tour.prepared(tmp_path_factory.mktemp("tour")) as prepared:
        yield prepared


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A sandbox on a workspace in which nothing has happened yet; many modules have one of their own."""
    with serving(tmp_path_factory.mktemp("workspace")) as served:
        yield served


@pytest.fixture(scope="module")
def first_path() -> str:
    """The path that a window shows first; a module whose tests all begin elsewhere has another, or none."""
    return "/"


@pytest.fixture(params=["script", "no script"])
def page(request: pytest.FixtureRequest, browser: Browser, served: Served, first_path: str) -> Iterator[Page]:
    """A window at the compose page, once as most have it and once without JavaScript."""
    yield from opened(browser, served.url, scripted=request.param == "script", first=first_path)


@pytest.fixture
def scripted(browser: Browser, served: Served, first_path: str) -> Iterator[Page]:
    """A window at the compose page, with JavaScript."""
    yield from opened(browser, served.url, scripted=True, first=first_path)
