"""The editor of a scenario: what its forms write, and that every other byte stays."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2 as httpx
import pytest
from starlette.testclient import TestClient

from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.model import Wire
from retailops_sandbox.web.scenarios import wire_form
from retailops_sandbox.web.scenarios.wire_form import WireForm
from retailops_sandbox.workspace import schemas
from tests.support.apps import app_of
from tests.support.pages import main_words

ID = "scenarios/mine.scenario.json"
ODD = """{
    "steps" : [
        {"name": "one",   "fixture": "default", "set": {"/data/order/grand_total": 35.00}},
        { "fixture":"default",
          "expect": { "status" : 200 } },
        {"name": "three", "payload": {"version": 1.0}, "off_contract": true}
    ],
  "tags": ["a",  "b"]
}"""
"""A file that nobody would write so, without a line end behind the last line."""
ONE = '{"name": "one",   "fixture": "default", "set": {"/data/order/grand_total": 35.00}}'
TWO = '{ "fixture":"default",\n          "expect": { "status" : 200 } }'


class Editor:
    """A browser without script at the editor of one file."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / ID
        self.path.parent.mkdir()
        self.write(ODD)
        self.client = TestClient(app_of(folder).asgi, base_url="http://127.0.0.1", follow_redirects=False)

    def write(self, text: str) -> None:
        self.path.write_bytes(text.encode())

    @property
    def text(self) -> str:
        return self.path.read_bytes().decode()

    def page(self, query: str = "") -> str:
        answer = self.client.get(f"/scenarios/show?id={ID}{query}")
        assert answer.status_code == 200, main_words(answer.text)
        return answer.text

    def press(self, do: str, page: str | None = None, **typed: str) -> httpx.Response:
        """Press a button of the editor, with other texts in some of its fields."""
        fields = form_fields(self.page() if page is None else page)
        return self.client.post("/scenarios/edit", data={**fields, **typed, "do": do})

    def saved(self, do: str, page: str | None = None, **typed: str) -> str:
        """The page after a button that did its job."""
        answer = self.press(do, page, **typed)
        assert answer.status_code == 303, main_words(answer.text)
        place = urlsplit(answer.headers["location"])
        found = self.client.get(f"{place.path}?{place.query}")
        assert found.status_code == 200
        return str(found.text)

    def undo(self, page: str) -> None:
        found = re.search(r'name="change" value="(\w+)"', page, re.DOTALL)
        assert found is not None
        assert self.client.post("/scenarios/file", data={"change": found[1], "do": "undo"}).status_code == 303


