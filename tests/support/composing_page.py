"""The compose page in a real browser: choose a receiver, send, wait for the verdict."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect


def choose(page: Page, receiver: str) -> None:
    """Choose a receiver, and see where a send would go."""
    page.get_by_label("Receiver", exact=True).select_option(receiver)
    if (show := page.locator("#target").get_by_role("button", name="Show")).is_visible():
        show.click()
    expect(page.locator("#target")).to_have_attribute("data-receiver", receiver)


def send(page: Page, receiver: str = "stand-in") -> None:
    """Choose a receiver, press Send, and be on the delivery's page."""
    choose(page, receiver)
    page.get_by_role("button", name="Send", exact=True).click()
    page.wait_for_url(re.compile("/deliveries/"))


def headline(page: Page) -> str:
    """The verdict, once there is one."""
    heading = page.locator("#delivery h1")
    expect(heading).not_to_contain_text("in flight")
    return heading.inner_text().split()[-1]
