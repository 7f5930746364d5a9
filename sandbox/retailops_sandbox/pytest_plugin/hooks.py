"""The hooks of a pytest run that has scenarios or sends; the first of these registers the hooks."""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterable

import pytest

from retailops_sandbox.errors import SandboxError
from retailops_sandbox.model import DEFAULT_ACTION, Receiver
from retailops_sandbox.pytest_plugin import RECEIVER, REMARKS, REPORTED, STAND_IN
from retailops_sandbox.pytest_plugin import session as process
from retailops_sandbox.pytest_plugin.answers import sections
from retailops_sandbox.pytest_plugin.scenarios import ScenarioItem
from retailops_sandbox.pytest_plugin.sending import sender_of
from retailops_sandbox.reporting.render import lines

_NAME = "retailops-hooks"


def register(config: pytest.Config) -> None:
    """Register the hooks for this pytest run, once."""
    if not config.pluginmanager.has_plugin(_NAME):
        config.pluginmanager.register(Hooks(config), _NAME)


def prepare(collected: pytest.Session) -> None:
    """Check before the first test that the receiver can be used; pytest.UsageError where it cannot."""
    config = collected.config
    register(config)
    # A worker of xdist cannot stop the run: its tests fail one by one. It knows only its own tests.
    if not config.option.collectonly and not hasattr(config, "workerinput"):
        scenarios = sum(isinstance(item, ScenarioItem) for item in collected.items)
        process.begin(config, scenarios=scenarios)


def _locate(report: pytest.TestReport, item: ScenarioItem) -> None:
    """Give a report the line of the step that decided, which annotations name; pytest counts from 0 there."""
    path, _, name = report.location
    report.location = (lines.in_line(path), item.line - 1, name)
    if report.skipped and isinstance(report.longrepr, tuple):
        report.longrepr = (lines.in_line(str(item.path)), item.line, report.longrepr[2])


def _name_receiver(report: pytest.TestReport, receiver: Receiver) -> None:
    """Name the receiver in a report. It takes this attribute from a worker of xdist to its controller."""
    named = {RECEIVER: lines.in_line(receiver.name)}
    vars(report)[REPORTED] = named | ({STAND_IN: "true"} if receiver.stand_in else {})


def show_urls(config: pytest.Config, contracts: Iterable[tuple[str, str]]) -> None:
    """Print the exact URL of each action and edition, before the first test sends."""
    begun = process.current(config)
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    if begun is not None and terminal is not None:
        for url in filter(None, dict.fromkeys(begun.url(*each) for each in contracts)):
            terminal.write_line(f"RetailOPS sends to: {lines.in_line(url)}")


def _sent(collected: pytest.Session) -> Iterable[tuple[str, str]]:
    """The action and edition of each test that sends."""
    begun = process.current(collected.config)
    for item in collected.items:
        if isinstance(item, ScenarioItem):
            yield from item.plan.scenario.contracts
        elif begun is not None and "retailops" in getattr(item, "fixturenames", ()):
            yield DEFAULT_ACTION, begun.edition_of(DEFAULT_ACTION)


class Hooks:
    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._remarks: list[str] = []
        """Lines for users about the log."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> None:
        show_urls(session.config, _sent(session))
        unreadable = process.unreadable(self._config)
        if session.testsfailed == len(unreadable):
            # Only scenario files are broken: the others run. With a module that cannot be imported, pytest's
            # own rule holds.
            self._config.option.continue_on_collection_errors = True

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if isinstance(item, ScenarioItem):
            _locate(report, item)
            if report.when == "call" and report.passed and item.remarks:
                vars(report)[REMARKS] = f"{lines.in_line(item.nodeid)}: {item.remarks}"
        sender = sender_of(item)
        session = process.current(self._config)
        if session is not None and (sender is not None or isinstance(item, ScenarioItem)):
            _name_receiver(report, session.receiver)
        if report.failed and sender is not None:
            # What a failed test has sent explains its failure, whatever it asserted.
            report.sections += sections(sender.sent)
        return report

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, exitstatus: int) -> None:
        begun = process.current(self._config)
        if begun is None:
            return
        try:
            begun.close(stopped=exitstatus == pytest.ExitCode.INTERRUPTED)
        except SandboxError as error:
            self._remarks.append(str(error))
        self._remarks += begun.notes

    def pytest_unconfigure(self) -> None:
        # No sooner: what pytest says of its tests is on a line of its own then.
        for remark in self._remarks:
            print(f"retailops-sandbox: {lines.in_line(remark)}", file=sys.stderr)
