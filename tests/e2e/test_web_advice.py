"""Advice on the compose page: with place and ground, never in the way of a send, turned off for good."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

import httpx2
import pytest

from tests.support.pages import BROWSER
from tests.support.serving import Served, serving


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("workspace")) as served:
        yield served


@pytest.fixture
def http(served: Served) -> Iterator[httpx2.Client]:
    """A browser of its own: its cookies are new."""
    with httpx2.Client(base_url=served.url, timeout=60) as http:
        yield http


def form(page: str, **fields: str) -> dict[str, str]:
    """The fields of a compose page."""
    hidden = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page)
    areas = re.findall(r'<textarea[^>]*? name="(\w+)".*?>\n(.*?)</textarea>', page, re.DOTALL)
    typed = {name: html.unescape(value) for name, value in [*hidden, *areas]}
    return {**typed, "receiver": "stand-in", **fields}


def opened(http: httpx2.Client) -> str:
    """The compose page in a new browser."""
    http.cookies.delete(BROWSER)
    return http.get("/").text


def odd(http: httpx2.Client, **fields: str) -> dict[str, str]:
    """The default fixture with an inconsistent payload, to be posted."""
    typed = form(opened(http), **fields)
    return {**typed, "payload": typed["payload"].replace('"grand_total": 35', '"grand_total": 35.005')}


def notes(page: str) -> list[str]:
    """The notes of advice on a page, as text on one line each."""
    section = re.search(r'<section class="advice".*?</section>', page, re.DOTALL)
    if section is None:
        return []
    items = re.findall(r"<li>(.*?)</li>", section[0], re.DOTALL)
    return [" ".join(html.unescape(re.sub(r"<[^>]+>", " ", item)).split()) for item in items]


def test_the_documented_example_is_advised_nothing(http: httpx2.Client) -> None:
    page = opened(http)
    assert notes(page) == []
    assert "No advice." in page


def test_a_note_has_its_label_pointer_line_and_ground(http: httpx2.Client) -> None:
    typed = odd(http)
    page = http.post("/compose", data=typed).text
    line = next(n for n, text in enumerate(typed["payload"].split("\n"), 1) if "grand_total" in text)
    (total,) = notes(page)
    assert total.startswith(f"line {line} ")
    assert "/data/order/grand_total advice is 35.005, with 3 decimals" in total
    assert "ISO 4217" in total
    assert "Fits the contract" in page


def test_a_total_that_departs_from_the_sum_is_told_with_the_documents_example(http: httpx2.Client) -> None:
    typed = odd(http)
    before, _, rest = typed["payload"].rpartition('"charged": 35')
    page = http.post("/compose", data={**typed, "payload": f'{before}"charged": 34{rest}'}).text
    told = notes(page)[0]
    assert "/data/order/payment_status/charged advice is 34" in told
    assert "adds up to 35" in told
    assert "example" in told


def test_what_breaks_the_contract_is_not_advised_against_as_well(http: httpx2.Client) -> None:
    typed = odd(http)
    before, _, rest = typed["payload"].rpartition('"charged": 35')
    page = http.post("/compose", data={**typed, "payload": f'{before}"charged": 34.5{rest}'}).text
    assert "/data/order/payment_status/charged" in page
    assert not [note for note in notes(page) if "payment_status/charged" in note]


def test_many_notes_are_cut_and_counted(http: httpx2.Client) -> None:
    typed = form(opened(http))
    account = '{"captures_are_deferred": 1, "captures_are_external": 1}'
    payload = re.sub(
        r'"by_account": \[.*?\n        \]', f'"by_account": [{", ".join([account] * 60)}]', typed["payload"],
        flags=re.DOTALL,
    )  # fmt: skip
    assert payload != typed["payload"]
    page = http.post("/compose", data={**typed, "payload": payload}).text
    assert len(notes(page)) == 50
    assert "and 10 more" in page


def test_advice_never_keeps_a_send_from_going_out(http: httpx2.Client) -> None:
    target = http.post("/compose", data=odd(http), headers={"HX-Target": "target"}).text
    shown = html.unescape(re.findall(r'name="shown" value="([^"]*)"', target)[0])
    answer = http.post("/send", data=odd(http, shown=shown))
    assert answer.status_code == 303, answer.text


def test_advice_is_turned_off_for_this_browser_and_on_again(http: httpx2.Client) -> None:
    typed = odd(http)
    off = http.post("/compose", data={**typed, "do": "be quiet"})
    assert notes(off.text) == []
    assert "Advice is off." in off.text
    assert "35.005" in off.text  # what was typed is kept
    assert "max-age=31536000" in off.headers["set-cookie"].lower()
    assert notes(http.post("/compose", data=typed).text) == []
    on = http.post("/compose", data={**typed, "do": "advise"}, headers={"HX-Target": "findings"})
    assert len(notes(on.text)) == 1
    assert len(notes(http.post("/compose", data=typed).text)) == 1


def test_a_contract_without_rules_has_no_switch(http: httpx2.Client) -> None:
    assert "advice-switch" not in http.get("/", params={"edition": "v1"}).text
