"""The browser's pages as an HTTP client has them: a real process, a real port, real files."""

from __future__ import annotations

import html
import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx2 as httpx
import pytest
from tinydb import TinyDB

from retailops_sandbox.model import Basic, Receiver
from tests.support.accepting import accept
from tests.support.compose_client import ComposeClient
from tests.support.pages import hidden, words
from tests.support.recorder import Recorder
from tests.support.serving import Served, serving

URLENCODED = "application/x-www-form-urlencoded"
TOKEN = "a-token-of-some-length"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    # In a folder of its own: what is beside the workspace is looked at, too.
    workspace = tmp_path_factory.mktemp("around") / "workspace"
    workspace.mkdir()
    with serving(workspace) as served:
        yield served


@pytest.fixture
def client(served: Served) -> Iterator[ComposeClient]:
    client = ComposeClient(served)
    (served.workspace / "receivers.json").unlink(missing_ok=True)
    with client.http:
        yield client


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    with Recorder() as recorder:
        yield recorder


# --- Compose and send ------------------------------------------------------------------------------------


def test_the_first_page_has_the_default_fixture_and_says_where_a_send_goes(client: ComposeClient) -> None:
    page = client.http.get("/")
    assert page.status_code == 200
    assert '"order_cancel"' in html.unescape(page.text)
    assert f"{client.served.stand_in}/order_cancel" in page.text
    assert "Fits the contract" in words(page.text)


def test_a_send_leads_to_its_delivery_and_into_the_log(client: ComposeClient) -> None:
    path = client.sent(expectation='{"status": 200, "body": {"events": []}}')
    entry = client.landed(path)
    assert entry.delivery.fixture == "default"
    assert entry.judgement is not None
    page = client.http.get(path)
    assert entry.judgement.verdict in words(page.text)
    assert entry.delivery.id in client.http.get("/deliveries").text


def test_a_double_click_sends_once(client: ComposeClient) -> None:
    before = client.count()
    form = client.form()
    first, second = (client.http.post("/send", data=form).headers["location"] for _ in range(2))
    client.landed(first)
    assert second == f"{first}?sent=before"
    assert client.count() == before + 1


def test_a_form_that_was_refused_can_be_sent_again(client: ComposeClient) -> None:
    form = client.form()
    assert client.http.post("/send", data={**form, "payload": "{"}).status_code == 422
    assert client.http.post("/send", data=form).status_code == 303


def test_a_form_edited_after_back_is_another_delivery(client: ComposeClient) -> None:
    form = client.form()
    first = client.http.post("/send", data=form).headers["location"]
    second = client.http.post("/send", data={**form, "expectation": '{"status": 201}'}).headers["location"]
    assert "sent=before" not in second
    assert second != first


def test_nothing_is_sent_to_a_url_that_was_not_shown(client: ComposeClient, recorder: Recorder) -> None:
    client.add("moving", base_url="http://127.0.0.1:9")
    form = client.filled(receiver="moving")
    client.workspace.save_receiver(Receiver("moving", recorder.url), replaces="moving")
    page = client.http.post("/send", data=form)
    assert page.status_code == 422
    assert f"the URL is {recorder.url}/order_cancel now" in words(page.text)
    assert recorder.requests == []
    path = client.http.post("/send", data={**form, **hidden(page.text)}).headers["location"]
    client.landed(path)
    shown = hidden(client.http.get(path).text)
    client.workspace.save_receiver(Receiver("moving", f"{recorder.url}/elsewhere"), replaces="moving")
    assert client.http.post(f"{path}/again", data=shown).status_code == 422
    assert len(recorder.requests) == 1
    assert f"{recorder.url}/elsewhere/order_cancel" in hidden(client.http.get(path).text)["shown"]


def test_variables_typed_for_a_send_are_in_the_url_that_is_shown(
    client: ComposeClient, recorder: Recorder
) -> None:
    client.add("shops", base_url=recorder.url + "/${shop}?id=${uuid}")
    form = client.filled(receiver="shops", variables='{"shop": "north"}')
    assert form["shown"] == f"{recorder.url}/north/order_cancel?id=${{uuid}}"
    assert client.http.post("/send", data={**form, "variables": '{"shop": "south"}'}).status_code == 422
    client.landed(client.http.post("/send", data=form).headers["location"])
    assert len(recorder.requests) == 1


