"""`send`: sends one fixture."""

from __future__ import annotations

import os
from typing import Any

import click
import msgspec

from retailops_sandbox import jsontext
from retailops_sandbox.cli.job import execute
from retailops_sandbox.cli.options import assignment, here, sending_options, table
from retailops_sandbox.contracts import contract
from retailops_sandbox.model import Expectation, Step
from retailops_sandbox.scenarios import scenario
from retailops_sandbox.workspace.files import read_text
from retailops_sandbox.workspace.workspace import Workspace


@click.command("send")
@click.argument("fixture")
@sending_options
@click.option("--action", default="order_cancel", show_default=True)
@click.option("--edition", default="draft", show_default=True)
@click.option(
    "--set", "changes", multiple=True, metavar="POINTER=VALUE", help="Put this JSON (or text) at a pointer."
)
@click.option("--remove", multiple=True, metavar="POINTER", help="Take away what this pointer leads to.")
@click.option("--expect", metavar="FILE", help="Compare with the expectation in this JSON file.")
@click.option("--off-contract", is_flag=True, help="Send although the payload breaks the contract.")
def command(
    fixture: str,
    action: str,
    edition: str,
    changes: tuple[str, ...],
    remove: tuple[str, ...],
    expect: str | None,
    off_contract: bool,
    **given: Any,
) -> None:
    """Send one fixture, and judge the answer where something is expected.

    FIXTURE is a fixture's name, or a path to a JSON file.
    """
    workspace = Workspace.find(given.pop("workspace"), os.environ, here())
    is_file = "/" in fixture or fixture.endswith(".json")
    contract.load(action, edition)
    if not is_file:
        workspace.fixture_path(action, edition, fixture)
    step = Step(
        name=fixture,
        fixture=None if is_file else fixture,
        payload=jsontext.parse(read_text(fixture), file=fixture) if is_file else msgspec.UNSET,
        set=table((assignment(each, "--set") for each in changes), "--set"),
        remove=list(remove),
        expect=_expectation(expect),
        off_contract=off_contract,
    )
    scenario.check_step(step)
    plan = scenario.single(step, action=action, edition=edition, name=fixture)
    execute(workspace, [plan], [], jobs=1, kind="send", **{**given, "verbose": True})


def _expectation(file: str | None) -> Expectation | None:
    return None if file is None else scenario.expectation(read_text(file), file=file)
