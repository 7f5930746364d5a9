"""The documentation names every command, option, setting, exit code, matcher, and field of a file."""

from __future__ import annotations

import re
from typing import get_args

import click
import msgspec
import pytest

from retailops_sandbox import jsontext, model, pytest_plugin
from retailops_sandbox.cli.commands import main
from retailops_sandbox.cli.log import shapes
from retailops_sandbox.comparing.matchers import HEADER, MATCHERS
from retailops_sandbox.probe.failing import FAIL_ON
from retailops_sandbox.probe.probes import SENT_AREAS
from retailops_sandbox.probe.report import Finding, ProbeReport
from retailops_sandbox.pytest_plugin.answers import Response, Result
from retailops_sandbox.pytest_plugin.probing import ProbeResult, Probing
from retailops_sandbox.pytest_plugin.sending import Fields
from retailops_sandbox.runlog.rows import COLUMNS
from retailops_sandbox.standin import StandIn
from retailops_sandbox.standin.careless import CARELESS
from retailops_sandbox.standin.misbehaviour import MISBEHAVIOURS
from retailops_sandbox.workspace.settings import Settings
from tests.support import documents

COMMANDS = documents.text("docs/commands.md")
LOG = documents.text("docs/log.md")
SCENARIOS = documents.text("docs/scenarios.md")


def commands(group: click.Group = main, above: str = "") -> dict[str, click.Command]:
    """The commands of a group and of the groups in it, by the words that call them."""
    context = click.Context(group)
    found: dict[str, click.Command] = {}
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        found[above + name] = command
        if isinstance(command, click.Group):
            found.update(commands(command, f"{above}{name} "))
    return found


@pytest.mark.parametrize("name", sorted(commands()))
def test_every_command_and_its_options_are_documented(name: str):
    assert re.search(rf"^\| [^|]*`{name}\b", COMMANDS + LOG, re.MULTILINE)
    # The log, the relay and the probe have pages of their own.
    own = {"log": LOG, "record": documents.text("docs/recording.md")}
    page = own.get(name.split()[0], COMMANDS)
    if name == "probe":
        page += documents.section("docs/probe.md", "Options")
    if name == "log export":
        page = COMMANDS
    for parameter in commands()[name].params:
        for option in parameter.opts if isinstance(parameter, click.Option) else ():
            assert f"`{option}`" in page or f"`{option} " in page, option


def test_every_option_in_a_table_is_one():
    known = {
        f"--retailops-{name}"
        for name in ("receiver", "stand-in", "edition", "follow-redirects", "yes", "log")
    }
    known |= {
        option
        for command in commands().values()
        for parameter in command.params
        if isinstance(parameter, click.Option)
        for option in parameter.opts
    }
    for row in re.findall(r"^\|([^|]*)\|", documents.everything(), re.MULTILINE):
        for option in re.findall(r"`(--?[a-z][\w-]*)", row):
            assert option in known, row


def test_every_action_of_the_stand_in_has_a_row():
    rows = re.findall(r"^\|([^|]*)\| ", documents.text("docs/receivers.md"), re.MULTILINE)
    named = set(re.findall(r"`(\w+)`", "".join(rows)))
    assert {name.partition(".")[0] for name in StandIn().shop.rules.actions} <= named


@pytest.mark.parametrize("kind", [model.Scenario, model.Step, model.Expectation, model.Deliver])
def test_every_field_of_a_scenario_has_a_row(kind: type[msgspec.Struct]):
    for field in msgspec.structs.fields(kind):
        assert re.search(rf"^\| [^|]*`{re.escape(field.encode_name)}`", SCENARIOS, re.MULTILINE), field.name


def test_every_key_of_the_log_has_a_row():
    page = documents.text("templates/shell/dialogs.html")
    listed = re.findall(r'^ *\("(?:Comparison|Log and deliveries)", \[(.*)\]\),$', page, re.MULTILINE)
    keys = re.findall(r'\("(\S+)", "[^"]+"\)', "".join(listed))
    assert len(keys) == 10
    for key in keys:
        assert re.search(rf"^\| [^|]*`{re.escape(key)}`", LOG, re.MULTILINE), key


