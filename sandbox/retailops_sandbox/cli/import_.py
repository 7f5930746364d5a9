"""`import`: requests from other tools' files, as a fixture or a scenario."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click
from msgspec import UNSET, UnsetType

from retailops_sandbox.cli.options import here, workspace_option
from retailops_sandbox.cli.output import complain, say
from retailops_sandbox.errors import FileError, UsageError, unreadable
from retailops_sandbox.importing import MOST_BYTES, ImportedStep, as_steps, assemble, read, too_large
from retailops_sandbox.model import DEFAULT_ACTION, DEFAULT_EDITION
from retailops_sandbox.regular_files import regular
from retailops_sandbox.scenarios import scenario
from retailops_sandbox.workspace.files import check_writable, checked, write_file
from retailops_sandbox.workspace.fixtures import Fixtures
from retailops_sandbox.workspace.names import fixture_name
from retailops_sandbox.workspace.undo import stamp
from retailops_sandbox.workspace.workspace import Workspace

_STDIN = "standard input"
_COMPRESSED = {b"\x1f\x8b": "gzip", b"PK\x03\x04": "zip", b"\x28\xb5\x2f\xfd": "zstd"}
"""How a compressed file begins, and what compressed it."""


@click.command("import")
@click.argument("file", metavar="FILE|-")
@click.option("--fixture", metavar="NAME", help="Save its payload as the fixture of this name.")
@click.option("-o", "--output", metavar="FILE", help="Write a scenario: a *.scenario.json file.")
@click.option("--action", default="", help="The action, where it cannot be told.")
@click.option("--edition", default="", help="The edition, where it cannot be told.")
@click.option("--replace", is_flag=True, help="Replace the fixture or the file that is there.")
@click.option("--exact", is_flag=True, help="Make no rules for values that look volatile.")
@workspace_option
def command(
    file: str,
    fixture: str | None,
    output: str | None,
    action: str,
    edition: str,
    replace: bool,
    exact: bool,
    workspace: str | None,
) -> None:
    """Make a fixture or a scenario of a command, a HAR archive, a payload or a log line with one.

    Commands are those of curl, HTTPie and PowerShell. FILE has up to 100 MB; `-` reads standard input.
    Passwords, cookies and tokens are never taken over.
    """
    if fixture is None and output is None:
        raise UsageError("it is not said what to make", mend="give --fixture NAME or -o FILE.scenario.json")
    path = None if output is None else _scenario_path(output, replace)
    shown = _STDIN if file == "-" else file
    folder = Workspace.find(workspace, os.environ, here())
    contracts = folder.contracts
    made, left_out = as_steps(
        read(_text(file, shown), contracts, file=shown),
        contracts,
        file=shown,
        action=action,
        edition=edition,
        exact=exact,
    )
    # All that can be wrong is found before anything is written.
    text = _fixture_text(made, folder, fixture, replace) if fixture is not None else ""
    plan = None if path is None else assemble(made, name=_name(path), fixture=fixture or "")
    with_answer = fixture is not None and bool(made[0].expectation)
    _print_notes(made, left_out, with_step=plan is not None, with_answer=with_answer)
    if fixture is not None:
        for written in _save(folder, made[0], fixture, text):
            say(f"made {_relative(written)}")
    if plan is not None and path is not None:
        write_file(path, scenario.spelled(plan))
        say(f"made {_relative(path)}")
    say(f"next: {_next(made, fixture, path)}")


def _save(folder: Workspace, imported: ImportedStep, name: str, text: str) -> list[Path]:
    """Write the fixture and, where there was an answer that can be expected, its expectation."""
    case = (imported.contract.action, imported.contract.edition, name)
    fixtures = Fixtures(folder)
    expected: str | UnsetType = imported.expectation or UNSET
    fixtures.save(
        *case,
        text,
        seen=stamp(fixtures.text(*case) or ""),
        expectation=expected,
        expectation_seen=stamp(fixtures.expectation(*case) or ""),
        copied=True,
    )
    return [folder.own_fixture(*case), *([] if expected is UNSET else [folder.own_expectation(*case)])]


def _print_notes(
    made: Sequence[ImportedStep], left_out: Sequence[str], *, with_step: bool, with_answer: bool
) -> None:
    for each in made:
        say(f"{each.place}: {each.contract.action} {each.contract.edition}")
        for note in each.notes + (each.step_notes if with_step or with_answer else ()):
            say(f"  {note}")
        if each.headers and not with_step:
            say(f"  left out: {', '.join(each.headers)}; a fixture is the payload alone")
        if each.violation:
            mend = "the step says off_contract" if with_step else "send it with --off-contract"
            say(f"  the payload breaks the contract: {each.violation}; {mend}")
    for each_left in left_out:
        say(f"left out: {each_left}")


def _next(made: Sequence[ImportedStep], fixture: str | None, path: Path | None) -> str:
    token = " --receiver-token TOKEN" if any(each.contract.auth for each in made) else ""
    if path is not None:
        return f"retailops-sandbox run {_relative(path)} --receiver URL{token}"
    (imported,) = made
    action, edition = imported.contract.action, imported.contract.edition
    contract = "" if action == DEFAULT_ACTION else f" --action {action}"
    contract += "" if edition == DEFAULT_EDITION else f" --edition {edition}"
    off_contract = " --off-contract" if imported.violation else ""
    return f"retailops-sandbox send {fixture}{contract}{off_contract} --receiver URL{token}"


def _fixture_text(made: Sequence[ImportedStep], folder: Workspace, name: str, replace: bool) -> str:
    """The text of the fixture; UsageError where the requests cannot be one fixture, or it exists."""
    if len(made) > 1:
        places = ", ".join(each.place for each in made[:5])
        raise UsageError(f"there are {len(made)} requests ({places})", mend="a fixture is one: use -o")
    (imported,) = made
    if not imported.text:
        raise UsageError(f"the body ({imported.place}) is not a JSON object, as a fixture is", mend="use -o")
    agreed = imported.contract
    fixture_name(name)
    known = [info.name for info in folder.fixtures(agreed.action, agreed.edition)]
    if name in known and not replace:
        raise UsageError(
            f"the fixture {name!r} of {agreed.action} {agreed.edition} exists already",
            mend="choose another name, or give --replace",
        )
    return imported.text


def _scenario_path(output: str, replace: bool) -> Path:
    """The file to write; an error before anything is read, where it could not be written."""
    path = Path(output)
    if not path.name.endswith(scenario.SUFFIX) or path.name == scenario.SUFFIX:
        raise UsageError(f"{output!r} is no name of a scenario file", mend=f"end it in {scenario.SUFFIX}")
    if checked(Path.exists, path) and not replace:
        raise UsageError(f"there is a file {output} already", mend="choose another name, or give --replace")
    check_writable(path)
    return path


def _name(path: Path) -> str:
    return path.name.removesuffix(scenario.SUFFIX).replace("-", " ").replace("_", " ")


def _relative(path: Path) -> str:
    return str(path).removeprefix(os.path.join(here(), ""))


def _text(file: str, shown: str) -> str:
    """The text of the file, or of standard input; FileError where it is none."""
    if file == "-" and sys.stdin.isatty():
        complain("paste it here, then press Ctrl-D on a line of its own")
    try:
        with sys.stdin.buffer if file == "-" else open(file, "rb", opener=regular) as source:
            octets = source.read(MOST_BYTES + 1)
    except OSError as error:
        raise unreadable(file, error) from error
    if len(octets) > MOST_BYTES:
        raise too_large(shown)
    return _decoded(octets, shown)


def _decoded(octets: bytes, shown: str) -> str:
    for begins, what in _COMPRESSED.items():
        if octets.startswith(begins):
            raise FileError(f"is compressed ({what})", file=shown, mend="unpack it, and import what is in it")
    # PowerShell and editors on Windows write UTF-16.
    encoding = "utf-16" if octets.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8"
    try:
        return octets.decode(encoding)
    except UnicodeDecodeError as error:
        what = f"is not {encoding.upper()} at byte {error.start}"
        raise FileError(what, file=shown, mend="save it as UTF-8") from error
