"""Fixtures on the compose page as an HTTP client has them: plain forms, real files."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx2 as httpx
import pytest

from retailops_sandbox.workspace.workspace import Workspace
from tests.support.composing import Page, words
from tests.support.serving import serving


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("workspace")


@pytest.fixture(scope="module")
def http(root: Path) -> Iterator[httpx.Client]:
    with serving(root) as served, httpx.Client(base_url=served.url, timeout=60) as client:
        yield client


@pytest.fixture
def desk(http: httpx.Client, root: Path) -> Iterator[Page]:
    yield Page(http, root)
    for path in (root / "fixtures").rglob("*.json"):
        path.unlink()


def test_a_fixture_begins_with_the_documented_example_and_gets_a_name(desk: Page) -> None:
    desk.open("/?new=1")
    assert json.loads(desk.fields["payload"])["action"] == "order_cancel"
    assert desk.press("save", save_as="").said.count("cannot be a fixture's name") == 1
    desk.press("save", save_as="first")
    assert f"Saved as {desk.file('first')}" in desk.said
    assert desk.file("first").read_text() == desk.fields["payload"].rstrip("\n") + "\n"
    desk.undo()
    assert not desk.file("first").exists()
    assert "order_cancel" in desk.fields["payload"]


def test_a_new_fixture_holds_no_token(desk: Page) -> None:
    assert "integration_auth_token" not in desk.open("/?edition=v1&new=1").fields["payload"]


def test_saving_over_shows_what_changed_and_is_undone(desk: Page) -> None:
    before = desk.fields["payload"]
    desk.press("save", payload=before.replace("Will Call", "Courier"))
    assert "What changed +1" in desk.said
    assert '- "ship_service_name": "Will Call",' in desk.said
    assert "Courier" in desk.file("default").read_text()
    desk.press("save", payload=desk.fields["payload"].replace("Courier", "Bicycle"))
    desk.undo()
    assert "Courier" in desk.file("default").read_text()
    assert "Bicycle" in desk.fields["payload"]
    assert "default is as it was" in desk.said
    desk.press("save")
    assert "Bicycle" in desk.file("default").read_text()


def test_a_file_that_was_changed_meanwhile_is_not_overwritten(desk: Page) -> None:
    desk.press("duplicate", fixture_name="mine")
    theirs = desk.file("mine").read_text().replace("Will Call", "Theirs")
    desk.file("mine").write_text(theirs)
    assert "mine was changed on disk meanwhile" in desk.press("show").said
    typed = desk.fields["payload"].replace("Will Call", "Ours")
    for do in ("compare", "save"):
        desk.press(do, payload=typed)
        assert "mine on disk is not what was opened" in desk.said
        assert '- "ship_service_name": "Theirs",' in desk.said
        assert '+ "ship_service_name": "Ours",' in desk.said
        assert desk.file("mine").read_text() == theirs
        assert desk.fields["payload"] == typed
    desk.file("mine").write_text(again := theirs.replace("Theirs", "Theirs again"))
    desk.press("overwrite")
    assert "Theirs again" in desk.said
    assert desk.file("mine").read_text() == again
    desk.press("overwrite")
    assert "Ours" in desk.file("mine").read_text()
    desk.undo()
    assert desk.file("mine").read_text() == again


def test_what_is_on_disk_is_taken_and_what_was_typed_comes_back(desk: Page) -> None:
    desk.press("duplicate", fixture_name="mine")
    desk.file("mine").write_text(desk.file("mine").read_text().replace("Will Call", "Theirs"))
    typed = desk.fields["payload"].replace("Will Call", "Ours")
    desk.press("save", payload=typed)
    desk.press("take")
    assert desk.fields["payload"] == desk.file("mine").read_text()
    assert "mine on disk is not" not in desk.press("save").said
    desk.press("save", payload=typed, loaded="another")
    desk.press("take")
    desk.undo()
    assert desk.fields["payload"] == typed


def test_saving_as_another_that_exists_shows_it_first(desk: Page) -> None:
    desk.press("save", save_as="zero-total", payload='{"mine": 1}')
    assert "There is a fixture zero-total already" in desk.said
    assert not desk.file("zero-total").exists()
    desk.press("overwrite")
    assert desk.file("zero-total").read_text() == '{"mine": 1}\n'


def test_a_file_that_is_gone_is_written_anew(desk: Page) -> None:
    desk.press("duplicate", fixture_name="mine")
    desk.file("mine").unlink()
    assert "mine is gone from the disk" in desk.press("show").said
    desk.press("save", save_as="mine")
    assert desk.file("mine").exists()


def test_a_duplicate_leaves_the_original_and_what_is_typed(desk: Page) -> None:
    typed = desk.fields["payload"].replace("Will Call", "Typed")
    desk.press("duplicate", payload=typed)
    assert desk.fields["fixture"] == desk.fields["save_as"] == "default-copy"
    assert desk.fields["payload"] == typed
    assert "Will Call" in desk.file("default-copy").read_text()
    desk.undo()
    assert not desk.file("default-copy").exists()
    assert desk.fields["fixture"] == "default"


def test_a_rename_names_the_scenarios_that_are_left_behind(desk: Page) -> None:
    desk.press("duplicate", fixture_name="mine")
    scenario = desk.root / "scenarios" / "uses.scenario.json"
    scenario.parent.mkdir(exist_ok=True)
    scenario.write_text('{"name": "Uses", "steps": [{"fixture": "mine"}]}')
    desk.press("rename", fixture_name="other")
    assert "mine is other now" in desk.said
    assert "Named mine still: scenarios/uses.scenario.json." in desk.said
    assert (desk.file("other").exists(), desk.file("mine").exists()) == (True, False)
    desk.undo()
    assert (desk.file("other").exists(), desk.file("mine").exists()) == (False, True)
    assert "Named mine still" in desk.press("delete").said
    scenario.unlink()


@pytest.mark.parametrize("name", ["../evil", "zero-total", "", "mine"])
def test_a_name_that_cannot_be_is_told_at_its_field(desk: Page, name: str) -> None:
    desk.press("duplicate", fixture_name="mine")
    desk.press("rename", fixture_name=name, payload='{"typed": 1}')
    assert 'id="fixture_name-error"' in desk.text
    assert desk.fields["fixture_name"] == name
    assert desk.fields["payload"] == '{"typed": 1}'
    assert desk.file("mine").exists()


def test_a_deleted_fixture_leaves_what_is_typed_and_comes_back(desk: Page) -> None:
    desk.press("duplicate", fixture_name="mine")
    desk.press("delete", payload='{"typed": 1}')
    assert "mine" not in desk.listed
    assert desk.fields["payload"] == '{"typed": 1}'
    desk.undo()
    assert "mine" in desk.listed
    assert desk.fields["fixture"] == "mine"
    assert desk.fields["payload"] == '{"typed": 1}'
    desk.undo()
    assert not desk.file("mine").exists()


def test_a_shipped_one_is_restored_and_the_restoring_undone(desk: Page) -> None:
    desk.press("save", payload=desk.fields["payload"].replace("Will Call", "Mine"))
    typed = desk.fields["payload"].replace("Mine", "Typed")
    desk.press("restore", payload=typed)
    assert not desk.file("default").exists()
    assert "Will Call" in desk.fields["payload"]
    desk.undo()
    assert "Mine" in desk.file("default").read_text()
    assert desk.fields["payload"] == typed
    desk.open("/")
    desk.press("restore")
    assert "not a changed copy" in desk.press("restore").said


def test_the_list_is_searched_by_each_word(desk: Page) -> None:
    assert desk.open("/?q=PAYMENT%20split").listed == ["split-payment"]
    assert "q=PAYMENT%20split" in desk.text
    assert desk.open("/?q=nonesuch").listed == []
    assert "No name has “nonesuch”" in desk.said
    assert desk.press("show", q="total", payload="typed").listed == [
        "fractional-total", "total-with-zero-cents", "zero-total",
    ]  # fmt: skip
    assert desk.fields["payload"] == "typed"


# --- Import ----------------------------------------------------------------------------------------------


def curl(payload: str, *headers: str) -> str:
    options = " ".join(f"-H '{each}'" for each in ("Content-Type: application/json", *headers))
    return f"curl {options} https://u:pw-31415926@till.example/order_cancel --data-raw '{payload}'"


def test_a_curl_command_becomes_a_fixture_without_its_secrets(desk: Page) -> None:
    typed = desk.fields["payload"]
    command = curl(typed.replace("35,", "35.00,"), "Authorization: Bearer sk-27182818", "X-Shop: north")
    desk.press("import", import_text=command, import_name="from-till", payload='{"typed": 1}')
    assert "Made from-till, of order_cancel draft" in desk.said
    left_out = re.search(r"Left out: ([^;]*); credentials belong to the receiver", desk.said)
    assert left_out
    assert "Authorization" in left_out[1]
    assert "X-Shop" in desk.said
    text = desk.file("from-till").read_text()
    assert '"grand_total": 35.00' in text
    assert desk.fields["payload"].rstrip("\n") == text.rstrip("\n")
    assert desk.fields["import_text"] == ""
    for path in desk.root.rglob("*"):
        assert path.is_dir() or b"sk-27182818" not in path.read_bytes()
        assert path.is_dir() or b"pw-31415926" not in path.read_bytes()
    desk.undo()
    assert not desk.file("from-till").exists()
    assert desk.fields["payload"] == '{"typed": 1}'


def test_json_of_the_other_edition_is_told_by_itself(desk: Page) -> None:
    v1 = Workspace(desk.root).read_fixture("order_cancel", "v1", "default")
    held = json.dumps({**json.loads(v1), "integration_auth_token": "tok-16180339"})
    desk.press("import", import_text=held)
    assert "Made imported, of order_cancel v1" in desk.said
    assert "integration_auth_token" in desk.said
    assert desk.fields["edition"] == "v1"
    assert "tok-16180339" not in (desk.root / "fixtures/order_cancel/v1/imported.json").read_text()
    desk.undo()
    assert desk.fields["edition"] == "draft"


def test_json_that_nothing_knows_is_taken_for_what_the_page_shows(desk: Page) -> None:
    desk.press("import", import_text='{"something": "else"}')
    assert "Made imported, of order_cancel draft" in desk.said
    assert "Breaks the contract" in desk.said
    desk.press("import", import_text='{"something": "else"}')
    assert "Made imported-2" in desk.said


@pytest.mark.parametrize(
    ("pasted", "name", "field", "message"),
    [
        ("", "", "import_text", "there is nothing to import"),
        ("hello", "", "import_text", "there is no payload"),
        ('{"a": 1,}', "", "import_text", "1:8"),
        ("curl https://x.example -d @secret.json", "", "import_text", "secret.json"),
        ('{"a": 1}', "../x", "import_name", "cannot be a fixture's name"),
        ('{"a": 1}', "default", "import_name", "there is a fixture default already"),
    ],
)
def test_what_cannot_be_imported_stays_and_is_told_at_its_field(
    desk: Page, pasted: str, name: str, field: str, message: str
) -> None:
    desk.press("import", import_text=pasted, import_name=name, payload="typed")
    told = re.search(rf'id="{field}-error">(.*?)</p>', desk.text, re.DOTALL)
    assert told
    assert message in words(told[1])
    assert (desk.fields["import_text"], desk.fields["import_name"]) == (pasted, name)
    assert desk.fields["payload"] == "typed"
    assert not (desk.root / "fixtures").exists() or list((desk.root / "fixtures").rglob("*.json")) == []


def test_what_was_is_only_taken_from_a_page(desk: Page) -> None:
    assert "nothing of what was there" in desk.press("undo:save:", was="{").said
    assert desk.http.post(
        "/compose",
        data={**desk.fields, "do": "undo:save:", "was": json.dumps(
            {"action": "../..", "edition": "x", "fixture": "", "loaded": "", "payload": ""}
        )},
    ).status_code == 200  # fmt: skip
