"""A probe in a real browser: live, stopped and resumed, by keyboard, and what is made of its findings."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec
import pytest
from playwright.sync_api import Page, expect

from retailops_sandbox.probe.report import Cell
from tests.published import axe
from tests.support.probe_client import Crashing, ProbeClient, probe_client
from tests.support.probe_reports import CRASH, probe_report
from tests.support.serving import Served
from tests.support.watching import press

RUN = "20261128T040000Z-aaaaaa"


@pytest.fixture(scope="module")
def shop() -> Crashing:
    return Crashing(free=40)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, shop: Crashing) -> Iterator[ProbeClient]:
    with probe_client(tmp_path_factory.mktemp("workspace"), shop) as client:
        yield client


@pytest.fixture(scope="module")
def served(client: ProbeClient) -> Served:
    return client.served


@pytest.fixture(scope="module")
def first_path() -> str:
    return "/probe"


def test_a_probe_is_stopped_resumed_and_ends_in_place(scripted: Page, client: ProbeClient, shop: Crashing):
    shop.close()
    scripted.locator(".receiver-menu summary").click()
    scripted.locator(".receiver-menu").get_by_role("button", name="shop").click()
    plan = scripted.locator("#probe-plan")
    expect(plan).to_contain_text(client.shop_url)  # the page of the one chosen before has options, too
    scripted.locator("#probe-options summary").click()
    # Whatever was chosen before, the URL that the form sends back is that of the last choice.
    for contract in ("order_cancel draft", "order_cancel v1"):
        scripted.get_by_label("Action and edition").select_option(contract)
        expect(plan).to_contain_text(f"of {contract} to")
    for area in ("Repetition", "Transport", "Auth", "Speed"):
        scripted.get_by_role("checkbox", name=area).uncheck()
    expect(plan).to_contain_text(re.compile(r"\([0-9]+ contract\)"))
    expect(plan).to_contain_text(f"of order_cancel v1 to {client.shop_url}/order_cancel_v1")
    scripted.get_by_role("button", name=re.compile("^All ")).click()
    finding = scripted.locator(".finding", has_text="Crashes where a member is null")
    expect(finding).to_be_visible()
    press(scripted, "Stop")
    expect(plan).to_be_visible()
    shop.free = shop.asked + 40
    press(scripted, "Resume")
    progress = scripted.get_by_role("progressbar", name="Requests that were sent")
    expect(progress).to_have_attribute("value", re.compile(r"\d+"))
    expect(finding).to_be_visible()
    assert axe.violations(scripted) == []
    # The page changes under whoever reads it: what is open stays open, and the focus stays.
    finding.locator("summary").first.click()
    cell = scripted.locator("table.map td.failed > a").first
    cell.focus()
    evidence = scripted.locator("#cell-evidence")
    expect(evidence).to_contain_text("HTTP/1.1 500")
    probe = scripted.locator("#probe").element_handle()
    shop.open()
    expect(scripted.locator("#probe-title")).to_contain_text("not yet fit")
    assert probe.evaluate("(element) => element.isConnected")
    expect(finding).to_have_attribute("open", "")
    expect(cell).to_be_focused()
    expect(evidence).to_contain_text("HTTP/1.1 500")
    expect(scripted).to_have_title(re.compile("Not yet fit"))
    expect(scripted.locator("#announcement")).to_contain_text("not yet fit")


def test_arrows_go_through_the_map_and_enter_opens_the_delivery(scripted: Page, client: ProbeClient):
    cells = [
        Cell(field=field, what=what, outcome="held", delivery=f"20261128T040000Z-aaaaaa.00000{number}")
        for number, (field, what) in enumerate(
            [("/a", "null"), ("/a", "missing"), ("/a", "text"), ("/b", "null"), ("/b", "text")]
        )
    ]
    cells[0] = msgspec.structs.replace(cells[0], outcome="did not", shown="5xx")
    client.kept.save(probe_report(run=RUN, receiver="shop", cells=tuple(cells)))
    scripted.goto(f"/probe/{RUN}")
    first = scripted.get_by_role("link", name="/a, null: did not, 5xx")
    # The map is one stop of the tab key: the first cell with something to see.
    expect(scripted.locator('table.map a[tabindex="0"]')).to_have_count(1)
    expect(scripted.locator('table.map a[tabindex="0"]')).to_have_attribute("data-what", "null")
    first.focus()
    evidence = scripted.locator("#cell-evidence")
    expect(evidence).to_contain_text("/a null: did not")
    expect(evidence).to_contain_text("The log does not have this delivery any more.")
    for key, name in [
        ("ArrowRight", "/a, missing: held"),
        ("ArrowDown", "/a, missing: held"),  # There is no cell below.
        ("ArrowRight", "/a, text: held"),
        ("ArrowDown", "/b, text: held"),
        ("ArrowLeft", "/b, null: held"),  # What was not tried is passed over.
        ("ArrowUp", "/a, null: did not, 5xx"),
        ("End", "/a, text: held"),
        ("Home", "/a, null: did not, 5xx"),
    ]:
        scripted.keyboard.press(key)
        expect(scripted.get_by_role("link", name=name, exact=True)).to_be_focused()
    # Whoever comes back from another page goes on at the same cell.
    scripted.keyboard.press("ArrowRight")
    expect(evidence).to_contain_text("/a missing: held")
    scripted.goto("/scenarios")
    scripted.go_back()
    expect(scripted.get_by_role("link", name="/a, missing: held", exact=True)).to_be_focused()
    scripted.get_by_role("group", name="Shown as").get_by_role("link", name="Table").click()
    expect(
        scripted.get_by_role("row").filter(has_text=re.compile(r"did not\s*/a\s*null\s*5xx"))
    ).to_be_visible()


def test_a_finding_becomes_a_scenario_and_a_taken_name_is_said_in_place(scripted: Page, client: ProbeClient):
    client.kept.save(probe_report(run=RUN, receiver="shop"))
    for name, is_free in [("found", True), ("found", False)]:
        scripted.goto(f"/probe/{RUN}")
        finding = scripted.locator(".finding", has_text=CRASH.title)
        finding.locator("summary").first.click()
        file = finding.get_by_label("Save as scenario")
        expect(file).to_have_value("crashes-where-a-member-is-null")
        file.fill(name)
        press(finding, "Save")
        if is_free:
            expect(scripted).to_have_url(re.compile(r"/scenarios/show\?id=scenarios/found\.scenario\.json"))
    expect(file).to_be_focused()
    expect(file).to_have_value("found")
    expect(finding).to_contain_text("there is a scenario file found.scenario.json already")
