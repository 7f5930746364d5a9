"""The HTML report in a real browser, as a file: offline, without a script, narrow, dark and printed."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from retailops_sandbox.probe.report import Cell
from retailops_sandbox.reporting.probes import html
from tests.published import axe
from tests.support.command import COMMAND
from tests.support.probe_reports import probe_report
from tests.support.records import some_delivery

EVENT = {
    "status": "error",
    "error_code": "ERR" + "7" * 200,
    "error_message": "The order was shipped long ago and cannot be cancelled any more " * 5,
    "diagnostic_data": [],
    "associations": [{"type": "order_id", "identity": "1"}],
}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")

    def scenario(name: str, fixture: str, events: object) -> None:
        step = {"name": "cancel", "fixture": fixture, "expect": {"body": {"events": events}}}
        file = folder / f"{name}.scenario.json"
        file.write_text(json.dumps({"name": f"{name} one", "tags": ["t"], "steps": [step]}))

    scenario("good", "default", [])
    scenario("bad", "unknown-order", [EVENT])
    scenario("long-" + "x" * 150, "many-unshipped-items", {})
    (folder / "broken.scenario.json").write_text("{")
    command = [COMMAND, "run", ".", "--stand-in", "--report-html", "report.html"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2, done.stdout + done.stderr
    return folder / "report.html"


@pytest.fixture(params=[(1280, "light"), (390, "dark")], ids=["wide", "narrow"])
def page(request: pytest.FixtureRequest, browser: Browser, report: Path) -> Iterator[Page]:
    width, scheme = request.param
    context = browser.new_context(
        viewport={"width": width, "height": 800},
        color_scheme=scheme,
        offline=True,
        java_script_enabled=False,
    )
    page = context.new_page()
    complaints: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("request", lambda sent: asked.append(sent.url))
    page.goto(report.as_uri())
    yield page
    context.close()
    assert complaints == []
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []


def test_what_failed_is_seen_at_once_and_the_rest_on_demand(page: Page):
    expect(page.get_by_role("heading", level=1)).to_contain_text("2 of 3 did not pass")
    expect(page.get_by_text("Against the stand-in.")).to_be_visible()
    failed = page.locator("details.scenario.failed", has_text="bad one")
    expect(failed.locator(".item.differs").first).to_be_visible()
    expect(failed.locator("mark").first).to_be_visible()
    request = failed.locator("details.message", has_text="Request")
    expect(request.locator("pre")).to_be_hidden()
    request.locator("summary").click()
    expect(request.locator("pre")).to_contain_text('"action": "order_cancel"')
    passed = page.locator("details.scenario.passed")
    expect(passed.locator(".step")).to_be_hidden()
    page.locator(".counts").get_by_role("link", name="passed").click()
    expect(page.locator("#passed")).to_be_in_viewport()
    passed.locator("> summary").click()
    expect(passed.locator(".step")).to_be_visible()
    expect(page.locator("#unreadable + ul")).to_contain_text("broken.scenario.json:1:2")


def test_it_is_never_wider_than_the_window(page: Page):
    for summary in page.locator("details:not([open]) > summary").all():
        if summary.is_visible():
            summary.click()
    body, window = page.locator("html").bounding_box(), page.viewport_size
    assert body is not None
    assert window is not None
    assert body["width"] <= window["width"]
    for part in page.locator("header, .scenario, .step, .delivery, pre, .headers").all():
        if part.is_visible() and (box := part.bounding_box()):
            assert box["x"] + box["width"] <= window["width"], part.get_attribute("class")


def test_both_schemes_are_its_own(browser: Browser, report: Path):
    colours = set()
    for scheme in ("light", "dark"):
        page = browser.new_page(color_scheme=scheme)
        page.goto(report.as_uri())
        colours.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        page.close()
    assert len(colours) == 2


def test_it_is_printed_light_and_without_what_is_folded(browser: Browser, report: Path):
    page = browser.new_page(color_scheme="dark")
    page.goto(report.as_uri())
    page.emulate_media(media="print")
    expect(page.locator("details.message").first).to_be_hidden()
    expect(page.locator(".item.differs").first).to_be_visible()
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(26, 31, 41)"
    assert (
        page.locator(".side-value pre").first.evaluate("each => getComputedStyle(each).maxHeight") == "none"
    )
    assert page.pdf().startswith(b"%PDF")
    page.close()


def test_the_page_of_a_probe_is_for_everyone(browser: Browser, tmp_path: Path):
    fields = [f"/data/order/{'a_long_member_' * 4}{number}" for number in range(3)]
    cells = tuple(
        Cell(field=field, what=what, outcome="held" if number else "did not", shown="" if number else "5xx")
        for field in fields
        for number, what in enumerate(f"what-is-done-{number}" for number in range(30))
    )
    file = tmp_path / "probe.html"
    file.write_text(html.document(probe_report(cells=cells), {"d-crash": some_delivery(id="d-crash")}))
    for width, scheme in ((1280, "light"), (390, "dark")):
        page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
        page.goto(file.as_uri())
        assert axe.violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.close()
