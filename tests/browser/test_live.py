"""The log's page as it goes on: rows that come while one looks, reads, selects, or is elsewhere."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from retailops_sandbox.model import Delivery, Receiver
from retailops_sandbox.workspace.workspace import Workspace
from tests.support.composing_page import choose, press_send
from tests.support.other_process import Other, rows
from tests.support.receivers import unused_port
from tests.support.serving import Served, serving
from tests.support.watching import opened

HIDE = """(hidden) => {
  Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("workspace")) as served:
        workspace = Workspace(served.workspace)
        workspace.save_receiver(Receiver("hanging", served.stand_in + "/misbehave/hang"))
        yield served


@pytest.fixture
def other(served: Served) -> Iterator[Other]:
    other = Other(served)
    yield other
    other.run.close()


@pytest.fixture
def page(browser: Browser, served: Served, other: Other) -> Iterator[Page]:
    """The log of a run with five deliveries."""
    for _ in range(5):
        other.send()
    yield from opened(browser, served.url, scripted=True, first=other.log)


def row(page: Page, delivery: Delivery) -> Locator:
    return page.locator(f"[id='row-{delivery.id}']")


def chip(page: Page) -> Locator:
    return page.locator("#live-chip")


def test_a_delivery_of_another_process_comes_to_the_top_and_is_marked_and_said(page: Page, other: Other):
    count = page.locator("#log-count").inner_text()
    delivery = other.send(None)
    expect(rows(page)).to_have_count(6)
    expect(rows(page).first).to_have_id(f"row-{delivery.id}")
    expect(row(page, delivery)).to_contain_text("not judged")
    expect(row(page, delivery)).to_have_class("fresh")
    before, after = (
        int(re.sub(r"\D", "", text)) for text in (count, page.locator("#log-count").inner_text())
    )
    assert after == before + 1
    other.judge(delivery, "failed")
    expect(row(page, delivery)).to_contain_text("failed")
    expect(page.locator("#live-status")).to_have_text("New delivery: failed")
    expect(row(page, delivery)).not_to_have_class("fresh")
    expect(rows(page)).to_have_count(6)
    expect(chip(page)).to_be_hidden()


def test_many_are_said_together(page: Page, other: Other):
    for _ in range(300):
        other.send()
    expect(rows(page)).to_have_count(200)
    page.evaluate("""() => {
      window.said = [];
      const line = document.getElementById("live-status");
      new MutationObserver(() => said.push(line.textContent)).observe(line, { childList: true });
    }""")
    expect(page.locator("#live-status")).to_contain_text("new deliveries")
    assert len(page.evaluate("said")) <= 2
    # What is older is on the next page.
    page.get_by_role("link", name="Older →").click()
    expect(rows(page).first).to_have_id(f"row-{other.id}.000105")


def test_a_delivery_from_another_page_is_seen_in_flight_and_landed(page: Page):
    page.goto("/deliveries?receiver=hanging")
    expect(rows(page)).to_have_count(0)
    other = page.context.new_page()
    other.goto("/")
    choose(other, "hanging")
    press_send(other)
    expect(rows(page).first).to_contain_text("in flight")
    other.get_by_role("button", name="Cancel").click()
    expect(rows(page).first).to_contain_text("cancelled")
    expect(rows(page)).to_have_count(1)


def test_the_first_delivery_of_all_comes_to_a_page_without_a_list(browser: Browser, tmp_path: Path):
    with serving(tmp_path) as served:
        for page in opened(browser, served.url, scripted=True, first="/deliveries"):
            expect(page.get_by_text("Nothing has been sent yet.")).to_be_visible()
            other = Other(served)
            other.send()
            expect(rows(page)).to_have_count(1)
            other.send()
            expect(rows(page)).to_have_count(2)
            other.run.finish()


def test_a_filter_holds_for_what_comes(page: Page, other: Other):
    page.goto(f"{other.log}&verdict=failed")
    expect(page.get_by_text("Nothing that the filter lets through.")).to_be_visible()
    other.send("passed")
    failed = other.send("failed")
    expect(rows(page)).to_have_count(1)
    expect(row(page, failed).get_by_role("link").first).to_have_attribute(
        "href", f"/deliveries/{failed.id}?run={other.id}&verdict=failed"
    )
    expect(page.get_by_text("Nothing that the filter lets through.")).to_have_count(0)
    other.judge(failed, "passed")
    expect(rows(page)).to_have_count(0)


# --- Pausing ---


@contextlib.contextmanager
def scrolled(page: Page) -> Iterator[None]:
    page.set_viewport_size({"width": 1280, "height": 200})
    page.locator("#log .scroll").evaluate("(list) => list.scrollTo(0, list.scrollHeight)")
    yield
    page.locator("#log .scroll").evaluate("(list) => list.scrollTo(0, 0)")


@contextlib.contextmanager
def selected(page: Page) -> Iterator[None]:
    page.evaluate("getSelection().selectAllChildren(document.querySelector('table.log tbody tr'))")
    yield
    page.evaluate("getSelection().removeAllRanges()")


@contextlib.contextmanager
def checked(page: Page) -> Iterator[None]:
    page.locator("input[name=delivery]").nth(1).check()
    page.locator("input[name=delivery]").nth(1).evaluate("(box) => box.blur()")
    yield
    page.locator("input[name=delivery]").nth(1).uncheck()
    page.locator("input[name=delivery]").nth(1).evaluate("(box) => box.blur()")