def form_fields(page: str) -> dict[str, str]:
    """The fields of the editor's form, as a browser sends them."""
    form = page[page.index('<form id="edit"') :]
    form = form[: form.index("</form>")]
    fields = {}
    for name, text in re.findall(r'<textarea[^>]* name="([^"]+)"[^>]*>\n(.*?)</textarea>', form, re.DOTALL):
        fields[name] = html.unescape(text).replace("\r\n", "\n").replace("\n", "\r\n")
    for tag in re.findall(r"<input [^>]*>", form):
        attributes = {name: html.unescape(value) for name, value in re.findall(r'([\w-]+)="([^"]*)"', tag)}
        if attributes.get("type") not in ("radio", "checkbox") or " checked" in tag:
            fields[attributes["name"]] = attributes.get("value", "")
    for name, options in re.findall(r'<select[^>]* name="([^"]+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r"<option(?: value=\"([^\"]*)\")? selected>([^<]*)", options)
        first = re.search(r"<option(?: value=\"([^\"]*)\")?>([^<]*)", options)
        found = chosen or first
        if found is not None:
            fields[name] = html.unescape(found[2] if found[1] is None else found[1])
    return fields


@pytest.fixture
def editor(tmp_path: Path) -> Editor:
    return Editor(tmp_path)


def problem(answer: httpx.Response) -> str:
    assert answer.status_code == 422
    return main_words(answer.text)


def test_what_is_not_edited_keeps_every_byte(editor: Editor):
    for text in (ODD, ODD.replace("\n", "\r\n"), ODD.replace("\n", "\r\n", 3) + "\n\n"):
        editor.write(text)
        for query in ("&open=0", "&open=1", "&open=2", "&open=head", "&view=file"):
            editor.saved("save", editor.page(query))
            assert editor.text == text
    assert not (editor.path.parent.parent / ".sandbox" / "undo").exists()


EDITS: list[tuple[str, dict[str, str], str, str]] = [
    ("&open=0", {"f-name": "first"}, '"name": "one"', '"name": "first"'),
    ("&open=0", {"f-fixture": "already-shipped"}, '"fixture": "default", ', '"fixture": "already-shipped", '),
    ("&open=0", {"f-set": '{"/data/order/grand_total": 35.50}'}, "35.00", "35.50"),
    ("&open=0", {"f-set": ""}, ', "set": {"/data/order/grand_total": 35.00}', ""),
    ("&open=0", {"f-remove": "/data/id\r\n\r\n"}, "35.00}}", '35.00},   "remove": ["/data/id"]}'),
    ("&open=0", {"f-expects": "nothing"}, "35.00}}", '35.00},   "expect": null}'),
    ("&open=0", {"off_contract": "yes"}, "35.00}}", '35.00},   "off_contract": true}'),
    ("&open=1", {"f-expect": '{"status": 200, "max_ms": 9.50}'}, " : 200", ' : 200, "max_ms" : 9.50'),
    ("&open=1", {"f-deliver": '{"times": 2}'}, "200 } }", '200 },\n          "deliver":{"times": 2} }'),
    ("&open=2", {"f-payload": '{"version": 1.50}'}, "1.0", "1.50"),
    ("&open=2", {"f-capture": '{"first": "/events"}'}, "true}", 'true, "capture": {"first": "/events"}}'),
    ("&open=2", {"f-contract": "order_cancel v1"}, "true}", 'true, "edition": "v1"}'),
    (
        "&open=0",
        {"f-capture": '{"a": "/b"}', "f-repeat_while": '{"captured": "a", "at_most": 2}'},
        "35.00}}",
        '35.00},   "capture": {"a": "/b"},   "repeat_while": {"captured": "a", "at_most": 2}}',
    ),
    ("&open=1", {"f-status": "4xx"}, " : 200", ' : "4xx"'),
    ("&open=1", {"f-status": "200, 4xx"}, " : 200", ' : [200, "4xx"]'),
    ("&open=1", {"f-expect": '{"status": 404}'}, " : 200", " : 404"),
    ("&open=1", {"f-expect": '{"max_ms": 9}'}, '"status" : 200', '"status" : 200, "max_ms" : 9'),
    ("&open=1", {"f-status": "", "f-expect": '{"max_ms": 9}'}, '"status" : 200', '"max_ms" : 9'),
    ("&open=1", {"f-together": "yes"}, "200 } }", '200 },\n          "together":true }'),
    (
        "&open=2",
        {"f-wire-method": " PUT ", "f-wire-headers": "a: b\r\n\r\nA:  c", "f-wire-break_off_after": "0"},
        "true}",
        'true, "deliver": {"wire": {"method": "PUT", "headers": ["a: b", "A:  c"], "break_off_after": 0}}}',
    ),
    ("&open=head", {"f-tags": "a, c"}, '["a",  "b"]', '["a",  "c"]'),
    ("&open=head", {"f-name": "All is well"}, '"steps" : [', '"name" : "All is well",\n    "steps" : ['),
]


def test_an_edit_changes_its_own_bytes_alone(editor: Editor):
    for query, typed, old, new in EDITS:
        assert ODD.count(old) == 1
        page = editor.saved("save", editor.page(query), **typed)
        assert editor.text == ODD.replace(old, new)
        assert "Saved. Undo" in main_words(page)
        editor.undo(page)
        assert editor.text == ODD


def test_a_step_changes_what_it_sends(editor: Editor):
    editor.saved("save", editor.page("&open=0"), **{"f-sends": "payload", "f-payload": ""})
    step = json.loads(editor.text)["steps"][0]
    assert "fixture" not in step
    assert step["payload"]["data"]["order"]
    editor.saved("save", editor.page("&open=0"), **{"f-sends": "raw", "f-raw": "any\nbytes", "f-set": ""})
    assert json.loads(editor.text)["steps"][0] == {"name": "one", "raw": "any\nbytes"}
    editor.saved("save", editor.page("&open=0"), **{"f-sends": "fixture", "f-fixture": "default"})
    assert json.loads(editor.text)["steps"][0] == {"name": "one", "fixture": "default"}


def test_steps_change_places_with_their_text(editor: Editor):
    page = editor.saved("down:0", editor.page("&open=0"))
    assert editor.text == ODD.replace(ONE, "#").replace(TWO, ONE).replace("#", TWO)
    assert "Moved one down. Undo" in main_words(page)
    assert form_fields(page)["opened"] == "1"
    editor.saved("up:1", page)
    assert editor.text == ODD
    assert "change places" in problem(editor.press("up:0"))


def test_a_step_is_deleted_and_back(editor: Editor):
    page = editor.saved("delete:1", editor.page("&open=2"))
    assert editor.text == ODD.replace(f"{TWO},\n        ", "")
    assert "Deleted step 2. Undo" in main_words(page)
    assert form_fields(page)["opened"] == "1"
    editor.undo(page)
    assert editor.text == ODD
    editor.write('{"steps": [{"fixture": "default"}]}')
    assert "at least one step" in problem(editor.press("delete:0"))


def test_a_step_is_added_for_a_case_or_with_a_payload(editor: Editor):
    page = editor.saved("add:case", case="already-shipped")
    assert json.loads(editor.text)["steps"][3] == {"name": "already-shipped", "fixture": "already-shipped"}
    assert form_fields(page)["opened"] == "3"
    page = editor.saved("add:payload", case="already-shipped")
    assert "Added already-shipped 2. Undo" in main_words(page)
    assert json.loads(editor.text)["steps"][4]["payload"]["data"]
    assert editor.text.startswith(ODD[: ODD.index("\n    ],")])


def test_a_step_is_added_with_a_case_of_another_contract(editor: Editor):
    page = editor.page()
    offered = re.findall(r'<optgroup label="([^"]+)"', page)
    assert offered[0] == "order_cancel draft"
    assert {"order_cancel v1", "order_pull v1"} < set(offered)
    editor.saved("add:case", case="order_pull v1 second-page")
    editor.saved("add:case", case="order_cancel v1 default")
    page = editor.saved("add:payload", case="order_pull v1 default")
    added = json.loads(editor.text)["steps"][3:]
    assert added[:2] == [
        {"name": "order_pull", "action": "order_pull", "edition": "v1", "fixture": "second-page"},
        {"name": "order_cancel", "edition": "v1", "fixture": "default"},
    ]
    assert (added[2]["name"], added[2]["payload"]["action"]) == ("order_pull 2", "order_pull")
    assert "Added order_pull 2. Undo" in main_words(page)
    assert "order_pull v1, fixture second-page" in main_words(page)
    assert "contracts order_cancel draft, order_pull v1, order_cancel v1" in main_words(page)


def test_a_step_is_offered_the_cases_of_its_own_contract(editor: Editor):
    def cases(page: str) -> list[str]:
        found = re.search(r'<select id="f-fixture"[^>]*>(.*?)</select>', page)
        assert found is not None
        return re.findall(r"<option[^>]*>([^<]*)", found[1])

    assert "second-page" not in cases(editor.page("&open=0"))
    page = editor.saved("save", editor.page("&open=0"), **{"f-contract": "order_pull v1"})
    assert "second-page" in cases(page)
    assert form_fields(page)["f-contract"] == "order_pull v1"
    page = editor.saved("save", page, **{"f-contract": ""})
    assert json.loads(editor.text)["steps"][0] == json.loads(ODD)["steps"][0]
    page = editor.saved("save", page, **{"f-contract": "order_brew v1"})
    assert "order_brew v1 (missing)" in main_words(page)
    assert cases(page) == ["default (missing)"]


def test_every_button_saves_what_is_typed(editor: Editor):
    page = editor.saved("open:2", editor.page("&open=0"), **{"f-name": "first"})
    assert '"name": "first"' in editor.text
    assert "Saved. Undo" in main_words(page)
    page = editor.saved("down:0", editor.page("&open=2"), **{"f-name": "third"})
    assert "Saved. Moved first down. Undo" in main_words(page)
    editor.undo(page)
    assert '"name": "three"' in editor.text


BAD: list[tuple[str, dict[str, str], str]] = [
    ("&open=0", {"f-set": '{"/a": }'}, "line 1:8"),
    ("&open=0", {"f-set": '{"a": 1}'}, "/steps/0/set/a"),
    ("&open=0", {"f-set": "5"}, "/steps/0/set"),
    ("&open=0", {"f-name": "three"}, "step 1 is named 'three' too"),
    ("&open=1", {"f-expect": '{"status": 200, "stauts": 1}'}, "stauts"),
    ("&open=1", {"f-expect": "  ", "f-status": " "}, "write what is expected"),
    ("&open=1", {"f-status": "200, 4x"}, "/steps/1/expect/status/1: '4x' is no class of statuses"),
    ("&open=1", {"f-status": "404", "f-expect": '{"status": 200}'}, "says another status: say it once"),
    ("&open=1", {"f-expect": '{"status": "4x"}'}, "/steps/1/expect/status: '4x' is no class"),
    ("&open=1", {"f-status": "404", "f-expect": "[{}]"}, "each of several expectations says its own status"),
    ("&open=1", {"f-wire-chunked": "many"}, "write a number of bytes, such as 64"),
    ("&open=1", {"f-wire-chunked": "0"}, "/steps/1/deliver/wire/chunked: must be at least 1"),
    ("&open=1", {"f-wire-headers": "A: b\nno line"}, "/steps/1/deliver/wire/headers/1"),
    ("&open=1", {"f-wire-method": "A B"}, "/steps/1/deliver/wire/method"),
    ("&open=1", {"f-wire-http": "1.0", "f-wire-chunked": "5"}, "HTTP/1.0 has no chunks"),
    (
        "&open=1",
        {"f-wire-method": "PUT", "f-deliver": '{"wire": {}}'},
        "wire is said here, and in the fields beneath: say it once",
    ),
    ("&open=1", {"f-deliver": '{"wire": {"chunked": 0}}'}, "/steps/1/deliver/wire/chunked: must be"),
    ("&open=0", {"f-deliver": '{"times": 0}'}, "/steps/0/deliver/times"),
    ("&open=2", {"f-payload": "{"}, "line 1"),
    ("&open=head", {"f-variables": "[]"}, "/variables"),
]


def test_bad_input_stays_as_it_was_typed(editor: Editor):
    for number, (query, typed, why) in enumerate(BAD):
        do = ("save", "down:0", "open:head", "view:file")[number % 4]
        answer = editor.press(do, editor.page(query), **typed)
        assert why in problem(answer)
        fields = form_fields(answer.text)
        assert {name: fields[name].replace("\r\n", "\n") for name in typed} == typed
        assert editor.text == ODD


def test_a_mistake_stands_at_its_field_also_in_what_is_folded(editor: Editor):
    answer = editor.press("save", editor.page("&open=1"), **{"f-wire-twice": "x", "f-together": "yes"})
    assert answer.status_code == 422
    assert '<details class="wire-form" open>' in answer.text
    assert re.search(
        r'id="f-wire-twice"[^>]* aria-invalid="true" aria-describedby="wire-twice-error"', answer.text
    )
    assert 'id="wire-twice-error"' in answer.text
    assert 'name="f-together" value="yes" checked' in answer.text
    answer = editor.press("save", editor.page("&open=1"), **{"f-deliver": '{"wire": {"twice": "x"}}'})
    assert 'id="deliver-error"' in answer.text
    assert "wire-twice-error" not in answer.text


WIRED = """{"steps": [{"fixture": "default", "deliver": {"times": 2,
   "wire":  {"http": "1.0", "headers": ["host: x",  "Host: y"], "compressed": "gzip",
   "charset": "utf-16", "twice": "/data/order/id", "bytes_per_second": 90, "proof": "spaced", "path": "*",
   "method": "GET", "lower_case": true, "break_off_after": 5}, "delay_ms": 10}}]}
"""


def test_all_of_how_a_request_is_spelled_is_in_fields_and_the_rest_of_deliver_is_not(editor: Editor):
    editor.write(WIRED)
    page = editor.page("&open=0")
    fields = form_fields(page)
    assert json.loads(fields["f-deliver"]) == {"times": 2, "delay_ms": 10}
    assert fields["f-wire-headers"] == "host: x\r\nHost: y"
    named = {name.removeprefix("f-wire-") for name in re.findall('name="(f-wire-[^"]*)"', page)}
    assert named == set(Wire.__struct_fields__) == set(WireForm.__struct_fields__)
    editor.saved("save", page)
    assert editor.text == WIRED
    editor.saved("save", page, **{"f-wire-compressed": "deflate", "f-wire-twice": "", "f-wire-http": "1.1"})
    changed = WIRED.replace('"gzip"', '"deflate"').replace('"twice": "/data/order/id", ', "")
    assert editor.text == changed.replace('"http": "1.0", ', "")
    chunked = {"f-wire-expect_continue": "yes", "f-wire-chunked": "7", "f-deliver": ""}
    editor.saved("save", editor.page("&open=0"), **chunked)
    deliver = json.loads(editor.text)["steps"][0]["deliver"]
    assert set(deliver) == {"wire"}
    assert (deliver["wire"]["chunked"], deliver["wire"]["expect_continue"]) == (7, True)
    fields = {
        name: "" if name.startswith("f-wire-") else value
        for name, value in form_fields(editor.page("&open=0")).items()
        if name not in ("f-wire-expect_continue", "f-wire-lower_case")
    }
    answer = editor.client.post("/scenarios/edit", data={**fields, "do": "save"})
    assert answer.status_code == 303
    assert json.loads(editor.text)["steps"] == [{"fixture": "default"}]


@pytest.mark.parametrize("field", ["http", "charset", "compressed", "proof"])
def test_every_value_of_a_field_that_has_few_can_be_chosen(field: str):
    schema = schemas.scenario(SHIPPED_CONTRACTS)["definitions"]["Wire"]["properties"][field]
    values = {each for option in (schema, *schema.get("anyOf", ())) for each in option.get("enum", ())}
    offered = [value for value, _ in wire_form.CHOICES[field]]
    assert set(filter(None, offered)) == values
    assert offered[0] in ("", "1.1")


def test_the_first_step_has_none_before_it_to_be_sent_with(editor: Editor):
    assert "f-together" not in editor.page("&open=0")
    editor.saved("save", editor.page("&open=1"), **{"f-together": "yes"})
    answer = editor.press("up:1", editor.page("&open=1"))
    assert "there is no step before the first" in problem(answer)
    page = editor.page("&open=1")
    assert "together with the step before" in main_words(page)
    assert '<li id="step-2" class="open together">' in page


def test_the_file_is_edited_as_it_is_written(editor: Editor):
    editor.write(ODD.replace("\n", "\r\n"))
    page = editor.saved("view:file")
    editor.saved("save", page, typed=ODD.replace('"a"', '"z"').replace("\n", "\r\n"))
    assert editor.text == ODD.replace('"a"', '"z"').replace("\n", "\r\n")
    wrong = '{\n  "steps": [{"fixtrue": "default"}]\n}'
    refused = editor.press("save", editor.page("&view=file"), typed=wrong)
    assert "fixtrue" in problem(refused)
    assert 'data-line="2"' in refused.text
    assert form_fields(refused.text)["typed"] == wrong.replace("\n", "\r\n")
    found = editor.client.post("/scenarios/check", data={"typed": wrong})
    assert 'data-line="2"' in found.text
    assert "can be run" in editor.client.post("/scenarios/check", data={"typed": ODD}).text


@pytest.mark.parametrize(
    ("query", "typed"),
    [("&open=0", {"f-name": "first"}), ("&view=file", {"typed": ODD.replace('"one"', '"first"')})],
)
def test_a_change_of_somebody_else_is_shown_and_not_overwritten(
    editor: Editor, query: str, typed: dict[str, str]
):
    page = editor.page(query)
    theirs = ODD.replace("three", "drei")
    editor.write(theirs)
    clash = editor.press("save", page, **typed)
    words = problem(clash)
    assert "changed on disk meanwhile" in words
    assert "drei" in words
    assert editor.text == theirs
    again = editor.press("save", clash.text)
    assert "changed on disk meanwhile" in problem(again)
    done = editor.saved("overwrite", again.text)
    assert editor.text == ODD.replace('"one"', '"first"')
    editor.undo(done)
    assert editor.text == theirs


def test_a_file_that_went_meanwhile_is_written_anew(editor: Editor):
    page = editor.page("&open=0")
    editor.path.unlink()
    clash = editor.press("save", page, **{"f-name": "first"})
    assert "gone from the disk" in problem(clash)
    editor.saved("overwrite", clash.text)
    assert editor.text == ODD.replace('"one"', '"first"')


def test_what_ships_is_copied_by_the_first_edit(editor: Editor):
    shipped = "shipped:draft-cancel.scenario.json"
    page = editor.client.get(f"/scenarios/show?id={shipped}&open=head").text
    answer = editor.client.post("/scenarios/edit", data={**form_fields(page), "f-name": "Ours", "do": "save"})
    assert answer.status_code == 303
    id = parse_qs(urlsplit(answer.headers["location"]).query)["id"][0]
    assert id == "scenarios/draft-cancel.scenario.json"
    assert json.loads((editor.path.parent / "draft-cancel.scenario.json").read_text())["name"] == "Ours"


def test_a_file_that_is_no_scenario_is_mended_in_the_browser(editor: Editor):
    editor.write('{"steps": []}')
    listed = editor.client.get("/scenarios").text
    link = re.search(r'<a href="([^"]+)">Mend it</a>', listed)
    assert link is not None
    page = editor.client.get(html.unescape(link[1]))
    assert page.status_code == 200
    assert "there are no steps" in main_words(page.text)
    editor.saved("save", page.text, typed=ODD)
    assert editor.text == ODD


def test_a_button_that_no_page_has_does_nothing(editor: Editor):
    for do in ("nothing", "up:x", "delete:9", "delete:-1", "open:7", "open:x", f"open:{'9' * 5000}", "up:²"):
        answer = editor.press(do)
        assert answer.status_code in (303, 422)
    for opened in ("x", "9", "9" * 5000, "²"):
        for view in ("steps", "file"):
            answer = editor.press("delete:0", opened=opened, view=view, typed=ODD)
            assert answer.status_code in (303, 422)
            editor.write(ODD)
    assert editor.text == ODD
    odd: Any = editor.client.post("/scenarios/edit", data={"id": "../x.scenario.json", "do": "save"})
    assert odd.status_code == 400
