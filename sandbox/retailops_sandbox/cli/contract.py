"""`contract`: the contracts of a workspace over the shipped ones."""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path

import click

from retailops_sandbox import jsontext, resources
from retailops_sandbox.cli.groups import ListedGroup
from retailops_sandbox.cli.options import here, workspace_option
from retailops_sandbox.cli.output import complain, say
from retailops_sandbox.contracts.catalogue import Contracts, OwnContract
from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.errors import FileError, SandboxError, UsageError
from retailops_sandbox.session.streams import write_out
from retailops_sandbox.workspace.contracts import contract_name
from retailops_sandbox.workspace.files import checked, read_text
from retailops_sandbox.workspace.names import safe_name
from retailops_sandbox.workspace.workspace import Workspace


@click.group("contract", cls=ListedGroup)
def command() -> None:
    """The contracts: what an action demands of a payload and of its answer."""


@command.command("list")
@workspace_option
def list_(workspace: str | None) -> None:
    """List the contracts: each action and edition, where it is from, its group and what it is for."""
    from retailops_sandbox.cli.log.table import lines

    contracts = _workspace(workspace).contracts
    rows = []
    for action, edition in contracts.names:
        agreed = contracts.load(action, edition)
        rows.append((action, edition, _origin(contracts, action, edition), agreed.group, agreed.summary))
    for line in lines(("action", "edition", "origin", "group", "what for"), rows):
        say(line)
    for problem in contracts.problems:
        complain(f"cannot be used: {problem}")


@command.command("show")
@click.argument("action")
@click.argument("edition", required=False)
@workspace_option
def show(action: str, edition: str | None, workspace: str | None) -> None:
    """Print a contract, by default of the action's first edition."""
    contracts = _workspace(workspace).contracts
    chosen = edition or next(iter(contracts.editions(action)), "")
    write_out(contracts.text(action, chosen))


@command.command("check")
@click.argument("files", nargs=-1, metavar="[FILE]...")
@workspace_option
def check(files: tuple[str, ...], workspace: str | None) -> None:
    """Prove contracts: pointers lead somewhere, and examples keep the schemas; by default the workspace's.

    Exit code 2 where one of them cannot be used.
    """
    found = _workspace(workspace).contracts if not files else None
    own = found.own if found is not None else []
    problems: list[SandboxError] = [*found.unreadable] if found is not None else []
    for file in files:
        try:
            own = [*own, OwnContract(*contract_name(Path(file)), read_text(file), file)]
        except SandboxError as error:
            problems.append(error)
    for each in own:
        if isinstance(each.proved, SandboxError):
            problems.append(each.proved)
        else:
            say(f"✓ {each.file}: {each.proved.action} {each.proved.edition}")
    for problem in problems:
        complain(f"error: {problem}")
    if not own and not problems:
        say("this workspace has no contracts of its own")
    sys.exit(2 if problems else 0)


@command.command("new")
@click.argument("action")
@click.option("--edition", default="v1", show_default=True)
@click.option("--replace", is_flag=True, help="Replace the file that is there.")
@workspace_option
def new(action: str, edition: str, replace: bool, workspace: str | None) -> None:
    """Write a small whole contract to start from into the workspace."""
    safe_name(action, "an action's")
    safe_name(edition, "an edition's")
    if "." in action:
        # A file is named ACTION.EDITION.json.
        raise UsageError(f"{action} has a dot, which no action's name has", mend="take an underscore")
    folder = _workspace(workspace)
    text = resources.contract_to_start_from().decode().replace("ACTION", action).replace("EDITION", edition)
    made = _write(folder, action, edition, text, replace)
    if folder.find_fixture(action, edition, "default") is None:
        payload = jsontext.pretty(made.examples.request)
        say(f"made {folder.save_fixture(action, edition, 'default', payload)}")
    say("next: edit them, then retailops-sandbox contract check")


@command.command("import")
@click.argument("file")
@click.option("--path", default="", help="The call to take, where the file describes several.")
@click.option("--action", default="", help="The action, where the path does not end in ACTION_v1.")
@click.option("--edition", default="", help="The edition, where the path does not end in ACTION_v1.")
@click.option("--example", metavar="FILE", help="A payload that keeps the contract.")
@click.option(
    "--like", metavar="ACTION.EDITION", help="Take over from this contract what the file does not say."
)
@click.option("--replace", is_flag=True, help="Replace the file that is there.")
@workspace_option
def import_(
    file: str,
    path: str,
    action: str,
    edition: str,
    example: str | None,
    like: str | None,
    replace: bool,
    workspace: str | None,
) -> None:
    """Make a contract of a published file: a JSON hyper-schema with links, or a swagger.json.

    Each line that it prints is something that could not be carried over, or was taken from elsewhere.
    """
    from retailops_sandbox.contracts.published import made_of

    folder = _workspace(workspace)
    contracts = folder.contracts
    named = (like or "").partition(".")
    make = partial(
        made_of,
        jsontext.parse(read_text(file), file=file),
        file=Path(file).name,
        path=path,
        action=action and safe_name(action, "an action's"),
        edition=edition and safe_name(edition, "an edition's"),
        example=None if example is None else jsontext.parse(read_text(example), file=example),
    )
    made = make(like=contracts.load(named[0], named[2]) if like else None)
    name = (made.document["action"], made.document["edition"])
    if not like and contracts.is_shipped(*name):
        # The one that takes its place must name ids, events and codes as it does.
        made = make(like=contracts.load(*name))
    for note in made.notes:
        say(f"note: {note}")
    text = jsontext.pretty(made.document) + "\n"
    _write(folder, made.document["action"], made.document["edition"], text, replace)
    say("next: fill in what the notes name, then retailops-sandbox contract check")


def _write(folder: Workspace, action: str, edition: str, text: str, replace: bool) -> Contract:
    """Write a contract into the workspace, once it is proved."""
    path = folder.own_contract(action, edition)
    if checked(Path.exists, path) and not replace:
        raise FileError("is there already", mend="name another edition, or give --replace", file=str(path))
    proved = OwnContract(action, edition, text, str(path)).proved
    if isinstance(proved, SandboxError):
        raise proved
    folder.write(path, text)
    is_in_place = folder.contracts.is_shipped(action, edition)
    say(f"made {path}{', which takes the place of the shipped contract' if is_in_place else ''}")
    return proved


def _workspace(given: str | None) -> Workspace:
    return Workspace.find(given, os.environ, here())


def _origin(contracts: Contracts, action: str, edition: str) -> str:
    if not contracts.is_own(action, edition):
        return "shipped"
    return "changed" if contracts.is_shipped(action, edition) else "workspace"
