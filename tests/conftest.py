"""What every test shares: how long the long tests are, and that browser tests come last.

What needs a browser is in `tests/browser/conftest.py`: nothing here imports Playwright.
"""

from __future__ import annotations

import os
import sys
from collections import Counter

import hypothesis
import pytest

pytest_plugins = ["pytester", "tests.support.built", "tests.support.postgres"]

# A machine may be set up to keep no compiled files. The tests start thousands of processes, each of which
# would spend half of its time on compiling what it imports.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

hypothesis.settings.register_profile("default", deadline=None, max_examples=60)
hypothesis.settings.register_profile("soak", deadline=None, max_examples=5_000)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--soak", action="store_true", help="run the long form of the long tests")


def pytest_configure(config: pytest.Config) -> None:
    hypothesis.settings.load_profile("soak" if config.getoption("--soak") else "default")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Modules with browser tests last: Playwright keeps an event loop running, and no test could run its own.

    Of these, those with the most tests first: a worker runs whole modules, and none should end long before
    the others.
    """
    with_browser = Counter(item.path for item in items if "playwright" in getattr(item, "fixturenames", ()))
    first = len(items)
    items.sort(key=lambda item: -with_browser.get(item.path, first))


@pytest.fixture(scope="session")
def soak(pytestconfig: pytest.Config) -> bool:
    """Whether to run the long form (`make soak`) instead of the short one."""
    return bool(pytestconfig.getoption("--soak"))