def test_a_deleted_receiver_is_not_replaced_by_another(client: ComposeClient, recorder: Recorder) -> None:
    client.add("gone", base_url=recorder.url)
    path = client.sent(receiver="gone")
    client.landed(path)
    client.workspace.delete_receiver("gone")
    page = client.http.get(f"/?from={path.rpartition('/')[2]}")
    assert hidden(page.text)["receiver"] == "gone"
    assert "there is no receiver 'gone' any more: choose one" in words(page.text)
    assert "no such receiver" in words(client.http.get(path).text)


def test_the_page_of_a_delivery_names_the_target_of_send_again(
    client: ComposeClient, recorder: Recorder
) -> None:
    client.add("recorder", base_url=recorder.url)
    path = client.sent(**{**client.form("/?edition=v1"), "receiver": "recorder"})
    client.landed(path)
    client.landed(client.sent())
    header = re.search(r'id="header-target".*?</summary>', client.http.get(path).text, re.DOTALL)
    assert header
    assert "<b>recorder</b>" in header[0]
    assert hidden(client.http.get(path).text)["shown"] in header[0]


def test_numbers_go_out_as_they_were_typed(client: ComposeClient, recorder: Recorder) -> None:
    client.add("recorder", base_url=recorder.url)
    typed = client.form()["payload"].replace('"grand_total": 35', '"grand_total": 35.00')
    client.landed(client.sent(payload=typed, receiver="recorder"))
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
    client: ComposeClient, field: str, typed: str, message: str
) -> None:
    before = client.count()
    page = client.send(**{field: typed, "fixture_name": "kept <as> typed"})
    assert page.status_code == 422
    assert message in words(page.text)
    assert 'value="kept &lt;as&gt; typed"' in page.text
    assert field == "receiver" or html.escape(typed, quote=True).replace("&quot;", "&#34;") in page.text
    assert client.count() == before


def test_a_broken_payload_goes_out_when_asked_for(client: ComposeClient, recorder: Recorder) -> None:
    client.add("recorder", base_url=recorder.url)
    client.landed(client.sent(payload='{"not": "json"', off_contract="yes", receiver="recorder"))
    client.landed(client.sent(payload='{"version": 2}', off_contract="yes", receiver="recorder"))
    assert [body for _, body in recorder.requests] == [b'{"not": "json"', b'{"version":2}']


def test_a_script_gets_the_findings_alone(client: ComposeClient) -> None:
    form = {**client.form(), "payload": '{\n "version": "1"}'}
    part = client.http.post("/compose", data=form, headers={"HX-Request": "true", "HX-Target": "findings"})
    assert part.text.lstrip().startswith('<div id="findings"')
    assert "/version" in part.text
    assert 'data-line="2"' in part.text


def test_an_expectation_is_picked(client: ComposeClient) -> None:
    def typed(page: httpx.Response) -> str:
        (found,) = re.findall(r'(?s)<textarea[^>]*? name="expectation".*?>\n(.*?)</textarea>', page.text)
        return found

    page = client.http.post("/compose", data={**client.form(), "do": "pick", "pick": "example"})
    assert "ERR1234" in typed(page)
    page = client.http.post("/compose", data={**client.form(), "do": "pick", "pick": "nothing"})
    assert "ERR1234" not in typed(page)


@pytest.mark.parametrize("name", ["../../evil", "", "a/b", ".hidden"])
def test_a_fixture_is_saved_nowhere_else(client: ComposeClient, name: str) -> None:
    page = client.http.post("/compose", data={**client.form(), "do": "save", "save_as": name})
    assert "cannot be a fixture's name" in words(page.text)
    assert not list(client.served.workspace.parent.rglob("evil*"))


