"""Several deliveries of the log at once: sent again, exported, compared."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from retailops_sandbox.model import Receiver
from tests.support.compose_client import ComposeClient
from tests.support.pages import hidden, main_words
from tests.support.serving import serving


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComposeClient]:
    with serving(tmp_path_factory.mktemp("workspace")) as served:
        client = ComposeClient(served)
        yield client
        client.http.close()


def sent(client: ComposeClient, **fields: str) -> str:
    """The id of a delivery, once it has landed."""
    address = client.sent(**fields)
    client.landed(address)
    return address.removeprefix("/deliveries/")


def asked(client: ComposeClient, *ids: str) -> str:
    answer = client.http.get("/deliveries/again", params={"delivery": list(ids)})
    assert answer.status_code == 200, answer.text
    return answer.text


def test_many_are_sent_again_in_order_after_their_count_was_seen(client: ComposeClient) -> None:
    client.workspace.save_receiver(Receiver("mine", client.served.stand_in))
    client.workspace.save_receiver(Receiver("live", client.served.stand_in, protected=True))
    first = sent(client, receiver="mine")
    second = sent(client, receiver="mine", fixture="already-shipped")
    guarded = sent(client, receiver="live", confirmed="live")
    page = asked(client, second, first, guarded, "none.000001")
    words = main_words(page)
    assert "Send 3 deliveries again" in words
    assert "2 to mine" in words
    assert "1 to live ! protected" in words
    assert "1 of those that are ticked cannot be sent again: none.000001 It is not in the log." in words
    ids = re.findall(r'name="delivery" value="([^"]+)"', page)
    assert ids == [first, second, guarded]
    form = {**hidden(page), "delivery": ids}
    refused = client.http.post("/deliveries/again", data=form)
    assert refused.status_code == 422
    assert "live is protected, and nothing was sent" in main_words(refused.text)
    before = client.http.get("/deliveries?parent=" + first).text
    assert "row-" not in before

    answer = client.http.post("/deliveries/again", data={**form, "confirmed": "live"})
    assert answer.status_code == 303
    place = answer.headers["location"]
    # The same form again is the same batch.
    assert (
        client.http.post("/deliveries/again", data={**form, "confirmed": "live"}).headers["location"] == place
    )
    while "done" not in (words := main_words(client.http.get(place).text)):
        pass
    assert "3 of 3 sent again" in words
    resent = []
    for each in ids:
        found = re.findall(r'<tr id="row-([^"]+)"', client.http.get(f"/deliveries?parent={each}").text)
        assert len(found) == 1
        resent += found
    assert resent == sorted(resent)


def test_a_batch_is_stopped_and_ends_with_the_sandbox(tmp_path: Path) -> None:
    with serving(tmp_path) as served:
        client = ComposeClient(served)
        client.add("hanging", "/misbehave/hang")
        ids = []
        for _ in range(3):
            address = client.sent(receiver="hanging")
            client.http.post(f"{address}/cancel")
            ids.append(address.removeprefix("/deliveries/"))
        places = []
        for _ in range(2):
            page = asked(client, *ids)
            answer = client.http.post("/deliveries/again", data={**hidden(page), "delivery": ids})
            places.append(answer.headers["location"])
        stopped, going_on = places
        in_flight = flying(client, stopped)
        assert client.http.post(f"{stopped}/stop").headers["location"] == stopped
        client.http.post(f"/deliveries/{in_flight}/cancel")
        client.landed(f"/deliveries/{in_flight}")
        while "stopping" in (words := main_words(client.http.get(stopped).text)):
            pass
        assert "1 of 3 sent again stopped" in words
        assert words.count("not sent") == 2
        flying(client, going_on)
        client.http.close()
        assert served.interrupt() == (0, "")
        # Three by hand, one of each batch.
        assert client.count() == 5


def flying(client: ComposeClient, batch: str) -> str:
    """The id of the delivery of a batch that is in flight."""
    while not (found := re.search(r'href="/deliveries/([^"]+)">in flight', client.http.get(batch).text)):
        pass
    return found[1]


def test_nothing_that_cannot_be_sent_is_counted(client: ComposeClient) -> None:
    client.workspace.save_receiver(Receiver("short-lived", client.served.stand_in))
    id = sent(client, receiver="short-lived")
    client.workspace.delete_receiver("short-lived")
    words = main_words(asked(client, id))
    assert "Send 0 deliveries again" in words
    assert "short-lived" in words
    answer = client.http.get("/deliveries/again")
    assert answer.headers["location"] == "/deliveries?selected=none"
    many = client.http.get("/deliveries/again", params={"delivery": [str(n) for n in range(501)]})
    assert many.status_code == 400
    assert "at most 500" in html.unescape(many.text)


def test_ticked_deliveries_are_exported_as_one_file(client: ComposeClient) -> None:
    ids = [sent(client), sent(client, fixture="already-shipped")]
    for format in ("curl", "har", "pytest", "scenario"):
        answer = client.http.get(f"/deliveries/export/{format}", params={"delivery": ids})
        assert answer.status_code == 200, answer.text
        assert "attachment" in answer.headers["content-disposition"]
    made = client.http.get("/deliveries/export/har", params={"delivery": ids}).json()
    assert len(made["log"]["entries"]) == 2
    scenario = json.loads(client.http.get("/deliveries/export/scenario", params={"delivery": ids}).text)
    assert len(scenario["steps"]) == 2
    assert client.http.get("/deliveries/export/har").headers["location"] == "/deliveries?selected=none"
    assert client.http.get("/deliveries/export/none", params={"delivery": ids}).status_code == 404


def test_two_deliveries_are_compared_the_older_one_first(client: ComposeClient) -> None:
    older = sent(client)
    shipped = client.form("/?fixture=already-shipped")
    newer = sent(client, fixture="already-shipped", payload=shipped["payload"])
    answer = client.http.get("/deliveries/compare", params={"delivery": [newer, older]})
    assert answer.headers["location"] == f"/deliveries/compare?a={newer}&b={older}"
    page = client.http.get(answer.headers["location"]).text
    words = main_words(page)
    assert "case or step default already-shipped differs" in words
    assert "receiver stand-in stand-in contract" in words
    assert words.index("First Second") < words.index("Payloads")
    assert "Expected" not in words
    assert "first: " in words
    assert "second: " in words
    answers = words.partition("Answers")[2].partition("Payloads")[0]
    assert "unexpected event" in answers
    same = main_words(client.http.get(f"/deliveries/compare?a={older}&b={older}").text)
    assert same.count("no differences") == 2
    assert client.http.get("/deliveries/compare", params={"delivery": [older]}).status_code == 400
    assert client.http.get(f"/deliveries/compare?a={older}&b=none").status_code == 404
    assert client.http.get("/deliveries/compare").headers["location"] == "/deliveries?selected=none"


def test_what_is_no_json_is_named_where_two_are_compared(client: ComposeClient) -> None:
    client.add("broken", "/misbehave/html")
    one, other = sent(client), sent(client, receiver="broken")
    words = main_words(client.http.get(f"/deliveries/compare?a={one}&b={other}").text)
    assert "Not beside each other: the second answered" in words


def test_the_story_of_an_order_has_all_deliveries_about_it(client: ComposeClient) -> None:
    client.add("teller", "")
    before = main_words(client.http.get("/deliveries/story?order=9988").text)
    assert "Nothing was sent about 9988." in before
    payload = client.form()["payload"].replace("4897", "9988")
    first = sent(client, payload=payload, receiver="teller")
    second = sent(client, payload=payload, receiver="teller")
    page = client.http.get("/deliveries/story?order=9988").text
    words = main_words(page)
    assert "2 deliveries, 1 with a payload that was sent before" in words
    assert page.index(f'href="/deliveries/{first}"') < page.index(f'href="/deliveries/{second}"')
    assert "duplicate" in words
    assert client.http.get("/deliveries/story").headers["location"] == "/deliveries"
