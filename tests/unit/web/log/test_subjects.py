"""What rows of the log say of deliveries about one thing, many or none, by the contract of each."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.model import Request, Response
from retailops_sandbox.runlog.opening import open_log
from retailops_sandbox.workspace.workspace import Workspace
from tests.support.apps import app_of
from tests.support.pages import main_words, words
from tests.support.records import open_run, some_delivery

STOCK = {"inventory_updates": [{"sku": sku} for sku in ("S1", "S2", "S3")]}
ANSWERS: list[tuple[str, str, Any, Any]] = [
    ("inventory_push", "v1", STOCK, {"events": [{"code": "WARN1"}]}),
    ("order_pull", "v1", {}, {"orders": [{"channel_order_refnum": "W1"}, {"channel_order_refnum": "W2"}]}),
    ("order_cancel", "draft", {"data": {"order": {"id": "4897", "channel_refnum": 496}}}, {"events": None}),
    ("catalog_get_config", "v1", {}, {"sku_fanout": "no_fanout"}),
]


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    workspace = Workspace(tmp_path)
    with open_run(workspace.runs_dir) as run:
        for action, edition, payload, answer in ANSWERS:
            request = Request(method="POST", url="http://shop/", headers=(), body=json.dumps(payload))
            response = Response(status=200, body=json.dumps(answer))
            sent = some_delivery(id=run.next_id(), run=run.info.id, request=request, response=response)
            fields = {"action": action, "edition": edition, "fixture": "default"}
            run.append(type(sent)(**{name: getattr(sent, name) for name in sent.__struct_fields__} | fields))
    log = open_log(workspace.log_place, lambda: SHIPPED_CONTRACTS)
    return TestClient(app_of(tmp_path, log).asgi, base_url="http://127.0.0.1")


def rows(client: TestClient, asked: str = "") -> dict[str, str]:
    """The cells of what a delivery is about and what is told, by action."""
    page = client.get(f"/deliveries{asked}").text
    found = re.findall(r'(?s)<tr id="row-.*?</tr>', page)
    said = {}
    for row in found:
        cells = re.findall(r'(?s)<td class="mono (?:about|told)[^>]*>.*?</td>', row)
        said[re.findall(r"default (\w+) ", words(row))[0]] = " | ".join(map(words, cells))
    return said


def test_a_row_says_the_first_thing_and_how_many_more(client: TestClient) -> None:
    assert rows(client) == {
        "inventory_push": "S1 +2 | WARN1",
        "order_pull": "W1 +1 | ",
        "order_cancel": "4897 | no list of events",
        "catalog_get_config": " | ",
    }
    page = client.get("/deliveries").text
    for title in ('title="sku S1, S2, S3"', 'title="order W1, W2"', 'title="order 4897, 496"'):
        assert title in page


@pytest.mark.parametrize(
    ("id", "action", "kind"),
    [("S2", "inventory_push", "sku"), ("W2", "order_pull", "order"), ("496", "order_cancel", "order")],
)
def test_each_of_several_things_is_found_and_has_a_story(
    client: TestClient, id: str, action: str, kind: str
) -> None:
    assert list(rows(client, f"?order={id}")) == [action]
    assert f"about {id}" in main_words(client.get(f"/deliveries?order={id}").text)
    story = main_words(client.get(f"/deliveries/story?order={id}").text)
    assert f"Story of {kind} {id}" in story
    assert "1 delivery" in story


def test_the_filter_offers_the_actions_by_group_and_the_cases_of_the_chosen_one(client: TestClient) -> None:
    page = client.get("/deliveries?action=catalog_push").text
    offered = page.partition('<select name="action"')[2].partition("</select>")[0]
    assert re.findall(r'<optgroup label="(\w+)"', offered) == ["orders", "catalog", "inventory"]
    assert '<option value="catalog_push" selected>' in offered
    cases = page.partition('<select name="fixture"')[2].partition("</select>")[0]
    assert "already-shipped" not in cases
    assert "already-shipped" in client.get("/deliveries?action=order_cancel").text
    gone = client.get("/deliveries?action=order_forget").text
    assert '<optgroup label="without a contract here"><option value="order_forget" selected>' in gone
