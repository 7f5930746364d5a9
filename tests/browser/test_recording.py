"""Recording in a real browser, with JavaScript and without: what is reviewed and saved then runs."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from retailops_sandbox import resources
from retailops_sandbox.model import Receiver
from retailops_sandbox.workspace.workspace import Workspace
from tests.support.composing_page import headline, send
from tests.support.receivers import answering, receiver, response
from tests.support.serving import MAIN, Served, serving
from tests.support.watching import payload_of, with_script, write_payload

DEFAULT = (resources.fixtures_dir() / "order_cancel" / "draft" / "default.json").read_bytes()
V1 = b"""{"integration_auth_token": "RETAILOPS_SDK", "action": "order_cancel", "version": 1, "client_id": 497,
 "channel_info": {"id": 21}, "order": {"channel_order_refnum": "496"}}"""
UUID = "0f8fad5b-d9cb-469f-a165-70867728950e"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path, SHOP_KEY="the-key-of-the-shop") as served:
        Workspace(tmp_path).save_receiver(Receiver("live", served.stand_in, protected=True))
        yield served


def send_fixture(page: Page, name: str) -> None:
    page.goto(f"/?fixture={name}")
    send(page)
    headline(page)


def record(page: Page, *fixtures: str) -> None:
    """Put the switch on, send these, put it off."""
    page.get_by_role("button", name="Record", exact=True).click()
    expect(page.get_by_role("button", name="Recording 0 steps")).to_be_visible()
    for number, fixture in enumerate(fixtures, 1):
        send_fixture(page, fixture)
        unit = "step" if number == 1 else "steps"
        expect(page.get_by_role("button", name=f"Recording {number} {unit}", exact=True)).to_be_visible()
    page.get_by_role("button", name="Recording").click()
    page.wait_for_url(re.compile("/record/reviews/"))


def save(page: Page) -> None:
    page.get_by_role("button", name="Save scenario").click()
    expect(page.get_by_role("status")).to_contain_text("Saved as")


def run_as_told(page: Page, served: Served) -> None:
    """Run what was saved by the command that the page prints."""
    words = shlex.split(page.locator(".saved-file .panel-head code").inner_text())
    done = subprocess.run(
        [*MAIN, *words[1:]], cwd=served.workspace, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr


def runs(served: Served, name: str, *options: str) -> str:
    """Run a scenario of the workspace by the command line, against the same receiver; what it printed."""
    command = [*MAIN, "run", f"scenarios/{name}.scenario.json", "--receiver", served.stand_in, *options]
    done = subprocess.run(
        command, cwd=served.workspace, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def saved(served: Served, name: str) -> dict[str, object]:
    path = served.workspace / "scenarios" / f"{name}.scenario.json"
    document: dict[str, object] = json.loads(path.read_text(encoding="utf-8"))
    return document


def post(url: str, body: bytes, content_type: str = "application/json") -> int:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(
            urllib.request.Request(url, body, {"Content-Type": content_type}), timeout=60
        ) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_sends_are_recorded_reviewed_saved_and_pass(page: Page, served: Served):
    record(page, "already-shipped", "default")
    expect(page.locator("#preview")).to_contain_text('"fixture": "already-shipped"')
    assert not (served.workspace / "scenarios").exists() or not list(
        (served.workspace / "scenarios").iterdir()
    )
    page.get_by_label("Name", exact=True).fill("Mine")
    page.get_by_label("Tags").fill("one, two")
    page.get_by_role("textbox", name="File").fill("mine")
    page.get_by_label("Name of step 2").fill("then the default")
    save(page)
    run_as_told(page, served)
    document = saved(served, "mine")
    assert (document["name"], document["tags"]) == ("Mine", ["one", "two"])
    assert [step["name"] for step in document["steps"]] == ["already-shipped", "then the default"]  # type: ignore[attr-defined]
    assert "1 passed" in runs(served, "mine")


@with_script
def test_selected_deliveries_of_the_log_become_a_scenario(page: Page, served: Served):
    for fixture in ("default", "already-shipped", "unknown-order"):
        send_fixture(page, fixture)
    page.goto("/deliveries")
    for name in ("unknown-order", "already-shipped"):
        page.get_by_label(f"Select {name}").check()
    page.get_by_role("button", name="Save as scenario").click()
    expect(page.get_by_role("heading", name="Review: 2 steps")).to_be_visible()
    page.get_by_label("Keep step 2").uncheck()
    save(page)
    [step] = saved(served, "recorded-order_cancel-draft")["steps"]  # type: ignore[misc]
    assert step["fixture"] == "already-shipped"
    runs(served, "recorded-order_cancel-draft")


def test_one_delivery_becomes_a_scenario_from_its_page(scripted: Page, served: Served):
    send_fixture(scripted, "zero-total")
    scripted.get_by_role("button", name="Save as scenario").click()
    save(scripted)
    runs(served, "recorded-order_cancel-draft")


@with_script
def test_a_relay_is_started_posted_to_stopped_and_reviewed(page: Page, served: Served):
    places = page.get_by_role("navigation", name="Places")
    places.get_by_role("link", name="Log").click()
    places.get_by_role("link", name="Record").click()
    page.get_by_label("Port").fill("0")
    page.get_by_role("button", name="Start the relay").click()
    url = page.locator("#relay-url").inner_text()
    assert post(url + "order_cancel", DEFAULT) == 200
    assert post(url + "order_cancel?shop=1", b"no JSON", "text/plain") == 400
    assert post(url + "order_cancel_v1", V1) == 200
    expect(page.locator("#passed tbody tr")).to_have_count(3)  # it fills by itself, either way
    page.get_by_role("button", name="Stop and review").click()
    expect(page.get_by_role("heading", name="Review: 3 steps")).to_be_visible()
    page.get_by_role("textbox", name="File").fill("both")
    save(page)
    runs(served, "both", "--receiver-token", "RETAILOPS_SDK")
    text = "".join(path.read_text() for path in (served.workspace / "scenarios").iterdir())
    assert "RETAILOPS_SDK" not in text
    page.goto("/record")
    expect(page.get_by_role("button", name="Start the relay")).to_be_visible()
    with pytest.raises(urllib.error.URLError, match="refused"):
        post(url, DEFAULT)


def test_what_keeps_a_relay_from_starting_stands_at_its_field(page: Page, served: Served):
    page.goto("/record")
    page.get_by_label("Forward to").select_option("live")
    page.get_by_label("Port").fill("99999")
    page.get_by_label("Listen at").fill("192.0.2.1")
    page.get_by_role("button", name="Start the relay").click()
    expect(page.locator("#confirmed-error")).to_contain_text("live is protected")
    page.get_by_label("Yes, pass requests on to live").check()
    page.get_by_role("button", name="Start the relay").click()
    expect(page.locator("#port-error")).to_contain_text("from 0 to 65535")
    expect(page.get_by_label("Port")).to_have_value("99999")
    page.get_by_label("Port").fill("0")
    page.get_by_label("Yes, pass requests on to live").check()
    page.get_by_role("button", name="Start the relay").click()
    expect(page.locator("#port-error")).to_contain_text("Cannot listen at 192.0.2.1")


@with_script
def test_problems_of_a_review_stand_at_their_fields_and_nothing_typed_is_lost(page: Page, served: Served):
    Workspace(served.workspace).save_scenario("taken", '{"steps": [{"name": "kept", "fixture": "default"}]}')
    record(page, "default", "zero-total")
    page.get_by_label("Name", exact=True).fill("Typed")
    page.get_by_label("Name of step 2").fill("default")
    page.get_by_role("button", name="Save scenario").click()
    expect(page.get_by_label("Name of step 2")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_text("Another step is named 'default'")).to_be_visible()
    page.get_by_label("Name of step 2").fill("second")
    page.get_by_role("textbox", name="File").fill("../taken")
    page.get_by_role("button", name="Save scenario").click()
    expect(page.locator("#file-error")).to_contain_text("cannot be a scenario file's name")
    expect(page.get_by_label("Name", exact=True)).to_have_value("Typed")
    expect(page.get_by_label("Name of step 2")).to_have_value("second")
    page.get_by_role("textbox", name="File").fill("taken")
    page.get_by_role("button", name="Save scenario").click()
    expect(page.locator("#file-error")).to_contain_text(
        "there is a scenario file taken.scenario.json already"
    )
    assert [step["name"] for step in saved(served, "taken")["steps"]] == ["kept"]  # type: ignore[attr-defined]
    page.get_by_label("Replace the file that is there").check()
    save(page)
    assert [step["name"] for step in saved(served, "taken")["steps"]] == ["default", "second"]  # type: ignore[attr-defined]


@with_script
def test_a_review_is_discarded_and_brought_back(page: Page, served: Served):
    record(page, "default")
    address = page.url
    page.get_by_role("button", name="Discard").click()
    expect(page.get_by_role("status")).to_contain_text("Discarded")
    expect(page.get_by_role("button", name="Save scenario")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    assert page.url == address
    page.goto("/record")
    page.get_by_role("link", name="1 delivery, recorded by the switch").click()
    save(page)
    runs(served, "recorded-order_cancel-draft")


def proposal(page: Page, what: str) -> Locator:
    return page.locator(".review-proposals li").filter(has_text=what)


def test_proposals_are_taken_or_left(page: Page, served: Served):
    answer = {"events": [], "id": UUID, "at": "2026-01-01T00:00:00Z"}
    with receiver(answering(response(json.dumps(answer).encode()))) as shop:
        shop_key = "the-key-of-the-shop"
        Workspace(served.workspace).save_receiver(
            Receiver("shop", shop.url, headers={"X-Key": "${env:SHOP_KEY}"}, secret_env=("SHOP_KEY",))
        )
        page.goto("/record")
        page.get_by_label("Forward to").select_option("shop")
        page.get_by_label("Port").fill("0")
        page.get_by_role("button", name="Start the relay").click()
        body = json.dumps({**json.loads(DEFAULT), "key": shop_key}).encode()
        assert post(page.locator("#relay-url").inner_text() + "order_cancel", body) == 200
        page.get_by_role("button", name="Stop and review").click()
        expect(proposal(page, "/id")).to_contain_text("looks like a UUID")
        expect(proposal(page, "/id").get_by_role("checkbox")).to_be_checked()
        proposal(page, "/at").get_by_role("checkbox").uncheck()
        expect(proposal(page, "SHOP_KEY")).to_contain_text("${env:SHOP_KEY}")
        expect(proposal(page, "SHOP_KEY").get_by_role("checkbox")).to_be_checked()
        assert shop_key not in page.content()
        save(page)
    [step] = saved(served, "recorded-order_cancel-draft")["steps"]  # type: ignore[misc]
    assert step["expect"]["rules"] == {"/id": "uuid"}
    assert step["payload"]["key"] == "${env:SHOP_KEY}"


def test_the_preview_follows_what_is_typed(scripted: Page):
    record(scripted, "default")
    scripted.get_by_label("Name", exact=True).fill("As it is typed")
    expect(scripted.locator("#preview")).to_contain_text('"name": "As it is typed"')
    scripted.get_by_label("Keep step 1").uncheck()
    expect(scripted.locator("#preview")).not_to_contain_text('"fixture"')


def test_switching_on_loses_nothing_typed(scripted: Page):
    write_payload(scripted, '{"typed": 1')
    scripted.get_by_role("button", name="Record", exact=True).click()
    expect(scripted.get_by_role("button", name="Recording")).to_be_visible()
    expect(payload_of(scripted)).to_have_value('{"typed": 1')


def test_switching_off_with_nothing_recorded_stays_where_it_was(page: Page):
    page.goto("/deliveries")
    page.get_by_role("button", name="Record", exact=True).click()
    page.get_by_role("button", name="Recording 0 steps").click()
    expect(page.get_by_role("button", name="Record", exact=True)).to_be_visible()
    assert page.url.endswith("/deliveries")


def test_no_page_is_wider_than_the_window(scripted: Page):
    record(scripted, "default")
    review = scripted.url
    scripted.set_viewport_size({"width": 390, "height": 844})
    for address in (review, "/record", "/deliveries"):
        scripted.goto(address)
        assert scripted.evaluate("document.documentElement.scrollWidth") <= 390, address