@pytest.mark.parametrize("do", ["save", "undo", "restore"])
@pytest.mark.parametrize("field", ["action", "edition"])
def test_a_form_names_no_folder_outside_the_workspace(client: ComposeClient, do: str, field: str) -> None:
    outside = client.served.workspace.parent
    kept = outside / "kept" / "draft" / "default.json"
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text("{}")

    def files() -> dict[Path, int]:
        """All that is there, but for the log, whose index is brought up to date meanwhile."""
        found = (path for path in outside.rglob("*") if ".sandbox" not in path.parts)
        return {path: path.stat().st_mtime_ns for path in found}

    before = files()
    for escaped in ("../../../escaped", "../../../kept"):
        form = {**client.form(), field: escaped, "do": do, "undo": "{}", "save_as": "default"}
        assert client.http.post("/compose", data=form).status_code == 400
    assert files() == before


# --- A delivery ------------------------------------------------------------------------------------------


def test_a_delivery_in_flight_refreshes_itself_and_can_be_cancelled(client: ComposeClient) -> None:
    client.add("hanging", "/misbehave/hang")
    path = client.sent(receiver="hanging")
    page = client.http.get(path)
    assert "in flight" in words(page.text)
    assert '<noscript><meta http-equiv="refresh"' in page.text
    assert "in flight" in words(client.http.get("/deliveries").text)
    assert client.http.post(f"{path}/cancel").status_code == 303
    fault = client.landed(path).delivery.fault
    assert fault is not None
    assert fault.kind == "cancelled"
    page = client.http.get(path)
    assert "http-equiv" not in page.text
    assert "cancelled" in words(page.text)


def test_two_deliveries_are_in_flight_at_once(client: ComposeClient) -> None:
    client.add("hanging", "/misbehave/hang")
    slow = client.sent(receiver="hanging")
    quick = client.landed(client.sent())
    assert quick.delivery.fault is None
    assert "in flight" in words(client.http.get(slow).text)
    client.http.post(f"{slow}/cancel")


def test_what_was_accepted_is_expected_from_then_on(client: ComposeClient, recorder: Recorder) -> None:
    client.add("recorder", base_url=recorder.url)
    path = client.sent(receiver="recorder", expectation='{"status": 418}')
    entry = client.landed(path)
    assert entry.judgement is not None
    assert entry.judgement.verdict == "failed"
    accept(client.http, path)
    page = client.http.get(path)
    judgements = client.landed(path).judgements
    assert [each.verdict for each in judgements] == ["failed", "passed"]
    assert page.text.count("<li><details>") == 2
    again = client.again(path).headers["location"]
    repeated = client.landed(again)
    assert repeated.delivery.parent == path.rpartition("/")[2]
    assert repeated.judgement is not None
    assert repeated.judgement.verdict == "passed"
    assert '"status": 200' in html.unescape(client.http.get(f"/?from={repeated.delivery.id}").text)


def test_a_secret_that_was_struck_out_is_not_sent_as_its_mark(
    client: ComposeClient, recorder: Recorder
) -> None:
    client.add("recorder", base_url=recorder.url, token="typed-by-hand")
    form = client.form("/?edition=v1")
    payload = '{"integration_auth_token": "typed-by-hand",' + form["payload"].lstrip()[1:]
    path = client.sent(**{**form, "payload": payload, "receiver": "recorder"})
    client.landed(path)
    assert b"typed-by-hand" in recorder.requests[0][1]
    again = client.again(path)
    assert again.status_code == 422
    assert "was struck out of the log" in words(again.text)
    edited = client.form(f"/?from={path.rpartition('/')[2]}")
    assert "was struck out of the log" in words(client.send(**{**edited, "receiver": "recorder"}).text)
    assert len(recorder.requests) == 1


def test_a_delivery_is_judged_again_without_sending(client: ComposeClient, recorder: Recorder) -> None:
    client.add("recorder", base_url=recorder.url)
    path = client.sent(receiver="recorder")
    client.landed(path)
    page = client.http.post(f"{path}/judge", data={"expectation": "{"})
    assert page.status_code == 422
    assert "expectation-error" in page.text
    assert client.http.post(f"{path}/judge", data={"expectation": '{"status": 201}'}).status_code == 303
    judgement = client.landed(path).judgement
    assert judgement is not None
    assert judgement.verdict == "failed"
    assert len(recorder.requests) == 1


