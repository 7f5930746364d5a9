"""report/exporting.py and pytest_file.py: files for other tools say what was sent and struck out."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import click
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retailops_sandbox import importing, jsontext
from retailops_sandbox.cli.export import command
from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.engine.preview import Preview
from retailops_sandbox.errors import UsageError
from retailops_sandbox.model import (
    Deliver,
    Expectation,
    Fault,
    Judgement,
    Number,
    ObjectCapture,
    Receiver,
    Repetition,
    Request,
    Response,
    Scenario,
    Step,
)
from retailops_sandbox.reporting import exporters
from retailops_sandbox.reporting.exporters import FORMATS, exporting, pytest_file
from retailops_sandbox.reporting.exporters.exporter import ExportedFile, Exporter, Sources, scenario_name
from retailops_sandbox.runlog.entries import Entry
from retailops_sandbox.scenarios import scenario
from retailops_sandbox.scenarios.scenario import Plan
from tests.support.policies import secret_policy
from tests.support.records import listed, some_delivery

PAYLOAD: dict[str, Any] = SHIPPED_CONTRACTS.load("order_cancel", "draft").examples.request
OWN: dict[str, Any] = {**PAYLOAD, "own": Number("35.00")}

SHIPPED = {"default": PAYLOAD}
FIXTURES = {"default": PAYLOAD, "mine": OWN}
EXPECTED = {"default": Expectation(status=200), "mine": Expectation(status=201)}
SOURCES = Sources(
    receiver=lambda name: None,
    fixture=lambda action, edition, name: FIXTURES.get(name, msgspec.UNSET),
    shipped=lambda action, edition, name: SHIPPED.get(name, msgspec.UNSET),
    expectation=lambda action, edition, name: EXPECTED.get(name),
    shipped_expectation=lambda action, edition, name: EXPECTED.get(name) if name in SHIPPED else None,
    policy=secret_policy(),
    contracts=SHIPPED_CONTRACTS,
)


def entry(number: int = 1, *, edition: str = "draft", **fields: Any) -> Entry:
    payload = SHIPPED_CONTRACTS.load("order_cancel", edition).examples.request
    given: dict[str, Any] = {
        "id": f"run.{number:06}",
        "run": "run",
        "sent_at": f"2026-01-01T00:00:{number:02}Z",
        "edition": edition,
        "request": Request(
            method="POST",
            url="http://a/order_cancel",
            headers=(("Content-Type", "application/json"),),
            body=jsontext.compact(payload).decode(),
        ),
    }
    sent = listed(some_delivery(**given | fields))
    return Entry(sent, (Judgement(delivery=sent.id, verdict="passed", at=""),))


def of(format: str, *entries: Entry, name: str = "run.1", own: bool = True) -> ExportedFile:
    return exporting.deliveries(entries, FORMATS[format], SOURCES, name=name, own=own)


def of_file(format: str, plan: Plan) -> ExportedFile:
    return exporting.scenario_file(plan, FORMATS[format], SOURCES, lambda: pytest.fail("previewed"))


# --- secrets -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", FORMATS)
def test_what_became_known_as_secret_after_it_was_sent_is_struck_out(format: str):
    secret = "named-secret-after-it-was-sent"
    payload = jsontext.compact({**PAYLOAD, "note": secret}).decode()
    sent = entry(
        request=Request(method="POST", url=f"http://a/order_cancel?q={secret}", headers=(), body=payload),
        response=Response(
            status=200, headers=(("X-Echo", secret),), body=f'{{"events":[],"echo":"{secret}"}}'
        ),
        fault=Fault("closed", f"after {secret}"),
    )
    expected = Expectation(body={}, rules={"/echo": {"one_of": [secret]}})
    sent = Entry(sent.delivery, (Judgement(delivery="run.1", verdict="passed", at="", expectation=expected),))
    assert secret in exporting.deliveries([sent], FORMATS[format], SOURCES, name="run.1", own=True).text
    sources = msgspec.structs.replace(SOURCES, policy=secret_policy({"LATE": secret}, named=["LATE"]))
    made = exporting.deliveries([sent], FORMATS[format], sources, name="run.1", own=True)
    assert secret not in made.text
    assert "LATE" in made.text
    assert "struck out: LATE" in made.notes


@pytest.mark.parametrize(
    ("proxy", "shown"),
    [
        ("http://me:${env:PROXY_PW}@proxy:3128", """--proxy http://me:"$PROXY_PW"@proxy:3128"""),
        ("http://me:spelled-out-password@proxy:3128", """--proxy http://"$proxy_password"@proxy:3128"""),
        ("http://me:short@proxy:3128", """--proxy http://"$URL"@proxy:3128"""),
        ("http://proxy:3128", "--proxy http://proxy:3128"),
    ],
)
def test_a_curl_command_does_not_spell_out_the_password_of_a_proxy(proxy: str, shown: str):
    shop = Receiver(name="shop", base_url="http://a", proxy=proxy)
    sources = msgspec.structs.replace(SOURCES, receiver=lambda name: shop)
    assert shown in exporting.deliveries([entry()], FORMATS["curl"], sources, name="run.1", own=True).text


