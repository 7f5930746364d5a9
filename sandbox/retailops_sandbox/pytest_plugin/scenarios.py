"""Scenario files as pytest sees them: a collector for each file, with one item."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from retailops_sandbox.engine import ScenarioResult
from retailops_sandbox.errors import SandboxError, shortened
from retailops_sandbox.foreign_text import quoted
from retailops_sandbox.pytest_plugin.answers import told
from retailops_sandbox.pytest_plugin.session import sending, start_folder, unreadable
from retailops_sandbox.reporting.render import lines
from retailops_sandbox.scenarios.scenario import Plan
from retailops_sandbox.session.collect import read_plans
from retailops_sandbox.workspace.links import leads_out, link_error
from retailops_sandbox.workspace.workspace import Workspace

if TYPE_CHECKING:
    from _pytest._code.code import TerminalRepr

_MARKER = re.compile(r"(?!(and|or|not)$)[^\W_][\w.+-]*")
"""The markers that `-m` can select scenarios by."""
_LONGEST_NAME = 200
_COLONS = re.compile(":{2,}")
_ROUND_BRACKETS = str.maketrans("[]", "()")


class ScenarioFile(pytest.File):
    """A scenario file. One that cannot be read is a collection error of one line; the others still run."""

    @classmethod
    def of(cls, path: Path, parent: pytest.Collector) -> ScenarioFile:
        """The collector of a file, with a node id that pytest can print, whatever the file's name."""
        name = lines.in_line(os.fsencode(path.name).decode(errors="backslashreplace"))
        if name == path.name:
            return cls.from_parent(parent, path=path)
        nodeid = name if parent.nodeid in ("", ".") else f"{parent.nodeid}/{name}"
        return cls.from_parent(parent, path=path, name=name, nodeid=nodeid)

    def collect(self) -> Iterator[ScenarioItem]:
        mistakes: list[SandboxError]
        try:
            if self.path.is_symlink() and leads_out(self.path, self.config.rootpath):
                raise link_error(self.path)
            workspace = Workspace.find(None, os.environ, start_folder(self.config))
            plans, mistakes = read_plans([self.path], workspace.scenario_id)
        except SandboxError as error:
            plans, mistakes = [], [error]
        if mistakes:
            unreadable(self.config).extend(mistakes)
            raise self.CollectError(lines.in_line(str(mistakes[0])))
        for plan in plans:
            name = item_name(plan.scenario.name.strip() or self.path.name)
            for parameter in _repetitions(self.config):
                # The whole id: pytest reads the parameter in it, and else takes it for a part of the name.
                nodeid = f"{self.nodeid}::{name}{parameter}"
                yield ScenarioItem.from_parent(self, name=f"{name}{parameter}", nodeid=nodeid, plan=plan)


def item_name(text: str) -> str:
    """The name of a scenario as part of a node id, where two colons part names and `[` begins a parameter."""
    return _COLONS.sub(":", shortened(lines.in_line(text), _LONGEST_NAME)).translate(_ROUND_BRACKETS)


def _repetitions(config: pytest.Config) -> list[str]:
    """The parameter of each repetition that pytest-repeat asks for. By itself it repeats functions only."""
    count: int = config.getoption("count") if config.pluginmanager.hasplugin("repeat") else 1
    return [f"[{number}-{count}]" for number in range(1, count + 1)] if count > 1 else [""]


class ScenarioNotPassed(Exception):
    """A scenario did not pass; holds the text that the command line prints, and a short form."""

    def __init__(self, text: str, headline: str) -> None:
        super().__init__(text)
        self.headline = headline


class ScenarioFailed(ScenarioNotPassed, AssertionError):
    """The receiver answered, and not as expected. Reports of tests take an AssertionError for a failure."""


class ScenarioErrored(ScenarioNotPassed):
    """Nothing could be judged. Reports of tests take any other exception for a broken test."""


class ScenarioItem(pytest.Item):
    """The test item of a scenario. Under the stand-in, it begins with fresh orders."""

    def __init__(self, *, plan: Plan, **others: Any) -> None:
        super().__init__(**others)
        self.plan = plan
        self.line = 1
        """The line of the step that decided the verdict; 1 where the scenario passed."""
        self.remarks = ""
        """What stands beside the verdict of the last run, such as what was not compared."""
        self.extra_keyword_matches.add(plan.scenario.name)
        for tag in plan.scenario.tags:
            self.extra_keyword_matches.add(tag)
            if _can_be_marker(tag, self.config):
                self.add_marker(tag)

    def reportinfo(self) -> tuple[os.PathLike[str] | str, int | None, str]:
        return self.path, 0, self.name

    @property
    def function(self) -> Callable[[], None]:
        """What this item calls. Plugins ask each item for its function, such as pytest-flakefinder."""
        return self.runtest

    def _initrequest(self) -> None:
        """Do nothing. Plugins that run an item again, such as pytest-retry, reset its pytest fixtures so."""

    def setup(self) -> None:
        sending(self).refresh()

    def runtest(self) -> None:
        self.line = 1
        events = sending(self).execute(self.plan)
        result = next(event for event in events if isinstance(event, ScenarioResult))
        self.remarks = lines.steps_remarks(result)
        if result.verdict == "passed":
            return
        step = next(step for step in result.steps if step.verdict == result.verdict)
        self.line = self.plan.line(step.number)
        if result.verdict == "recorded":
            said = f"; {self.remarks}" if self.remarks else ""
            pytest.skip(f"recorded: nothing is expected of step {quoted(step.name)}{said}")
        if result.verdict == "skipped":
            pytest.skip(lines.in_line(step.reason))
        kind = ScenarioFailed if result.verdict == "failed" else ScenarioErrored
        headline = f"{result.verdict}: step {quoted(step.name)}: {lines.headline(step)}"
        raise kind("\n".join(told(events)), lines.in_line(headline))

    def repr_failure(
        self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None
    ) -> str | TerminalRepr:
        failed = excinfo.value
        if isinstance(failed, SandboxError):
            return lines.in_line(str(failed))
        if not isinstance(failed, ScenarioNotPassed):
            return super().repr_failure(excinfo, style)
        shown = excinfo.getrepr(style="value")
        if shown.reprcrash is not None:
            # The place in pytest's summary, `--tb=line` and JUnit's messages: the step's, not this module's.
            shown.reprcrash.path = lines.in_line(str(self.path))
            shown.reprcrash.lineno = self.line
            shown.reprcrash.message = failed.headline
        return shown


def _can_be_marker(tag: str, config: pytest.Config) -> bool:
    """Whether a tag can be a marker; if so, it is registered with pytest.

    Not where a marker of this name has parameters, as `skip(reason)` has: pytest or a plugin acts on it.
    """
    if not _MARKER.fullmatch(tag):
        return False
    signatures = {line.split(":")[0].strip() for line in config.getini("markers")}
    if any(signature.startswith(f"{tag}(") for signature in signatures):
        return False
    if tag not in signatures:
        config.addinivalue_line("markers", f"{tag}: a tag of scenarios")
    return True