def test_what_a_receiver_answers_is_never_markup(client: ComposeClient, recorder: Recorder) -> None:
    client.add("recorder", base_url=recorder.url)
    recorder.answer = b'<script>alert(1)</script>"><img src=x>'
    recorder.content_type = "text/html"
    path = client.sent(receiver="recorder")
    client.landed(path)
    page = client.http.get(path).text
    assert "<script>alert" not in page
    assert "<img" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_what_a_receiver_answers_cannot_lead_a_reader_astray(
    client: ComposeClient, recorder: Recorder
) -> None:
    client.add("recorder", base_url=recorder.url)
    recorder.answer = "a\u202eb\x1b[2Jc\u0085\td".encode()
    recorder.content_type = "text/plain"
    path = client.sent(receiver="recorder")
    client.landed(path)
    page = client.http.get(path).text
    assert "a\\u202eb\\u001b[2Jc\\u0085\td" in page
    assert not re.search("[\u202e\x1b\u0085]", page)


def test_a_large_body_is_shown_in_part_and_is_there_as_text(
    client: ComposeClient, recorder: Recorder
) -> None:
    client.add("recorder", base_url=recorder.url)
    recorder.answer = b"<script>" + b"x" * 400_000
    path = client.sent(receiver="recorder")
    client.landed(path)
    page = client.http.get(path)
    assert len(page.text) < 150_000
    assert f'href="{path}/response"' in page.text
    whole = client.http.get(f"{path}/response")
    assert whole.content == recorder.answer
    assert whole.headers["content-type"] == "text/plain; charset=utf-8"
    assert whole.headers["x-content-type-options"] == "nosniff"
    assert whole.headers["content-security-policy"].startswith("default-src 'none'")
    assert '"order_cancel"' in client.http.get(f"{path}/request").text
    in_place = client.http.get(f"{path}/response/shown").text
    assert html.escape(recorder.answer.decode()) in in_place
    assert "<html" not in in_place
    assert client.http.get(f"{path}/nothing/shown").status_code == 404


def test_what_answers_to_forms_leads_back_to_a_page(client: ComposeClient) -> None:
    path = client.sent()
    client.landed(path)
    places = {"/send": "/", "/compose": "/", "/theme": "/", "/stand-in/reset": "/receivers"}
    places |= {"/receivers/save": "/receivers", f"{path}/again": path, f"{path}/judge": path}
    for address, place in places.items():
        assert client.http.get(address).headers["location"] == place


@pytest.mark.parametrize("referer", ["http://[x", "http://x//evil.example"])
def test_the_theme_leads_back_to_this_sandbox(client: ComposeClient, referer: str) -> None:
    answer = client.http.post("/theme", data={"theme": "dark"}, headers={"Referer": referer})
    assert answer.status_code == 303
    assert answer.headers["location"] in ("/", "/evil.example")


def test_an_unknown_delivery_is_a_page_that_says_so(client: ComposeClient) -> None:
    assert client.http.post("/deliveries/nothing/cancel").status_code == 404
    for path in ("/deliveries/nothing", "/deliveries?before=nothing", "/nowhere"):
        page = client.http.get(path)
        assert page.status_code == 404
        assert "There is nothing here" in words(page.text)
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
    client: ComposeClient, fields: dict[str, str], field: str, message: str
) -> None:
    page = client.http.post("/receivers/save", data={**RECEIVER, **fields})
    assert page.status_code == 422
    error = re.search(rf'id="{field}-error">(.*?)</p>', page.text, re.DOTALL)
    assert error
    assert message in html.unescape(error[1])
    assert page.text.count('class="field-error"') == 1
    for typed in fields.values():
        assert html.escape(typed) in page.text
    assert not (client.served.workspace / "receivers.json").exists()


