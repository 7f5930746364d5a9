"""What is typed is there again: for another fixture and back, after a restart, and beside another page's."""

from __future__ import annotations

import re
import signal
import stat
from collections.abc import Iterator
from pathlib import Path

import httpx2 as httpx
import pytest

from tests.support.composing import Page
from tests.support.pages import BROWSER, words
from tests.support.serving import Served, serving

BROKEN = '{"version": 1,\n\t"half": "typ'
NEW, DEFAULT, SECOND = "/?new=1", "/?fixture=default", "/?fixture=already-shipped"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("workspace")) as served:
        yield served


@pytest.fixture
def page(served: Served) -> Iterator[Page]:
    with httpx.Client(base_url=served.url, timeout=60) as http:
        yield Page(http, served.workspace)


def again(page: Page, path: str = DEFAULT) -> dict[str, str]:
    """The fields of another page of the same browser."""
    text = page.text
    try:
        return page.open(path).fields
    finally:
        page.text = text


def edits(folder: Path) -> list[Path]:
    return sorted((folder / ".sandbox" / "edits").glob("*.json"))


def is_marked(page: Page, name: str) -> bool:
    """Whether the list says that there are unsaved edits of a fixture."""
    [entry] = re.findall(rf'<span class="name" title="{name}">.*?</li>', page.text, re.DOTALL)
    return 'class="edit-dot" title="Unsaved edits">' in entry


def test_what_is_typed_comes_back_as_typed_after_another_fixture_and_the_log(page: Page) -> None:
    page.open(DEFAULT).press(
        "show", payload=BROKEN, expectation='{"status": 2', variables='{"a": ', sequence="1"
    )
    assert is_marked(page, "default")
    page.open(SECOND)
    assert page.fields["payload"] != BROKEN
    assert is_marked(page, "default")
    assert not is_marked(page, "already-shipped")
    page.http.get("/deliveries")
    page.open(DEFAULT)
    assert page.fields["payload"] == BROKEN
    assert (page.fields["expectation"], page.fields["variables"]) == ('{"status": 2', '{"a": ')
    assert "Edited, not saved" in page.said


def test_a_part_that_is_asked_for_while_typing_keeps_it_and_says_so(page: Page) -> None:
    page.open(DEFAULT)
    for part in ("findings", "payload-view", "expectation-field"):
        typed = {**page.fields, "payload": f'{{"typed": "{part}"}}', "do": "show"}
        answer = page.http.post("/compose", data=typed, headers={"HX-Target": part}).text
        assert re.search(r'<div id="unsaved"[^>]* data-edited', answer), part
        assert again(page)["payload"] == f'{{"typed": "{part}"}}'


def test_a_new_fixture_without_a_name_is_kept_too(page: Page) -> None:
    page.open(NEW).press("show", payload='{"mine": 1}')
    assert "new, without a name" in page.open(DEFAULT).said
    assert page.open(NEW).fields["payload"] == '{"mine": 1}'


def test_revert_goes_back_and_is_undone(page: Page) -> None:
    saved = page.open(DEFAULT).fields
    page.press("show", payload=BROKEN, expectation="", variables="{}")
    page.press("revert")
    assert {name: page.fields[name] for name in ("payload", "expectation", "variables")} == {
        name: saved[name] for name in ("payload", "expectation", "variables")
    }
    assert not is_marked(page, "default")
    assert again(page)["payload"] == saved["payload"]
    page.press("edits-undo")
    assert (page.fields["payload"], page.fields["expectation"]) == (BROKEN, "")
    assert again(page)["payload"] == BROKEN


def test_typing_back_and_saving_leave_nothing_unsaved(page: Page, served: Served) -> None:
    saved = page.open("/?fixture=zero-total").fields["payload"]
    before = len(edits(served.workspace))
    page.press("show", payload=BROKEN)
    page.press("show", payload=saved)
    assert len(edits(served.workspace)) == before
    page.press("show", payload='{"mine": 1}')
    page.press("save")
    assert not is_marked(page, "zero-total")
    assert len(edits(served.workspace)) == before
    page.press("restore")
    assert not is_marked(page, "zero-total")


