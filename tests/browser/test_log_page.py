"""The page of the log in a browser: its filter acts at once, a delivery opens beside the list, ticks stay."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.other_process import Other, rows
from tests.support.serving import Served
from tests.support.watching import opened


@pytest.fixture
def other(served: Served) -> Iterator[Other]:
    """130 deliveries, every tenth failed: a page of the log has 100."""
    other = Other(served)
    for number in range(130):
        other.send("failed" if number % 10 == 0 else "passed")
    yield other
    other.run.close()


@pytest.fixture
def page(browser: Browser, served: Served, other: Other) -> Iterator[Page]:
    yield from opened(browser, served.url, scripted=True, first=other.log)


def scrolled(page: Page) -> float:
    return float(page.locator("#log .scroll").evaluate("(list) => list.scrollTop"))


def test_a_delivery_opens_beside_the_list_and_keeps_the_place(page: Page, other: Other):
    preview = page.locator("#preview")
    tenth = rows(page).nth(60)
    tenth.scroll_into_view_if_needed()
    place = scrolled(page)
    assert place > 0
    # The whole row opens, not only its link.
    tenth.locator(".told").click()
    expect(preview).to_have_attribute("data-delivery", f"{other.id}.000070")
    expect(page.locator("#preview-title")).to_be_focused()
    expect(tenth).to_have_attribute("aria-current", "true")
    assert scrolled(page) == place
    page.wait_for_url(f"**{other.log}&show={other.id}.000070")
    # Rows go on to come, and wait until the reader is back at the top.
    other.send()
    expect(page.locator("#live-chip")).to_contain_text("1 new")
    rows(page).nth(61).locator(".told").click()
    expect(preview).to_have_attribute("data-delivery", f"{other.id}.000069")
    page.go_back()
    expect(preview).to_have_attribute("data-delivery", f"{other.id}.000070")
    page.reload()
    expect(preview).to_have_attribute("data-delivery", f"{other.id}.000070")
    expect(page.locator(f"[id='row-{other.id}.000070']")).to_be_in_viewport()
    page.get_by_role("link", name="Close the preview").click()
    expect(preview).to_have_count(0)
    page.wait_for_url(f"**{other.log}")
    page.go_back()
    expect(preview).to_have_attribute("data-delivery", f"{other.id}.000070")
    # What is judged anew is shown as it has become.
    other.judge(other.send(), "passed")
    page.locator("#log .scroll").evaluate("(list) => list.scrollTo(0, 0)")
    page.locator("body").evaluate("() => document.activeElement.blur()")
    delivery = other.send(None)
    expect(rows(page).first).to_have_id(f"row-{delivery.id}")
    rows(page).first.locator(".told").click()
    expect(preview.locator(".banner")).to_contain_text("not judged")
    other.judge(delivery, "failed")
    expect(preview.locator(".banner")).to_contain_text("failed")
    expect(page.locator("#preview-title")).to_be_focused()
    # A narrow window has no room beside the list.
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(other.log)
    rows(page).nth(3).locator(".told").click()
    page.wait_for_url(re.compile(rf"/deliveries/{other.id}\.\d+\?run="))


def test_the_filter_acts_at_once(page: Page, other: Other):
    rows(page).nth(3).locator(".told").click()
    expect(page.locator("#preview")).to_be_visible()
    opened = page.locator("#preview").get_attribute("data-delivery")
    page.get_by_role("combobox", name="Verdict").select_option("failed")
    expect(rows(page)).to_have_count(13)
    page.wait_for_url(re.compile(rf"verdict=failed&.*show={opened}"))
    expect(page.locator("#preview")).to_have_attribute("data-delivery", opened or "")
    search = page.get_by_label("Text in request or response")
    search.press_sequentially("nothing has this")
    expect(page.get_by_text("Nothing that the filter lets through.")).to_be_visible()
    expect(search).to_be_focused()
    expect(search).to_have_value("nothing has this")
    # One entry of the history for all that was typed.
    page.go_back()
    expect(rows(page)).to_have_count(13)
    expect(search).to_have_value("")
    page.get_by_role("link", name="verdict failed").click()
    expect(rows(page)).to_have_count(100)
    expect(page.get_by_role("combobox", name="Verdict")).to_have_value("")
    # What comes is filtered as the list is.
    page.get_by_role("combobox", name="Verdict").select_option("failed")
    expect(rows(page)).to_have_count(13)
    page.locator("body").evaluate("() => document.activeElement.blur()")
    other.send("passed")
    other.send("failed")
    expect(rows(page)).to_have_count(14)
    # What cannot be asked is said, and stays typed.
    page.locator("#log-filter summary", has_text="When").click()
    since = page.get_by_label("Since, UTC")
    since.fill("soon")
    expect(page.get_by_text("since 'soon' is no time in UTC")).to_be_visible()
    expect(since).to_have_value("soon")


def test_ticks_stay_from_page_to_page(page: Page, other: Other):
    bar = page.locator(".of-selected")
    expect(bar).to_be_hidden()
    rows(page).first.get_by_role("checkbox").check()
    expect(bar).to_contain_text("1 ticked")
    page.get_by_role("link", name="Older →").click()
    expect(rows(page)).to_have_count(30)
    rows(page).nth(25).get_by_role("checkbox").check()
    # It is in sight wherever one is in the list.
    expect(bar).to_be_in_viewport()
    expect(bar).to_contain_text("2 ticked")
    page.get_by_role("link", name="Newest").click()
    expect(rows(page)).to_have_count(100)
    expect(rows(page).first.get_by_role("checkbox")).to_be_checked()
    bar.get_by_role("button", name="Save as scenario").click()
    page.wait_for_url(re.compile("/record/reviews/"))
    expect(page.locator(".review-steps > li")).to_have_count(2)
    page.go_back()
    expect(bar).to_contain_text("2 ticked")
    bar.get_by_role("button", name="Untick all").click()
    expect(bar).to_be_hidden()
    expect(page.locator("input[name=delivery]:checked")).to_have_count(0)


def test_the_dots_of_latency_lead_to_their_deliveries(page: Page, other: Other):
    page.goto(other.log.replace("/deliveries", "/deliveries/latency"))
    dots = page.get_by_role("group", name="Deliveries in time").get_by_role("link")
    last = dots.count() - 1
    dots.nth(last).focus()
    page.keyboard.press("ArrowLeft")
    expect(dots.nth(last - 1)).to_be_focused()
    address = dots.nth(last - 1).get_attribute("href") or ""
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{address}")


def test_the_log_is_found_again_with_the_filter_of_this_tab(page: Page):
    page.goto("/deliveries")
    page.get_by_label("Action", exact=True).select_option("order_cancel")
    expect(page.locator(".filter-term")).to_have_text(re.compile("action order_cancel"))
    rows(page).first.locator(".told").click()
    page.wait_for_url("**&show=*")
    places = page.get_by_role("navigation", name="Places")
    places.get_by_role("link", name="Workbench").click()
    page.wait_for_url("**/")
    places.get_by_role("link", name="Log").click()
    page.wait_for_url("**/deliveries?action=order_cancel")
    # From the log itself, the link leads to all of it.
    places.get_by_role("link", name="Log").click()
    page.wait_for_url("**/deliveries")