def test_a_typed_secret_is_sent_but_written_nowhere(client: ComposeClient, recorder: Recorder) -> None:
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
    assert client.http.post("/receivers/save", data=fields).status_code == 303
    assert client.workspace.receivers().named("secretive").auth == Basic("me", "${env:SHOP_PASSWORD}")
    path = client.sent(receiver="secretive")
    client.landed(path)
    assert "Basic " in recorder.requests[0][0]["Authorization"]
    assert secret not in client.http.get(path).text
    for file in client.served.workspace.rglob("*"):
        assert file.is_dir() or secret.encode() not in file.read_bytes(), file


def test_a_secret_typed_for_one_receiver_is_struck_out_of_the_log_of_another(
    client: ComposeClient, recorder: Recorder
) -> None:
    fields = {**RECEIVER, "auth": "bearer", "bearer": "hunter3-hunter3", "bearer_env": "SHOP_BEARER"}
    assert client.http.post("/receivers/save", data=fields).status_code == 303
    client.add("other", base_url=recorder.url)
    payload = client.form()["payload"].replace("Will Call", "hunter3-hunter3")
    path = client.sent(receiver="other", payload=payload)
    assert "hunter3" not in client.landed(path).delivery.request.body
    assert b"hunter3-hunter3" in recorder.requests[0][1]


def test_a_receiver_is_added_edited_deleted_and_brought_back(client: ComposeClient) -> None:
    client.http.post(
        "/receivers/save", data={**RECEIVER, "headers": "X-Shop: 12\nX-Till: 3", "default": "yes"}
    )
    assert client.workspace.receivers().named("mine").headers == {"X-Shop": "12", "X-Till": "3"}
    assert client.workspace.receivers().default == "mine"
    page = client.http.get("/receivers/edit", params={"name": "mine"})
    assert "X-Till: 3" in page.text
    client.http.post(
        "/receivers/save", data={**RECEIVER, "name": "ours", "replaces": "mine", "protected": "yes"}
    )
    assert [each.name for each in client.workspace.receivers().receivers] == ["ours"]
    deleted = client.http.post("/receivers/delete", data={"name": "ours"}, follow_redirects=True)
    assert client.workspace.receivers().receivers == ()
    assert "Undo" in words(deleted.text)
    client.http.post("/receivers/undo", data={"name": "ours"})
    assert client.workspace.receivers().named("ours").protected


def test_a_protected_receiver_needs_a_yes_for_each_send(client: ComposeClient, recorder: Recorder) -> None:
    client.add("live", base_url=recorder.url, protected=True)
    client.add("other", base_url=recorder.url, protected=True)
    assert "live is protected" in words(client.send(receiver="live").text)
    assert "live is protected" in words(client.send(receiver="live", confirmed="other").text)
    path = client.sent(receiver="live", confirmed="live")
    client.landed(path)
    again = client.again(path)
    assert again.status_code == 422
    assert len(recorder.requests) == 1


def test_the_stand_in_forgets_when_told_to(client: ComposeClient) -> None:
    bodies = []
    for _ in range(2):
        bodies.append(client.landed(client.sent()).delivery.response)
        assert client.http.post("/stand-in/reset").headers["location"] == "/receivers?reset=1"
    assert all(each is not None and each.status == 200 for each in bodies)


def test_a_broken_receivers_file_leaves_the_log_readable(client: ComposeClient) -> None:
    path = client.sent()
    client.landed(path)
    (client.served.workspace / "receivers.json").write_text("{")
    for page in (path, "/deliveries", "/"):
        assert client.http.get(page).status_code == 200, page
    assert "receivers.json" in words(client.http.get("/receivers").text)
    refused = client.send()
    assert refused.status_code == 422
    assert "receivers.json" in words(refused.text)


def test_the_default_receiver_is_the_default_again_after_undo(client: ComposeClient) -> None:
    client.workspace.save_receiver(Receiver("first", "http://127.0.0.1:9"), is_default=True)
    client.http.post("/receivers/delete", data={"name": "first"})
    assert client.workspace.receivers().default == ""
    client.http.post("/receivers/undo", data={"name": "first"})
    assert client.workspace.receivers().default == "first"


