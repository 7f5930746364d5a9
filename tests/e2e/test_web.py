"""The browser's pages as an HTTP client has them: a real process, a real port, real files."""

from __future__ import annotations

import html
import json
import re
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from retailops_sandbox.model import Basic, Receiver
from retailops_sandbox.runlog.log import Entry, Log
from retailops_sandbox.workspace.workspace import Workspace
from tests.support.logged import newest_deliveries
from tests.support.serving import Served, serving

TOKEN = "a-token-of-some-length"


class Recorder:
    """A receiver that keeps what it was sent, and answers as told."""

    def __init__(self) -> None:
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.answer = b'{"events": []}'
        self.content_type = "application/json"
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                recorder.requests.append((dict(self.headers), body))
                self.send_response(200)
                self.send_header("Content-Type", recorder.content_type)
                self.send_header("Content-Length", str(len(recorder.answer)))
                self.end_headers()
                self.wfile.write(recorder.answer)

            def log_message(self, *_: object) -> None:
                """Nothing: the tests look at what was kept."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever)

    def __enter__(self) -> Recorder:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of a page."""
    fields = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page)
    return {name: html.unescape(value) for name, value in fields}


class Desk:
    """A browser at a served workspace, and what it leaves in the log."""

    def __init__(self, served: Served) -> None:
        self.served = served
        self.workspace = Workspace(served.workspace)
        self.http = httpx.Client(base_url=served.url, timeout=60)

    def add(self, name: str, path: str = "", **fields: Any) -> str:
        """A receiver in the workspace; without a URL, the stand-in under a path."""
        base_url = fields.pop("base_url", self.served.stand_in + path)
        self.workspace.save_receiver(Receiver(name, base_url, **fields))
        return name

    def form(self, path: str = "/") -> dict[str, str]:
        """The fields of the compose page as it comes."""
        page = self.http.get(path).text
        areas = re.findall(r'<textarea[^>]*? name="(\w+)".*?>\n(.*?)</textarea>', page, re.DOTALL)
        typed = {name: html.unescape(value) for name, value in areas}
        return {**hidden(page), **typed, "receiver": "stand-in"}

    def filled(self, **fields: str) -> dict[str, str]:
        """The compose page's fields, with the receiver chosen and the URL seen."""
        form = {**self.form(), **fields}
        part = self.http.post("/compose", data=form, headers={"HX-Target": "target"})
        return {**form, "shown": hidden(part.text)["shown"]}

    def again(self, path: str, **fields: str) -> httpx.Response:
        """Press Send again on the page of a delivery."""
        return self.http.post(f"{path}/again", data={**hidden(self.http.get(path).text), **fields})

    def send(self, **fields: str) -> httpx.Response:
        return self.http.post("/send", data=self.filled(**fields))

    def sent(self, **fields: str) -> str:
        """The path of the delivery that a send made."""
        response = self.send(**fields)
        assert response.status_code == 303, response.text
        return response.headers["location"]

    def landed(self, path: str) -> Entry:
        """The delivery, once its stream says that it has landed."""
        with self.http.stream("GET", f"{path}/events") as stream:
            assert "event: finished" in list(stream.iter_lines())
        entry = self.log.get(path.rpartition("/")[2])
        assert entry is not None
        return entry

    @property
    def log(self) -> Log:
        return Log(self.workspace.runs_dir)

    def count(self) -> int:
        return len(newest_deliveries(self.log, 10_000))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    # In a folder of its own: what is beside the workspace is looked at, too.
    workspace = tmp_path_factory.mktemp("around") / "workspace"
    workspace.mkdir()
    with serving(workspace) as served:
        yield served


@pytest.fixture
def desk(served: Served) -> Iterator[Desk]:
    desk = Desk(served)
    (served.workspace / "receivers.json").unlink(missing_ok=True)
    with desk.http:
        yield desk


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    with Recorder() as recorder:
        yield recorder


