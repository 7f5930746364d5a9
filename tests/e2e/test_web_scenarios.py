"""The list of scenarios, one of them, and what one sent again: as an HTTP client has them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from retailops_sandbox.model import Receiver
from retailops_sandbox.runlog.opening import open_log
from tests.support.pages import hidden, main_words
from tests.support.receivers import receiver
from tests.support.run_client import EVENT, FAILS, PASSES, RunClient, run_client
from tests.support.serving import serving
from tests.support.shop import Shop


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def client(tmp_path: Path, shop: Shop) -> Iterator[RunClient]:
    with run_client(tmp_path, shop) as client:
        yield client


# --- the list of scenarios ---


def test_the_list_is_filtered_by_words_tag_and_last_verdict(client: RunClient):
    good = client.scenario("good", PASSES, tags=["smoke"])
    client.scenario("bad", FAILS, tags=["smoke", "other"])
    client.ran("scenarios/bad.scenario.json", good)

    def listed(query: str) -> set[str]:
        page = client.http.get(f"/scenarios?{query}").text
        return set(re.findall(r'name="pick" value="(scenarios/[^"]+)"', page))

    assert listed("") == {good, "scenarios/bad.scenario.json"}
    assert listed("q=GOOD+scenarios") == {good}
    assert listed("tag=other") == {"scenarios/bad.scenario.json"}
    assert listed("verdict=passed") == {good}
    assert listed("verdict=not+run") == set()
    assert "No scenario is like that." in client.text("/scenarios?q=nothing+like+it")


def test_a_selection_outlives_another_filter_also_without_a_script(client: RunClient):
    good, bad = client.scenario("good", PASSES), client.scenario("bad", FAILS)
    asked = {**client.form(), "pick": [good, bad], "q": "bad"}
    moved = client.http.post("/scenarios", data=asked)
    assert moved.status_code == 303
    page = client.http.get(moved.headers["location"]).text
    assert f'<input type="hidden" name="pick" value="{good}">' in page
    assert re.search(f'value="{bad}"[^>]* checked', page)
    part = client.http.post("/scenarios", data=asked, headers={"HX-Target": "scenario-list"})
    assert part.headers["hx-replace-url"] == "/scenarios?q=bad"
    assert "1 selected is not listed" in main_words(part.text)
    assert "<main" not in part.text


def test_what_a_run_ran_or_what_failed_in_it_is_selected_to_run_again(client: RunClient):
    good, bad = client.scenario("good", PASSES), client.scenario("bad", FAILS)
    client.scenario("other", PASSES)
    path = client.ran(good, bad)

    def selected(link: str) -> set[str]:
        assert link.replace("&", "&amp;") in client.http.get(path).text
        page = client.http.get(link).text
        assert '<option value="shop" selected>' in page
        return set(re.findall(r'name="pick" value="([^"]+)"[^>]* checked', page))

    id = path.removeprefix("/runs/")
    assert selected(f"/scenarios?of={id}") == {good, bad}
    assert selected(f"/scenarios?of={id}&failed=1") == {bad}
    assert "There is no run none" in client.text("/scenarios?of=none", 404)


def test_one_scenario_is_shown_with_its_text_steps_and_results(client: RunClient):
    step = {**PASSES, "deliver": {"times": 2, "parallel": 2}, "set": {"/data/order/id": "${order}"}}
    id = client.scenario("one", step, variables={"order": "7"}, description="What it is <for>")
    shown = f"/scenarios/show?id={quote(id, safe='')}"
    page = client.text(shown)
    for said in (
        "What it is <for>",
        "2 times, 2 at once",
        "fixture default, 1 set",
        "status 200, a body",
        '"order": "7"',
        "It has not been run yet.",
    ):
        assert said in page
    started = client.http.post("/scenarios/run", data={**client.form(), **client.form(page=shown), "one": id})
    assert started.status_code == 303
    client.ended(started.headers["location"])
    assert f"{started.headers['location']}/scenario?id=" in client.http.get(shown).text
    assert "there is no scenario" in client.text("/scenarios/show?id=../x.scenario.json", 400)


def test_what_is_wrong_with_one_is_said_on_its_page(client: RunClient):
    id = client.scenario("one", PASSES)
    shown = f"/scenarios/show?id={quote(id, safe='')}"
    answer = client.http.post(
        "/scenarios/run", data={**client.form(page=shown), "receiver": "live", "one": id}
    )
    assert answer.status_code == 422
    assert "live is protected" in main_words(answer.text)
    assert "Results" in main_words(answer.text)


def test_a_run_of_all_leaves_out_what_the_receiver_does_not_speak_and_says_so(client: RunClient):
    client.scenario("draft", PASSES)
    client.scenario("v1", {**PASSES, "expect": {"status": 200}}, edition="v1")
    client.workspace.save_receiver(Receiver("old", f"{client.shop_url}/order_cancel/"))
    bar = client.http.post("/scenarios", data={"receiver": "old"}, headers={"HX-Target": "target"}).text
    why = "because the receiver speaks draft: its URL ends in /order_cancel. Selected scenarios are sent"
    assert f"Run all listed leaves out what is of v1, {why}" in bar
    answer = client.start(receiver="old", q="scenarios/")
    results = client.ended(str(answer.headers["location"])).results
    assert results == 1
    answer = client.start("scenarios/v1.scenario.json", receiver="old")
    assert answer.status_code == 303
    nothing = client.start(receiver="old", q="scenarios/v1")
    assert nothing.status_code == 422
    assert "the receiver speaks the edition of none that is listed" in main_words(nothing.text)


def test_an_address_that_only_takes_forms_leads_back_to_its_page(client: RunClient):
    assert client.http.get("/scenarios/run").headers["location"] == "/scenarios"
    assert client.http.get("/runs/x/stop").headers["location"] == "/runs/x"


# --- one delivery of a run, sent again ---


def resent(client: RunClient, shop: Shop, path: str) -> dict[str, Any]:
    """Press Send again on the page of a run's only delivery; what its shop got."""
    found = open_log(client.workspace.runs_dir).deliveries(path.removeprefix("/runs/"))
    delivery = f"/deliveries/{found[-1].delivery.id}"
    page = client.http.get(delivery).text
    answer = client.http.post(f"{delivery}/again", data=hidden(page))
    assert answer.status_code == 303, main_words(answer.text)
    with client.http.stream("GET", f"{answer.headers['location']}/events") as stream:
        assert "event: finished" in list(stream.iter_lines())
    head, _, body = shop.requests[-1].partition(b"\r\n\r\n")
    lines = [line.partition(": ") for line in head.decode().split("\r\n")[1:]]
    return {"headers": {name.lower(): value for name, _, value in lines}, "body": body}


