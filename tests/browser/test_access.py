"""Pages for everyone: what axe-core finds, narrow windows, times in the reader's zone, what to do next."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Page, expect

from retailops_sandbox import resources
from tests.published import axe
from tests.support.tour import NARROW, PLACES, RUN, Place, Tour

READERS_ZONE = "Asia/Kolkata"

_WITHOUT_FOCUS_RING = """() => {
  const ringed = (element, depth = 4) => element && depth && (
    [getComputedStyle(element), getComputedStyle(element, "::after")].some(
      (style, of) => style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1
        || (of === 1 && style.content !== "none" && parseFloat(style.borderTopWidth) >= 1))
    || ringed(element.parentElement, depth - 1));
  const focusable = "a[href], button, input, select, textarea, summary, [tabindex]";
  const stops = [...document.querySelectorAll(focusable)]
    .filter((each) => each.tabIndex >= 0 && !each.matches(":disabled") && each.checkVisibility());
  return stops.filter((each) => {
    each.focus();
    return document.activeElement !== each || !ringed(each);
  }).map((each) => `no visible focus: ${each.outerHTML.slice(0, 200)}`);
}"""

SHIPPED = len(list((resources.fixtures_dir() / "scenarios").glob("*.scenario.json")))
"""The number of scenarios that ship; the tour adds some of its own."""

WIDE_IN_DARK = {"compose", "compose-cards", "delivery-failed", "log-preview", "run", "scenarios", "receivers"}
"""Places with all that a narrow window leaves out; the others are looked at narrow in the dark."""

NARROW_TOO = {"compose-failed", "compose-form", "compose-sent", "compose-rule", "compose-refused"}
"""States of the workbench that look different in a narrow window; the others have the same parts."""

every_place = pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)


def named(name: str) -> Place:
    return next(place for place in PLACES if place.name == name)


@every_place
def test_a_place_is_for_everyone(browser: Browser, visited: Tour, place: Place):
    with visited.visit(browser, place, color_scheme="light", timezone_id=READERS_ZONE) as page:
        wrong = [*axe.violations(page), *landmarks_lacking(page), *times_not_the_readers(page)]
        page.emulate_media(color_scheme="dark")
        if place.name in WIDE_IN_DARK:
            wrong += axe.violations(page, *axe.OF_THE_COLOURS)
        page.keyboard.press("Tab")
        wrong += page.evaluate(_WITHOUT_FOCUS_RING)
        page.set_viewport_size(NARROW)
        if not place.name.startswith("compose-") or place.name in WIDE_IN_DARK | NARROW_TOO:
            wrong += axe.violations(page, *axe.OF_THE_LAYOUT, *axe.OF_THE_COLOURS)
        wider = page.evaluate("document.documentElement.scrollWidth") - NARROW["width"]
        wrong += [f"the page scrolls sideways by {wider} pixels"] if wider > 0 else []
        cut = page.locator("header nav").evaluate_all(
            "(all) => all.some((e) => e.scrollWidth > e.clientWidth)"
        )
        wrong += ["the header cuts a place"] if cut else []
    assert not wrong, "\n".join(wrong)


def times_not_the_readers(page: Page) -> list[str]:
    """Times that are not in the reader's zone, or do not say the exact instant."""
    times = page.locator("time").evaluate_all("(all) => all.map((t) => [t.dateTime, t.title, t.textContent])")
    wrong = []
    for instant, title, text in times:
        at = datetime.fromisoformat(instant).astimezone(ZoneInfo(READERS_ZONE))
        if title != instant or at.strftime("%H:%M:%S") not in text:
            wrong.append(f"{instant} is shown as {text!r}, with the title {title!r}")
    return wrong


def landmarks_lacking(page: Page) -> list[str]:
    """What a page has one of, and this one has not."""
    counts = {role: page.get_by_role(role).count() for role in ("main", "banner")}
    counts["heading of level 1"] = page.get_by_role("heading", level=1).count()
    return [f"{count} of {what}" for what, count in counts.items() if count != 1]


@pytest.mark.parametrize("name", ["compose", "scenarios", "delivery-failed", "login"])
def test_the_first_stop_leads_to_the_content(browser: Browser, visited: Tour, name: str):
    with visited.visit(browser, named(name)) as page:
        skip = page.get_by_role("link", name="Skip to the content")
        skip.focus()
        expect(skip).to_be_in_viewport()
        page.keyboard.press("Enter")
        expect(page.get_by_role("main")).to_be_focused()


@pytest.mark.parametrize(
    ("name", "next_step"),
    [
        ("scenarios-none", f"Show all {SHIPPED + 6}"),
        ("runs-fresh", "scenarios"),
        ("run-none", f"Show all {len(RUN)}"),
        ("log-fresh", "Workbench"),
        ("receivers-fresh", "Add your own"),
        ("record-review-discarded", "log"),
        ("accept-empty", "Back"),
        ("error-nothing-here", "Workbench"),
    ],
)
def test_where_there_is_nothing_a_link_says_what_to_do(
    browser: Browser, visited: Tour, name: str, next_step: str
):
    with visited.visit(browser, named(name)) as page:
        link = page.get_by_role("main").get_by_role("link", name=next_step, exact=True)
        expect(link).to_be_visible()
        page.goto(link.get_attribute("href") or "")
        expect(page.get_by_role("heading", level=1)).not_to_have_text("There is nothing here")


@pytest.mark.parametrize("name", ["compose", "delivery-flying", "run-running"])
def test_nothing_moves_for_those_whom_motion_makes_ill(browser: Browser, visited: Tour, name: str):
    moving = "document.getAnimations().filter((each) => each.playState === 'running').length"
    with visited.visit(browser, named(name), reduced_motion="reduce") as page:
        assert page.evaluate(moving) == 0
        page.emulate_media(reduced_motion="no-preference")
        if name != "compose":
            # What is at work turns for all others: the above can fail.
            page.wait_for_function(f"() => {moving} > 0")


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("receiver-refused", "name"),
        ("record-refused", "port"),
        ("record-review-refused", "file"),
        ("accept-refused", "pattern"),
        ("delivery-refused", "expectation"),
    ],
)
def test_a_refused_form_has_the_focus_at_what_is_wrong(
    browser: Browser, visited: Tour, name: str, field: str
):
    with visited.visit(browser, named(name)) as page:
        wrong = page.locator(f"#{field}")
        expect(wrong).to_be_focused()
        expect(wrong).to_be_in_viewport()
        expect(wrong).to_have_attribute("aria-invalid", "true")
        assert wrong.evaluate("(field) => field.ariaDescribedByElements.some((each) => each.textContent)")
