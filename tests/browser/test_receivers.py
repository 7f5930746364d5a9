"""The receivers' pages in a real browser, with JavaScript and without: check, copy, needs, a pasted URL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from retailops_sandbox.model import Receiver
from retailops_sandbox.workspace.workspace import Workspace
from tests.support.authority import Authority
from tests.support.receivers import Receiver as Shop
from tests.support.receivers import answering, receiver, response
from tests.support.serving import Served, serving
from tests.support.watching import NARROW, opened


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(Path(tmp_path_factory.mktemp("authority")))


@pytest.fixture(scope="module")
def shop(authority: Authority) -> Iterator[Shop]:
    """A receiver that speaks TLS."""
    with receiver(answering(response(b"{}")), tls=authority.server()) as shop:
        yield shop


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, shop: Shop, authority: Authority) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("workspace"), SHOP_TOKEN="hunter2-hunter2") as served:
        workspace = Workspace(served.workspace)
        workspace.save_receiver(Receiver("shop", shop.url, ca_file=authority.file, token="${env:SHOP_TOKEN}"))
        workspace.save_receiver(Receiver("stranger", shop.url, token="${env:SHOP_OTHER}"))
        yield served


@pytest.fixture(params=["script", "no script"])
def page(request: pytest.FixtureRequest, browser: Browser, served: Served) -> Iterator[Page]:
    """The list of receivers, once as most have it and once without JavaScript."""
    yield from opened(browser, served.url, scripted=request.param == "script", first="/receivers")


def row(page: Page, name: str) -> Locator:
    """The row of a receiver."""
    return page.get_by_role("row").filter(has=page.get_by_role("button", name=f"connection to {name}"))


def test_the_way_to_a_listed_receiver_is_shown_in_its_row(page: Page, shop: Shop):
    row(page, "shop").get_by_role("button", name="Check").click()
    told = row(page, "shop").get_by_role("status")
    expect(told).to_contain_text("Can be reached")
    expect(told).to_contain_text("The shop")
    expect(told).to_contain_text("Our own authority")
    row(page, "stranger").get_by_role("button", name="Check").click()
    told = row(page, "stranger").get_by_role("status")
    expect(told).to_contain_text("Cannot be reached")
    expect(told).to_contain_text("as the receiver's CA file")
    assert shop.requests == []


def test_what_a_receiver_needs_is_in_its_row(page: Page):
    expect(row(page, "shop")).to_contain_text("SHOP_TOKEN ✓ set")
    expect(row(page, "stranger")).to_contain_text("SHOP_OTHER ! not set")
    expect(page.locator("body")).not_to_contain_text("hunter2")


def test_a_copy_is_edited_checked_and_saved(page: Page, served: Served, shop: Shop):
    row(page, "stranger").get_by_role("link", name="Duplicate").click()
    expect(page.get_by_label("Name", exact=True)).to_have_value("stranger copy")
    page.get_by_label("Verify the receiver's TLS certificate").uncheck()
    page.get_by_role("button", name="Check the connection").click()
    told = page.locator("#connection-check")
    expect(told).to_contain_text("Can be reached")
    expect(told).to_contain_text("not verified")
    expect(page.get_by_label("Verify the receiver's TLS certificate")).not_to_be_checked()
    page.get_by_role("button", name="Save receiver").click()
    expect(row(page, "stranger copy")).to_be_visible()
    workspace = Workspace(served.workspace)
    assert not workspace.receivers().named("stranger copy").verify
    assert workspace.receivers().named("stranger").verify
    workspace.delete_receiver("stranger copy")
    assert shop.requests == []


def test_a_pasted_url_is_understood_and_shown_whole(page: Page, served: Served):
    page.get_by_role("link", name="Add a receiver").click()
    page.get_by_label("Name", exact=True).fill("pasted")
    page.get_by_label("Base URL", exact=True).fill("http://shop.test/hooks/order_cancel")
    page.get_by_label("Base URL", exact=True).press("Enter")
    expect(row(page, "pasted").locator(".url")).to_have_text("http://shop.test/hooks/order_cancel")
    expect(row(page, "pasted")).to_contain_text("speaks draft: its URL ends in /order_cancel")
    page.get_by_role("link", name="Edit").last.click()
    page.get_by_label("Speaks v1").check()
    page.get_by_role("button", name="Save receiver").click()
    expect(row(page, "pasted").locator(".url")).to_have_text("http://shop.test/hooks/order_cancel_v1")
    expect(row(page, "pasted")).to_contain_text("speaks v1: it says so")
    Workspace(served.workspace).delete_receiver("pasted")


def test_needs_follow_what_is_typed(browser: Browser, served: Served):
    for page in opened(browser, served.url, scripted=True, first="/receivers/edit?name=stranger"):
        needs = page.locator("#env-requirements")
        expect(needs).to_contain_text("SHOP_OTHER ! not set")
        page.get_by_label("from environment variable").last.fill("SHOP_TOKEN")
        expect(needs).to_contain_text("SHOP_TOKEN ✓ set")
        expect(needs).not_to_contain_text("SHOP_OTHER")


def test_the_list_fits_a_narrow_window(page: Page):
    page.set_viewport_size(NARROW)
    row(page, "shop").get_by_role("button", name="Check").click()
    expect(row(page, "shop").get_by_role("status")).to_contain_text("Can be reached")
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