# --- pytest files ------------------------------------------------------------------------------------------


class Answers:
    """What the file's tests are given: notes the calls, and answers as told."""

    def __init__(self, captured: dict[str, Any] | None = None) -> None:
        self.sent: list[dict[str, Any]] = []
        self.checked = 0
        self.verdict = "recorded"
        self.captured = captured or {}

    def send(self, fixture: str | None = None, **fields: Any) -> Answers:
        self.sent.append({"fixture": fixture, **fields})
        return self

    def check(self) -> None:
        self.checked += 1


def executed(text: str, captured: dict[str, Any] | None = None) -> Answers:
    """The calls of all tests of a file."""
    names: dict[str, Any] = {}
    exec(compile(text, "test_it.py", "exec"), names)
    answers = Answers(captured)
    for name, test in names.items():
        if name.startswith("test_"):
            test(answers)
    return answers


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NUMBERS = st.sampled_from(["35.00", "1e2", "-0.5"]).map(Number)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS | NUMBERS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
)


@given(
    st.lists(
        st.builds(Step, name=TEXTS, payload=VALUES, set=st.dictionaries(TEXTS, VALUES, max_size=2)),
        min_size=1,
        max_size=3,
    ),
    TEXTS,
    TEXTS,
    st.dictionaries(TEXTS, VALUES, max_size=2),
    TEXTS,
)
def test_a_file_says_just_what_the_steps_say(steps, name, description, variables, note):
    whole = Scenario(name=name, description=description, variables=variables, steps=steps)
    text = pytest_file.document([whole, whole], title=name, notes=[note])
    calls = executed(text).sent
    assert len(calls) == 2 * len(steps)
    for call, step in zip(calls, steps * 2, strict=True):
        assert jsontext.compact(call["payload"]) == jsontext.compact(step.payload)
        assert jsontext.compact(call.get("set", {})) == jsontext.compact(step.set)
        assert jsontext.compact(call.get("variables", {})) == jsontext.compact(variables)
        assert (call["action"], call["edition"]) == ("order_cancel", "draft")


def test_every_field_of_a_step_is_in_the_file():
    step = Step(
        name="it",
        fixture="default",
        remove=["/a"],
        set={"/b": 1},
        deliver=Deliver(times=2, headers={"X": "y"}),
        expect=Expectation(status=200, body={"n": Number("1.50")}, rules={"/n": "any"}),
        capture={"code": "/events/0/code", "all": ObjectCapture(path="/a/*", members={"b": "/c"})},
        repeat_while=Repetition(captured="code", at_most=3),
        off_contract=True,
    )
    later = Step(name="later", raw="x", off_contract=True, action="order_pull", edition="v1", together=True)
    text = pytest_file.document([Scenario(name="It's all", steps=[step, later])], title="x")
    answers = executed(text, {"code": "a${b}", "all": [{"b": Number("1.50")}]})
    first, second = answers.sent
    assert first == {
        "fixture": "default",
        "action": "order_cancel",
        "edition": "draft",
        "variables": {"code": "a$${b}", "all": [{"b": Number("1.50")}]},
        "remove": ["/a"],
        "set": {"/b": 1},
        "deliver": {"times": 2, "headers": {"X": "y"}},
        "expect": {"status": 200, "body": {"n": Number("1.50")}, "rules": {"/n": "any"}},
        "capture": {"code": "/events/0/code", "all": {"path": "/a/*", "members": {"b": "/c"}}},
        "repeat_while": {"captured": "code", "at_most": 3},
        "off_contract": True,
    }
    assert (second["raw"], second["variables"]) == ("x", first["variables"])
    assert (second["action"], second["edition"]) == ("order_pull", "v1")
    assert answers.checked == 1
    assert "def test_it_s_all(retailops):" in text
    assert 'Number("1.50")' in text
    known = {
        "name",
        "action",
        "edition",
        "fixture",
        "payload",
        "raw",
        "remove",
        "set",
        "deliver",
        "expect",
        "capture",
        "repeat_while",
        "together",
        "off_contract",
    }
    assert "    # later, together with the step before\n" in text
    assert set(Step.__struct_fields__) == known