def test_edits_go_with_a_fixture_that_is_renamed_or_deleted(page: Page) -> None:
    page.open(NEW).press("save", payload='{"saved": 1}', save_as="mine")
    page.press("show", payload='{"typed": 1}')
    page.press("rename", fixture_name="yours")
    assert again(page, "/?fixture=yours")["payload"] == '{"typed": 1}'
    assert not re.search(r'title="Its file is gone', page.text)
    page.press("delete")
    assert again(page, NEW)["payload"] == '{"typed": 1}'
    assert not re.search(r'title="Its file is gone', page.text)


def test_the_payload_of_a_delivery_has_edits_of_its_own(page: Page) -> None:
    page.open(DEFAULT)
    target = page.http.post("/compose", data={**page.fields, "do": "show"}, headers={"HX-Target": "target"})
    shown = re.findall(r'name="shown" value="([^"]*)"', target.text)[0]
    sent = page.http.post("/send", data={**page.fields, "shown": shown}).headers["location"]
    with page.http.stream("GET", f"{sent}/events") as events:
        assert "event: finished" in list(events.iter_lines())
    path = f"/?from={sent.rpartition('/')[2]}"
    page.open(path).press("show", payload=BROKEN)
    assert again(page, path)["payload"] == BROKEN
    assert again(page)["payload"] != BROKEN
    page.press("revert")
    assert '"order_cancel"' in page.fields["payload"]


def test_send_keeps_what_it_sends(page: Page) -> None:
    page.open(DEFAULT)
    page.http.post("/send", data={**page.fields, "payload": BROKEN})
    assert again(page)["payload"] == BROKEN


def test_what_is_typed_while_its_contract_cannot_be_used_is_kept(page: Page, served: Served) -> None:
    page.open(SECOND)
    contract = served.workspace / "contracts" / "order_cancel.draft.json"
    contract.parent.mkdir()
    try:
        contract.write_text("{")
        fields = {**page.fields, "payload": BROKEN, "do": "show"}
        refused = page.http.post("/compose", data=fields)
        assert refused.status_code == 400
        assert "order_cancel.draft.json:1:2" in words(refused.text)
    finally:
        contract.unlink()
        contract.parent.rmdir()
    assert page.open(SECOND).fields["payload"] == BROKEN


def test_two_pages_do_not_overwrite_each_other_unseen(page: Page) -> None:
    first, second = page.open(DEFAULT).fields, page.open(DEFAULT).fields
    page.http.post("/compose", data={**first, "payload": '{"first": 1}', "do": "show"})
    page.text = page.http.post("/compose", data={**second, "payload": '{"second": 1}', "do": "show"}).text
    assert "Other text was typed in another page." in page.said
    assert '-{"first": 1}' in page.said
    # Nobody has chosen yet: both are there for a page that is opened now.
    shown = Page(page.http, page.root, in_new_browser=False)
    assert shown.fields["payload"] == '{"second": 1}'
    assert "Other text was typed in another page." in shown.said
    taken = re.search(r'value="(edits-take:\w+)"', page.text)
    assert taken
    page.press(taken[1])
    assert page.fields["payload"] == '{"first": 1}'
    assert "Other text" not in page.said
    page.press("edits-undo")
    assert page.fields["payload"] == '{"second": 1}'


def test_the_other_pages_text_is_dropped_by_choice_and_comes_back_by_undo(page: Page) -> None:
    first, second = page.open(DEFAULT).fields, page.open(DEFAULT).fields
    page.http.post("/compose", data={**first, "payload": '{"first": 1}', "do": "show"})
    page.text = page.http.post("/compose", data={**second, "payload": '{"second": 1}', "do": "show"}).text
    page.press("edits-keep")
    assert page.fields["payload"] == '{"second": 1}'
    assert "Other text" not in page.said
    assert "Other text" not in words(page.http.get(DEFAULT).text)
    page.press("edits-undo")
    assert page.fields["payload"] == '{"first": 1}'


