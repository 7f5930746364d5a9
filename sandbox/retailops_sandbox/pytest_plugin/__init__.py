"""The pytest plugin: scenario files as test items, and the fixture `retailops`. Loaded by every pytest run.

This module imports nothing that pytest has not imported already. The others are imported when they are used:

scenarios.py      scenario files as collectors and test items
sending.py        what the pytest fixture `retailops` gives: `send` and `probe`
answers.py        the result of a send
probing.py        a probe, and its result
session.py        the receiver, the log and the engine of one pytest process
engine_thread.py  the thread with the engine's event loop
hooks.py          the hooks of a pytest run that has scenarios or sends
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
"""The properties that name the receiver in JUnit reports."""
REPORTED = "retailops_properties"
"""The attribute of a test's report that holds these properties, where the test sends."""
REMARKS = "retailops_remarks"
"""The attribute of a scenario's report that says what stands beside its verdict, where it passed."""
_MOST_NOTES = 20
"""The most scenarios of which the summary says that."""
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
        help="The edition that retailops.send sends: the receiver's, or draft, unless told.",
    )
    group.addoption("--retailops-follow-redirects", action="store_true", help="Go where a redirect leads.")
    group.addoption("--retailops-yes", action="store_true", help="Send to a protected receiver.")
    group.addoption("--retailops-log", metavar="URL", help="Keep the log in this PostgreSQL database.")
    parser.addini("retailops_receiver", "The receiver under test, a URL or a name.", default="")
    parser.addini(
        "retailops_stand_in", "Use the stand-in that ships with the sandbox.", "bool", default=False
    )
    parser.addini("retailops_edition", "The edition that retailops.send sends.", default="")
    parser.addini("retailops_log", "The URL of the PostgreSQL database that keeps the log.", default="")


def pytest_configure(config: pytest.Config) -> None:
    """Take the password out of the list of processes, where an option named the log's database."""
    if database := config.getoption("--retailops-log"):
        from retailops_sandbox.runlog import process_title

        process_title.hide(database)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> ScenarioFile | None:
    if not file_path.name.endswith(_SUFFIX):
        return None
    from retailops_sandbox.pytest_plugin import hooks
    from retailops_sandbox.pytest_plugin.scenarios import ScenarioFile

    hooks.register(parent.config)
    return ScenarioFile.of(file_path, parent)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Stop before the first test where no scenario and no send could reach its receiver."""
    if any(
        _is_of_scenario(item.nodeid) or "retailops" in getattr(item, "fixturenames", ())
        for item in session.items
    ):
        from retailops_sandbox.pytest_plugin import hooks

        hooks.prepare(session)


def _is_of_scenario(nodeid: str) -> bool:
    """Whether a node id is an item of a scenario file, and not a test with such a name as parameter."""
    return nodeid.partition("::")[0].endswith(_SUFFIX)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_node_collection_finished(node: Any, ids: Sequence[str]) -> None:
    """Stop before the first test also where xdist workers collect, if there are scenarios."""
    if any(map(_is_of_scenario, ids)):
        from retailops_sandbox.pytest_plugin import hooks, session

        is_first = session.current(node.config) is None
        begun = session.begin(node.config)
        if is_first:
            # What the workers send is not known here.
            hooks.show_urls(node.config, begun.contracts())


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Name the receiver in pytest's JUnit report, before that is written.

    It is a property of the whole suite: Jenkins' schema, pytest's `xunit2`, allows none in a testcase.
    """
    manager = session.config.pluginmanager
    properties = _properties(manager.get_plugin("terminalreporter"))
    writers = [plugin for plugin in manager.get_plugins() if hasattr(plugin, "add_global_property")]
    for name, value in properties:
        for writer in writers:
            writer.add_global_property(name, value)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the receiver under test, for this process and for the workers of xdist."""
    properties = _properties(terminalreporter)
    for name, value in properties:
        if name == RECEIVER:
            from retailops_sandbox.reporting.render.lines import NO_PROOF

            proof = f" {NO_PROOF}" if (STAND_IN, "true") in properties else ""
            terminalreporter.write_line(f"RetailOPS receiver: {value}{proof}")
    passed = terminalreporter.stats.get("passed", ())
    notes = [note for report in passed if (note := getattr(report, REMARKS, ""))]
    for note in notes[:_MOST_NOTES]:
        terminalreporter.write_line(f"passed, but {note}")
    if len(notes) > _MOST_NOTES:
        terminalreporter.write_line(f"… and {len(notes) - _MOST_NOTES:,} more with such a remark")


def _properties(terminalreporter: pytest.TerminalReporter | None) -> list[tuple[str, str]]:
    """The properties in the reports of all tests, each once."""
    stats = {} if terminalreporter is None else terminalreporter.stats
    reports = (report for reports in stats.values() for report in reports)
    return sorted({pair for report in reports for pair in getattr(report, REPORTED, {}).items()})


@pytest.fixture
def retailops(request: pytest.FixtureRequest) -> RetailOPS:
    """Sends what RetailOPS would send to the receiver under test: `retailops.send("default", expect={...})`.

    Under the stand-in, its orders are fresh for each test.
    """
    from retailops_sandbox.pytest_plugin import hooks
    from retailops_sandbox.pytest_plugin.sending import for_test

    hooks.register(request.config)
    return for_test(request.node)
