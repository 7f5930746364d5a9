"""The pytest plugin: scenario files as test items, and the fixture `retailops`. Loaded by every pytest run.

So nothing is imported here that pytest has not imported already; what does the work comes when it is used:

scenarios.py      scenario files and their items
sending.py        what the fixture gives: `send`
answers.py        what came of a send
session.py        the receiver, the log and the engine of one pytest process
engine_thread.py  the engine's own event loop
hooks.py          the hooks of a run that uses any of this
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from retailops_sandbox.pytest_plugin.scenarios import ScenarioFile
    from retailops_sandbox.pytest_plugin.sending import RetailOPS

RECEIVER, STAND_IN = "retailops_receiver", "retailops_stand_in"
"""Properties of a test that sends, which JUnit reports show."""
_SUFFIX = ".scenario.json"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("retailops", "RetailOPS sandbox")
    group.addoption("--retailops-receiver", metavar="URL_or_name", help="The receiver under test.")
    group.addoption(
        "--retailops-stand-in",
        action="store_true",
        default=None,
        help="Use the stand-in that ships with the sandbox.",
    )
    group.addoption(
        "--retailops-edition",
        metavar="EDITION",
        help="The edition that retailops.send sends; draft unless told.",
    )
    group.addoption("--retailops-yes", action="store_true", help="Send to a protected receiver.")
    parser.addini("retailops_receiver", "The receiver under test, a URL or a name.", default="")
    parser.addini(
        "retailops_stand_in", "Use the stand-in that ships with the sandbox.", "bool", default=False
    )
    parser.addini("retailops_edition", "The edition that retailops.send sends.", default="")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> ScenarioFile | None:
    if not file_path.name.endswith(_SUFFIX):
        return None
    from retailops_sandbox.pytest_plugin import hooks
    from retailops_sandbox.pytest_plugin.scenarios import ScenarioFile

    hooks.register(parent.config)
    return ScenarioFile.of(file_path, parent)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Before anything runs: what would keep every scenario and every send from its receiver."""
    if any(
        _is_of_scenario(item.nodeid) or "retailops" in getattr(item, "fixturenames", ())
        for item in session.items
    ):
        from retailops_sandbox.pytest_plugin import hooks

        hooks.prepare(session)


def _is_of_scenario(nodeid: str) -> bool:
    """Whether this is an item of a scenario file; a parameter of any test may be called like one."""
    return nodeid.partition("::")[0].endswith(_SUFFIX)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_node_collection_finished(node: Any, ids: Sequence[str]) -> None:
    """The same where workers collect; who uses the fixture is not told here, and fails by itself."""
    if any(map(_is_of_scenario, ids)):
        from retailops_sandbox.pytest_plugin import session

        session.begin(node.config)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Which receiver it was, for this process and for the workers of xdist."""
    reports = (report for reports in terminalreporter.stats.values() for report in reports)
    properties = {
        (pair[0], pair[1])
        for report in reports
        for pair in getattr(report, "user_properties", ())
        if pair[0] in (RECEIVER, STAND_IN)
    }
    for name, value in sorted(properties):
        if name == RECEIVER:
            proof = (
                "" if (STAND_IN, "true") not in properties else " (it proves nothing about a real receiver)"
            )
            terminalreporter.write_line(f"RetailOPS receiver: {value}{proof}")


@pytest.fixture
def retailops(request: pytest.FixtureRequest) -> RetailOPS:
    """Sends what RetailOPS would send to the receiver under test: `retailops.send("default", expect={...})`.

    Under the stand-in, its orders are fresh for each test.
    """
    from retailops_sandbox.pytest_plugin import hooks
    from retailops_sandbox.pytest_plugin.sending import for_test

    hooks.register(request.config)
    return for_test(request.node)
