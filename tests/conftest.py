"""What every test shares: the browser, and how long the long tests are."""

from __future__ import annotations

from typing import Any

import hypothesis
import pytest
from playwright.sync_api import Playwright, expect

from tests.support import chromium

pytest_plugins = ["pytester"]

hypothesis.settings.register_profile("default", deadline=None)
hypothesis.settings.register_profile("soak", deadline=None, max_examples=5_000)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--soak", action="store_true", help="run the long form of the long tests")


def pytest_configure(config: pytest.Config) -> None:
    # A machine may be busy: what does not come at all is what fails.
    expect.set_options(timeout=60_000)
    hypothesis.settings.load_profile("soak" if config.getoption("--soak") else "default")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests last: Playwright keeps an event loop running, and no test after it could run its own."""
    items.sort(key=lambda item: "playwright" in getattr(item, "fixturenames", ()))


@pytest.fixture(scope="session")
def soak(pytestconfig: pytest.Config) -> bool:
    """Whether to run the long form (`make soak`) instead of the short one."""
    return bool(pytestconfig.getoption("--soak"))


@pytest.fixture(scope="session")
def browser_type_launch_args(
    browser_type_launch_args: dict[str, Any], playwright: Playwright
) -> dict[str, Any]:
    """pytest-playwright's own, with the browser of this machine."""
    return {
        **browser_type_launch_args,
        "executable_path": chromium.find(playwright.chromium.executable_path),
        "args": chromium.LAUNCH_OPTIONS,
    }