@pytest.mark.parametrize("key", ["deleted", "saved", "restored"])
def test_an_address_does_not_say_what_is_not_so(client: ComposeClient, key: str) -> None:
    assert "nobody" not in words(client.http.get("/receivers", params={key: "nobody"}).text)


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
def test_a_page_elsewhere_cannot_make_the_sandbox_send(
    client: ComposeClient, headers: dict[str, str]
) -> None:
    before = client.count()
    page = client.http.post("/send", data=client.form(), headers=headers)
    assert page.status_code == 403
    assert "Refused" in words(page.text)
    assert client.count() == before


def test_a_rebound_name_reads_nothing(client: ComposeClient) -> None:
    page = client.http.get("/deliveries", headers={"Host": "rebound.example"})
    assert page.status_code == 403
    assert "<table" not in page.text.partition("</main>")[0]


def test_our_own_page_and_plain_clients_may_send(client: ComposeClient) -> None:
    own = {"Origin": client.served.url, "Sec-Fetch-Site": "same-origin"}
    assert client.http.post("/send", data=client.form(), headers=own).status_code == 303
    assert client.http.post("/send", data=client.form()).status_code == 303


def test_every_answer_has_the_policy_and_no_page_needs_more(client: ComposeClient) -> None:
    client.add("mine", base_url="http://127.0.0.1:9")
    path = client.sent()
    client.landed(path)
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
        response = client.http.get(page)
        policy = response.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self';")
        assert "unsafe" not in policy
        nonces.update(re.findall(r"'nonce-([^']+)'", policy))
        assert not re.search(r"<[^>]*\sstyle=", response.text)
        assert not re.search(r"<[^>]*\son\w+=", response.text)
        assert not re.search(r"<script(?! src=)", response.text)
    assert len(nonces) == 7


def test_a_form_that_is_too_large_is_refused(client: ComposeClient) -> None:
    page = client.http.post("/compose", data={**client.form(), "payload": "x" * 33 * 1024 * 1024})
    assert page.status_code == 413
    assert "Too large" in words(page.text)


def test_a_field_may_be_large(client: ComposeClient) -> None:
    page = client.http.post("/compose", data={**client.form(), "payload": '"' + "x" * 2_000_000 + '"'})
    assert page.status_code == 200


def test_a_form_that_cannot_be_read_is_refused_with_a_page(client: ComposeClient) -> None:
    page = client.http.post("/compose", data={f"field{number}": "" for number in range(1001)})
    assert page.status_code == 400
    assert 'href="/receivers"' in page.text


def test_only_a_known_receiver_is_remembered(client: ComposeClient) -> None:
    page = client.http.post("/compose", data={**client.form(), "receiver": "x" * 9000})
    assert "set-cookie" not in page.headers


def test_a_file_whose_name_no_fixture_can_have_is_not_listed(client: ComposeClient) -> None:
    file = client.served.workspace / "fixtures/order_cancel/draft/no name.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("{}")
    assert "no name" not in words(client.http.get("/").text)
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


@pytest.fixture(scope="module")
def damaged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Path]]:
    """A guarded sandbox with a damaged run file."""
    damaged = tmp_path_factory.mktemp("damaged") / ".sandbox" / "runs" / "20260101T000000Z-aaaaaa.json"
    damaged.parent.mkdir(parents=True)
    damaged.write_text("{")
    with serving(damaged.parents[2], ["--token", TOKEN]) as served:
        yield served, damaged


@pytest.mark.parametrize("path", ["/loginx", "/login/x", "/static/nothing", "/nothing", "/login"])
def test_strangers_are_told_of_no_file(damaged: tuple[Served, Path], path: str) -> None:
    served, file = damaged
    large = {"content": b"token=" + b"x" * 40_000_000, "headers": {"Content-Type": URLENCODED}}
    with httpx.Client(base_url=served.url, params={"from": file.stem}) as http:
        for answer in (http.get(path), http.post(path), http.post(path, **large)):
            assert str(served.workspace) not in answer.text
            assert file.stem not in answer.text
            assert answer.status_code != 200


