"""Fixtures on the compose page as an HTTP client has them: plain forms, real files."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx2 as httpx
import pytest

from retailops_sandbox.web.compose import fixture_import
from retailops_sandbox.web.shell.send_form import MOST_TYPED
from retailops_sandbox.workspace.workspace import Workspace
from tests.support.composing import Page
from tests.support.pages import words
from tests.support.serving import serving


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("workspace")


@pytest.fixture(scope="module")
def http(root: Path) -> Iterator[httpx.Client]:
    with serving(root) as served, httpx.Client(base_url=served.url, timeout=60) as client:
        yield client


@pytest.fixture
def client(http: httpx.Client, root: Path) -> Iterator[Page]:
    yield Page(http, root)
    for path in (root / "fixtures").rglob("*.json"):
        path.unlink()


def test_a_fixture_begins_with_the_documented_example_and_gets_a_name(client: Page) -> None:
    client.open("/?new=1")
    assert json.loads(client.fields["payload"])["action"] == "order_cancel"
    assert client.press("save", save_as="").said.count("cannot be a fixture's name") == 1
    client.press("save", save_as="first")
    assert f"Saved as {client.file('first')}" in client.said
    assert client.file("first").read_text() == client.fields["payload"].rstrip("\n") + "\n"
    client.undo()
    assert not client.file("first").exists()
    assert "order_cancel" in client.fields["payload"]


def test_a_fixture_that_the_page_cannot_take_is_not_opened_and_the_page_says_what_sends_it(
    client: Page,
) -> None:
    large = json.dumps({"version": "1" * MOST_TYPED})
    for name in ("a-large-one", "default"):  # the second is the one that is opened by itself
        client.file(name).parent.mkdir(parents=True, exist_ok=True)
        client.file(name).write_text(large)
    for path in ("/?fixture=a-large-one", "/"):
        client.open(path)
        assert "4,000,015 characters, and this page takes up to 4,000,000: send it with" in client.said
        assert json.loads(client.fields["payload"])["action"] == "order_cancel"
    assert "retailops-sandbox send default" in client.said
    assert client.file("a-large-one").read_text() == large


def test_a_new_fixture_holds_no_token(client: Page) -> None:
    assert "integration_auth_token" not in client.open("/?edition=v1&new=1").fields["payload"]


def test_saving_over_shows_what_changed_and_is_undone(client: Page) -> None:
    before = client.fields["payload"]
    client.press("save", payload=before.replace("Will Call", "Courier"))
    assert "What changed +1" in client.said
    assert '- "ship_service_name": "Will Call",' in client.said
    assert "Courier" in client.file("default").read_text()
    client.press("save", payload=client.fields["payload"].replace("Courier", "Bicycle"))
    client.undo()
    assert "Courier" in client.file("default").read_text()
    assert "Bicycle" in client.fields["payload"]
    assert "default is as it was" in client.said
    client.press("save")
    assert "Bicycle" in client.file("default").read_text()


def test_a_file_that_was_changed_meanwhile_is_not_overwritten(client: Page) -> None:
    client.press("duplicate", fixture_name="mine")
    theirs = client.file("mine").read_text().replace("Will Call", "Theirs")
    client.file("mine").write_text(theirs)
    assert "mine was changed on disk meanwhile" in client.press("show").said
    typed = client.fields["payload"].replace("Will Call", "Ours")
    for do in ("compare", "save"):
        client.press(do, payload=typed)
        assert "mine on disk is not what was opened" in client.said
        assert '- "ship_service_name": "Theirs",' in client.said
        assert '+ "ship_service_name": "Ours",' in client.said
        assert client.file("mine").read_text() == theirs
        assert client.fields["payload"] == typed
    client.file("mine").write_text(again := theirs.replace("Theirs", "Theirs again"))
    client.press("overwrite")
    assert "Theirs again" in client.said
    assert client.file("mine").read_text() == again
    client.press("overwrite")
    assert "Ours" in client.file("mine").read_text()
    client.undo()
    assert client.file("mine").read_text() == again


def test_what_is_on_disk_is_taken_and_what_was_typed_comes_back(client: Page) -> None:
    client.press("duplicate", fixture_name="mine")
    client.file("mine").write_text(client.file("mine").read_text().replace("Will Call", "Theirs"))
    typed = client.fields["payload"].replace("Will Call", "Ours")
    client.press("save", payload=typed)
    client.press("take")
    assert client.fields["payload"] == client.file("mine").read_text()
    assert "mine on disk is not" not in client.press("save").said
    client.press("save", payload=typed, loaded="another")
    client.press("take")
    client.undo()
    assert client.fields["payload"] == typed


def test_saving_as_another_that_exists_shows_it_first(client: Page) -> None:
    client.press("save", save_as="zero-total", payload='{"mine": 1}')
    assert "There is a fixture zero-total already" in client.said
    assert not client.file("zero-total").exists()
    client.press("overwrite")
    assert client.file("zero-total").read_text() == '{"mine": 1}\n'


def test_a_file_that_is_gone_is_written_anew(client: Page) -> None:
    client.press("duplicate", fixture_name="mine")
    client.file("mine").unlink()
    assert "mine is gone from the disk" in client.press("show").said
    client.press("save", save_as="mine")
    assert client.file("mine").exists()


def test_a_duplicate_leaves_the_original_and_what_is_typed(client: Page) -> None:
    typed = client.fields["payload"].replace("Will Call", "Typed")
    client.press("duplicate", payload=typed)
    assert client.fields["fixture"] == client.fields["save_as"] == "default-copy"
    assert client.fields["payload"] == typed
    assert "Will Call" in client.file("default-copy").read_text()
    client.undo()
    assert not client.file("default-copy").exists()
    assert client.fields["fixture"] == "default"


def test_a_rename_names_the_scenarios_that_are_left_behind(client: Page) -> None:
    client.press("duplicate", fixture_name="mine")
    scenario = client.root / "scenarios" / "uses.scenario.json"
    scenario.parent.mkdir(exist_ok=True)
    scenario.write_text('{"name": "Uses", "steps": [{"fixture": "mine"}]}')
    client.press("rename", fixture_name="other")
    assert "mine is other now" in client.said
    assert "Named mine still: scenarios/uses.scenario.json." in client.said
    assert (client.file("other").exists(), client.file("mine").exists()) == (True, False)
    client.undo()
    assert (client.file("other").exists(), client.file("mine").exists()) == (False, True)
    assert "Named mine still" in client.press("delete").said
    scenario.unlink()


@pytest.mark.parametrize("name", ["../evil", "zero-total", "", "mine"])
def test_a_name_that_cannot_be_is_told_at_its_field(client: Page, name: str) -> None:
    client.press("duplicate", fixture_name="mine")
    client.press("rename", fixture_name=name, payload='{"typed": 1}')
    assert 'id="fixture_name-error"' in client.text
    assert client.fields["fixture_name"] == name
    assert client.fields["payload"] == '{"typed": 1}'
    assert client.file("mine").exists()


def test_a_deleted_fixture_leaves_what_is_typed_and_comes_back(client: Page) -> None:
    client.press("duplicate", fixture_name="mine")
    client.press("delete", payload='{"typed": 1}')
    assert "mine" not in client.listed
    assert client.fields["payload"] == '{"typed": 1}'
    client.undo()
    assert "mine" in client.listed
    assert client.fields["fixture"] == "mine"
    assert client.fields["payload"] == '{"typed": 1}'
    client.undo()
    assert not client.file("mine").exists()


def test_a_shipped_one_is_restored_and_the_restoring_undone(client: Page) -> None:
    client.press("save", payload=client.fields["payload"].replace("Will Call", "Mine"))
    typed = client.fields["payload"].replace("Mine", "Typed")
    client.press("restore", payload=typed)
    assert not client.file("default").exists()
    assert "Will Call" in client.fields["payload"]
    client.undo()
    assert "Mine" in client.file("default").read_text()
    assert client.fields["payload"] == typed
    client.open("/")
    client.press("restore")
    assert "not a changed copy" in client.press("restore").said


def test_the_list_is_searched_by_each_word(client: Page) -> None:
    assert client.open("/?q=PAYMENT%20split").listed == ["split-payment"]
    assert "q=PAYMENT%20split" in client.text
    assert client.open("/?q=nonesuch").listed == []
    assert "No name has “nonesuch”" in client.said
    assert client.press("show", q="total", payload="typed").listed == [
        "fractional-total", "total-with-zero-cents", "zero-total",
    ]  # fmt: skip
    assert client.fields["payload"] == "typed"


# --- Import ----------------------------------------------------------------------------------------------


def curl(payload: str, *headers: str) -> str:
    options = " ".join(f"-H '{each}'" for each in ("Content-Type: application/json", *headers))
    return f"curl {options} https://u:pw-31415926@till.example/order_cancel --data-raw '{payload}'"


def test_a_curl_command_becomes_a_fixture_without_its_secrets(client: Page) -> None:
    typed = client.fields["payload"]
    command = curl(typed.replace("35,", "35.00,"), "Authorization: Bearer sk-27182818", "X-Shop: north")
    client.press("import", import_text=command, import_name="from-till", payload='{"typed": 1}')
    assert "Made from-till, of order_cancel draft" in client.said
    left_out = re.search(r"Left out: ([^;]*); credentials belong to the receiver", client.said)
    assert left_out
    assert "Authorization" in left_out[1]
    assert "X-Shop" in client.said
    text = client.file("from-till").read_text()
    assert '"grand_total": 35.00' in text
    assert client.fields["payload"].rstrip("\n") == text.rstrip("\n")
    assert client.fields["import_text"] == ""
    for path in client.root.rglob("*"):
        assert path.is_dir() or b"sk-27182818" not in path.read_bytes()
        assert path.is_dir() or b"pw-31415926" not in path.read_bytes()
    client.undo()
    assert not client.file("from-till").exists()
    assert client.fields["payload"] == '{"typed": 1}'


def test_json_of_the_other_edition_is_told_by_itself(client: Page) -> None:
    v1 = Workspace(client.root).read_fixture("order_cancel", "v1", "default")
    held = json.dumps({**json.loads(v1), "integration_auth_token": "tok-16180339"})
    client.press("import", import_text=held)
    assert "Made imported, of order_cancel v1" in client.said
    assert "integration_auth_token" in client.said
    assert client.fields["edition"] == "v1"
    assert "tok-16180339" not in (client.root / "fixtures/order_cancel/v1/imported.json").read_text()
    client.undo()
    assert client.fields["edition"] == "draft"


def test_json_that_nothing_knows_is_taken_for_what_the_page_shows(client: Page) -> None:
    client.press("import", import_text='{"something": "else"}')
    assert "Made imported, of order_cancel draft" in client.said
    assert "Breaks the contract" in client.said
    client.press("import", import_text='{"something": "else"}')
    assert "Made imported-2" in client.said


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
    client: Page, pasted: str, name: str, field: str, message: str
) -> None:
    client.press("import", import_text=pasted, import_name=name, payload="typed")
    told = re.search(rf'id="{field}-error">(.*?)</p>', client.text, re.DOTALL)
    assert told
    assert message in words(told[1])
    assert (client.fields["import_text"], client.fields["import_name"]) == (pasted, name)
    assert client.fields["payload"] == "typed"
    assert not (client.root / "fixtures").exists() or list((client.root / "fixtures").rglob("*.json")) == []


def test_what_was_is_only_taken_from_a_page(client: Page) -> None:
    assert "nothing of what was there" in client.press("undo:save:", was="{").said
    assert client.http.post(
        "/compose",
        data={**client.fields, "do": "undo:save:", "was": json.dumps(
            {"action": "../..", "edition": "x", "fixture": "", "loaded": "", "payload": ""}
        )},
    ).status_code == 200  # fmt: skip


def test_a_large_paste_is_read_beside_the_pages(client: Page) -> None:
    line = f"2026-11-03 10:12:44 INFO nothing {'x' * 200}\n"
    log = line * 5_000 + f"2026-11-03 10:12:45 INFO sent {client.fields['payload']}\n" + line * 5_000
    assert len(log) > fixture_import.LARGE
    client.press("import", import_text=log, import_name="from-log")
    assert "Made from-log, of order_cancel draft" in client.said
    assert "It stands in other text, which is left out." in client.said
    assert json.loads(client.file("from-log").read_text()) == json.loads(client.fields["payload"])


def test_what_is_wrong_with_a_large_paste_is_told_at_its_field(client: Page) -> None:
    client.press("import", import_text="curl http://a/order_cancel \\\n" * 20_000 + "-Q x")
    assert "20001:1: -Q is an option of curl's that is not understood here" in client.said


def test_a_payload_that_the_page_cannot_work_on_is_not_imported(client: Page) -> None:
    client.press("import", import_text=json.dumps({"version": 1, "x": "a" * MOST_TYPED}), import_name="large")
    assert "the payload has 4,000,0" in client.said
    assert "retailops-sandbox import" in client.said
    assert not client.file("large").exists()