def test_the_table_of_matchers_says_what_their_records_say():
    rows = [f"| `{jsontext.flat(kind.example_rule)}` | {kind.words} |" for kind in MATCHERS.values()]
    assert "\n".join(["| matcher | accepts |", "|---|---|", *rows, ""]) in SCENARIOS


def test_the_matchers_of_headers_are_named():
    *others, last = [f"`{name}`" for name, kind in MATCHERS.items() if HEADER not in kind.applies_to]
    assert f"A header takes all but {', '.join(others)} and {last}:" in SCENARIOS


@pytest.mark.parametrize("words", [model.FaultKind, model.Verdict], ids=["faults", "verdicts"])
def test_every_fault_and_verdict_is_documented(words: object):
    for word in get_args(words):
        assert f"`{word}`" in SCENARIOS or f"| *{word}* |" in SCENARIOS, word


def test_every_way_in_which_the_stand_in_goes_wrong_is_named():
    page = documents.section("docs/receivers.md", "The stand-in")
    for name in MISBEHAVIOURS:
        assert f"`{name}`" in page or f"/misbehave/{name}/" in page, name
    for name in CARELESS:
        assert f"/careless/{name}`" in page, name


def test_every_setting_is_documented():
    page = documents.section("docs/workspace.md", "Settings")
    for field in Settings.__struct_fields__:
        assert f"`{field.replace('_', '-')}`" in page, field


@pytest.mark.parametrize("code", [0, 1, 2, 3, 5, 130])
def test_every_exit_code_is_documented(code: int):
    assert f"\n| {code} | " in documents.section("docs/ci.md", "Exit codes")


SHAPES = [
    each
    for each in vars(shapes).values()
    if isinstance(each, type) and issubclass(each, msgspec.Struct) and each.__module__ == shapes.__name__
]


@pytest.mark.parametrize("fields", [COLUMNS, *(shape.__struct_fields__ for shape in SHAPES)])
def test_every_field_of_the_logs_json_is_documented(fields: tuple[str, ...]):
    section = documents.section("docs/log.md", "JSON")
    for field in fields:
        assert f"`{field}`" in section, field


class Options:
    """What the pytest plugin adds to pytest's options, by name."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def getgroup(self, *_: str) -> Options:
        return self

    def addoption(self, name: str, **_: object) -> None:
        self.names.append(name)

    def addini(self, name: str, *_: str, **__: object) -> None:
        self.names.append(name)


def test_every_option_and_ini_key_of_the_pytest_plugin_is_documented():
    options = Options()
    pytest_plugin.pytest_addoption(options)
    assert len(options.names) == 10
    page = documents.section("docs/pytest.md", "Options")
    for name in options.names:
        assert f"| `{name}`" in page or f"| `{name} " in page, name


def test_all_that_a_probe_in_a_test_takes_and_gives_is_documented():
    section = documents.section("docs/pytest.md", "A probe as a test")
    public = [name for name in vars(ProbeResult) if not name.startswith("_")]
    for name in [*Probing.__annotations__, *public, "report"]:
        assert re.search(rf"`{name}(\([^)]*\))?`", section), name


@pytest.mark.parametrize("word", sorted({*FAIL_ON, *SENT_AREAS}))
def test_every_area_and_what_a_probe_fails_on_is_documented(word: str):
    assert f"`{word}`" in documents.text("docs/probe.md"), word


@pytest.mark.parametrize("kind", [ProbeReport, Finding])
def test_every_member_of_a_probes_report_is_documented(kind: type[msgspec.Struct]):
    section = documents.section("docs/probe.md", "The report as JSON")
    for field in kind.__struct_fields__:
        assert f"`{field}`" in section, field


def test_every_field_of_a_send_and_of_its_result_is_documented():
    section = documents.section("docs/pytest.md", "The fixture `retailops`")
    public = [name for kind in (Result, Response) for name in vars(kind) if not name.startswith("_")]
    instance = ["verdict", "reason", "deliveries", "comparisons", "status", "headers", "content"]
    for name in [*Fields.__annotations__, *public, *instance]:
        assert re.search(rf"`{name}(\(\))?`", section), name
