"""The list of scenarios, one of them, and what one sent again: as an HTTP client has them."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from retailops_sandbox import resources
from retailops_sandbox.model import Receiver
from tests.support.logged import open_log
from tests.support.pages import hidden, main_words
from tests.support.receivers import receiver
from tests.support.run_client import EVENT, FAILS, PASSES, RunClient, run_client
from tests.support.serving import serving
from tests.support.shop import Shop

SHIPPED = len(list((resources.fixtures_dir() / "scenarios").iterdir()))


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


def many(client: RunClient, count: int) -> list[str]:
    """So many scenarios that the list has pages; their ids, in its order."""
    for number in range(count):
        client.scenario(f"case-{number:03}", PASSES, tags=["even"] if number % 2 == 0 else [])
    return [f"scenarios/case-{number:03}.scenario.json" for number in range(count)]


def rows(page: str) -> list[str]:
    return re.findall(r'type="checkbox" name="pick" value="(scenarios/[^"]+)"', page)


def selected(page: str) -> set[str]:
    """What is selected on a page, in its rows and beside them."""
    beside = re.findall(r'<input type="hidden" name="pick" value="([^"]+)"', page)
    return {*beside, *re.findall(r'name="pick" value="([^"]+)"[^>]* checked', page)}


def test_the_list_has_pages_of_200_with_the_filter_in_the_address(client: RunClient):
    ids = many(client, 410)
    first = client.http.get("/scenarios?q=scenarios/").text
    assert rows(first) == ids[:200]
    assert f"410 of {410 + SHIPPED} scenarios, here 1 to 200" in main_words(first)
    assert "Page 1 of 3" in main_words(first)
    assert rows(client.http.get("/scenarios?q=scenarios/&page=2").text) == ids[200:400]
    last = client.http.get("/scenarios?q=scenarios/&page=3").text
    assert rows(last) == ids[400:]
    assert "here 401 to 410" in main_words(last)
    assert rows(client.http.get("/scenarios?q=scenarios/&page=99").text) == ids[400:]
    assert rows(client.http.get("/scenarios?q=scenarios/&page=none").text) == ids[:200]
    assert rows(client.http.get("/scenarios?tag=even&page=2").text) == ids[400::2]
    few = client.http.get("/scenarios?q=case-00").text
    assert f"10 of {410 + SHIPPED} scenarios" in main_words(few)
    assert "Pages of the list" not in few
    # Another filter begins with its first page, and a button leads to another page of the same filter.
    form = {"q": "scenarios/", "page": "3", "receiver": "shop"}
    moved = client.http.post("/scenarios", data={**form, "to": "2"}).headers["location"]
    assert moved == "/scenarios?q=scenarios%2F&page=2"
    part = client.http.post("/scenarios", data={**form, "to": "1"}, headers={"HX-Target": "scenario-list"})
    assert part.headers["hx-replace-url"] == "/scenarios?q=scenarios%2F"
    assert rows(part.text) == ids[:200]
    # Another receiver does not.
    bar = client.http.post("/scenarios", data=form, headers={"HX-Target": "target"})
    assert bar.headers["hx-replace-url"] == "/scenarios?q=scenarios%2F&page=3"


def test_a_selection_outlives_other_pages_also_without_a_script(client: RunClient):
    ids = many(client, 410)
    form = {**client.form(), "q": "scenarios/"}
    moved = client.http.post("/scenarios", data={**form, "pick": [ids[0], ids[7]], "to": "2"})
    second = client.http.get(moved.headers["location"]).text
    assert rows(second) == ids[200:400]
    assert selected(second) == {ids[0], ids[7]}
    assert "2 selected are on other pages" in main_words(second)
    picked = [ids[0], ids[7], ids[300]]
    back = client.http.post("/scenarios", data={**form, "page": "2", "pick": picked, "to": "1"})
    first = client.http.get(back.headers["location"]).text
    assert selected(first) == set(picked)
    assert "1 selected is on another page" in main_words(first)
    # A selection that is too long for an address.
    most = client.http.post("/scenarios", data={**form, "pick": ids[:400], "to": "3"})
    assert most.status_code == 200
    assert rows(most.text) == ids[400:]
    assert selected(most.text) == set(ids[:400])
    # The filter hides some of what is selected.
    part = client.http.post(
        "/scenarios",
        data={**form, "tag": "even", "pick": ids[::3], "to": "2"},
        headers={"HX-Target": "scenario-list"},
    ).text
    assert selected(part) == set(ids[::3])
    assert "67 selected are on other pages; 68 selected are not listed" in main_words(part)
    # What is refused comes back with its page and its selection.
    refused = client.http.post(
        "/scenarios/run", data={**form, "receiver": "live", "page": "2", "pick": picked, "do": "selected"}
    )
    assert refused.status_code == 422
    assert rows(refused.text) == ids[200:400]
    assert selected(refused.text) == set(picked)


def test_what_is_selected_on_another_page_runs_and_all_that_is_listed_does(client: RunClient):
    ids = many(client, 210)
    form = {"q": "scenarios/", "page": "2"}
    run = client.ended(client.started(ids[3], ids[205], **form))
    assert run.results == 2
    started = client.start(**form)
    assert client.ended(started.headers["location"]).results == 210


def test_the_urls_of_a_run_are_those_that_the_variables_of_the_scenarios_make(client: RunClient):
    for name, variables in (
        ("a", {"shop": "north"}),
        ("b", {"shop": "south", "other": "1"}),
        ("c", {"shop": "south", "other": "2"}),
        ("d", {"shop": "${town}", "town": "east"}),
        ("e", {"shop": "${town}", "town": "west"}),
    ):
        client.scenario(name, PASSES, variables=variables)
    client.workspace.save_receiver(Receiver("shops", client.shop_url + "/${shop}"))
    bar = client.http.post("/scenarios", data={"receiver": "shops"}, headers={"HX-Target": "target"}).text
    shown = hidden(bar)["shown"].splitlines()
    towns = [f"{client.shop_url}/{town}/order_cancel" for town in ("north", "south", "east", "west")]
    assert [url for url in shown if "${" not in url] == towns


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


def test_what_was_spelled_in_its_own_way_is_sent_again_alike_and_its_page_says_how(
    client: RunClient, shop: Shop
):
    wire = {
        "method": "PUT",
        "path": "/other?n=${n}",
        "http": "1.0",
        "headers": ["x-n: ${n}", "X-N: again"],
        "compressed": "gzip",
        "charset": "utf-16",
        "twice": "/data/order/id",
    }
    step = {**PASSES, "deliver": {"wire": wire, "headers": {"Accept": None}}, "off_contract": True}
    path = client.ran(client.scenario("spelled", step, variables={"n": "7"}))
    sent = shop.requests[-1]
    found = open_log(client.workspace.runs_dir).deliveries(path.removeprefix("/runs/"))
    id = found[0].delivery.id
    resent(client, shop, path)
    assert shop.requests[-1] == sent
    assert sent.startswith(b"PUT /other?n=7 HTTP/1.0\r\n")
    words = client.text(f"/deliveries/{id}")
    told = (
        "by PUT, to /other?n=7, with /data/order/id twice, in UTF-16 with a byte order mark, gzip, HTTP/1.0, "
        "with 2 header lines as written"
    )
    assert f"Spelled on the wire: sent {told}" in words
    assert "/other?n=7 HTTP/1.0" in words
    body = "with /data/order/id twice, in UTF-16 with a byte order mark, gzip."
    assert f"The body as it was composed. It was sent {body}" in words
    assert f"its step sent it {told}." in client.text(f"/?from={id}")


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


def test_a_row_runs_its_scenario_and_shows_the_verdict(client: RunClient):
    bad = client.scenario("bad", FAILS)
    fields = client.form() | {"do": f"row:{bad}"}
    started = client.http.post("/scenarios/run", data=fields)
    assert client.ended(started.headers["location"]).outcomes == {"failed": 1}
    row = client.http.post("/scenarios/run", data=fields, headers={"HX-Request": "true"}).text
    while (again := re.search(r'hx-get="(/scenarios/row[^"]+)"', row)) is not None:
        row = client.http.get(html.unescape(again[1])).text
    assert "failed" in row
    live = {**fields, "receiver": "live"}
    refused = client.http.post("/scenarios/run", data=live, headers={"HX-Request": "true"})
    assert "live is protected" in main_words(f"<main>{refused.text}</main>")
