"""Downloads in a real browser, with JavaScript and without."""

from __future__ import annotations

import json
import re
from pathlib import Path

from playwright.sync_api import Page, expect

from retailops_sandbox import importing
from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from tests.published import schemas
from tests.support.composing_page import press_send


def downloaded(page: Page, name: str) -> tuple[str, str]:
    """The name and the text of what a link downloads."""
    with page.expect_download() as waiting:
        page.locator(".downloads").get_by_role("link", name=name, exact=True).click()
    download = waiting.value
    return download.suggested_filename, Path(download.path()).read_text(encoding="utf-8")


def test_a_delivery_is_downloaded_for_other_tools_and_the_page_stays(page: Page):
    press_send(page)
    expect(page.locator("#delivery h1")).to_contain_text("passed")
    address = page.url
    id = address.rpartition("/")[2].partition("?")[0]
    name, text = downloaded(page, "HAR")
    assert name == f"{id}.har"
    assert [error.message for error in schemas.har().iter_errors(json.loads(text))] == []
    name, text = downloaded(page, "curl")
    assert name == f"{id}.sh"
    (found,) = importing.read(text, SHIPPED_CONTRACTS, file=name)
    assert found.url.endswith("/order_cancel")
    name, text = downloaded(page, "pytest")
    assert re.fullmatch(r"test_\w+\.py", name)
    compile(text, name, "exec")
    name, text = downloaded(page, "scenario")
    assert name == f"{id}.scenario.json"
    assert json.loads(text)["steps"][0]["fixture"] == "default"
    assert page.url == address
