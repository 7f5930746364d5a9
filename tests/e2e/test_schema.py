"""`schema` and `init` as processes: what editors read lies where docs/workspace.md says."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema_rs
import pytest

from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.workspace import schemas
from tests.support.command import run

ALL = set(schemas.everything(SHIPPED_CONTRACTS))


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_init_writes_all_and_mends_what_is_of_another_version(tmp_path: Path):
    folder = tmp_path / ".sandbox/schemas"
    assert run("init", cwd=tmp_path).returncode == 0
    assert names(folder) == ALL
    old = folder / "scenario.schema.json"
    whole = old.read_text()
    old.write_text("{}")
    done = run("init", cwd=tmp_path)
    assert done.stdout == f"made {old}\n"
    assert old.read_text() == whole
    assert "is a workspace already" in run("init", cwd=tmp_path).stdout


def test_one_is_printed_and_knows_the_fixtures_of_the_workspace(tmp_path: Path):
    own = tmp_path / "fixtures/order_cancel/draft/mine.json"
    own.parent.mkdir(parents=True)
    own.write_text("{}")
    done = run("schema", "scenario", "--workspace", tmp_path, cwd=tmp_path)
    schema = json.loads(done.stdout)
    jsonschema_rs.meta.validate(schema)
    (of_action,) = (
        each["then"]
        for each in schema["definitions"]["Step"]["allOf"]
        if each["if"]["properties"].get("action") == {"const": "order_cancel"}
    )
    assert {"default", "mine"} <= set(of_action["properties"]["fixture"]["anyOf"][0]["enum"])
    fixture = json.loads(run("schema", "fixture", "order_cancel", "v1", cwd=tmp_path).stdout)
    assert fixture["title"] == "A payload of order_cancel, edition v1"


def test_some_or_all_are_written_into_a_folder(tmp_path: Path):
    done = run("schema", "receivers", "fixture", "order_cancel", "draft", "-o", "a/b", cwd=tmp_path)
    wanted = {"receivers.schema.json", "fixture.order_cancel.draft.schema.json"}
    assert names(tmp_path / "a/b") == wanted
    assert set(done.stdout.split()) - {"made"} == {f"a/b/{name}" for name in wanted}
    assert run("schema", "-o", "all", cwd=tmp_path).returncode == 0
    assert names(tmp_path / "all") == ALL


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        ([], "give -o FOLDER, or name one"),
        (["scenario", "receivers"], "there are 2 schemas"),
        (["scenarios"], "there are scenario, expectation, receivers, contract, fixture"),
        (["fixture", "order_cancel"], "fixture needs an action and an edition"),
        (["fixture", "order_cancel", "v7"], "there is no contract order_cancel.v7"),
        (["scenario", "-o", "file"], "file: cannot be made"),
    ],
)
def test_a_mistake_is_one_line(tmp_path: Path, arguments: list[str], what: str):
    (tmp_path / "file").write_text("")
    done = run("schema", *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert what in done.stderr
    assert done.stderr.count("\n") == 1