def said(page: httpx.Response) -> str:
    """A page's text: no markup, one blank between words."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page.text)).split())


# --- Compose and send ------------------------------------------------------------------------------------


def test_the_first_page_has_the_default_fixture_and_says_where_a_send_goes(desk: Desk) -> None:
    page = desk.http.get("/")
    assert page.status_code == 200
    assert '"order_cancel"' in html.unescape(page.text)
    assert f"{desk.served.stand_in}/order_cancel" in page.text
    assert "Fits the contract" in said(page)


def test_a_send_leads_to_its_delivery_and_into_the_log(desk: Desk) -> None:
    path = desk.sent(expectation='{"status": 200, "body": {"events": []}}')
    entry = desk.landed(path)
    assert entry.delivery.fixture == "default"
    assert entry.judgement is not None
    page = desk.http.get(path)
    assert entry.judgement.verdict in said(page)
    assert entry.delivery.id in desk.http.get("/deliveries").text


def test_a_double_click_sends_once(desk: Desk) -> None:
    before = desk.count()
    form = desk.form()
    first, second = (desk.http.post("/send", data=form).headers["location"] for _ in range(2))
    desk.landed(first)
    assert second == f"{first}?sent=before"
    assert desk.count() == before + 1


def test_a_form_that_was_refused_can_be_sent_again(desk: Desk) -> None:
    form = desk.form()
    assert desk.http.post("/send", data={**form, "payload": "{"}).status_code == 422
    assert desk.http.post("/send", data=form).status_code == 303


def test_a_form_edited_after_back_is_another_delivery(desk: Desk) -> None:
    form = desk.form()
    first = desk.http.post("/send", data=form).headers["location"]
    second = desk.http.post("/send", data={**form, "expectation": '{"status": 201}'}).headers["location"]
    assert "sent=before" not in second
    assert second != first


def test_nothing_is_sent_to_a_url_that_was_not_shown(desk: Desk, recorder: Recorder) -> None:
    desk.add("moving", base_url="http://127.0.0.1:9")
    form = desk.filled(receiver="moving")
    desk.workspace.save_receiver(Receiver("moving", recorder.url), replaces="moving")
    page = desk.http.post("/send", data=form)
    assert page.status_code == 422
    assert f"the URL is {recorder.url}/order_cancel now" in said(page)
    assert recorder.requests == []
    path = desk.http.post("/send", data={**form, **hidden(page.text)}).headers["location"]
    desk.landed(path)
    shown = hidden(desk.http.get(path).text)
    desk.workspace.save_receiver(Receiver("moving", f"{recorder.url}/elsewhere"), replaces="moving")
    assert desk.http.post(f"{path}/again", data=shown).status_code == 422
    assert len(recorder.requests) == 1
    assert f"{recorder.url}/elsewhere/order_cancel" in hidden(desk.http.get(path).text)["shown"]


def test_variables_typed_for_a_send_are_in_the_url_that_is_shown(desk: Desk, recorder: Recorder) -> None:
    desk.add("shops", base_url=recorder.url + "/${shop}?id=${uuid}")
    form = desk.filled(receiver="shops", variables='{"shop": "north"}')
    assert form["shown"] == f"{recorder.url}/north/order_cancel?id=${{uuid}}"
    assert desk.http.post("/send", data={**form, "variables": '{"shop": "south"}'}).status_code == 422
    desk.landed(desk.http.post("/send", data=form).headers["location"])
    assert len(recorder.requests) == 1


def test_a_deleted_receiver_is_not_replaced_by_another(desk: Desk, recorder: Recorder) -> None:
    desk.add("gone", base_url=recorder.url)
    path = desk.sent(receiver="gone")
    desk.landed(path)
    desk.workspace.delete_receiver("gone")
    page = desk.http.get(f"/?from={path.rpartition('/')[2]}")
    assert '<option value="gone" selected>' in page.text
    assert page.text.count(" selected>") == 1
    assert "there is no receiver 'gone' any more: choose one" in said(page)
    assert "no such receiver" in said(desk.http.get(path))


def test_the_page_of_a_delivery_names_the_target_of_send_again(desk: Desk, recorder: Recorder) -> None:
    desk.add("recorder", base_url=recorder.url)
    path = desk.sent(**{**desk.form("/?edition=v1"), "receiver": "recorder"})
    desk.landed(path)
    desk.landed(desk.sent())
    header = re.search(r'id="header-target".*?</p>', desk.http.get(path).text, re.DOTALL)
    assert header
    assert "<b>recorder</b>" in header[0]
    assert hidden(desk.http.get(path).text)["shown"] in header[0]


def test_numbers_go_out_as_they_were_typed(desk: Desk, recorder: Recorder) -> None:
    desk.add("recorder", base_url=recorder.url)
    typed = desk.form()["payload"].replace('"grand_total": 35', '"grand_total": 35.00')
    desk.landed(desk.sent(payload=typed, receiver="recorder"))
    assert b'"grand_total":35.00,' in recorder.requests[0][1]


@pytest.mark.parametrize(
    ("field", "typed", "message"),
    [
        ("payload", '{\n  "a": 1,\n}', "line 2"),
        ("payload", '{"a": 1, "a": 2}', "This is not JSON"),
        ("payload", "{}", "Breaks the contract"),
        ("payload", '{"action": "${nobody}"}', "unknown placeholder ${nobody}"),
        ("expectation", '{"stauts": 200}', "stauts"),
        ("expectation", "nonsense", "1:1"),
        ("variables", "[1]", "is not a JSON object"),
        ("receiver", "nobody", "there is no receiver 'nobody'"),
    ],
)
def test_a_mistake_is_named_and_what_was_typed_stays(
    desk: Desk, field: str, typed: str, message: str
) -> None:
    before = desk.count()
    page = desk.send(**{field: typed, "save_as": "kept <as> typed"})
    assert page.status_code == 422
    assert message in said(page)
    assert 'value="kept &lt;as&gt; typed"' in page.text
    assert field == "receiver" or html.escape(typed, quote=True).replace("&quot;", "&#34;") in page.text
    assert desk.count() == before


def test_a_broken_payload_goes_out_when_asked_for(desk: Desk, recorder: Recorder) -> None:
    desk.add("recorder", base_url=recorder.url)
    desk.landed(desk.sent(payload='{"not": "json"', off_contract="yes", receiver="recorder"))
    desk.landed(desk.sent(payload='{"version": 2}', off_contract="yes", receiver="recorder"))
    assert [body for _, body in recorder.requests] == [b'{"not": "json"', b'{"version":2}']


def test_a_script_gets_the_findings_alone(desk: Desk) -> None:
    form = {**desk.form(), "payload": '{\n "version": "1"}'}
    part = desk.http.post("/compose", data=form, headers={"HX-Request": "true", "HX-Target": "findings"})
    assert part.text.lstrip().startswith('<div id="findings"')
    assert "/version" in part.text
    assert 'data-line="2"' in part.text


def test_an_expectation_is_picked(desk: Desk) -> None:
    page = desk.http.post("/compose", data={**desk.form(), "do": "pick", "pick": "example"})
    assert "ERR1234" in page.text
    page = desk.http.post("/compose", data={**desk.form(), "do": "pick", "pick": "nothing"})
    assert "ERR1234" not in page.text


@pytest.mark.parametrize("name", ["../../evil", "", "a/b", ".hidden"])
def test_a_fixture_is_saved_nowhere_else(desk: Desk, name: str) -> None:
    page = desk.http.post("/compose", data={**desk.form(), "do": "save", "save_as": name})
    assert "cannot be a fixture's name" in said(page)
    assert not list(desk.served.workspace.parent.rglob("evil*"))


@pytest.mark.parametrize("do", ["save", "undo", "restore"])
@pytest.mark.parametrize("field", ["action", "edition"])
def test_a_form_names_no_folder_outside_the_workspace(desk: Desk, do: str, field: str) -> None:
    outside = desk.served.workspace.parent
    kept = outside / "kept" / "draft" / "default.json"
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text("{}")
    before = {path: path.stat().st_mtime_ns for path in outside.rglob("*")}
    for escaped in ("../../../escaped", "../../../kept"):
        form = {**desk.form(), field: escaped, "do": do, "undo": "{}", "save_as": "default"}
        assert desk.http.post("/compose", data=form).status_code == 400
    assert {path: path.stat().st_mtime_ns for path in outside.rglob("*")} == before


# --- A delivery ------------------------------------------------------------------------------------------


def test_a_delivery_in_flight_refreshes_itself_and_can_be_cancelled(desk: Desk) -> None:
    desk.add("hanging", "/misbehave/hang")
    path = desk.sent(receiver="hanging")
    page = desk.http.get(path)
    assert "in flight" in said(page)
    assert '<noscript><meta http-equiv="refresh"' in page.text
    assert "in flight" in said(desk.http.get("/deliveries"))
    assert desk.http.post(f"{path}/cancel").status_code == 303
    fault = desk.landed(path).delivery.fault
    assert fault is not None
    assert fault.kind == "cancelled"
    page = desk.http.get(path)
    assert "http-equiv" not in page.text
    assert "cancelled" in said(page)


def test_two_deliveries_are_in_flight_at_once(desk: Desk) -> None:
    desk.add("hanging", "/misbehave/hang")
    slow = desk.sent(receiver="hanging")
    quick = desk.landed(desk.sent())
    assert quick.delivery.fault is None
    assert "in flight" in said(desk.http.get(slow))
    desk.http.post(f"{slow}/cancel")


def test_what_was_accepted_is_expected_from_then_on(desk: Desk, recorder: Recorder) -> None:
    desk.add("recorder", base_url=recorder.url)
    path = desk.sent(receiver="recorder", expectation='{"status": 418}')
    entry = desk.landed(path)
    assert entry.judgement is not None
    assert entry.judgement.verdict == "failed"
    desk.http.post(f"{path}/accept")
    page = desk.http.get(path)
    judgements = desk.landed(path).judgements
    assert [each.verdict for each in judgements] == ["failed", "passed"]
    assert page.text.count("<li><details>") == 2
    again = desk.again(path).headers["location"]
    repeated = desk.landed(again)
    assert repeated.delivery.parent == path.rpartition("/")[2]
    assert repeated.judgement is not None
    assert repeated.judgement.verdict == "passed"
    assert '"status": 200' in html.unescape(desk.http.get(f"/?from={repeated.delivery.id}").text)


def test_a_secret_that_was_struck_out_is_not_sent_as_its_mark(desk: Desk, recorder: Recorder) -> None:
    desk.add("recorder", base_url=recorder.url, token="typed-by-hand")
    form = desk.form("/?edition=v1")
    payload = '{"integration_auth_token": "typed-by-hand",' + form["payload"].lstrip()[1:]
    path = desk.sent(**{**form, "payload": payload, "receiver": "recorder"})
    desk.landed(path)
    assert b"typed-by-hand" in recorder.requests[0][1]
    again = desk.again(path)
    assert again.status_code == 422
    assert "was struck out of the log" in said(again)
    edited = desk.form(f"/?from={path.rpartition('/')[2]}")
    assert "was struck out of the log" in said(desk.send(**{**edited, "receiver": "recorder"}))
    assert len(recorder.requests) == 1


def test_a_delivery_is_judged_again_without_sending(desk: Desk, recorder: Recorder) -> None:
    desk.add("recorder", base_url=recorder.url)
    path = desk.sent(receiver="recorder")
    desk.landed(path)
    page = desk.http.post(f"{path}/judge", data={"expectation": "{"})
    assert page.status_code == 422
    assert "expectation-error" in page.text
    assert desk.http.post(f"{path}/judge", data={"expectation": '{"status": 201}'}).status_code == 303
    judgement = desk.landed(path).judgement
    assert judgement is not None
    assert judgement.verdict == "failed"
    assert len(recorder.requests) == 1


def test_what_a_receiver_answers_is_never_markup(desk: Desk, recorder: Recorder) -> None:
    desk.add("recorder", base_url=recorder.url)
    recorder.answer = b'<script>alert(1)</script>"><img src=x>'
    recorder.content_type = "text/html"
    path = desk.sent(receiver="recorder")
    desk.landed(path)
    page = desk.http.get(path).text
    assert "<script>alert" not in page
    assert "<img" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_what_a_receiver_answers_cannot_lead_a_reader_astray(desk: Desk, recorder: Recorder) -> None:
    desk.add("recorder", base_url=recorder.url)
    recorder.answer = "a\u202eb\x1b[2Jc\u0085\td".encode()
    recorder.content_type = "text/plain"
    path = desk.sent(receiver="recorder")
    desk.landed(path)
    page = desk.http.get(path).text
    assert "a\\u202eb\\u001b[2Jc\\u0085\td" in page
    assert not re.search("[\u202e\x1b\u0085]", page)


def test_a_large_body_is_shown_in_part_and_is_there_as_text(desk: Desk, recorder: Recorder) -> None:
    desk.add("recorder", base_url=recorder.url)
    recorder.answer = b"<script>" + b"x" * 400_000
    path = desk.sent(receiver="recorder")
    desk.landed(path)
    page = desk.http.get(path)
    assert len(page.text) < 350_000
    assert f'href="{path}/response"' in page.text
    whole = desk.http.get(f"{path}/response")
    assert whole.content == recorder.answer
    assert whole.headers["content-type"] == "text/plain; charset=utf-8"
    assert whole.headers["x-content-type-options"] == "nosniff"
    assert whole.headers["content-security-policy"].startswith("default-src 'none'")
    assert '"order_cancel"' in desk.http.get(f"{path}/request").text


def test_what_answers_to_forms_leads_back_to_a_page(desk: Desk) -> None:
    path = desk.sent()
    desk.landed(path)
    places = {"/send": "/", "/compose": "/", "/theme": "/", "/stand-in/reset": "/receivers"}
    places |= {"/receivers/save": "/receivers", f"{path}/again": path, f"{path}/judge": path}
    for address, place in places.items():
        assert desk.http.get(address).headers["location"] == place


@pytest.mark.parametrize("referer", ["http://[x", "http://x//evil.example"])
def test_the_theme_leads_back_to_this_sandbox(desk: Desk, referer: str) -> None:
    answer = desk.http.post("/theme", data={"theme": "dark"}, headers={"Referer": referer})
    assert answer.status_code == 303
    assert answer.headers["location"] in ("/", "/evil.example")


def test_an_unknown_delivery_is_a_page_that_says_so(desk: Desk) -> None:
    assert desk.http.post("/deliveries/nothing/cancel").status_code == 404
    for path in ("/deliveries/nothing", "/deliveries?before=nothing", "/nowhere"):
        page = desk.http.get(path)
        assert page.status_code == 404
        assert "There is nothing here" in said(page)
        assert 'href="/receivers"' in page.text


# --- Receivers -------------------------------------------------------------------------------------------


RECEIVER = {
    "name": "mine",
    "base_url": "http://127.0.0.1:9",
    "timeout_ms": "2000",
    "connect_timeout_ms": "1000",
    "verify": "yes",
}


@pytest.mark.parametrize(
    ("fields", "field", "message"),
    [
        ({"base_url": "shop.example/api"}, "base_url", "no http:// or https://"),
        ({"base_url": ""}, "base_url", "where is it?"),
        ({"base_url": "http://me:hunter2@shop.example"}, "base_url", "the URL holds a user or password"),
        ({"base_url": "http://hunter2@shop.example"}, "base_url", "the URL holds a user or password"),
        ({"proxy": "http://hunter2@proxy.example"}, "proxy", "the URL holds a user or password"),
        ({"base_url": "http://shop.example/?api_key=hunter2"}, "base_url", "api_key is a secret"),
        ({"path_order_cancel": "/cancel?sig=1&Access-Key=hunter2"}, "path_order_cancel", "is a secret"),
        ({"auth": "bearer", "bearer": "BearerSecret${Value3}"}, "bearer_env", "name the environment"),
        ({"headers": "X-Api_Key: hunter2"}, "headers", "is a secret"),
        ({"headers": "X-Signature: hunter2${env:A}"}, "headers", "is a secret"),
        ({"headers": "X Shop: 1"}, "headers", "is not a header name"),
        ({"name": ""}, "name", "give it a name"),
        ({"name": "stand-in"}, "name", "belongs to"),
        ({"headers": "X-Shop 12"}, "headers", "line 1"),
        ({"headers": "Authorization: Bearer hunter2"}, "headers", "is a secret"),
        ({"variables": "{"}, "variables", "1:2"),
        ({"timeout_ms": "soon"}, "timeout_ms", "whole number"),
        ({"token": "hunter2"}, "token_env", "name the environment variable"),
        ({"auth": "basic", "username": "me", "password": "hunter2"}, "password_env", "name the environment"),
        ({"token": "hunter2", "token_env": "1ST"}, "token_env", "letters, digits"),
        ({"headers": "X Shop: 12"}, "headers", "X Shop"),
        ({"base_url": "http://a b"}, "base_url", "blank"),
    ],
)
def test_a_receiver_that_cannot_be_saved_says_why_at_the_field(
    desk: Desk, fields: dict[str, str], field: str, message: str
) -> None:
    page = desk.http.post("/receivers/save", data={**RECEIVER, **fields})
    assert page.status_code == 422
    error = re.search(rf'id="{field}-error">(.*?)</p>', page.text, re.DOTALL)
    assert error
    assert message in html.unescape(error[1])
    assert page.text.count('class="field-error"') == 1
    for typed in fields.values():
        assert html.escape(typed) in page.text
    assert not (desk.served.workspace / "receivers.json").exists()


def test_a_typed_secret_is_sent_but_written_nowhere(desk: Desk, recorder: Recorder) -> None:
    secret = "hunter2-hunter2"
    fields = {
        **RECEIVER,
        "name": "secretive",
        "base_url": recorder.url,
        "auth": "basic",
        "username": "me",
        "password": secret,
        "password_env": "SHOP_PASSWORD",
    }
    assert desk.http.post("/receivers/save", data=fields).status_code == 303
    assert desk.workspace.receiver("secretive").auth == Basic("me", "${env:SHOP_PASSWORD}")
    path = desk.sent(receiver="secretive")
    desk.landed(path)
    assert "Basic " in recorder.requests[0][0]["Authorization"]
    assert secret not in desk.http.get(path).text
    for file in desk.served.workspace.rglob("*"):
        assert file.is_dir() or secret.encode() not in file.read_bytes(), file


def test_a_secret_typed_for_one_receiver_is_struck_out_of_the_log_of_another(
    desk: Desk, recorder: Recorder
) -> None:
    fields = {**RECEIVER, "auth": "bearer", "bearer": "hunter3-hunter3", "bearer_env": "SHOP_BEARER"}
    assert desk.http.post("/receivers/save", data=fields).status_code == 303
    desk.add("other", base_url=recorder.url)
    payload = desk.form()["payload"].replace("Will Call", "hunter3-hunter3")
    path = desk.sent(receiver="other", payload=payload)
    assert "hunter3" not in desk.landed(path).delivery.request.body
    assert b"hunter3-hunter3" in recorder.requests[0][1]


def test_a_receiver_is_added_edited_deleted_and_brought_back(desk: Desk) -> None:
    desk.http.post("/receivers/save", data={**RECEIVER, "headers": "X-Shop: 12\nX-Till: 3", "default": "yes"})
    assert desk.workspace.receiver("mine").headers == {"X-Shop": "12", "X-Till": "3"}
    assert desk.workspace.receivers().default == "mine"
    page = desk.http.get("/receivers/edit", params={"name": "mine"})
    assert "X-Till: 3" in page.text
    desk.http.post(
        "/receivers/save", data={**RECEIVER, "name": "ours", "replaces": "mine", "protected": "yes"}
    )
    assert [each.name for each in desk.workspace.receivers().receivers] == ["ours"]
    deleted = desk.http.post("/receivers/delete", data={"name": "ours"}, follow_redirects=True)
    assert desk.workspace.receivers().receivers == ()
    assert "Undo" in said(deleted)
    desk.http.post("/receivers/undo", data={"name": "ours"})
    assert desk.workspace.receiver("ours").protected


def test_a_protected_receiver_needs_a_yes_for_each_send(desk: Desk, recorder: Recorder) -> None:
    desk.add("live", base_url=recorder.url, protected=True)
    desk.add("other", base_url=recorder.url, protected=True)
    assert "live is protected" in said(desk.send(receiver="live"))
    assert "live is protected" in said(desk.send(receiver="live", confirmed="other"))
    path = desk.sent(receiver="live", confirmed="live")
    desk.landed(path)
    again = desk.again(path)
    assert again.status_code == 422
    assert len(recorder.requests) == 1


def test_the_stand_in_forgets_when_told_to(desk: Desk) -> None:
    bodies = []
    for _ in range(2):
        bodies.append(desk.landed(desk.sent()).delivery.response)
        assert desk.http.post("/stand-in/reset").headers["location"] == "/receivers?reset=1"
    assert all(each is not None and each.status == 200 for each in bodies)


def test_a_broken_receivers_file_leaves_the_log_readable(desk: Desk) -> None:
    path = desk.sent()
    desk.landed(path)
    (desk.served.workspace / "receivers.json").write_text("{")
    for page in (path, "/deliveries", "/"):
        assert desk.http.get(page).status_code == 200, page
    assert "receivers.json" in said(desk.http.get("/receivers"))
    refused = desk.send()
    assert refused.status_code == 422
    assert "receivers.json" in said(refused)


def test_the_default_receiver_is_the_default_again_after_undo(desk: Desk) -> None:
    desk.add("first", base_url="http://127.0.0.1:9")
    desk.workspace.set_default_receiver("first")
    desk.http.post("/receivers/delete", data={"name": "first"})
    assert desk.workspace.receivers().default == ""
    desk.http.post("/receivers/undo", data={"name": "first"})
    assert desk.workspace.receivers().default == "first"


@pytest.mark.parametrize("key", ["deleted", "saved", "restored"])
def test_an_address_does_not_say_what_is_not_so(desk: Desk, key: str) -> None:
    assert "nobody" not in said(desk.http.get("/receivers", params={key: "nobody"}))


# --- Safety ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example@127.0.0.1"},
        {"Host": "127.0.0.1/evil.example"},
        {"Host": "localhost.evil.example:80"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_page_elsewhere_cannot_make_the_sandbox_send(desk: Desk, headers: dict[str, str]) -> None:
    before = desk.count()
    page = desk.http.post("/send", data=desk.form(), headers=headers)
    assert page.status_code == 403
    assert "Refused" in said(page)
    assert desk.count() == before


def test_a_rebound_name_reads_nothing(desk: Desk) -> None:
    page = desk.http.get("/deliveries", headers={"Host": "rebound.example"})
    assert page.status_code == 403
    assert "<table" not in page.text


def test_our_own_page_and_plain_clients_may_send(desk: Desk) -> None:
    own = {"Origin": desk.served.url, "Sec-Fetch-Site": "same-origin"}
    assert desk.http.post("/send", data=desk.form(), headers=own).status_code == 303
    assert desk.http.post("/send", data=desk.form()).status_code == 303


def test_every_answer_has_the_policy_and_no_page_needs_more(desk: Desk) -> None:
    desk.add("mine", base_url="http://127.0.0.1:9")
    path = desk.sent()
    desk.landed(path)
    nonces = set()
    for page in (
        "/",
        path,
        "/deliveries",
        "/receivers",
        "/receivers/new",
        "/receivers/edit?name=mine",
        "/nowhere",
    ):
        response = desk.http.get(page)
        policy = response.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self';")
        assert "unsafe" not in policy
        nonces.update(re.findall(r"'nonce-([^']+)'", policy))
        assert not re.search(r"<[^>]*\sstyle=", response.text)
        assert not re.search(r"<[^>]*\son\w+=", response.text)
        assert not re.search(r"<script(?! src=)", response.text)
    assert len(nonces) == 7


def test_a_form_that_is_too_large_is_refused(desk: Desk) -> None:
    page = desk.http.post("/compose", data={**desk.form(), "payload": "x" * 33 * 1024 * 1024})
    assert page.status_code == 413
    assert "Too large" in said(page)


def test_a_field_may_be_large(desk: Desk) -> None:
    page = desk.http.post("/compose", data={**desk.form(), "payload": '"' + "x" * 2_000_000 + '"'})
    assert page.status_code == 200


def test_a_form_that_cannot_be_read_is_refused_with_a_page(desk: Desk) -> None:
    page = desk.http.post("/compose", data={f"field{number}": "" for number in range(1001)})
    assert page.status_code == 400
    assert 'href="/receivers"' in page.text


def test_only_a_known_receiver_is_remembered(desk: Desk) -> None:
    page = desk.http.post("/compose", data={**desk.form(), "receiver": "x" * 9000})
    assert "set-cookie" not in page.headers


def test_a_file_whose_name_no_fixture_can_have_is_not_listed(desk: Desk) -> None:
    file = desk.served.workspace / "fixtures/order_cancel/draft/no name.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("{}")
    assert "no name" not in said(desk.http.get("/"))
    file.unlink()


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("guarded"), ["--token", TOKEN]) as served:
        yield served


def test_the_token_is_asked_for(guarded: Served) -> None:
    with httpx.Client(base_url=guarded.url) as http:
        page = http.get("/")
        assert page.status_code == 401
        assert 'type="password"' in page.text
        stylesheet = re.search(r'href="(/static/[^"]+\.css)"', page.text)
        assert stylesheet
        assert http.get(stylesheet[1]).status_code == 200
        assert http.get("/deliveries", headers={"Authorization": "Bearer wrong"}).status_code == 401
        assert http.post("/login", data={"token": "wrong"}).status_code == 401
        assert http.get("/", params={"token": "wrong"}).status_code == 401


@pytest.mark.parametrize("way", ["login", "query", "bearer"])
def test_the_token_opens_in_three_ways(guarded: Served, way: str) -> None:
    with httpx.Client(base_url=guarded.url) as http:
        if way == "login":
            assert http.post("/login", data={"token": TOKEN}).status_code == 303
        elif way == "query":
            moved = http.get("/deliveries", params={"token": TOKEN, "before": "x y"})
            assert moved.headers["location"] == "/deliveries?before=x+y"
        else:
            http.headers["Authorization"] = f"Bearer {TOKEN}"
        assert http.get("/deliveries").status_code == 200


def test_a_token_is_needed_off_loopback(tmp_path: Path) -> None:
    for options in ([], ["--token", "short"]):
        with pytest.raises(AssertionError, match="token"), serving(tmp_path, ["--host", "0.0.0.0", *options]):
            pass


# --- The process -----------------------------------------------------------------------------------------


def test_a_port_in_use_is_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(AssertionError) as refused, serving(tmp_path, ["--port", str(port)]):
            pass
    assert f"cannot serve on 127.0.0.1:{port}: address already in use" in str(refused.value)
    assert "Traceback" not in str(refused.value)
    assert not list(tmp_path.rglob("*.journal"))


def test_ctrl_c_logs_what_is_in_flight_and_folds_the_run(tmp_path: Path) -> None:
    with serving(tmp_path) as served:
        desk = Desk(served)
        with desk.http:
            desk.add("hanging", "/misbehave/hang")
            path = desk.sent(receiver="hanging")
        code, errors = served.interrupt()
    assert (code, errors) == (0, "")
    (run,) = (tmp_path / ".sandbox" / "runs").glob("*.json")
    (delivery,) = json.loads(run.read_text())["deliveries"].values()
    assert path.endswith(delivery["id"])
    assert delivery["fault"]["kind"] == "cancelled"
    assert not list(run.parent.glob("*.journal"))