@contextlib.contextmanager
def focused(page: Page) -> Iterator[None]:
    rows(page).nth(1).get_by_role("link").first.focus()
    yield
    page.evaluate("document.activeElement.blur()")


@pytest.mark.parametrize("busy", [scrolled, selected, checked, focused])
def test_who_is_busy_with_the_list_is_not_disturbed(page: Page, other: Other, busy):
    first = rows(page).first.get_attribute("id")
    with busy(page):
        for count in (1, 2, 3):
            other.send()
            expect(chip(page)).to_have_text(f"{count} new: show them")
        expect(rows(page)).to_have_count(5)
        expect(rows(page).first).to_have_id(first)
    expect(rows(page)).to_have_count(8)
    expect(chip(page)).to_be_hidden()


@pytest.mark.parametrize("busy", [scrolled, selected, checked, focused])
def test_the_chip_shows_what_is_new_and_goes_to_the_top(page: Page, other: Other, busy):
    with busy(page):
        other.send()
        newest = other.send()
        expect(chip(page)).to_contain_text("2 new")
        chip(page).click()
        expect(rows(page)).to_have_count(7)
        expect(rows(page).first).to_have_id(f"row-{newest.id}")
        expect(chip(page)).to_be_hidden()
        assert page.locator("#log .scroll").evaluate("(list) => list.scrollTop") == 0
        assert page.locator("input[name=delivery]:checked").count() == (busy is checked)
        if busy is checked:
            # It is still checked, so what comes next waits again.
            other.send()
            expect(chip(page)).to_contain_text("1 new")
            page.locator("input[name=delivery]:checked").uncheck()
            page.evaluate("document.activeElement.blur()")
            expect(rows(page)).to_have_count(8)
            page.locator("input[name=delivery]").nth(1).check()


def test_a_row_that_changes_under_a_checked_box_or_the_focus_keeps_both(page: Page, other: Other):
    delivery = other.send(None)
    expect(row(page, delivery)).to_contain_text("not judged")
    box = row(page, delivery).locator("input[name=delivery]")
    box.check()
    other.judge(delivery, "errored")
    expect(row(page, delivery)).to_contain_text("errored")
    expect(box).to_be_checked()
    expect(box).to_be_focused()


def test_what_waits_is_bounded(page: Page, other: Other):
    with focused(page):
        first = other.send(None)
        expect(chip(page)).to_have_text("1 new: show them")
        for _ in range(449):
            other.send()
        expect(chip(page)).to_have_text("450 new: show them")
        # One that is no longer among the newest changes: it is counted already.
        other.judge(first, "passed")
        other.send()
        expect(chip(page)).to_have_text("451 new: show them")
    expect(rows(page)).to_have_count(200)
    expect(rows(page).first).to_have_id(f"row-{other.id}.000456")
    expect(rows(page).last).to_have_id(f"row-{other.id}.000257")


# --- Going on ---


def test_a_hidden_tab_lets_go_of_its_stream_and_catches_up(page: Page, other: Other):
    visible = page.context.new_page()
    visible.goto(other.log)
    page.evaluate(HIDE, True)
    other.send()
    expect(rows(visible)).to_have_count(6)
    expect(rows(page)).to_have_count(5)
    other.run.finish()
    page.evaluate(HIDE, False)
    expect(rows(page)).to_have_count(6)


@pytest.mark.parametrize("again", [False, True], ids=["at once", "at the second try"])
def test_a_page_whose_server_started_again_gets_its_list_anew(browser: Browser, tmp_path: Path, again: bool):
    port = ["--port", str(unused_port())]
    with serving(tmp_path, port) as served:
        other = Other(served)
        other.send()
        context = browser.new_context(base_url=served.url)
        page = context.new_page()
        page.goto("/deliveries")
        expect(rows(page)).to_have_count(1)
    expect(page.locator("#live-problem")).to_have_text("! Not live: the sandbox does not answer.")
    other.send()
    if again:
        page.route(re.compile("/deliveries$"), lambda route: route.abort(), times=1)
    with serving(tmp_path, port):
        expect(rows(page)).to_have_count(2)
        expect(page.locator("#live-problem")).to_be_hidden()
        other.send()
        expect(rows(page)).to_have_count(3)
        context.close()
    other.run.finish()


def test_seven_tabs_do_not_starve_each_other(browser: Browser, served: Served, other: Other):
    # One more than a browser has connections to a host. All are visible, as in windows side by side.
    context = browser.new_context(base_url=served.url)
    pages = [context.new_page() for _ in range(7)]
    for page in pages:
        page.goto(other.log)
    first = other.send()
    for page in pages:
        page.bring_to_front()
        expect(row(page, first)).to_be_visible()
    for page in pages:
        row(page, first).get_by_role("link").first.click()
        expect(page.locator("#preview")).to_contain_text("passed")
        page.go_back()
    other.send()
    for page in pages:
        page.bring_to_front()
        expect(rows(page)).to_have_count(2)
    context.close()


def test_without_a_script_the_log_is_a_page(browser: Browser, served: Served, other: Other):
    other.send()
    for page in opened(browser, served.url, scripted=False, first=other.log):
        expect(rows(page)).to_have_count(1)
        expect(chip(page)).to_be_hidden()
        expect(page.get_by_role("button", name="Keys")).to_be_hidden()
        other.send()
        page.reload()
        expect(rows(page)).to_have_count(2)
