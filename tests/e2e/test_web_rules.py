"""A rule made of a value in the comparison, on the page of a delivery: previewed, written, undone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.support.compose_client import ComposeClient
from tests.support.pages import hidden, main_words, text_areas
from tests.support.recorder import Recorder
from tests.support.serving import serving

AT = "/events/0/error_message"
WIDE = "/events/*/error_message"
HERE = {"at": AT, "actual": AT}


def answer(message: str) -> bytes:
    return json.dumps({"events": [{"error_code": "ERR1", "error_message": message}]}).encode()


EXPECTED = json.dumps({"body": json.loads(answer("Order 1 has shipped"))})


@pytest.fixture(scope="module")
def shop() -> Iterator[Recorder]:
    with Recorder() as shop:
        yield shop


@pytest.fixture
def client(tmp_path_factory: pytest.TempPathFactory, shop: Recorder) -> Iterator[ComposeClient]:
    with serving(tmp_path_factory.mktemp("workspace")) as served:
        client = ComposeClient(served)
        client.add("shop", base_url=shop.url)
        with client.http:
            yield client


@pytest.fixture
def failed(client: ComposeClient, shop: Recorder) -> str:
    """A delivery whose message is another one than was typed; nobody else expects anything of it."""
    own(client).parent.mkdir(parents=True)
    own(client).with_name("mine.json").write_text(client.form()["payload"])
    shop.answer = answer("Order 22 has shipped")
    path = client.sent(receiver="shop", fixture="mine", loaded="mine", expectation=EXPECTED)
    assert client.landed(path).judgement.verdict == "failed"
    return path


def own(client: ComposeClient) -> Path:
    return client.workspace.own_expectation("order_cancel", "draft", "mine")


def rule_page(client: ComposeClient, path: str, **fields: str) -> str:
    return client.http.get(f"{path}/rule?{urlencode({**HERE, **fields})}").text


def make(client: ComposeClient, path: str, **fields: str):
    form = {**hidden(rule_page(client, path)), "word": "type", "everywhere": "yes", "do": "rule", **fields}
    return client.http.post(f"{path}/rule", data=form)


def test_a_value_leads_to_a_page_with_the_rules_for_it(client: ComposeClient, failed: str):
    page = client.http.get(failed).text
    assert f'href="{failed}/rule?at={AT.replace("/", "/")}&amp;actual={AT}"' in page
    shown = main_words(rule_page(client, failed))
    for words in (WIDE, AT, "exactly this", "any text", "pattern", "one of both", "ignore"):
        assert words in shown
    assert "any text: the last answer would pass" in shown
    assert "fixtures/order_cancel/draft/mine.expect.json" in shown


def test_a_preview_counts_the_last_answers_of_the_case(client: ComposeClient, failed: str, shop: Recorder):
    shop.answer = answer("Gone")
    client.landed(client.sent(receiver="shop", fixture="mine", loaded="mine", expectation=EXPECTED))
    form = {**hidden(rule_page(client, failed)), "word": "regex", "pattern": "^Order [0-9]+ has shipped$"}
    part = client.http.post(
        f"{failed}/rule", data={**form, "everywhere": "yes", "do": "preview"}, headers={"HX-Request": "true"}
    ).text
    assert "<html" not in part
    counts = main_words(part).partition("pattern: ")[2].split()
    assert int(counts[0]) == int(counts[4]) - 1, part
    broken = client.http.post(
        f"{failed}/rule", data={**form, "pattern": "(", "do": "preview"}, headers={"HX-Request": "true"}
    ).text
    assert "This cannot be used" in main_words(broken)


def test_a_rule_is_written_into_the_case_and_the_delivery_judged_by_it(client: ComposeClient, failed: str):
    done = make(client, failed)
    assert done.status_code == 303
    written = json.loads(own(client).read_text())
    assert written["rules"] == {WIDE: {"type": "string"}}
    assert written["body"] == json.loads(EXPECTED)["body"]
    entry = client.landed(failed)
    assert [each.verdict for each in entry.judgements] == ["failed", "passed"]
    assert entry.judgements[-1].expected_by == "fixtures/order_cancel/draft/mine.expect.json"
    page = client.http.get(done.headers["location"]).text
    assert "The rule was made" in main_words(page)
    assert main_words(page).count("Undo") == 1
    undone = client.http.post(
        f"{failed}/rule", data={"do": "undo", "change": done.headers["location"].partition("=")[2]}
    )
    assert undone.status_code == 303
    assert not own(client).exists()
    assert client.landed(failed).judgement.verdict == "failed"


def test_a_rule_changes_no_other_byte_of_the_file(client: ComposeClient, failed: str):
    make(client, failed, word="ignore", everywhere="no")
    spelled = (
        '{"status":200,\n   "body" : {"events": [{"error_code":"ERR1",  "error_message": "Order 1"}]}}\n'
    )
    own(client).write_text(spelled)
    assert make(client, failed, do="exactly").status_code == 303
    assert own(client).read_text() == spelled.replace("Order 1", "Order 22 has shipped")


def test_what_was_changed_meanwhile_is_not_overwritten(client: ComposeClient, failed: str):
    assert make(client, failed).status_code == 303
    form = {**hidden(rule_page(client, failed)), "word": "ignore", "everywhere": "no", "do": "rule"}
    own(client).write_text(EXPECTED)
    refused = client.http.post(f"{failed}/rule", data=form)
    assert refused.status_code == 422
    assert "It was changed meanwhile, so nothing was written" in main_words(refused.text)
    assert own(client).read_text() == EXPECTED


def test_a_rule_that_cannot_be_used_is_refused_in_place(client: ComposeClient, failed: str):
    refused = make(client, failed, word="regex", pattern="(")
    assert refused.status_code == 422
    assert "This cannot be used" in main_words(refused.text)
    form = {**hidden(rule_page(client, failed)), "word": "regex", "pattern": "(", "do": "rule"}
    part = client.http.post(f"{failed}/rule", data=form, headers={"HX-Request": "true"})
    assert part.headers["hx-retarget"] == ".rule-pane"
    assert not own(client).exists()


def test_what_no_file_expects_is_ruled_for_the_delivery_alone(client: ComposeClient, failed: str):
    own(client).write_text('{"status": 200}')
    assert "It judges this delivery alone" in main_words(rule_page(client, failed))
    done = make(client, failed)
    assert own(client).read_text() == '{"status": 200}'
    assert client.landed(failed).judgement.verdict == "passed"
    assert "made for this delivery alone" in main_words(client.http.get(done.headers["location"]).text)
    assert client.http.post(f"{failed}/rule", data={"do": "undo", "change": "alone"}).status_code == 303
    assert client.landed(failed).judgement.verdict == "failed"


def test_an_unexpected_event_is_expected(client: ComposeClient, failed: str, shop: Recorder):
    more = json.loads(answer("Order 1 has shipped"))
    more["events"].append({"error_code": "WARN2", "at": 1795677403570})
    shop.answer = json.dumps(more).encode()
    path = client.sent(receiver="shop", fixture="mine", loaded="mine", expectation=EXPECTED)
    client.landed(path)
    asked = {"item": "yes", "at": "/events", "actual": "/events/1"}
    address = f"{path}/rule?{urlencode(asked)}"
    assert address.replace("%2F", "/").replace("&", "&amp;") in client.http.get(path).text
    shown = client.http.get(address).text
    assert "expected: 1 of the last" in main_words(shown) or "the last answer would pass" in main_words(shown)
    assert client.http.post(f"{path}/rule", data={**hidden(shown), "do": "rule"}).status_code == 303
    written = json.loads(own(client).read_text())
    assert written["body"]["events"][1]["error_code"] == "WARN2"
    assert written["rules"] == {"/events/1/at": {"type": "integer"}}
    assert client.landed(path).judgement.verdict == "passed"


def test_unexpected_events_of_a_kind_are_ignored(client: ComposeClient, failed: str, shop: Recorder):
    more = json.loads(answer("Order 1 has shipped"))
    for code in ("WARN2", "WARN3"):
        shop.answer = json.dumps({"events": [*more["events"], {"error_code": code, "n": code}]}).encode()
        path = client.sent(receiver="shop", fixture="mine", loaded="mine", expectation=EXPECTED)
        client.landed(path)
        asked = urlencode({"item": "yes", "at": "/events", "actual": "/events/1"})
        shown = client.http.get(f"{path}/rule?{asked}").text
        assert "Ignore such events" in main_words(shown)
        assert client.http.post(f"{path}/rule", data={**hidden(shown), "do": "besides"}).status_code == 303
        assert client.landed(path).judgement.verdict == "passed"
    assert json.loads(own(client).read_text())["rules"] == {
        "/events": {"besides": {"error_code": {"one_of": ["WARN2"]}}}
    }


def test_the_workbench_makes_a_rule_in_the_text_that_is_edited(client: ComposeClient, failed: str):
    id = failed.rpartition("/")[2]
    asked = {"delivery": id, **HERE}
    elsewhere = client.http.get(f"/answer/rule?{urlencode(asked)}")
    assert elsewhere.headers["location"] == f"{failed}/rule?{urlencode(HERE)}", "without a script"
    part = client.http.get(f"/answer/rule?{urlencode(asked)}", headers={"HX-Request": "true"}).text
    assert 'formaction="/compose"' in part
    assert "<form" not in part
    typed = EXPECTED.replace('{"body"', '{ "max_ms": 60000,\n "body"')
    form = {**client.form(f"/?from={id}"), **hidden(part), "answered": id, "expectation": typed}
    chosen = {"word": "type", "everywhere": "yes", "do": "expect-value:rule"}
    page = client.http.post("/compose", data={**form, **chosen}).text
    assert text_areas(page)["expectation"].startswith(typed.removesuffix("}"))
    assert json.loads(text_areas(page)["expectation"])["rules"] == {WIDE: {"type": "string"}}
    assert client.landed(failed).judgement.verdict == "passed"
    assert not own(client).exists(), "Save writes it"
    broken = {"word": "regex", "pattern": "(", "do": "expect-value:rule"}
    page = client.http.post("/compose", data={**form, **broken}).text
    assert "This cannot be used" in main_words(page)
    assert text_areas(page)["expectation"] == typed


def test_an_address_that_leads_nowhere_says_so(client: ComposeClient, failed: str):
    answered = client.http.get(f"{failed}/rule?at=/gone&actual=/gone")
    assert answered.status_code == 404
    assert "There is no such value here" in main_words(answered.text)
