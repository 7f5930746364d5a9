"""reporting/reporters: what the registry says of a report is what the command line and its module have."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from retailops_sandbox.cli.commands import main
from retailops_sandbox.errors import FileError, UsageError
from retailops_sandbox.reporting import reporters
from retailops_sandbox.reporting.reporters import FILES, FileReport, files
from retailops_sandbox.reporting.reporters.reporter import Reporter


def options(command: str) -> dict[str, click.Option]:
    found = main.get_command(click.Context(main), command)
    assert found is not None
    return {each.opts[0]: each for each in found.params if isinstance(each, click.Option)}


@pytest.mark.parametrize("command", ["run", "send"])
def test_every_report_is_an_option_with_its_help(command: str):
    known = options(command)
    assert {each.option: each.help for each in FILES} == {
        each.option: known[each.option].help for each in FILES
    }
    assert [known[each.option].name for each in FILES] == [each.parameter for each in FILES]


@pytest.mark.parametrize("report", FILES, ids=lambda each: each.module)
def test_every_report_has_its_module(report: FileReport, tmp_path: Path):
    assert isinstance(report.reporter(tmp_path / "report"), Reporter)


def test_every_module_that_holds_a_report_is_in_the_registry():
    folder = Path(reporters.__file__).parent
    holding = {path.stem for path in folder.glob("*.py") if "\nclass Report(" in path.read_text()}
    assert holding == {each.module for each in FILES}


def test_two_reports_have_two_files_in_folders_that_can_be_written(tmp_path: Path):
    one, other, *_ = (each.option for each in FILES)
    with pytest.raises(UsageError, match=f"{one} and {other} both name"):
        files.check({one: tmp_path / "r", other: tmp_path / "." / "r"})
    with pytest.raises(FileError, match="is a folder"):
        files.check({one: tmp_path})
    with pytest.raises(FileError, match="there is no folder"):
        files.check({one: tmp_path / "absent" / "r"})
    files.check({one: tmp_path / "r", other: tmp_path / "s"})
