"""session/file_check.py: what is wrong in files, each with its place, and which files are looked at."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from retailops_sandbox.errors import UsageError
from retailops_sandbox.model import Json
from retailops_sandbox.session.file_check import Checked, check
from retailops_sandbox.workspace.workspace import Workspace
from tests.support.contracts import write_contract

FIXTURES = "fixtures/order_cancel/draft"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def checked(folder: Path, *paths: str, variables: dict[str, Json] | None = None, **set_: str) -> Checked:
    return check(Workspace(folder), paths, set_, variables or {})


def write(folder: Path, name: str, content: object) -> str:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return name


def scenario(folder: Path, *steps: object, name: str = "scenarios/a", **more: object) -> str:
    document = {"format": 1, "steps": steps, **more}
    return write(folder, f"{name}.scenario.json", json.dumps(document, indent=1))


def of_fixture(**step: object) -> dict[str, object]:
    return {"fixture": "default", **step}


@pytest.mark.parametrize(
    ("step", "place", "what"),
    [
        (
            {"fixture": "defualt"},
            ":4:3 at /steps/0: ",
            "no order_cancel draft fixture 'defualt' (did you mean default?",
        ),
        (of_fixture(sett={}), ":6:12 at /steps/0/sett: ", '(did you mean "set"?'),
        (
            of_fixture(set={"/x": "${no}"}),
            ":7:11 at /steps/0/set/~1x: ",
            "unknown placeholder ${no} (known: ",
        ),
        (of_fixture(remove=["/no"]), ":4:3 at /steps/0: ", "fixture 'default' at /no: "),
        (
            of_fixture(expect={"body": ["${no}"]}),
            ":8:6 at /steps/0/expect/body/0: ",
            "unknown placeholder ${no}",
        ),
        (
            of_fixture(expect={"status": "9xx"}),
            ":7:15 at /steps/0/expect/status: ",
            '(a class is "1xx" to "5xx"',
        ),
        ({"payload": {"a": "${no}"}}, ":6:10 at /steps/0/payload/a: ", "unknown placeholder ${no}"),
        (
            of_fixture(edition="v7"),
            ":6:15 at /steps/0/edition: ",
            "no contract order_cancel.v7 (order_cancel has ",
        ),
    ],
)
def test_a_mistake_has_its_place_and_says_how_to_mend_it(folder: Path, step: object, place: str, what: str):
    file = scenario(folder, step)
    found = checked(folder)
    (problem,) = found.problems
    assert problem.text.startswith(file + place), problem.text
    assert what in problem.text
    assert problem.file == file
    assert f":{problem.line}:" in place
    assert found.exit_code == 2


def test_a_payload_that_breaks_its_contract_is_told_apart(folder: Path):
    file = scenario(
        folder, of_fixture(set={"/action": 5}), {"payload": {"action": 1, "version": "", "data": {}}}
    )
    own = write(folder, f"{FIXTURES}/own.json", '{\n "action": 5, "version": "1", "data": {}}')
    found = checked(folder)
    assert found.exit_code == 1
    assert found.files == {"scenario": 1, "fixture": 1}
    assert all("the payload breaks the contract order_cancel draft: " in each.text for each in found.problems)
    assert all(
        "(`retailops-sandbox contract show order_cancel draft` prints it)" in each.text
        for each in found.problems
    )
    places = [each.text.partition(": the payload")[0] for each in found.problems]
    assert f"{own}:2:12 at /action" in places
    assert f"{file}:4:3 at /steps/0" in places
    assert f"{file}:12:15 at /steps/1/payload/action" in places
    meant = scenario(folder, of_fixture(set={"/action": 5}, off_contract=True))
    assert checked(folder, meant).exit_code == 0


def test_what_only_a_run_knows_is_no_mistake(folder: Path):
    scenario(
        folder,
        of_fixture(set={"/data/order/id": "${env:ORDER}"}, capture={"code": "/events/0/error_code"}),
        of_fixture(set={"/data/order/id": "${code}"}),
        of_fixture(set={"/data/order/id": "${given}"}, deliver={"headers": {"X": "${uuid}"}}),
        of_fixture(set={"/data/order/id": "${of_receiver}"}),
    )
    assert "unknown placeholder ${given}" in checked(folder).problems[0].text
    receivers = {"receivers": {"1": {"name": "a", "base_url": "http://x", "variables": {"of_receiver": "5"}}}}
    write(folder, "receivers.json", receivers)
    found = checked(folder, variables={"given": "7"})
    assert (found.problems, found.exit_code) == ((), 0)
    assert found.files == {"scenario": 1, "receivers": 1}


def test_a_fixture_may_leave_names_to_its_scenarios(folder: Path):
    write(folder, f"{FIXTURES}/own.json", '{"action": "${which}", "at": "${now}", "of": "${env:SHOP}"}')
    assert checked(folder).exit_code == 0
    scenario(folder, {"fixture": "own"})
    (problem,) = checked(folder).problems
    assert problem.text.startswith(
        "scenarios/a.scenario.json:4:3 at /steps/0: in the fixture 'own' at /action: "
    )


def test_each_kind_of_file_is_read_as_what_it_is(folder: Path):
    write(folder, f"{FIXTURES}/own.json", '{"action": 1,}')
    write(folder, f"{FIXTURES}/own.expect.json", '{"stauts": 200}')
    write(folder, f"{FIXTURES}/alone.expect.json", "{}")
    write(folder, "fixtures/order_cancle/draft/x.json", "{}")
    write(folder, "receivers.json", '{"receivers": []}')
    write_contract(folder, edition="draft")
    write(folder, "contracts/nothing.json", "{}")
    found = checked(folder)
    assert found.exit_code == 2
    said = "\n".join(each.text for each in found.problems)
    assert f"{FIXTURES}/own.json:1:13" in said
    assert f"{FIXTURES}/own.expect.json:1:12 at /stauts: unknown field" in said
    assert f"{FIXTURES}/alone.expect.json: has no alone.json beside it" in said
    assert (
        "order_cancle/draft/x.json: there is no contract order_cancle.draft (did you mean order_cancel?"
        in said
    )
    assert "receivers.json:1:15 at /receivers: " in said
    assert "contracts/nothing.json: its name is none of a contract" in said


def test_a_named_file_brings_those_that_may_use_it(folder: Path):
    broken = scenario(folder, {"fixture": "none"}, name="scenarios/broken")
    right = scenario(folder, of_fixture(), name="elsewhere/right")
    own = write(folder, f"{FIXTURES}/own.json", '{"action": "a", "version": "1", "data": {}}')
    assert checked(folder, right).files == {"scenario": 1}
    assert checked(folder, right).exit_code == 0
    assert [each.file for each in checked(folder, "scenarios").problems] == [broken]
    assert broken in [each.file for each in checked(folder, own).problems]
    assert checked(folder, own, right).files == {"scenario": 2, "fixture": 1}
    assert checked(folder, ".").files == {"scenario": 2, "fixture": 1}


def test_nothing_to_check_is_not_all_right(folder: Path):
    assert checked(folder).exit_code == 5
    with pytest.raises(UsageError, match="there is no file or folder 'no'"):
        checked(folder, "no")


def test_the_shipped_files_are_all_right(monkeypatch: pytest.MonkeyPatch):
    from retailops_sandbox import resources

    found = check(Workspace(resources.fixtures_dir().parent), [str(resources.fixtures_dir())], {}, {})
    assert found.problems == ()
    assert found.files["fixture"] > 50


def test_every_mistake_of_a_file_is_told(folder: Path):
    """Each where the check can go on without it; a file that cannot be decoded has one."""
    file = scenario(
        folder,
        of_fixture(
            set={"/a": "${no}", "/b/c": "${neither}", "x": 1, "/data/order": 5},
            expect={"status": "9xx", "body": ["${nor}"]},
        ),
        {
            "fixture": "defualt",
            "expect": {"rules": {"/a": "bogus", "/b": {"regex": "(("}}, "headers": {"x": {"type": "y"}}},
        },
        {"name": "step 1"},
        of_fixture(set={"/action/x": 1}, remove=["/no"], deliver={"wire": {"method": "no method"}}),
        of_fixture(edition="v7"),
        of_fixture(edition="draft", expect={"body": "${no}", "rules": {"": "bogus"}}),
    )
    places = [each.text.split(": ")[0].split(" at ") for each in checked(folder).problems]
    assert [place for _, place in places] == [
        "/steps/0/set/~1a",
        "/steps/0/set/~1b~1c",
        "/steps/0/set/x",
        "/steps/0/expect/status",
        "/steps/0/expect/body/0",
        "/steps/1",
        "/steps/1/expect/rules/~1a",
        "/steps/1/expect/rules/~1b",
        "/steps/1/expect/headers/x",
        "/steps/2",
        "/steps/2/name",
        "/steps/3",
        "/steps/3/set/~1action~1x",
        "/steps/3/deliver/wire/method",
        "/steps/4/edition",
        "/steps/5/expect/body",
        "/steps/5/expect/rules/",
    ]
    assert all(place.startswith(f"{file}:") for place, _ in places)
    assert "(known: now, sequence" in checked(folder).problems[4].text
    write(folder, f"{FIXTURES}/own.json", '{"action": "a", "version": "1", "data": {}}')
    own = write(folder, f"{FIXTURES}/own.expect.json", '{"rules": {"/a": "bogus", "/b": {"type": "y"}}}')
    assert [each.file for each in checked(folder, "fixtures").problems].count(own) == 2


def test_receivers_that_cannot_be_read_are_told_where_they_are_checked(folder: Path):
    write(folder, "receivers.json", '{"receivers": []}')
    named = scenario(folder, of_fixture(set={"/data/order/id": "${of_a_receiver}"}))
    assert checked(folder, named).problems == ()
    assert [each.file for each in checked(folder).problems] == ["receivers.json"]


@pytest.mark.parametrize(
    ("name", "is_told"),
    [
        ("a.scenaro.json", True),
        ("a.Scenario.json", True),
        ("a.scenario.JSON", True),
        ("a.json", False),
        ("a.expect.json", False),
        ("scenarios.md", False),
    ],
)
def test_a_file_that_nearly_is_a_scenario_is_told(folder: Path, name: str, is_told: bool):
    write(folder, f"scenarios/{name}", "{}")
    said = [each.text for each in checked(folder).problems]
    expected = f"scenarios/{name}: is passed over, as its name does not end in .scenario.json (rename it)"
    assert said == ([expected] if is_told else [])


def test_the_whole_workspace_can_be_checked_with_the_files_that_are_named(folder: Path):
    elsewhere = scenario(folder, of_fixture(), name="elsewhere/a")
    lost = scenario(folder, {"fixture": "deleted"})
    found = check(Workspace(folder), [elsewhere], {}, {}, whole=True)
    assert (found.files, [each.file for each in found.problems]) == ({"scenario": 2}, [lost])
