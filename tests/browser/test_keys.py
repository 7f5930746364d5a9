"""The log and the page of a delivery by keyboard."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from retailops_sandbox.model import Receiver
from retailops_sandbox.workspace.workspace import Workspace
from tests.support.composing_page import choose, headline, press_send, send
from tests.support.other_process import Other, rows
from tests.support.serving import Served, serving
from tests.support.watching import opened, write_expectation


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("workspace")) as served:
        workspace = Workspace(served.workspace)
        workspace.save_receiver(Receiver("shop", served.stand_in))
        workspace.save_receiver(Receiver("live", served.stand_in, protected=True))
        yield served


@pytest.fixture
def page(browser: Browser, served: Served) -> Iterator[Page]:
    for page in opened(browser, served.url, scripted=True, first=""):
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        yield page


@pytest.fixture
def other(served: Served) -> Iterator[Other]:
    """Five deliveries, and a page of the log that has those alone."""
    other = Other(served)
    for _ in range(5):
        other.send()
    yield other
    other.run.close()


def current(page: Page) -> Locator:
    return page.locator("table.log tr[aria-current=true]")


def press(page: Page, keys: str) -> None:
    for key in keys.split():
        page.keyboard.press(key)


def said(page: Page) -> Locator:
    return page.locator("#key-message")


def test_j_and_k_go_through_the_rows_and_enter_opens_one(page: Page, other: Other):
    page.goto(other.log)
    expect(current(page)).to_have_count(0)
    press(page, "j")
    expect(current(page)).to_have_id(f"row-{other.id}.000005")
    press(page, "j j k")
    expect(current(page)).to_have_id(f"row-{other.id}.000004")
    expect(current(page).get_by_role("link").first).to_be_focused()
    press(page, "j j j j j")
    expect(current(page)).to_have_id(f"row-{other.id}.000001")
    press(page, "k k k k k k k")
    expect(current(page)).to_have_id(f"row-{other.id}.000005")
    press(page, "j Enter")
    page.wait_for_url(f"**{other.log}&show={other.id}.000004")
    preview = page.locator("#preview")
    expect(preview).to_have_attribute("data-delivery", f"{other.id}.000004")
    # The preview goes along, and closes before the row is left.
    press(page, "j")
    expect(preview).to_have_attribute("data-delivery", f"{other.id}.000003")
    expect(current(page)).to_have_id(f"row-{other.id}.000003")
    press(page, "Escape")
    expect(preview).to_have_count(0)
    expect(current(page)).to_have_id(f"row-{other.id}.000003")
    press(page, "Escape")
    expect(current(page)).to_have_count(0)


def test_escape_leaves_the_row_and_what_is_new_comes(page: Page, other: Other):
    page.goto(other.log)
    press(page, "j j")
    other.send()
    expect(page.locator("#live-chip")).to_contain_text("1 new")
    press(page, "Escape")
    expect(current(page)).to_have_count(0)
    expect(rows(page)).to_have_count(6)


def test_on_the_page_of_a_delivery_j_and_k_go_to_the_next_and_the_previous(page: Page, other: Other):
    page.goto(f"/deliveries/{other.id}.000003?run={other.id}")
    press(page, "j")
    page.wait_for_url(f"**/{other.id}.000002?run={other.id}")
    press(page, "k")
    page.wait_for_url(f"**/{other.id}.000003?run={other.id}")
    press(page, "k")
    page.wait_for_url(f"**/{other.id}.000004?run={other.id}")
    press(page, "k")
    page.wait_for_url(f"**/{other.id}.000005?run={other.id}")
    press(page, "k")
    expect(said(page)).to_have_text("There is none after it.")


def test_r_sends_the_current_row_again_once_and_stays(page: Page):
    page.goto("/")
    send(page, "shop")
    headline(page)
    sent = page.url.rpartition("/")[2]
    page.goto("/deliveries?receiver=shop")
    before = rows(page).count()
    press(page, "j")
    expect(current(page)).to_have_id(f"row-{sent}")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.method) if sent in request.url else None)
    page.keyboard.down("r")
    page.keyboard.down("r")
    expect(said(page)).to_have_text("Sent again.")
    # It is still held down.
    page.keyboard.down("r")
    page.keyboard.up("r")
    press(page, "c")
    expect(said(page)).to_have_text("Copied as a curl command.")
    assert asked == ["GET", "POST", "GET"]
    press(page, "Escape")
    expect(rows(page)).to_have_count(before + 1)
    expect(rows(page).first.get_by_role("link", name="resend")).to_have_attribute(
        "href", f"/deliveries/{sent}"
    )


def test_r_on_the_page_of_a_delivery_presses_send_again(page: Page):
    page.goto("/")
    send(page, "shop")
    headline(page)
    first = page.url
    press(page, "r")
    page.wait_for_url(lambda url: url != first)
    headline(page)


def test_a_protected_receiver_still_needs_its_yes(page: Page):
    page.goto("/")
    choose(page, "live")
    page.get_by_label("Yes, send this to").check()
    press_send(page)
    headline(page)
    sent = page.url
    page.goto("/deliveries?receiver=live")
    before = rows(page).count()
    press(page, "j r")
    # On its own page, where it can be said.
    page.wait_for_url(f"{sent}*")
    press(page, "r")
    yes = page.get_by_label("Yes, send to live")
    expect(yes).to_be_focused()
    expect(said(page)).to_contain_text("protected")
    page.goto("/deliveries?receiver=live")
    expect(rows(page)).to_have_count(before)
    page.goto(sent)
    press(page, "r Space r")
    page.wait_for_url(lambda url: not url.startswith(sent))
    assert headline(page) == "passed"


def test_e_edits_and_d_shows_the_difference(page: Page):
    page.goto("/")
    write_expectation(page, '{"body": {"events": [{"error_code": "E1"}]}}')
    send(page, "shop")
    assert headline(page) == "failed"
    sent = page.url.rpartition("/")[2]
    press(page, "d")
    heading = page.get_by_role("heading", name="Compared with what was expected")
    expect(heading).to_be_focused()
    page.goto("/deliveries?receiver=shop")
    press(page, "j d")
    page.wait_for_url(f"**/deliveries/{sent}*")
    expect(heading).to_be_focused()
    press(page, "e")
    page.wait_for_url(f"**/?from={sent}")
    page.goto("/deliveries?receiver=shop")
    press(page, "j e")
    page.wait_for_url(f"**/?from={sent}")


def test_c_copies_the_curl_command(page: Page, other: Other):
    page.goto(other.log)
    press(page, "j j c")
    expect(said(page)).to_have_text("Copied as a curl command.")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("curl ") or "\ncurl " in copied
    page.goto(f"/deliveries/{other.id}.000004")
    press(page, "c")
    expect(said(page)).to_have_text("Copied as a curl command.")
    assert page.evaluate("navigator.clipboard.readText()") == page.locator("#curl").inner_text()


def test_what_the_sandbox_does_not_answer_is_said(page: Page, other: Other):
    # Before the page is there: what is routed later can miss the first request.
    page.route("**/export/curl", lambda route: route.fulfill(status=422, body="no command"), times=1)
    page.goto(other.log)
    press(page, "j")
    press(page, "c")
    expect(said(page)).to_have_text("The sandbox cannot show this delivery.")
    page.route(re.compile(r"/deliveries/[^/?]+$"), lambda route: route.abort(), times=1)
    press(page, "r")
    expect(said(page)).to_have_text("The sandbox does not answer.")


def test_without_a_current_row_it_is_said_that_there_is_none(page: Page, other: Other):
    page.goto(other.log)
    for key in "recd":
        press(page, key)
        expect(said(page)).to_contain_text("Choose a delivery first")
    assert page.url.endswith(other.log)


def test_slash_searches_and_no_key_acts_while_one_types(page: Page, other: Other):
    page.goto(f"/deliveries/{other.id}.000003")
    press(page, "/")
    page.wait_for_url("**/deliveries*#by-text")
    field = page.get_by_label("Text in request or response")
    expect(field).to_be_focused()
    page.keyboard.type("jrecd?/")
    expect(field).to_have_value("jrecd?/")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(current(page)).to_have_count(0)
    expect(page.get_by_text("Nothing that the filter lets through.")).to_be_visible()
    field.fill("")
    expect(rows(page).first).to_be_visible()
    field.evaluate("(field) => field.blur()")
    press(page, "Control+j Alt+j Meta+j")
    expect(current(page)).to_have_count(0)
    press(page, "j")
    expect(current(page)).to_have_count(1)
    press(page, "/")
    expect(field).to_be_focused()


def test_the_keys_are_listed_by_a_key_and_by_a_button(page: Page, other: Other):
    for path in (other.log, f"/deliveries/{other.id}.000003"):
        page.goto(path)
        dialog = page.get_by_role("dialog", name="Keys")
        press(page, "?")
        expect(dialog).to_be_visible()
        for key in ("j", "k", "Enter", "r", "e", "d", "c", "/", "?"):
            expect(dialog.get_by_role("rowheader", name=key, exact=True).first).to_be_visible()
        press(page, "j")
        expect(current(page)).to_have_count(0)
        press(page, "Escape")
        expect(dialog).to_be_hidden()
        page.get_by_role("button", name="Keys").click()
        expect(dialog).to_be_visible()
        dialog.get_by_role("button", name="Close").click()
        expect(dialog).to_be_hidden()
