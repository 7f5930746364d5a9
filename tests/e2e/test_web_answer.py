"""The workbench's pane with an answer, as a script of the page asks for it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

import pytest

from tests.support.compose_client import ComposeClient
from tests.support.pages import hidden, text_areas, words
from tests.support.serving import Served, serving

IN_PLACE = {"HX-Request": "true", "HX-Target": "answer"}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("workspace")) as served:
        yield served


@pytest.fixture
def client(served: Served) -> Iterator[ComposeClient]:
    client = ComposeClient(served)
    with client.http:
        yield client


def sent_in_place(client: ComposeClient, **fields: str) -> str:
    answer = client.http.post("/send", data=client.filled(**fields), headers=IN_PLACE)
    assert answer.status_code == 200
    return answer.text


def delivery(page: str) -> str:
    found = re.search(r'data-delivery="([^"]+)" data-address="([^"]+)"', page)
    assert found is not None
    assert f"delivery={found[1]}" in unescape(found[2])
    return found[1]


def test_a_send_in_place_is_answered_with_the_verdict_and_a_new_form_id(client: ComposeClient) -> None:
    form = client.filled()
    page = client.http.post("/send", data=form, headers=IN_PLACE).text
    assert "passed as expected" in words(page)
    assert hidden(page)["form_id"] not in ("", form["form_id"])
    assert client.log.delivery(delivery(page)) is not None
    # The whole page with that address shows the same answer, and so does the part that a dot asks for.
    for path in (f"/?fixture=default&delivery={delivery(page)}", f"/answer?delivery={delivery(page)}"):
        shown = client.http.get(path)
        assert shown.status_code == 200
        assert delivery(shown.text) == delivery(page)


def test_a_slow_receiver_is_waited_for_in_the_pane(client: ComposeClient) -> None:
    client.add("hanging", "/misbehave/hang", timeout_ms=86_400_000)
    page = sent_in_place(client, receiver="hanging")
    id = delivery(page)
    assert "in flight" in words(page)
    assert f'sse-connect="/deliveries/{id}/events"' in page
    client.http.post(f"/deliveries/{id}/cancel")
    said = words(client.http.get(f"/answer?delivery={id}").text)
    assert "errored cancelled before the answer was complete" in said


def test_what_keeps_a_send_back_is_said_at_its_field(client: ComposeClient) -> None:
    before = client.count()
    form = client.filled(expectation='{"stauts": 200}')
    answer = client.http.post("/send", data=form, headers=IN_PLACE)
    assert (answer.status_code, answer.headers["hx-retarget"]) == (200, "#target")
    at_field = answer.text.partition('id="expectation-problem"')[2].partition("</div>")[0]
    assert "stauts" in at_field
    assert client.count() == before


def test_nothing_is_expected_by_default_and_the_answer_is_recorded(client: ComposeClient) -> None:
    page = sent_in_place(client, expectation="")
    said = words(page)
    checks = "✓ status 200, as the contract wants ✓ contract kept ○ events not compared: nothing was expected"
    assert f"recorded {checks}" in said
    assert "Expect exactly this Expect no events" in said
    form = {**client.form("/?fixture=default"), "do": "expect-no-events:"}
    made = client.http.post("/compose", data=form, headers={"HX-Target": "expectation-field"}).text
    assert "&#34;events&#34;: []" in made


def test_a_pass_that_says_only_a_status_says_so_on_every_page_of_it(client: ComposeClient) -> None:
    page = sent_in_place(client, expectation='{"status": 200}')
    id = delivery(page)
    assert "passed ✓ status 200, as expected ✓ contract kept ○ events not compared" in words(page)
    for path in (f"/deliveries/{id}", f"/deliveries?show={id}"):
        assert "events were not compared" in words(client.http.get(path).text), path
    whole = delivery(sent_in_place(client, expectation='{"status": 200, "body": {"events": []}}'))
    for path in (f"/answer?delivery={whole}", f"/deliveries/{whole}", f"/deliveries?show={whole}"):
        assert not re.search("events (were )?not compared", words(client.http.get(path).text)), path


def test_an_answer_that_breaks_the_contract_is_not_offered_as_expected(client: ComposeClient) -> None:
    client.add("page-500", "/misbehave/html-500")
    broken = words(sent_in_place(client, receiver="page-500", expectation=""))
    assert "Expect no events" in broken
    assert "Expect exactly this" not in broken


def test_the_last_answers_are_those_of_the_case_from_the_receiver(client: ComposeClient) -> None:
    client.add("other")
    mine = [delivery(sent_in_place(client, receiver="other")) for _ in range(3)]
    others = delivery(sent_in_place(client))
    page = client.http.get(f"/answer?delivery={mine[1]}").text
    dots = re.findall(r'class="dot [^"]*" data-delivery="([^"]+)"', page)
    assert dots == mine
    compared = re.findall(r'href="/deliveries/compare\?a=([^&]+)&amp;b=([^"]+)"', page)
    assert compared == [(mine[2], mine[1]), (mine[0], mine[1])]
    assert others not in page
    listed = client.http.get("/", headers={"Cookie": f"receiver={b'other'.hex()}"}).text
    glyph = listed.partition('data-case="default"')[2].partition("</a>")[0]
    assert "passed" in glyph


def test_an_unknown_delivery_has_no_answer(client: ComposeClient) -> None:
    assert client.http.get("/answer?delivery=none.000001").status_code == 404
    said = words(client.http.get("/answer?action=order_cancel&edition=draft&fixture=default").text)
    assert "Nothing was sent yet" in said


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/misbehave/html-500", 'the status 500: to expect it on purpose, say "status": 500 in expect'),
        ("/misbehave/not-json", 'to expect it on purpose, say "contract": false in expect'),
    ],
)
def test_an_answer_that_breaks_the_contract_is_not_accepted(
    client: ComposeClient, path: str, why: str
) -> None:
    client.add(path[1:].replace("/", "-"), path)
    form = client.filled(receiver=path[1:].replace("/", "-"))
    page = client.http.post("/send", data=form, headers=IN_PLACE).text
    assert "Accept" in words(page)
    form |= {"do": f"expect-last:{delivery(page)}"}
    refused = client.http.post("/compose", data=form).text
    assert "This answer cannot be accepted" in words(refused)
    assert why in words(refused)
    assert text_areas(refused)["expectation"] == form["expectation"]


def test_a_violation_of_the_contract_is_told_beside_the_verdict(client: ComposeClient) -> None:
    client.add("no-list", "/misbehave/wrong-schema")
    for expectation in (client.form()["expectation"], ""):
        page = client.http.post(
            "/send", data=client.filled(receiver="no-list", expectation=expectation), headers=IN_PLACE
        ).text
        assert "/events: must be an array, not a string (type)" in words(page)


def test_the_command_for_a_saved_scenario_names_the_url_of_an_unsaved_receiver(client: ComposeClient) -> None:
    url = client.served.stand_in.replace("127.0.0.1", "localhost")
    client.http.post("/receivers/use", data={"url": url})
    name = url.removeprefix("http://").replace(":", "-")
    sent = delivery(sent_in_place(client, receiver=name))
    begun = client.http.post("/record/from-log", data={"delivery": sent})
    review = begun.headers["location"]
    page = client.http.get(review).text
    step = re.search(r'name="keep" value="([^"]+)"', page)
    assert step is not None
    named = {"keep": step[1], f"name.{step[1]}": "cancel", "name": "Kept", "file": "kept"}
    client.http.post(review, data={**hidden(page), **named, "do": "save"})
    assert f"--receiver {url}" in words(client.http.get(review).text)


def test_the_menu_of_receivers_names_the_urls_of_the_pages_action(client: ComposeClient):
    client.add("mine", base_url="http://127.0.0.1:9")
    page = client.http.get("/?action=order_pull&edition=v1").text
    addresses = re.findall(r'<code class="address">([^<]*)</code>', page.partition("menu-body")[2])
    assert "http://127.0.0.1:9/order_pull_v1" in addresses
    assert all(each.endswith("/order_pull_v1") for each in addresses)
