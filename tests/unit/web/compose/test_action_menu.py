"""The selector of the action, and what the workbench says of an action by its contract."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from retailops_sandbox import resources
from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.model import Receiver
from retailops_sandbox.workspace.workspace import Workspace
from tests.support.apps import app_of
from tests.support.pages import hidden, main_words, words


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    Workspace(tmp_path).save_receiver(Receiver("published", "http://127.0.0.1:1", editions=("v1",)))
    return TestClient(app_of(tmp_path).asgi, base_url="http://127.0.0.1")


def menu(page: str) -> str:
    return page.partition('<details class="menu action-menu"')[2].partition("</details>")[0]


def opened(client: TestClient, path: str = "/") -> str:
    """The action and the edition of the page."""
    fields = hidden(client.get(path).text)
    return f"{fields['action']} {fields['edition']}"


def test_the_actions_are_grouped_and_the_draft_of_a_cancel_is_what_a_newcomer_sees(
    client: TestClient,
) -> None:
    page = client.get("/").text
    assert re.findall(r"<h3[^>]*>(\w+)</h3>", menu(page)) == ["orders", "catalog", "inventory"]
    listed = re.findall(r'href="/\?action=(\w+)&amp;edition=(\w+)"', menu(page))
    assert listed[0] == ("order_cancel", "draft")
    assert sorted({action for action, _ in SHIPPED_CONTRACTS.names}) == sorted(action for action, _ in listed)
    for action, edition in listed:
        assert SHIPPED_CONTRACTS.load(action, edition).summary in words(menu(page))
    assert opened(client) == "order_cancel draft"


def test_the_last_choice_is_remembered_by_the_browser(client: TestClient) -> None:
    assert opened(client, "/?action=inventory_push&edition=v1") == "inventory_push v1"
    assert opened(client) == "inventory_push v1"
    assert 'aria-current="true"' in menu(client.get("/").text).partition("inventory_push")[2]
    client.cookies.clear()
    assert opened(client) == "order_cancel draft"


def test_a_remembered_edition_gives_way_to_one_that_the_receiver_speaks(client: TestClient) -> None:
    client.get("/?action=order_cancel&edition=draft")
    client.post("/receivers/choose", data={"name": "published"})
    assert opened(client) == "order_cancel v1"
    client.get("/?action=order_pull&edition=v1")
    assert "action=order_cancel&amp;edition=v1" in menu(client.get("/").text)


@pytest.mark.parametrize("kept", ["", "zz", "6e6f6e65207631", "ff"])
def test_a_remembered_action_that_is_not_there_means_the_first(client: TestClient, kept: str) -> None:
    client.get("/?action=catalog_push&edition=v1")
    assert "sandbox_action_80" in client.cookies
    client.cookies.clear()
    client.cookies.set("sandbox_action_80", kept)
    assert opened(client) == "order_cancel draft"


def test_unsaved_edits_of_another_action_are_marked_and_kept(client: TestClient) -> None:
    page = client.get("/?action=order_pull&edition=v1").text
    form = {**hidden(page), "payload": '{"typed": 1}', "sequence": "1", "do": "show"}
    client.post("/compose", data=form)
    elsewhere = menu(client.get("/?action=catalog_push&edition=v1").text)
    marked = re.findall(r">(\w+)</span> <span class=\"edit-dot\"", elsewhere)
    assert marked == ["order_pull"]
    assert "typed" in client.get("/?action=order_pull&edition=v1").text


def test_nothing_is_said_of_events_where_a_contract_has_none(client: TestClient) -> None:
    page = client.get("/?action=catalog_get_config&edition=v1").text
    form = {**hidden(page), "payload": "{}", "expectation_view": "cards", "do": "show"}
    for shown in (page, client.post("/compose", data=form).text):
        assert "event" not in main_words(shown).replace(words(menu(shown)), "").lower()
    assert "sku_fanout" in re.findall(r'(?s)id="expectation"[^>]*placeholder="(.*?)"', page)[0]
    refused = client.post("/compose", data={**form, "do": "expect-no-events:"})
    assert "An answer to catalog_get_config has no list of what happened." in words(refused.text)


def test_the_words_of_the_cards_are_those_of_the_contract(client: TestClient) -> None:
    form = {"action": "order_acknowledge", "edition": "v1", "payload": "{}", "expectation_view": "cards"}
    said = words(client.post("/compose", data=form).text)
    assert "Expect no events Expect an event" in said
    expected = '{"body": {"events": [], "orders": []}}'
    said = client.post("/compose", data={**form, "action": "order_pull", "expectation": expected}).text
    assert ">Add event</button>" in said
    assert ">Add order</button>" in said


def test_a_contract_of_the_workspace_is_listed_in_its_group_and_a_broken_one_is_a_line(
    tmp_path: Path, client: TestClient
) -> None:
    text = resources.contract_text("catalog_get_config.v1").decode()
    folder = Workspace(tmp_path).root / "contracts"
    folder.mkdir()
    own = text.replace('"catalog_get_config"', '"price_push"').replace('"catalog"', '"prices"')
    (folder / "price_push.v1.json").write_text(own)
    (folder / "stock_pull.v1.json").write_text('{"action": 5}')
    page = client.get("/").text
    assert re.findall(r"<h3[^>]*>(\w+)</h3>", menu(page)) == ["orders", "catalog", "inventory", "prices"]
    assert "price_push yours v1" in words(menu(page))
    assert "stock_pull" not in menu(page)
    assert "stock_pull.v1.json" in main_words(page)
    assert opened(client, "/?action=price_push&edition=v1") == "price_push v1"
