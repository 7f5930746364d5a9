"""New, duplicate, rename, delete and undo, by the forms of the pages."""

from __future__ import annotations

import html
import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx2 as httpx
import pytest
from starlette.testclient import TestClient

from retailops_sandbox.workspace.workspace import Workspace
from tests.support.apps import app_of
from tests.support.pages import main_words

MINE = "scenarios/mine.scenario.json"
SHIPPED = "shipped:draft-cancel.scenario.json"
TEXT = '{"name": "Mine", "steps": [{"name": "one", "fixture": "default"}]}\n'


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    return TestClient(app_of(tmp_path).asgi, base_url="http://127.0.0.1", follow_redirects=False)


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / MINE
    path.parent.mkdir()
    path.write_text(TEXT)
    return path


def done(answer: httpx.Response) -> tuple[str, str]:
    """The id of what is open after a change, and the id of the change."""
    assert answer.status_code == 303, main_words(answer.text)
    asked = parse_qs(urlsplit(answer.headers["location"]).query)
    return asked.get("id", [""])[0], asked["done"][0]


def words(client: TestClient, path: str) -> str:
    return main_words(client.get(path).text)


def test_a_new_scenario_is_a_file_named_after_its_sentence(client: TestClient, tmp_path: Path):
    assert 'href="/scenarios/new"' in client.get("/scenarios").text
    asked = {"name": "A 2nd cancel changes nothing!", "file": "", "contract": "order_cancel v1"}
    id, change = done(client.post("/scenarios/new", data=asked))
    assert id == "scenarios/a-2nd-cancel-changes-nothing.scenario.json"
    made = (tmp_path / id).read_text()
    assert '"edition": "v1"' in made
    assert '"fixture": "default"' in made
    shown = f"/scenarios/show?id={id}&done={change}"
    assert "Made a-2nd-cancel-changes-nothing.scenario.json. Undo" in words(client, shown)
    id, change = done(client.post("/scenarios/file", data={"change": change, "do": "undo"}))
    assert id == ""
    assert list((tmp_path / "scenarios").iterdir()) == []
    assert "Taken back: Made a-2nd" in words(client, f"/scenarios?done={change}")
    done(client.post("/scenarios/file", data={"change": change, "do": "undo"}))
    assert len(list((tmp_path / "scenarios").iterdir())) == 1


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [("file", "mine", "already"), ("file", "../out", "cannot be"), ("contract", "no such", "no contract")],
)
def test_a_new_scenario_that_cannot_be_made_keeps_what_was_typed(
    client: TestClient, mine: Path, field: str, value: str, why: str
):
    asked = {"name": "What <must> stay", "file": "free", "contract": "order_cancel v1"} | {field: value}
    answer = client.post("/scenarios/new", data=asked)
    assert answer.status_code == 422
    assert why in main_words(answer.text)
    typed = re.findall(r'<input id="(?:name|file)" name="\w+" value="([^"]*)"', answer.text)
    assert [html.unescape(each) for each in typed] == [asked["name"], asked["file"]]


def test_a_file_is_copied_renamed_deleted_and_back(client: TestClient, tmp_path: Path, mine: Path):
    page = client.get(f"/scenarios/show?id={MINE}").text
    assert re.findall(r'name="do" value="(rename|duplicate|delete)"', page) == [
        "rename",
        "duplicate",
        "delete",
    ]
    copy, _ = done(client.post("/scenarios/file", data={"id": MINE, "file_name": "mine", "do": "duplicate"}))
    assert copy == "scenarios/mine-copy.scenario.json"
    taken = client.post("/scenarios/file", data={"id": MINE, "file_name": "mine-copy", "do": "rename"})
    assert taken.status_code == 422
    assert 'value="mine-copy"' in taken.text
    assert "already" in main_words(taken.text)
    other, _ = done(client.post("/scenarios/file", data={"id": MINE, "file_name": "other", "do": "rename"}))
    assert (tmp_path / other).read_text() == TEXT
    assert not mine.exists()
    gone, change = done(
        client.post("/scenarios/file", data={"id": other, "file_name": "other", "do": "delete"})
    )
    assert gone == ""
    assert "other.scenario.json is deleted. Undo" in words(client, f"/scenarios?done={change}")
    assert done(client.post("/scenarios/file", data={"change": change, "do": "undo"}))[0] == other
    assert (tmp_path / other).read_text() == TEXT


def test_a_shipped_one_is_copied_and_its_copy_given_up(client: TestClient, tmp_path: Path):
    page = client.get(f"/scenarios/show?id={SHIPPED}").text
    assert re.findall(r'name="do" value="(rename|duplicate|delete)"', page) == ["duplicate"]
    copy, _ = done(client.post("/scenarios/file", data={"id": SHIPPED, "file_name": "x", "do": "duplicate"}))
    assert (tmp_path / copy).read_text() == Workspace(tmp_path).read_scenario(SHIPPED)
    hiding = tmp_path / "scenarios" / SHIPPED.removeprefix("shipped:")
    hiding.write_text(TEXT)
    id = f"scenarios/{hiding.name}"
    assert "Restore shipped" in words(client, f"/scenarios/show?id={id}")
    restored, _ = done(client.post("/scenarios/file", data={"id": id, "file_name": "x", "do": "delete"}))
    assert restored == SHIPPED
    assert not hiding.exists()


def test_an_undo_overwrites_nothing_that_came_later(client: TestClient, mine: Path):
    _, change = done(client.post("/scenarios/file", data={"id": MINE, "file_name": "other", "do": "rename"}))
    mine.write_text("somebody else's")
    refused = client.post("/scenarios/file", data={"change": change, "do": "undo"})
    assert refused.status_code == 400
    assert "nothing was taken back" in main_words(refused.text)
    assert mine.read_text() == "somebody else's"


def test_a_name_from_elsewhere_is_no_file(client: TestClient):
    for id in ("../x.scenario.json", "scenarios/none.scenario.json", ""):
        answer = client.post("/scenarios/file", data={"id": id, "file_name": "y", "do": "delete"})
        assert answer.status_code == 400
    assert client.get("/scenarios/show?id=shipped:draft-cancel.scenario.json&done=../../x").status_code == 200
