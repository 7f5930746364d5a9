"""The list of many scenarios in a real browser, page by page, with JavaScript and without."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from retailops_sandbox import resources
from retailops_sandbox.workspace.workspace import Workspace
from tests.support.logged import open_log
from tests.support.serving import Served, serving
from tests.support.watching import NARROW, WIDE, with_script

COUNT = 410
SHIPPED = len(list((resources.fixtures_dir() / "scenarios").iterdir()))


@pytest.fixture(scope="module")
def first_path() -> str:
    """None: each test goes to its own."""
    return ""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("workspace")
    (folder / "scenarios").mkdir()
    for number in range(COUNT):
        steps = [{"fixture": "default", "expect": {"status": 200, "body": {"events": []}}}]
        tags = ["even"] if number % 2 == 0 else []
        (folder / "scenarios" / f"case-{number:03}.scenario.json").write_text(
            json.dumps({"name": f"Case {number:03}", "tags": tags, "steps": steps})
        )
    with serving(folder) as served:
        yield served


def rows(page: Page) -> Locator:
    return page.locator("table.scenarios tbody tr")


def press(page: Page, button: str) -> None:
    page.get_by_role("navigation", name="Pages of the list").get_by_role("button", name=button).click()


def shown(page: Page, words: str) -> None:
    expect(page.locator(".list-note")).to_contain_text(words)


def find(page: Page, words: str) -> None:
    page.get_by_label("Find", exact=True).fill(words)
    if (show := page.locator(".filter").get_by_role("button", name="Show")).is_visible():
        show.click()


@with_script
def test_a_selection_goes_along_from_page_to_page_and_runs(page: Page, served: Served):
    page.goto("/scenarios?q=scenarios%2F")
    shown(page, f"{COUNT} of {COUNT + SHIPPED} scenarios, here 1 to 200")
    page.get_by_role("checkbox", name="Case 003").check()
    press(page, "Further")
    shown(page, "here 201 to 400; 1 selected is on another page")
    expect(rows(page).first).to_contain_text("Case 200")
    assert parse_qs(urlsplit(page.url).query)["page"] == ["2"]
    page.get_by_role("checkbox", name="Case 250").check()
    press(page, "Last")
    shown(page, "here 401 to 410; 2 selected are on other pages")
    expect(rows(page)).to_have_count(10)
    press(page, "Before")
    shown(page, "here 201 to 400; 1 selected is on another page")
    expect(page.get_by_role("checkbox", name="Case 250")).to_be_checked()
    # Another filter begins with its first page, and keeps what is selected.
    find(page, "case 30")
    shown(page, f"14 of {COUNT + SHIPPED} scenarios; 2 selected are not listed")
    assert "page" not in parse_qs(urlsplit(page.url).query)
    find(page, "nothing is like this")
    expect(page.get_by_text("No scenario is like that.")).to_be_visible()
    shown(page, f"0 of {COUNT + SHIPPED} scenarios; 2 selected are not listed")
    find(page, "case")
    shown(page, "1 selected is on another page")
    expect(page.get_by_role("checkbox", name="Case 003")).to_be_checked()
    page.get_by_role("button", name=re.compile("^Run .*selected")).click()
    page.wait_for_url(re.compile("/runs/"))
    expect(page.get_by_role("heading", level=1)).to_have_text("✓ 2 passed", timeout=60_000)
    ran = open_log(Workspace(served.workspace).runs_dir).results(page.url.rpartition("/")[2])
    assert [each.name for each in ran] == ["Case 003", "Case 250"]


@with_script
def test_all_that_is_listed_runs_and_not_the_page_alone(page: Page, served: Served):
    page.goto("/scenarios?tag=even&page=2")
    expect(rows(page)).to_have_count(5)
    page.get_by_role("button", name="Run all listed").click()
    page.wait_for_url(re.compile("/runs/"))
    expect(page.get_by_role("heading", level=1)).to_have_text("✓ 205 passed", timeout=60_000)
    assert len(open_log(Workspace(served.workspace).runs_dir).results(page.url.rpartition("/")[2])) == 205


def test_the_buttons_of_pages_that_are_not_there_cannot_be_pressed(page: Page):
    page.goto("/scenarios")
    pages = page.get_by_role("navigation", name="Pages of the list")
    for name in ("First", "Before"):
        expect(pages.get_by_role("button", name=name)).to_be_disabled()
    page.goto("/scenarios?page=3")
    for name in ("Further", "Last"):
        expect(pages.get_by_role("button", name=name)).to_be_disabled()
    expect(pages).to_contain_text("Page 3 of 3")
    page.goto("/scenarios?q=case+00")
    expect(pages).to_have_count(0)


# --- What only a script does ---


def test_a_page_is_selected_at_once_and_counted_with_the_others(scripted: Page):
    scripted.goto("/scenarios?q=scenarios%2F")
    button = scripted.get_by_role("button", name=re.compile("^Run .*selected"))
    scripted.get_by_label("Select all on this page").check()
    expect(button).to_have_text("Run 200 selected")
    press(scripted, "Further")
    shown(scripted, "200 selected are on other pages")
    expect(button).to_have_text("Run 200 selected")
    scripted.get_by_role("checkbox", name="Case 250").check()
    expect(button).to_have_text("Run 201 selected")
    assert scripted.get_by_label("Select all on this page").evaluate("(box) => box.indeterminate")


def test_the_keyboard_goes_on_at_the_rows_of_the_new_page(scripted: Page):
    scripted.goto("/scenarios")
    scripted.get_by_role("button", name="Further").focus()
    scripted.keyboard.press("Enter")
    shown(scripted, "here 201 to 400")
    expect(scripted.get_by_role("region", name="Table of scenarios")).to_be_focused()
    expect(rows(scripted).first).to_be_in_viewport()


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_the_pages_of_the_list_fit_the_window(scripted: Page, size: dict[str, int]):
    scripted.set_viewport_size(size)
    scripted.goto("/scenarios?page=2")
    expect(scripted.get_by_role("navigation", name="Pages of the list")).to_be_visible()
    assert scripted.evaluate("document.documentElement.scrollWidth") <= size["width"]