def test_tests_of_the_same_name_are_told_apart():
    both = [Scenario(name=name, steps=[Step(payload=1)]) for name in ("a b", "A-B", "", "日本")]
    text = pytest_file.document(both, title="x")
    assert re.findall(r"def (\w+)", text) == [
        "test_a_b",
        "test_a_b_2",
        "test_order_cancel",
        "test_order_cancel_2",
    ]


# --- deliveries --------------------------------------------------------------------------------------------


def test_curl_is_one_command_for_each_delivery_and_can_be_imported():
    made = of("curl", entry(1), entry(2, scenario="a.scenario.json", step="it\nx"))
    assert made.name == "run.1.sh"
    assert "# run.000002 a.scenario.json / it x\n" in made.text
    found = importing.read(made.text, SHIPPED_CONTRACTS, file="f")
    assert [jsontext.parse(each.body) for each in found] == [PAYLOAD, PAYLOAD]


def test_a_scenario_of_deliveries_reads_back_and_names_the_workspaces_fixtures():
    own = entry(2, fixture="mine", request=Request(
        method="POST", url="http://a", headers=(), body=jsontext.compact(OWN).decode()))  # fmt: skip
    made = of("scenario", entry(1, fixture="default"), own)
    assert made.name == "run.1.scenario.json"
    steps = scenario.read(made.text, id="x", file="x").scenario.steps
    assert [step.fixture for step in steps] == ["default", "mine"]
    assert all(step.expect.body == {"events": []} for step in steps)


def test_a_pytest_file_of_deliveries_holds_what_is_not_shipped():
    own = entry(2, fixture="mine", request=Request(
        method="POST", url="http://a", headers=(), body=jsontext.compact(OWN).decode()))  # fmt: skip
    made = of("pytest", entry(1, fixture="default", scenario="s/a.scenario.json", step="it"), own)
    assert made.name == "test_run_1.py"
    assert "def test_a(retailops):" in made.text
    first, second = executed(made.text).sent
    assert (first["fixture"], "payload" in first) == ("default", False)
    assert (second["fixture"], second["payload"]["own"]) == (None, Number("35.00"))


@pytest.mark.parametrize("format", FORMATS)
def test_what_was_struck_out_is_said(format: str):
    body = jsontext.compact({**PAYLOAD, "x": "«redacted:API_KEY»"}).decode()
    headers = (("Authorization", "Bearer «redacted:TOKEN»"),)
    made = of(format, entry(request=Request(method="POST", url="http://a", headers=headers, body=body)))
    assert made.notes[0] == "struck out: TOKEN, API_KEY"
    if format in ("scenario", "pytest"):
        assert "${env:API_KEY}" in made.text
        assert "set API_KEY in the environment" in made.notes
    if format == "pytest":
        assert "# struck out: TOKEN, API_KEY" in made.text


def test_deliveries_of_several_contracts_are_steps_of_one_scenario():
    made = of("scenario", entry(1), entry(2, edition="v1"))
    whole = scenario.read(made.text, id="x", file="x").scenario
    assert whole.contracts == [("order_cancel", "draft"), ("order_cancel", "v1")]
    called = of("pytest", entry(1), entry(2, edition="v1")).text
    assert called.count("def test_") == 1
    assert called.index('edition="draft"') < called.index('edition="v1"')


def test_values_that_differ_each_time_are_said():
    response = Response(status=200, body='{"events":[{"diagnostic_data":["2026-01-01T00:00:00Z"]}]}')
    made = of("scenario", entry(response=response))
    assert '"/events/0/diagnostic_data/0": "datetime"' in made.text
    assert any("/events/0/diagnostic_data/0" in note for note in made.notes)


