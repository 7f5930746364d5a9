"""The payload's panel over HTTP: the form without a script, the request as it would be sent, the weight."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

import httpx2 as httpx
import pytest

from retailops_sandbox.model import Basic
from tests.support.compose_client import ComposeClient
from tests.support.recorder import Recorder
from tests.support.serving import Served, serving

FORM = {"view": "form"}
TOTAL = "json:/data/order/grand_total"
HEAVIEST = 250_000


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("workspace"), API_KEY="key-0123456789") as served:
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


def raw_text(page: str) -> str:
    found = re.search(r'<textarea id="payload".*?>\n(.*?)</textarea>', page, re.DOTALL)
    assert found is not None
    return html.unescape(found[1])


def change(client: ComposeClient, do: str, **fields: str) -> str:
    """Press a button of the payload's panel."""
    answer = client.http.post("/compose", data={**client.form(), **fields, "do": do})
    assert answer.status_code == 200
    return answer.text


# --- the form, without a script ---


def test_what_is_typed_into_the_form_is_in_the_raw_text_and_is_sent(
    client: ComposeClient, recorder: Recorder
) -> None:
    before = client.form()["payload"]
    page = change(client, "view:raw", view="form", **{TOTAL: "35.00"})
    assert raw_text(page) == before.replace('"grand_total": 35,', '"grand_total": 35.00,')
    receiver = client.add("own", base_url=recorder.url)
    client.landed(client.sent(receiver=receiver, view="form", **{TOTAL: "35.00"}))
    assert b'"grand_total":35.00' in recorder.requests[0][1]


def test_inputs_of_a_form_that_is_not_shown_change_nothing(client: ComposeClient) -> None:
    assert raw_text(change(client, "show", view="raw", **{TOTAL: "7"})) == client.form()["payload"]


def test_the_view_is_remembered_and_an_unknown_one_is_none(client: ComposeClient) -> None:
    assert 'id="form-view"' not in client.http.get("/").text
    change(client, "view:form")
    assert 'id="form-view"' in client.http.get("/").text
    assert 'id="form-view"' not in change(client, "show", view="elsewhere")
    assert 'id="form-view"' in client.http.get("/").text
    change(client, "view:raw")
    assert 'id="form-view"' not in client.http.get("/").text


def test_entries_come_and_go_and_the_fixture_comes_back(client: ComposeClient) -> None:
    place = "/data/order/unshipped_items_ref"
    page = change(client, f"add:{place}", **FORM)
    assert raw_text(page).count("496") == client.form()["payload"].count("496") + 1
    assert f'value="reset:{place}"' in page
    longer = raw_text(page)
    page = change(client, f"reset:{place}", payload=longer, **FORM)
    assert raw_text(page) == client.form()["payload"]


def test_a_button_that_comes_too_late_says_so_and_changes_nothing(client: ComposeClient) -> None:
    page = change(client, "remove:/nothing", **FORM)
    assert "/nothing was left as it is" in page
    assert raw_text(page) == client.form()["payload"]


def test_broken_json_stays_and_the_form_says_where(client: ComposeClient) -> None:
    page = change(client, "view:form", payload='{"version": 1')
    assert "The raw text is not JSON: line 1, column 14" in page
    assert re.search(r'<fieldset[^>]* id="form-view"[^>]* disabled', page)
    assert raw_text(page) == '{"version": 1'


def test_a_value_that_is_markup_is_only_text(client: ComposeClient) -> None:
    payload = '{"<b>\\"x": "</textarea><script>", "a b": {"</fieldset>": 1}}'
    for view in ("view:form", "view:sent"):
        page = change(client, view, payload=payload)
        assert "<script>" not in page.replace('<script src="', "")
        assert raw_text(page) == payload


# --- as it would be sent ---


def test_it_is_shown_as_it_is_received(client: ComposeClient, recorder: Recorder) -> None:
    receiver = client.add(
        "own", base_url=f"{recorder.url}/api?x=1", headers={"X-Shop": "${shop}"}, variables={"shop": "12"}
    )
    payload = client.form()["payload"].replace('"4897"', '"${order}"').replace("35", "35.00", 1)
    typed = {"receiver": receiver, "payload": payload, "variables": '{"order": "A 1"}', "off_contract": "yes"}
    page = change(client, "view:sent", **typed)
    client.landed(client.sent(**typed))
    ((headers, body),) = recorder.requests
    head, wire = (
        html.unescape(text) for text in re.findall(r'<pre class="wire-text.*?>(.*?)</pre>', page, re.DOTALL)
    )
    lines = head.strip().split("\n")
    assert lines[0] == "POST /api/order_cancel?x=1 HTTP/1.1"
    assert dict(line.split(": ", 1) for line in lines[1:]) == headers
    assert wire.encode() == body
    assert '"id":"A 1"' in wire


