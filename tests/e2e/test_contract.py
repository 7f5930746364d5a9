"""`contract`: list, show, check, import and new, as a user has them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from retailops_sandbox import resources
from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from tests.support.command import run
from tests.support.contracts import write_contract

LINK = {
    "href": "/order_hold_v1",
    "method": "post",
    "description": "Tells a shop to hold an order.",
    "schema": {"type": "object", "required": ["order"], "properties": {"order": {"type": "string"}}},
    "targetSchema": {"type": "object", "properties": {"done": {"type": "boolean", "example": True}}},
}


def test_new_makes_one_that_is_whole_and_listed(tmp_path: Path):
    made = run("contract", "new", "order_hold", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    path = tmp_path / "contracts" / "order_hold.v1.json"
    assert f"made {path}" in made.stdout
    listed = run("contract", "list", cwd=tmp_path).stdout.splitlines()
    assert listed[0].split() == ["action", "edition", "origin", "group", "what", "for"]
    assert len(listed) == len(SHIPPED_CONTRACTS.names) + 2
    assert listed[1].startswith("order_cancel ")
    (own,) = [line for line in listed if "workspace" in line]
    assert own.split()[:4] == ["order_hold", "v1", "workspace", "own"]
    checked = run("contract", "check", cwd=tmp_path)
    assert (checked.returncode, checked.stdout) == (0, f"✓ {path}: order_hold v1\n")
    sent = run("send", "default", "--action", "order_hold", "--stand-in", cwd=tmp_path)
    assert "nothing was expected" in sent.stdout
    shown = run("contract", "show", "order_hold", cwd=tmp_path)
    assert shown.stdout == path.read_text()
    again = run("contract", "new", "order_hold", cwd=tmp_path)
    assert (again.returncode, "is there already" in again.stderr) == (2, True)


def test_check_names_the_place_of_what_is_wrong(tmp_path: Path):
    good = write_contract(tmp_path)
    bad = write_contract(tmp_path, action="order_broken", codes=["/nope"])
    checked = run("contract", "check", cwd=tmp_path)
    assert checked.returncode == 2
    assert checked.stdout == f"✓ {good}: order_hold v1\n"
    line = next(number for number, text in enumerate(bad.read_text().splitlines(), 1) if '"/nope"' in text)
    assert checked.stderr.startswith(f"error: {bad}:{line}:")
    assert "at /codes/0: the schema has no 'nope'" in checked.stderr
    assert run("contract", "check", str(good), cwd=tmp_path).returncode == 0
    assert run("contract", "check", str(tmp_path / "none.v1.json"), cwd=tmp_path).returncode == 2
    listed = run("contract", "list", cwd=tmp_path)
    assert (listed.returncode, listed.stderr.count("cannot be used:")) == (0, 1)
    assert "order_broken" not in listed.stdout


def test_show_prints_a_shipped_one_as_it_ships(tmp_path: Path):
    shown = run("contract", "show", "order_cancel", cwd=tmp_path)
    assert json.loads(shown.stdout)["edition"] == "draft"
    unknown = run("contract", "show", "nothing", cwd=tmp_path)
    assert (unknown.returncode, unknown.stderr.startswith("error: there is no contract nothing")) == (2, True)


def test_a_published_file_is_imported_and_sent_by(tmp_path: Path):
    file = tmp_path / "hold.json"
    file.write_text(json.dumps({"stability": "draft", "links": [LINK]}))
    made = run("contract", "import", "hold.json", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    assert "note: /subject: the ids that a payload is about are not known" in made.stdout
    assert json.loads((tmp_path / "contracts" / "order_hold.v1.json").read_text())["source"] == "hold.json"
    assert run("contract", "check", cwd=tmp_path).returncode == 0
    (tmp_path / "payload.json").write_text('{"order": 5}')
    sent = run(
        "send", "payload.json", "--action", "order_hold", "--receiver", "http://127.0.0.1:9", cwd=tmp_path
    )
    assert "/order must be a string, not an integer" in sent.stdout


def test_what_takes_the_place_of_a_shipped_one_is_read_like_it(tmp_path: Path):
    agreed = json.loads(resources.contract_text("order_cancel.v1"))
    link = {"href": "/order_cancel_v1", "method": "post", "schema": agreed["request_schema"]}
    link["targetSchema"] = agreed["response_schema"]
    (tmp_path / "cancel.json").write_text(json.dumps({"links": [link]}))
    made = run("contract", "import", "cancel.json", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    assert "which takes the place of the shipped contract" in made.stdout
    written = json.loads((tmp_path / "contracts" / "order_cancel.v1.json").read_text())
    assert written["subject"]["request"] == agreed["subject"]["request"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["import", "hold.json", "--example", "example.json"],
            "the example breaks its schema: /order is missing",
        ),
        (["import", "hold.json", "--like", "nothing.v1"], "there is no contract nothing.v1"),
        (["import", "example.json"], "neither a hyper-schema with links nor a swagger file"),
        (["import", "hold.json", "--action", "../x"], "cannot be an action's name"),
        (["new", "a/b"], "cannot be an action's name"),
        (["new", "a.b"], "a.b has a dot"),
        (["import", "hold.json", "--action", "order_cancel"], "or give the contract an edition of its own"),
    ],
)
def test_what_cannot_be_made_is_one_line_and_writes_nothing(tmp_path: Path, arguments: list[str], said: str):
    (tmp_path / "hold.json").write_text(json.dumps({"links": [LINK]}))
    (tmp_path / "example.json").write_text("{}")
    refused = run("contract", *arguments, cwd=tmp_path)
    assert refused.returncode == 2
    assert said in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert not (tmp_path / "contracts").exists()