@pytest.mark.parametrize(
    ("format", "entries", "what"),
    [
        ("har", [], "has no such deliveries"),
        ("scenario", [entry(dropped=True)], "can be repeated by a scenario"),
        ("pytest", [entry(dropped=True)], "can be repeated by a test"),
    ],
)
def test_what_a_format_cannot_hold_is_refused(format: str, entries: list[Entry], what: str):
    with pytest.raises(UsageError) as caught:
        of(format, *entries)
    assert what in caught.value.what
    assert caught.value.mend


@pytest.mark.parametrize("id", ["a/b/it.scenario.json", "shipped:it.scenario.json", "it.scenario.json"])
def test_a_scenario_is_named_by_its_file(id: str):
    assert scenario_name(id) == "it"


@given(TEXTS)
def test_a_name_is_safe_for_any_system_and_header(name):
    for format in FORMATS:
        made = of(format, entry(), name=name)
        assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", made.name), made.name


# --- scenario files ----------------------------------------------------------------------------------------

TEXT = """{"name": "Both", "edition": "draft",
 "steps": [{"fixture": "default"}, {"fixture": "mine", "set": {"/data/order/id": "1"}}]}
"""
PLAN = scenario.read(TEXT, id="s/both.scenario.json", file="s/both.scenario.json")


def test_a_scenario_file_is_its_own_text():
    assert of_file("scenario", PLAN).text == TEXT


def test_a_pytest_file_of_a_scenario_file_holds_what_is_not_shipped():
    made = of_file("pytest", PLAN)
    assert made.name == "test_both.py"
    first, second = executed(made.text).sent
    assert (first["fixture"], "payload" in first) == ("default", False)
    assert (second["fixture"], second["payload"]["own"]) == (None, Number("35.00"))
    assert second["set"] == {"/data/order/id": "1"}


def test_steps_that_are_sent_together_are_told_where_a_format_sends_one_after_the_other():
    steps = [{"raw": "x"}, {"raw": "y", "together": True}, {"name": "z", "raw": "z", "together": True}]
    text = json.dumps({"steps": steps})
    made = of_file("pytest", scenario.read(text, id="x", file="x"))
    note = "sent one after the other here, and in the scenario together with the step before: step 2, z"
    assert made.notes == (note,)
    assert f"# {note}\n" in made.text
    assert of_file("pytest", PLAN).notes == ()
    plan = scenario.read(text, id="x", file="x")
    request = Request(method="POST", url="http://a/", headers=(), body="x")
    previews = [Preview(plan=plan, number=number, request=request) for number in range(3)]
    shop = Receiver(name="shop", base_url="http://a")
    script = exporting.scenario_file(plan, FORMATS["curl"], SOURCES, lambda: (previews, shop))
    assert script.notes == (note,)
    assert "# z, together with the step before\n" in script.text


def test_a_scenario_file_has_sent_nothing():
    with pytest.raises(UsageError) as caught:
        of_file("har", PLAN)
    assert "s/both.scenario.json has sent nothing" in caught.value.what
    assert "export its run" in caught.value.mend


def test_a_fixture_that_is_not_there_is_named():
    plan = scenario.read('{"steps": [{"fixture": "gone"}]}', id="x", file="x")
    with pytest.raises(UsageError, match="fixture 'gone'"):
        of_file("pytest", plan)


# --- the registry ------------------------------------------------------------------------------------------

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("format", FORMATS.values(), ids=FORMATS)
def test_every_format_has_its_module_and_is_documented(format: exporters.Format):
    assert isinstance(format.exporter(), Exporter)
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    assert any(f"`{format.name}`" in page.read_text(encoding="utf-8") for page in pages)


def test_every_module_that_holds_an_export_is_in_the_registry():
    folder = Path(exporters.__file__).parent
    holding = {path.stem for path in folder.glob("*.py") if "\nclass Export(" in path.read_text()}
    assert holding == {each.module for each in FORMATS.values()}


def test_every_format_is_a_choice_of_the_command():
    (option,) = (each for each in command.params if each.name == "format")
    assert isinstance(option.type, click.Choice)
    assert list(option.type.choices) == [*FORMATS, "run"]