def test_a_fixture_that_was_changed_on_disk_is_shown_beside_the_edits(page: Page, served: Served) -> None:
    page.open(NEW).press("save", payload='{"saved": 1}', save_as="changing")
    page.press("show", payload='{"typed": 1}')
    file = served.workspace / "fixtures" / "order_cancel" / "draft" / "changing.json"
    file.write_text('{"elsewhere": 1}\n')
    page.open("/?fixture=changing")
    assert page.fields["payload"] == '{"typed": 1}'
    assert "changing on disk is not what was opened" in page.said
    assert '-{"elsewhere": 1} +{"typed": 1}' in page.said
    file.unlink()
    page.open("/?fixture=changing")
    assert page.fields["payload"] == '{"typed": 1}'
    assert "changing is gone from the disk" in page.said
    page.open(DEFAULT)
    assert re.search(r'<span class="name">changing</span>\s*<span class="badge"[^>]*>gone', page.text)
    # Without edits of it there is nothing to show.
    page.http.cookies.delete(BROWSER)
    assert page.http.get("/?fixture=changing").status_code == 400


def test_only_the_expectation_was_edited_so_the_payload_is_that_of_the_disk(
    page: Page, served: Served
) -> None:
    page.open(NEW).press("save", payload='{"saved": 1}', save_as="half")
    page.press("show", expectation="{")
    (served.workspace / "fixtures" / "order_cancel" / "draft" / "half.json").write_text('{"new": 1}\n')
    page.open("/?fixture=half")
    assert (page.fields["payload"], page.fields["expectation"]) == ('{"new": 1}\n', "{")
    assert "on disk is not what was opened" not in page.said


def test_a_damaged_file_is_a_notice(page: Page, served: Served) -> None:
    before = set(edits(served.workspace))
    page.open("/?fixture=split-payment").press("show", payload=BROKEN)
    [file] = set(edits(served.workspace)) - before
    file.write_text("{")
    page.open("/?fixture=split-payment")
    assert "holds no unsaved edits that can be read" in page.said
    assert page.fields["payload"] != BROKEN
    page.press("show", payload=BROKEN)
    assert "holds no unsaved edits" not in page.said
    assert file.with_suffix(".damaged").read_text() == "{"


def test_a_client_without_cookies_leaves_no_files(served: Served, page: Page) -> None:
    before = edits(served.workspace)
    page.http.cookies.clear()
    page.http.post("/compose", data={**page.fields, "payload": BROKEN, "do": "show"}, headers={"Cookie": ""})
    assert edits(served.workspace) == before


def test_where_nothing_can_be_written_typing_goes_on(tmp_path: Path) -> None:
    with serving(tmp_path) as served, httpx.Client(base_url=served.url, timeout=60) as http:
        page = Page(http, tmp_path)
        (tmp_path / ".sandbox" / "edits").write_text("in the way")
        page.press("show", payload=BROKEN)
        assert page.said.count("Edits are not kept on disk") == 1
        assert again(page)["payload"] == BROKEN


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_restart_finds_what_was_typed(tmp_path: Path, by: signal.Signals) -> None:
    with serving(tmp_path) as served, httpx.Client(base_url=served.url, timeout=60) as http:
        page = Page(http, tmp_path)
        page.press("show", payload=BROKEN)
        cookies = dict(http.cookies)
        assert re.search("httponly", http.get("/", headers={"Cookie": ""}).headers["set-cookie"], re.I)
        served.process.send_signal(by)
        served.process.wait(60)
    assert [stat.S_IMODE(file.stat().st_mode) for file in edits(tmp_path)] == [0o600]
    with serving(tmp_path) as served, httpx.Client(base_url=served.url, timeout=60) as http:
        http.cookies.set(BROWSER, cookies[BROWSER])
        assert Page(http, tmp_path, in_new_browser=False).fields["payload"] == BROKEN