def test_tokens_are_not_guessed_without_end(tmp_path: Path) -> None:
    with serving(tmp_path, ["--token", TOKEN]) as served, httpx.Client(base_url=served.url) as http:
        codes = [http.post("/login", data={"token": f"guess {number}"}).status_code for number in range(25)]
        assert codes[0] == 401
        assert codes[-1] == 429
        for ask in (
            lambda: http.post("/login", data={"token": TOKEN}),
            lambda: http.get("/login", params={"token": TOKEN}),
            lambda: http.get("/", headers={"Authorization": f"Bearer {TOKEN}"}),
        ):
            answer = ask()
            assert answer.status_code == 429
            assert "Too many wrong tokens" in words(answer.text)
        stylesheet = re.search(r'href="(/static/[^"]+\.css)"', answer.text)
        assert stylesheet
        for query in ({}, {"token": TOKEN}):
            style = http.get(stylesheet[1], params=query)
            assert (style.status_code, style.headers.get("set-cookie")) == (200, None)


def test_the_health_check_needs_no_token_and_tells_nothing_else(guarded: Served) -> None:
    with httpx.Client(base_url=guarded.url, params={"token": TOKEN}) as http:
        answer = http.get("/healthz", headers={"Authorization": "Bearer wrong"})
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
        assert "set-cookie" not in answer.headers
        assert http.post("/healthz").status_code in (303, 405)
        assert http.get("/healthz", headers={"Host": "shop.example"}).status_code == 200


def test_a_token_is_needed_off_loopback_and_long_everywhere(tmp_path: Path) -> None:
    everywhere = ["--host", "0.0.0.0"]
    for options in (everywhere, [*everywhere, "--token", "short"], ["--token", "fifteen-letters"]):
        with pytest.raises(AssertionError, match="token"), serving(tmp_path, options):
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
        client = ComposeClient(served)
        with client.http:
            client.add("hanging", "/misbehave/hang")
            path = client.sent(receiver="hanging")
        code, errors = served.interrupt()
    assert (code, errors) == (0, "")
    (run,) = (tmp_path / ".sandbox" / "runs").glob("*.json")
    (delivery,) = json.loads(run.read_text())["deliveries"].values()
    assert path.endswith(delivery["id"])
    assert delivery["fault"]["kind"] == "cancelled"
    assert not list(run.parent.glob("*.journal"))


def test_tinydb_opens_the_run_that_goes_on_and_what_it_inserts_stays(tmp_path: Path) -> None:
    with serving(tmp_path) as served:
        client = ComposeClient(served)
        client.add("shop", "")
        first = client.landed(client.sent(receiver="shop")).delivery
        run_file = client.workspace.runs_dir / f"{first.run}.json"
        with TinyDB(run_file) as database:
            assert database.tables() == {"run", "deliveries", "judgements", "results"}
            assert [run["id"] for run in database.table("run")] == [first.run]
            database.table("notes").insert({"note": "looked at"})
        second = client.landed(client.sent(receiver="shop")).delivery
        assert "2 deliveries" in words(client.http.get("/deliveries").text)
        client.http.close()
        assert served.interrupt() == (0, "")
    with TinyDB(run_file) as database:
        assert [each["id"] for each in database.table("deliveries")] == [first.id, second.id]
        assert database.table("notes").all() == [{"note": "looked at"}]


@pytest.mark.parametrize("path", ["/compose", "/send"])
@pytest.mark.parametrize("field", ["payload", "expectation", "variables"])
def test_more_than_the_page_can_work_on_is_refused_in_words(client: ComposeClient, path: str, field: str):
    form = {**client.form(), field: " " * 4_000_000 + "{}"}
    answer = client.http.post(path, data=form)
    assert answer.status_code == 413
    assert "This page takes up to 4,000,000 characters. Go back: what you typed is still there." in words(
        answer.text
    )


def test_a_pasted_text_may_be_larger(client: ComposeClient):
    form = {**client.form(), "import_text": " " * 4_000_000 + "no request", "do": "import"}
    answer = client.http.post("/compose", data=form)
    assert answer.status_code == 200
    assert "no request" in answer.text


def test_a_form_that_is_too_large_anywhere_else_is_refused_in_words(client: ComposeClient):
    answer = client.http.post("/theme", data={"theme": "x" * 9_000_000})
    assert answer.status_code == 413
    assert "A form may have up to 8 MB." in words(answer.text)
