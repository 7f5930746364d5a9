"""`send`: sends one fixture."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click
import msgspec

from retailops_sandbox import jsontext
from retailops_sandbox.cli.job import Chosen, execute
from retailops_sandbox.cli.options import assignment, found_workspace, sending_options, table
from retailops_sandbox.cli.output import complain
from retailops_sandbox.contracts import members
from retailops_sandbox.errors import UsageError
from retailops_sandbox.model import DEFAULT_ACTION, DEFAULT_EDITION, Expectation, Step
from retailops_sandbox.scenarios import checking, scenario
from retailops_sandbox.session.fitting import editions_of
from retailops_sandbox.workspace import settings
from retailops_sandbox.workspace.files import read_text
from retailops_sandbox.workspace.names import EXPECTATION, is_expectation
from retailops_sandbox.workspace.workspace import Workspace

if TYPE_CHECKING:
    from retailops_sandbox.engine import Options


@click.command("send")
@click.argument("fixture")
@sending_options
@click.option("--action", default=DEFAULT_ACTION, show_default=True)
@click.option("--edition", help="By default the one that the receiver speaks, else the action's first.")
@click.option(
    "--set", "changes", multiple=True, metavar="POINTER=VALUE", help="Put this JSON (or text) at a pointer."
)
@click.option("--remove", multiple=True, metavar="POINTER", help="Take away what this pointer leads to.")
@click.option(
    "--expect",
    metavar="FILE",
    help="Compare with the expectation in this JSON file, instead of the fixture's own.",
)
@click.option("--off-contract", is_flag=True, help="Send although the payload breaks the contract.")
def command(
    fixture: str,
    action: str,
    edition: str | None,
    changes: tuple[str, ...],
    remove: tuple[str, ...],
    expect: str | None,
    off_contract: bool,
    **given: Any,
) -> None:
    """Send one fixture, and judge the answer where something is expected.

    FIXTURE is a fixture's name, or a path to a JSON file.
    """
    workspace = found_workspace(given.pop("workspace"))
    is_file = "/" in fixture or fixture.endswith(".json")
    if is_file and is_expectation(fixture.removesuffix(".json")):
        payload = fixture[: -len(f"{EXPECTATION}.json")]
        raise UsageError(f"{fixture} is an expectation, and no payload", mend=f"send {payload}.json")
    step = Step(
        name=fixture,
        fixture=None if is_file else fixture,
        payload=jsontext.parse(read_text(fixture), file=fixture) if is_file else msgspec.UNSET,
        set=table((assignment(each, "--set") for each in changes), "--set"),
        remove=list(remove),
        expect=_expectation(expect),
        off_contract=off_contract,
    )
    checking.check_step(step)

    def choose(options: Options) -> Chosen:
        wanted = edition or _edition(workspace, options, action, "" if is_file else fixture)
        agreed = workspace.contracts.load(action, wanted)
        kept = step.payload
        if not is_file:
            path = workspace.fixture_path(action, wanted, fixture)
            kept = jsontext.parse(read_text(path), file=str(path)) if step.set else None
        for at in step.set:
            if what := members.unknown(agreed.request_schema, at, kept):
                complain(f"note: --set: {action} {wanted} names no {what}")
        return Chosen([scenario.single(step, action=action, edition=wanted, name=fixture)])

    execute(workspace, choose, [], jobs=1, kind="send", **{**given, "verbose": True})


def _edition(workspace: Workspace, options: Options, action: str, fixture: str) -> str:
    """The edition to send: the receiver's, unless only the default one has the fixture."""
    environment = settings.readable(os.environ)
    contracts = workspace.contracts
    speaks = editions_of(options.receiver, options.variables, environment, contracts)
    spoken = speaks.edition_of(action, contracts)
    if fixture and workspace.find_fixture(action, spoken, fixture) is None:
        return DEFAULT_EDITION if workspace.find_fixture(action, DEFAULT_EDITION, fixture) else spoken
    return spoken


def _expectation(file: str | None) -> Expectation | msgspec.UnsetType:
    return msgspec.UNSET if file is None else scenario.expectation(read_text(file), file=file)
