"""Runs as files in a real browser: dropped or chosen, looked at, pinned."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.command import run
from tests.support.run_client import FAILS
from tests.support.serving import Served

_DROP = """(text) => {
  const carried = new DataTransfer();
  carried.items.add(new File([text], "nightly.json", {type: "application/json"}));
  for (const moment of ["dragenter", "dragover", "drop"]) {
    const event = new DragEvent(moment, {dataTransfer: carried, bubbles: true, cancelable: true});
    document.getElementById("open-run").dispatchEvent(event);
    if (!event.defaultPrevented) throw new Error(moment + " is left to the browser");
  }
}"""


@pytest.fixture(scope="module")
def first_path() -> str:
    """None: each test goes to its own."""
    return ""


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run file that a CI job kept: a scenario that failed."""
    folder = tmp_path_factory.mktemp("ci")
    (folder / "refused.scenario.json").write_text(
        json.dumps({"name": "A cancel is refused", "steps": [FAILS]})
    )
    run("run", "refused.scenario.json", "--stand-in", "--report-json", "nightly.json", cwd=folder)
    return folder / "nightly.json"


def looked_at(page: Page) -> None:
    """See the differences of the run that was opened, and that there is nothing to press but one button."""
    page.wait_for_url(re.compile("/runs/2"))
    expect(page.get_by_role("main")).to_contain_text("↧ opened from a file")
    expect(page.get_by_role("main")).to_contain_text("nightly.json")
    expect(page.get_by_role("main").get_by_role("button")).to_have_count(0)
    page.locator(".differences a").first.click()
    page.wait_for_url(re.compile("/deliveries/"))
    expect(page.get_by_role("region", name="Compared with what was expected")).to_contain_text("ERR1")
    expect(page.locator("#delivery")).to_contain_text("a run that was opened from nightly.json")
    for name in ("Send again", "Save as scenario", "Re-check"):
        expect(page.get_by_role("button", name=name)).to_have_count(0)
    page.get_by_role("link", name="Edit and send").click()
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_enabled()


def test_a_dropped_run_file_shows_its_differences_and_is_only_looked_at(scripted: Page, kept: Path):
    scripted.goto("/runs")
    scripted.evaluate(_DROP, kept.read_text())
    looked_at(scripted)


def test_a_chosen_run_file_does_the_same(page: Page, kept: Path):
    page.goto("/runs")
    page.get_by_label("Open a run file").set_input_files(kept)
    page.get_by_role("button", name="Open", exact=True).click()
    looked_at(page)
    page.goto("/runs")
    expect(page.get_by_role("region", name="Opened from files").get_by_role("row")).to_have_count(2)


def test_another_file_is_refused_where_it_was_dropped(scripted: Page):
    scripted.goto("/runs")
    scripted.evaluate(_DROP, '{"this is": "no run"}')
    expect(scripted.locator("#file-error")).to_contain_text("nightly.json: is no run file")
    expect(scripted.get_by_label("Open a run file")).to_be_focused()


def test_a_run_is_pinned_by_a_button(page: Page, served: Served):
    assert run("send", "default", "--stand-in", cwd=served.workspace).returncode == 0
    page.goto("/runs")
    page.locator("tbody a").first.click()
    page.wait_for_url(re.compile("/runs/2"))
    page.get_by_role("button", name="Pin", exact=True).click()
    expect(page.get_by_role("main")).to_contain_text("◆ pinned")
    page.goto("/runs")
    expect(page.get_by_role("row").nth(1)).to_contain_text("◆ pinned")
    page.locator("tbody a").first.click()
    page.get_by_role("button", name="Unpin").click()
    expect(page.get_by_role("button", name="Pin", exact=True)).to_be_visible()
    expect(page.get_by_role("main")).not_to_contain_text("pinned")


def test_the_keys_know_that_a_foreign_delivery_is_only_looked_at(scripted: Page, kept: Path):
    scripted.goto("/runs")
    scripted.evaluate(_DROP, kept.read_text())
    scripted.wait_for_url(re.compile("/runs/2"))
    scripted.goto(f"/deliveries?run={scripted.url.rpartition('/')[2]}")
    expect(scripted.get_by_role("button", name="Save as scenario")).to_have_count(0)
    expect(scripted.get_by_role("checkbox")).to_have_count(0)
    said = scripted.locator("#key-message")
    scripted.keyboard.press("j")
    scripted.keyboard.press("r")
    expect(said).to_contain_text("is not sent again")
    scripted.keyboard.press("Enter")
    expect(scripted.locator("#preview")).to_be_visible()
    scripted.keyboard.press("r")
    expect(said).to_contain_text("is not sent again")
    scripted.keyboard.press("d")
    expect(scripted.get_by_role("heading", name="Compared with what was expected")).to_be_focused()
    scripted.keyboard.press("e")
    scripted.wait_for_url(re.compile("from="))
