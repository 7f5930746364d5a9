"""A browser window at a served workspace, and the errors that it reported."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page

from tests.support import contexts

WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
_REPORT_VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) =>
  console.error(`CSP ${event.effectiveDirective} ${event.sourceFile}:${event.lineNumber}`));
"""

with_script = pytest.mark.parametrize("page", ["script"], indirect=True)
"""A job that other tests do without JavaScript too, by the same forms: here it is done once, with it."""


class Watched:
    """A browser window, and the errors on its console and of its scripts."""

    def __init__(self, context: BrowserContext) -> None:
        self.complaints: list[str] = []
        self.page = context.new_page()
        self.page.add_init_script(_REPORT_VIOLATIONS)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda message: self._said(message.type, message.text))

    def _said(self, kind: str, text: str) -> None:
        # A form that is shown again comes with 422, which a browser reports too.
        # And a request that a test cuts off, on purpose or by leaving the page, fails.
        if kind == "error" and not re.search("422|ERR_FAILED|htmx:(afterRequest|send(Abort|Error))", text):
            self.complaints.append(text)


def opened(browser: Browser, url: str, *, scripted: bool, first: str = "/") -> Iterator[Page]:
    """A window with JavaScript or without; at the end, fails if it reported an error.

    `first` is the path that it shows first; without one it is empty.
    """
    options = {"base_url": url, "viewport": WIDE, "java_script_enabled": scripted, "locale": "en-GB"}
    with contexts.fresh(browser, **options) as context:
        watched = Watched(context)
        if first:
            watched.page.goto(first)
        yield watched.page
    assert watched.complaints == [], watched.complaints


def press(scope: Page | Locator, name: str) -> None:
    """Press the button of this name."""
    scope.get_by_role("button", name=name, exact=True).click()


def write_payload(page: Page, text: str) -> None:
    """Replace the payload's raw text as a person does, in the editor or in the text area without one."""
    page.get_by_role("textbox", name="Payload", exact=True).focus()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.insert_text(text)


def write_expectation(page: Page, text: str) -> None:
    """Replace the text of the expectation as a person does, in the editor or in the text area without one."""
    page.get_by_role("textbox", name="Expected response").focus()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.press("Delete")
    page.keyboard.insert_text(text)


def expectation_of(page: Page) -> Locator:
    """The field that is sent, which has the expectation's text at every moment."""
    return page.locator("#expectation")


def payload_of(page: Page) -> Locator:
    """The field that is sent, which has the payload's raw text at every moment."""
    return page.locator("#payload")
