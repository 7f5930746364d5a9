"""Scenarios and runs in a real browser, with JavaScript and without."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from retailops_sandbox.model import Receiver
from retailops_sandbox.workspace.workspace import Workspace
from tests.support.logged import open_log
from tests.support.receivers import receiver
from tests.support.serving import Served, serving
from tests.support.shop import Shop
from tests.support.watching import NARROW, WIDE, opened, with_script

EVENT = {"error_code": "ERR1", "status": "error"}


@pytest.fixture(scope="module")
def _shop() -> Iterator[Shop]:
    shop = Shop()
    with receiver(shop.act) as listening:
        shop.url = listening.url
        yield shop
        shop.open()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, _shop: Shop) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("workspace")
    (folder / "scenarios").mkdir()
    for name, tags in {"alpha": ["smoke"], "beta": ["smoke", "slow"], "gamma": []}.items():
        steps = [{"name": "cancel", "fixture": "default", "expect": {"status": 200, "body": {"events": []}}}]
        (folder / "scenarios" / f"{name}.scenario.json").write_text(
            json.dumps({"name": f"{name.title()} is cancelled", "tags": tags, "steps": steps})
        )
    several = {"fixture": "default", "deliver": {"times": 5}, "expect": {"status": 200}}
    (folder / "scenarios" / "several.scenario.json").write_text(
        json.dumps({"name": "Several " + "and some more " * 20, "steps": [several], "tags": ["t" * 80]})
    )
    (folder / "scenarios" / "broken.scenario.json").write_text('{"steps": [{"fixtrue": 1}]}')
    with serving(folder) as served:
        workspace = Workspace(folder)
        workspace.save_receiver(Receiver("shop", _shop.url))
        workspace.save_receiver(Receiver("live", _shop.url, protected=True))
        yield served


@pytest.fixture
def shop(_shop: Shop) -> Iterator[Shop]:
    """The shop, open and content."""
    yield _shop
    _shop.answer = {"events": []}
    _shop.open()


@pytest.fixture(params=["script", "no script"])
def page(request: pytest.FixtureRequest, browser: Browser, served: Served, shop: Shop) -> Iterator[Page]:
    """A browser, once as most have it and once without JavaScript."""
    yield from opened(browser, served.url, scripted=request.param == "script", first="")


@pytest.fixture
def scripted(browser: Browser, served: Served, shop: Shop) -> Iterator[Page]:
    """A browser with JavaScript."""
    yield from opened(browser, served.url, scripted=True, first="")


def choose(page: Page, name: str) -> None:
    """Choose a receiver on the page of the scenarios, and see where a run would go."""
    page.get_by_label("Receiver", exact=True).select_option(name)
    if (show := page.locator("#target").get_by_role("button", name="Show")).is_visible():
        show.click()
    expect(page.locator("#target")).to_have_attribute("data-receiver", name)


def run(page: Page, *names: str, receiver: str = "shop") -> None:
    """Select some scenarios, run them, and be on the page of the run."""
    page.goto("/scenarios")
    choose(page, receiver)
    for name in names:
        page.get_by_role("checkbox", name=f"{name} is cancelled").check()
    page.get_by_role("button", name=re.compile("^Run .*selected")).click()
    page.wait_for_url(re.compile("/runs/"))


def ended(page: Page, word: str | re.Pattern[str] = re.compile(r"^(✓|✗|○) \d+")) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(word, timeout=60_000)


def rows(page: Page) -> Locator:
    return page.locator("table.results tbody > tr:first-child")


@with_script
def test_what_is_selected_runs_and_a_regression_comes_first(page: Page, shop: Shop):
    run(page, "Alpha", "Beta")
    ended(page)
    expect(rows(page)).to_have_count(2)
    shop.answer = {"events": [EVENT]}
    run(page, "Alpha", "Gamma")
    ended(page)
    expect(rows(page).first).to_contain_text("regressed")
    expect(rows(page).first).to_contain_text("Alpha is cancelled")
    # One click from the difference to its delivery, and back to the run.
    page.locator(".differences a").first.click()
    page.wait_for_url(re.compile("/deliveries/"))
    expect(page.get_by_role("region", name="Compared with what was expected")).to_contain_text("ERR1")
    page.locator(".facts a", has_text="scenarios/alpha").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Alpha is cancelled")
    page.get_by_role("link", name="The scenario").click()
    expect(page.get_by_role("region", name="Results of this scenario")).to_contain_text("regressed")


def test_a_run_shows_its_progress_by_itself(page: Page, shop: Shop):
    shop.close()
    run(page, "Alpha", "Beta", "Gamma")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Running")
    expect(page.get_by_role("progressbar")).to_have_count(1)
    shop.answer = {"events": [EVENT]}
    shop.answer_one()
    expect(rows(page)).to_have_count(1, timeout=60_000)
    expect(rows(page)).to_contain_text("failed")
    shop.answer = {"events": []}
    shop.answer_one()
    expect(rows(page)).to_have_count(2, timeout=60_000)
    expect(rows(page).first).to_contain_text("failed")
    expect(page.get_by_text("2 of 3 scenarios")).to_be_visible()
    shop.open()
    ended(page)
    expect(rows(page)).to_have_count(3)
    expect(page.get_by_role("progressbar")).to_have_count(0)
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)


@with_script
def test_a_run_is_stopped_and_what_was_done_is_told(page: Page, shop: Shop):
    page.goto("/scenarios")
    choose(page, "shop")
    shop.close()
    page.get_by_role("checkbox", name=re.compile("Several")).check()
    page.get_by_role("button", name=re.compile("^Run .*selected")).click()
    page.wait_for_url(re.compile("/runs/"))
    shop.answer_one()
    page.get_by_role("button", name="Stop").click()
    ended(page, "Stopped")
    expect(rows(page)).to_contain_text("stopped")
    expect(page.locator(".steps")).to_contain_text(re.compile(r"\d of 5 deliveries were not sent"))


def test_leaving_the_page_stops_nothing(page: Page, shop: Shop):
    shop.close()
    run(page, "Alpha")
    path = urlsplit(page.url).path
    page.goto("/runs")
    expect(page.get_by_role("row").nth(1)).to_contain_text("running")
    shop.open()
    page.goto(path)
    ended(page)
    expect(rows(page)).to_contain_text("passed")


def test_results_are_filtered_by_what_is_chosen(page: Page, shop: Shop):
    shop.answer = {"events": [EVENT]}
    run(page, "Alpha", "Beta")
    ended(page)
    choices = page.get_by_role("group", name="Tag")
    choices.get_by_role("link", name=re.compile("slow")).click()
    expect(rows(page)).to_have_count(1)
    expect(rows(page)).to_contain_text("Beta")
    assert parse_qs(urlsplit(page.url).query) == {"tag": ["slow"]}
    page.get_by_role("group", name="Tag").get_by_role("link", name=re.compile("all")).click()
    expect(rows(page)).to_have_count(2)


@with_script
def test_the_list_is_filtered_and_keeps_its_selection(page: Page):
    page.goto("/scenarios")
    expect(page.get_by_role("list", name="Files that cannot be read")).to_contain_text("/steps/0/fixtrue")
    page.get_by_role("checkbox", name="Gamma is cancelled").check()
    page.get_by_label("Find", exact=True).fill("alpha")
    if (show := page.locator(".filter").get_by_role("button", name="Show")).is_visible():
        show.click()
    expect(page.locator("table.scenarios tbody tr")).to_have_count(1)
    expect(page.get_by_text("1 selected is not listed")).to_be_visible()
    assert parse_qs(urlsplit(page.url).query)["q"] == ["alpha"]
    page.get_by_role("checkbox", name="Alpha is cancelled").check()
    choose(page, "shop")
    page.get_by_role("button", name=re.compile("^Run .*selected")).click()
    page.wait_for_url(re.compile("/runs/"))
    ended(page)
    expect(rows(page)).to_have_count(2)


def test_a_protected_receiver_asks_for_each_run(page: Page):
    run_one = page.get_by_role("button", name="Run", exact=True)
    page.goto("/scenarios")
    page.get_by_role("link", name="Alpha is cancelled").click()
    choose(page, "live")
    if page.url.endswith("/scenarios"):
        page.get_by_role("link", name="Alpha is cancelled").click()
    run_one.click()
    expect(page.locator("#confirmed-error")).to_contain_text("protected")
    page.get_by_label("Yes, run this against").check()
    run_one.click()
    page.wait_for_url(re.compile("/runs/"))
    ended(page)
    expect(rows(page)).to_have_count(1)


# --- What only a script does ---


def test_all_that_is_listed_is_selected_at_once(scripted: Page):
    scripted.goto("/scenarios?q=is+cancelled+scenarios%2F")
    button = scripted.get_by_role("button", name=re.compile("^Run .*selected"))
    expect(button).to_have_text("Run selected")
    scripted.get_by_label("Select all listed").check()
    expect(button).to_have_text("Run 3 selected")
    scripted.get_by_role("checkbox", name="Alpha is cancelled").uncheck()
    expect(button).to_have_text("Run 2 selected")
    assert scripted.get_by_label("Select all listed").evaluate("(box) => box.indeterminate")


def test_a_double_click_runs_once(scripted: Page, served: Served):
    log = open_log(Workspace(served.workspace).runs_dir)
    before = len(log.runs())
    scripted.goto("/scenarios")
    choose(scripted, "shop")
    scripted.get_by_role("checkbox", name="Alpha is cancelled").check()
    scripted.get_by_role("button", name=re.compile("^Run .*selected")).dblclick()
    # Not `wait_for_url`, which fails with the first of the two requests: the second click gives it up.
    expect(scripted).to_have_url(re.compile("/runs/"))
    ended(scripted)
    assert len(log.runs()) == before + 1


def test_the_stop_button_keeps_its_focus_while_results_come(scripted: Page, shop: Shop):
    shop.close()
    run(scripted, "Alpha", "Beta")
    stop = scripted.get_by_role("button", name="Stop")
    stop.focus()
    shop.answer_one()
    expect(rows(scripted)).to_have_count(1, timeout=60_000)
    expect(stop).to_be_focused()
    # At the end there is nothing to stop any more, and the headline that took its place has the focus.
    shop.open()
    ended(scripted)
    expect(scripted.get_by_role("heading", level=1)).to_be_focused()
    expect(scripted.locator("#announcement")).to_have_text("finished, 2 passed")


def test_a_page_that_comes_back_catches_up_with_its_run(scripted: Page, shop: Shop):
    shop.close()
    run(scripted, "Alpha", "Beta")
    hide = "(hidden) => { Object.defineProperty(document, 'hidden', {value: hidden, configurable: true}); "
    hide += "document.dispatchEvent(new Event('visibilitychange')) }"
    scripted.wait_for_function("() => performance.getEntriesByType('resource').length > 0")
    shop.answer_one()
    expect(rows(scripted)).to_have_count(1, timeout=60_000)
    scripted.evaluate(hide, True)
    shop.open()
    path = urlsplit(scripted.url).path
    page = scripted.context.new_page()
    page.goto(path)
    ended(page)
    expect(scripted.get_by_role("heading", level=1)).to_contain_text("Running")
    scripted.evaluate(hide, False)
    ended(scripted)
    expect(rows(scripted)).to_have_count(2)


# --- How it looks ---


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_no_page_is_wider_than_the_window_and_every_control_has_a_name(
    scripted: Page, shop: Shop, size: dict[str, int]
):
    shop.answer = {"events": [{"error_code": "E" * 300, "error_message": "long " * 100}]}
    run(scripted, "Alpha")
    ended(scripted)
    result = scripted.locator("td.title a").first.get_attribute("href")
    one = "/scenarios/show?id=scenarios%2Fseveral.scenario.json"
    scripted.set_viewport_size(size)
    for path in (scripted.url, result or "", "/runs", "/scenarios", "/scenarios?q=nothing", one):
        scripted.goto(path)
        assert scripted.evaluate("document.documentElement.scrollWidth") <= size["width"], path
        unnamed = scripted.evaluate(
            """() => [...document.querySelectorAll("input, select, textarea, button")]
                 .filter((each) => each.type !== "hidden" && !each.hidden && !each.ariaLabel)
                 .filter((each) => !each.labels?.length && !each.textContent.trim())
                 .map((each) => each.outerHTML)"""
        )
        assert unnamed == []
        expect(scripted.get_by_role("heading", level=1)).to_have_count(1)