def test_a_delivery_of_a_run_is_sent_again_with_its_variables_captures_and_headers(
    client: RunClient, shop: Shop
):
    shop.answer = EVENT
    take = {**PASSES, "name": "take", "expect": {"status": 200}, "capture": {"code": "/events/0/error_code"}}
    use = {
        "name": "use",
        "fixture": "default",
        "set": {"/data/order/id": "${order}", "/data/order/ship_service_name": "${code}-${order} $${x}"},
        "deliver": {"headers": {"X-Order": "no. ${order}", "X-Code": "${code}"}, "content_type": "text/json"},
        "expect": {"status": 200},
    }
    path = client.ran(client.scenario("uses", take, use, variables={"order": "4897"}))
    sent = shop.requests[-1]
    (client.workspace.root / "scenarios" / "uses.scenario.json").unlink()
    again = resent(client, shop, path)
    assert again["body"] == sent.partition(b"\r\n\r\n")[2]
    order = json.loads(again["body"])["data"]["order"]
    assert (order["id"], order["ship_service_name"]) == ("4897", "ERR1-4897 ${x}")
    assert again["headers"]["x-order"] == "no. 4897"
    assert again["headers"]["x-code"] == "ERR1"
    assert again["headers"]["content-type"] == "text/json"


def test_bytes_that_are_not_the_usual_json_are_sent_again_as_they_were(client: RunClient, shop: Shop):
    for name, raw in (
        ("spaced", '{"a":  "${x}"}'),
        ("compact", '{"a":"${x}"}'),
        ("binary", "base64:/wB7fQ=="),
    ):
        path = client.ran(client.scenario(name, {"name": "raw", "raw": raw, "expect": {"status": 200}}))
        sent = shop.requests[-1].partition(b"\r\n\r\n")[2]
        assert resent(client, shop, path)["body"] == sent


def test_the_page_of_a_delivery_says_what_send_again_does(client: RunClient):
    path = client.ran(client.scenario("good", {**PASSES, "deliver": {"headers": {"X-Own": "1"}}}))
    found = open_log(client.workspace.runs_dir).deliveries(path.removeprefix("/runs/"))
    id = found[0].delivery.id
    page = client.http.get(f"/deliveries/{id}").text
    assert "/scenarios/show?id=scenarios/good.scenario.json" in page
    assert "which are not sent from here: X-Own." in client.text(f"/?from={id}")
    (client.workspace.root / "scenarios" / "good.scenario.json").unlink()
    assert "which is not in this workspace any more" in client.text(f"/deliveries/{id}")


def test_a_secret_header_of_a_step_is_filled_in_anew(tmp_path: Path, shop: Shop):
    step = {**PASSES, "deliver": {"headers": {"Authorization": "Bearer ${env:SHOP_TOKEN}"}}}
    with receiver(shop.act) as listening, serving(tmp_path, SHOP_TOKEN="s3cret-of-the-shop") as served:
        client = RunClient(served, listening.url)
        path = client.ran(client.scenario("secret", step))
        assert resent(client, shop, path)["headers"]["authorization"] == "Bearer s3cret-of-the-shop"
        client.http.close()
    for file in client.workspace.runs_dir.iterdir():
        assert "s3cret" not in file.read_text()