def test_secrets_are_struck_out_of_it(client: ComposeClient) -> None:
    receiver = client.add(
        "own", auth=Basic("u", "password-123"), headers={"X-Key": "${env:API_KEY}"}, token="token-4567"
    )
    form = {**client.form("/?edition=v1"), "receiver": receiver, "do": "view:sent"}
    page = client.http.post("/compose", data=form).text
    assert "«redacted:API_KEY»" in page
    assert '"integration_auth_token":"«redacted:' in html.unescape(page)
    for secret in ("password-123", "dTpwYXNzd29yZC0xMjM=", "key-0123456789", "token-4567"):
        assert secret not in page


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"payload": '{"a": "${nobody}"}'}, "unknown placeholder ${nobody}"),
        ({"variables": "[1]"}, "is not a JSON object"),
        ({"receiver": "gone"}, "gone"),
    ],
)
def test_what_keeps_it_from_being_sent_is_told(
    client: ComposeClient, typed: dict[str, str], said: str
) -> None:
    page = html.unescape(change(client, "view:sent", **typed))
    assert re.search(f"Nothing would be sent: .*{re.escape(said)}", page)


def test_a_protected_receiver_is_not_asked_for_a_yes_to_show_it(
    client: ComposeClient, recorder: Recorder
) -> None:
    receiver = client.add("live", base_url=recorder.url, protected=True)
    assert "POST /order_cancel HTTP/1.1" in change(client, "view:sent", receiver=receiver)
    assert recorder.requests == []


# --- sent off contract ---


def test_the_log_remembers_what_was_sent_off_contract(client: ComposeClient) -> None:
    badge = 'title="It was sent although it breaks the contract"'
    good = client.sent(off_contract="yes")
    client.landed(good)
    assert badge not in client.http.get(good).text
    for payload in ('{"version": "1"}', "no JSON"):
        path = client.sent(payload=payload, off_contract="yes")
        client.landed(path)
        assert badge in client.http.get(path).text
    rows = client.http.get("/deliveries").text.split('<tr id="row-')[1:]
    assert [badge in row for row in rows[:3]] == [True, True, False]


# --- weight ---


def test_the_page_with_all_it_loads_is_light_and_is_loaded_once(client: ComposeClient) -> None:
    weight, assets = 0, []
    with client.http.stream("GET", "/", headers={"Accept-Encoding": "gzip"}) as answer:
        assert answer.headers["content-encoding"] == "gzip"
        packed = b"".join(answer.iter_raw())
    weight += len(packed)
    for path in re.findall(r'(?:href|src)="(/static/[^"]+)"', client.http.get("/").text):
        with client.http.stream("GET", path, headers={"Accept-Encoding": "gzip"}) as answer:
            assert answer.headers["content-encoding"] == "gzip"
            assert "immutable" in answer.headers["cache-control"]
            assert "max-age=31536000" in answer.headers["cache-control"]
            weight += sum(map(len, answer.iter_raw()))
        assets.append(path)
    assert len(assets) == 3
    assert weight < HEAVIEST


def test_only_the_compose_page_loads_the_editor(client: ComposeClient) -> None:
    pages = {path: client.http.get(path).text for path in ("/", "/deliveries", "/scenarios", "/receivers")}
    assert [path for path, page in pages.items() if "/static/compose-" in page] == ["/"]


def test_events_are_not_held_back_by_compression(client: ComposeClient) -> None:
    path = client.sent()
    with client.http.stream("GET", f"{path}/events", headers={"Accept-Encoding": "gzip"}) as answer:
        assert "content-encoding" not in answer.headers
        assert "event: finished" in list(answer.iter_lines())


def test_whoever_takes_no_compression_gets_none(served: Served) -> None:
    answer = httpx.get(served.url, headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in answer.headers
    assert "Workbench" in answer.text
