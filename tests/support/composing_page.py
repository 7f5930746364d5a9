"""The workbench in a real browser: choose a receiver, send, wait for the verdict."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

_SHOWN = "() => document.getElementById('answer')?.dataset.delivery ?? ''"
_IS_OTHER = f"(before) => ({_SHOWN})() !== before"


def choose(page: Page, receiver: str) -> None:
    """Choose a receiver in the header, and see where a send would go."""
    menu = page.locator(".receiver-menu")
    menu.locator("summary").click()
    menu.locator(f'button[value="receiver:{receiver}"]').click()
    expect(page.locator("#target")).to_have_attribute("data-receiver", receiver)


def shown(page: Page) -> str:
    """The delivery whose answer the workbench shows; empty for none."""
    return str(page.evaluate(_SHOWN))


def follow(page: Page, before: str = "") -> None:
    """Wait until the workbench made another delivery than the one it showed, and be on its page."""
    # A count, as a page that is just being left has nothing that could be asked.
    if page.locator("html.scripted").count():
        page.wait_for_function(_IS_OTHER, arg=before)
        page.goto(f"/deliveries/{shown(page)}")
    page.wait_for_url(re.compile("/deliveries/"))


def press_send(page: Page) -> None:
    """Press Send, and be on the delivery's page."""
    before = shown(page)
    page.locator("#send").click()
    follow(page, before)


def send(page: Page, receiver: str = "stand-in") -> None:
    """Choose a receiver, press Send, and be on the delivery's page."""
    choose(page, receiver)
    press_send(page)


def headline(page: Page) -> str:
    """The verdict, once there is one."""
    heading = page.locator("#delivery h1")
    expect(heading).not_to_contain_text("in flight")
    return heading.inner_text().split()[-1]


def manage(page: Page) -> None:
    """Open the menu of the open case."""
    menu = page.locator(".case-menu")
    if menu.get_attribute("open") is None:
        menu.locator("summary").click()
