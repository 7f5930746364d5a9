"""The receivers' pages over real HTTP: connections checked, what a receiver needs, copies, a pasted URL."""

from __future__ import annotations

import html
import re
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest

from retailops_sandbox.model import Basic, Bearer, Receiver
from retailops_sandbox.workspace.workspace import Workspace
from tests.support.authority import Authority
from tests.support.pages import hidden, words
from tests.support.receivers import Peer, answering, receiver, response, unused_port
from tests.support.serving import Served, serving

SECRET = "hunter2-hunter2"
OK = answering(response(b"{}"))
FIELDS = {
    "replaces": "",
    "name": "mine",
    "base_url": "http://127.0.0.1:1",
    "auth": "",
    "verify": "yes",
    "timeout_ms": "15000",
    "connect_timeout_ms": "5000",
}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    environment = {"SHOP_TOKEN": SECRET, "SHOP_EMPTY": "", "SHOP_HOST": "127.0.0.1"}
    with serving(tmp_path_factory.mktemp("workspace"), **environment) as served:
        yield served


@pytest.fixture
def workspace(served: Served) -> Workspace:
    (served.workspace / "receivers.json").unlink(missing_ok=True)
    return Workspace(served.workspace)


@pytest.fixture
def http(served: Served, workspace: Workspace) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=served.url, timeout=60) as http:
        yield http


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def connection(page: str) -> str:
    """What a page says about the connection to a receiver."""
    told = [
        words(each)
        for each in re.findall(
            r'<div id="connection-check[^"]*".*?</div>\s*(?=</td>|<div class="row|$)', page, re.DOTALL
        )
    ]
    (only,) = [each for each in told if each]
    return only


def requirements(page: str) -> list[str]:
    """The environment variables that a page lists, each with its state and uses."""
    lists = re.findall(r'<ul class="env-requirements">(.*?)</ul>', page, re.DOTALL)
    return [words(item) for each in lists for item in re.findall(r"<li>(.*?)</li>", each, re.DOTALL)]


# --- The connection to a receiver --------------------------------------------------------------------


def test_a_listed_receiver_is_checked_without_a_request(http: httpx2.Client, workspace: Workspace) -> None:
    with receiver(OK) as there:
        workspace.save_receiver(Receiver("mine", there.url, protected=True, token="${env:NOT_SET}"))
        page = http.post("/receivers/check", data={"name": "mine"})
    assert page.status_code == 200
    assert connection(page.text).startswith("✓ Can be reached Nothing was sent.")
    assert f"port {there.port} accepts connections" in connection(page.text)
    assert there.requests == []


def test_a_script_gets_the_way_alone(http: httpx2.Client, workspace: Workspace) -> None:
    with receiver(OK) as there:
        workspace.save_receiver(Receiver("mine", there.url))
        (target,) = re.findall(r'hx-target="#(connection-check-6d696e65)"', http.get("/receivers").text)
        part = http.post("/receivers/check", data={"name": "mine"}, headers={"HX-Target": target}).text
    assert part.startswith(f'<div id="{target}"')
    assert "Can be reached" in part


def test_the_stand_in_can_be_checked(http: httpx2.Client) -> None:
    assert "Can be reached" in connection(http.post("/receivers/check", data={"name": "stand-in"}).text)


def test_a_certificate_is_shown_with_its_end(
    http: httpx2.Client, workspace: Workspace, authority: Authority
) -> None:
    expires = datetime.now(UTC) + timedelta(days=12, hours=1)
    with receiver(OK, tls=authority.server(expires=expires)) as there:
        workspace.save_receiver(Receiver("mine", there.url, ca_file=authority.file))
        told = connection(http.post("/receivers/check", data={"name": "mine"}).text)
    assert f"signed by the authorities in {authority.file}" in told
    assert "The shop" in told
    assert "Our own authority" in told
    assert f"Expires {expires:%Y-%m-%d} ! in 12 days" in told
    assert there.requests == []


def test_a_certificate_that_is_not_trusted_is_shown(
    http: httpx2.Client, workspace: Workspace, authority: Authority
) -> None:
    expired = datetime.now(UTC) - timedelta(days=3, hours=1)
    with receiver(OK, tls=authority.server(expires=expired)) as there:
        workspace.save_receiver(Receiver("mine", there.url, ca_file=authority.file))
        told = connection(http.post("/receivers/check", data={"name": "mine"}).text)
        workspace.save_receiver(Receiver("lax", there.url, verify=False))
        lax = connection(http.post("/receivers/check", data={"name": "lax"}).text)
    assert "! Cannot be reached" in told
    assert "! tls" in told
    assert "expired 3 days ago" in told
    assert "not verified: the receiver's settings say so" in lax
    assert "expired 3 days ago" in lax
    assert there.requests == []


def test_a_fault_has_the_words_that_a_send_would_have(http: httpx2.Client, workspace: Workspace) -> None:
    port = unused_port()
    workspace.save_receiver(Receiver("mine", f"http://127.0.0.1:{port}"))
    told = connection(http.post("/receivers/check", data={"name": "mine"}).text)
    assert told.endswith(f"! refused nothing listens on 127.0.0.1:{port}: is the receiver running?")


def test_a_receiver_that_cannot_be_called_is_one_line(http: httpx2.Client, workspace: Workspace) -> None:
    workspace.save_receiver(Receiver("mine", "http://${env:SHOP_NOWHERE}/"))
    told = connection(http.post("/receivers/check", data={"name": "mine"}).text)
    assert "the environment variable SHOP_NOWHERE is not set" in told


def test_what_is_typed_is_checked_before_it_is_saved(http: httpx2.Client, workspace: Workspace) -> None:
    with receiver(OK) as there:
        fields = {**FIELDS, "name": "", "base_url": there.url.replace("127.0.0.1", "${env:SHOP_HOST}")}
        page = http.post("/receivers/try", data=fields)
        part = http.post("/receivers/try", data=fields, headers={"HX-Target": "connection-check"})
    for answer in (page, part):
        assert answer.status_code == 200
        assert "Can be reached" in answer.text
        assert "accepts connections" in answer.text
    assert 'value="http://${env:SHOP_HOST}' in page.text
    assert part.text.startswith('<div id="connection-check"')
    assert there.requests == []
    assert workspace.receivers().receivers == ()


def test_a_check_under_way_does_not_hold_up_the_end(tmp_path: Path) -> None:
    answers: list[httpx2.Response] = []
    with receiver(Peer.hang) as there, serving(tmp_path) as served:
        url = there.url.replace("http:", "https:")
        Workspace(tmp_path).save_receiver(Receiver("mine", url, connect_timeout_ms=60_000))

        def check() -> None:
            answers.append(httpx2.post(f"{served.url}/receivers/check", data={"name": "mine"}, timeout=60))

        waiting = threading.Thread(target=check)
        waiting.start()
        while not there.connections:
            time.sleep(0.01)
        assert served.interrupt() == (0, "")
        waiting.join()
    assert "! cancelled cancelled: the sandbox is closing" in connection(answers[0].text)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"base_url": ""}, "where is it?"),
        ({"base_url": "shop"}, "http://"),
        ({"timeout_ms": "x"}, "whole number"),
    ],
)
def test_what_cannot_be_called_is_not_tried(http: httpx2.Client, fields: dict[str, str], said: str) -> None:
    page = http.post("/receivers/try", data={**FIELDS, **fields})
    assert said in page.text
    assert "Cannot be reached" in page.text


def test_the_addresses_of_forms_lead_to_the_list(http: httpx2.Client) -> None:
    for path in ("check", "try", "needs"):
        assert http.get(f"/receivers/{path}").headers["location"] == "/receivers"


# --- What it needs -----------------------------------------------------------------------------------


def full() -> Receiver:
    return Receiver(
        "mine",
        "http://${env:SHOP_HOST}:1",
        auth=Basic("me", "${env:SHOP_TOKEN}"),
        token="${env:SHOP_TOKEN}",
        headers={"X-Key": "Key ${env:SHOP_KEY}"},
        variables={"pin": ["${env:SHOP_EMPTY}"]},
        secret_env=("SHOP_OTHER",),
    )


def test_what_a_receiver_needs_is_listed_and_never_its_value(
    http: httpx2.Client, workspace: Workspace
) -> None:
    workspace.save_receiver(full())
    for path in ("/receivers", "/receivers/edit?name=mine"):
        page = http.get(path).text
        assert requirements(page) == [
            "SHOP_HOST ✓ set base URL",
            "SHOP_KEY ! not set header X-Key",
            "SHOP_TOKEN ✓ set authentication, integration_auth_token",
            "SHOP_EMPTY ! set, and empty variables",
            "SHOP_OTHER ! not set secret in payloads",
        ]
        assert SECRET not in page


def test_what_is_typed_in_is_told_as_typed(http: httpx2.Client, workspace: Workspace) -> None:
    fields = {**FIELDS, "auth": "bearer", "bearer": "typed-typed", "bearer_env": "SHOP_TYPED"}
    part = http.post("/receivers/needs", data=fields).text
    assert requirements(part) == ["SHOP_TYPED ✓ typed here until this process ends authentication"]
    assert "typed-typed" not in part
    assert http.post("/receivers/save", data=fields).status_code == 303
    assert workspace.receivers().named("mine").auth == Bearer("${env:SHOP_TYPED}")
    page = http.get("/receivers").text
    assert requirements(page) == ["SHOP_TYPED ✓ typed here until this process ends authentication"]
    assert "typed-typed" not in page


# --- Copies ------------------------------------------------------------------------------------------


def test_a_copy_has_all_but_the_name(http: httpx2.Client, workspace: Workspace) -> None:
    original = Receiver(
        "mine", "http://127.0.0.1:1", headers={"X": "1"}, protected=True, paths={"order_cancel": "/x"}
    )
    workspace.save_receiver(original)
    workspace.save_receiver(Receiver("mine copy", "http://127.0.0.1:2"))
    page = http.get("/receivers/new", params={"from": "mine"}).text
    for shown in (
        'value="mine copy 2"',
        "X: 1</textarea>",
        'name="protected" value="yes" checked',
        'value="/x"',
    ):
        assert shown in page
    assert 'name="replaces" value=""' in page
    assert "a copy of mine" in page


def test_a_copy_of_nothing_is_one_line(http: httpx2.Client) -> None:
    page = http.get("/receivers/new", params={"from": "nobody"})
    assert page.status_code == 400
    assert "there is no receiver" in html.unescape(page.text)


# --- A URL that was pasted ---------------------------------------------------------------------------


def saved(http: httpx2.Client, **fields: str) -> str:
    """The list of receivers after one was saved."""
    assert http.post("/receivers/save", data={**FIELDS, **fields}).status_code == 303
    return words(http.get("/receivers").text)


@pytest.mark.parametrize(
    ("url", "called", "edition"),
    [
        ("http://shop.test/order_cancel", "http://shop.test/order_cancel", "draft"),
        ("http://shop.test/a/order_cancel/?k=1", "http://shop.test/a/order_cancel/?k=1", "draft"),
        ("http://shop.test/order_cancel_v1", "http://shop.test/order_cancel_v1", "v1"),
        ("http://shop.test/order_cancel_v1/", "http://shop.test/order_cancel_v1/", "v1"),
    ],
)
def test_a_url_that_ends_in_an_actions_path_is_understood_and_shown_whole(
    http: httpx2.Client, workspace: Workspace, url: str, called: str, edition: str
) -> None:
    page = saved(http, base_url=url)
    assert f" {called} " in page
    assert f"speaks {edition}: its URL ends in /order_cancel" in page
    assert workspace.receivers().named("mine").base_url == url


@pytest.mark.parametrize(
    ("fields", "called"),
    [
        ({"base_url": "http://shop.test/order_cancel", "whole_order_cancel": "yes"}, "/order_cancel"),
        ({"base_url": "http://shop.test/order_cancel", "path_order_cancel": "/hook"}, "/order_cancel/hook"),
        (
            {"base_url": "http://shop.test/order_cancel", "path_order_cancel": "order_cancel"},
            "/order_cancel/order_cancel",
        ),
        ({"base_url": "http://shop.test/my_order_cancel"}, "/my_order_cancel/order_cancel"),
        ({"base_url": "http://shop.test/hook", "path_order_cancel": "hook"}, "/hook/hook"),
    ],
)
def test_a_path_of_its_own_is_added_as_it_is(
    http: httpx2.Client, workspace: Workspace, fields: dict[str, str], called: str
) -> None:
    assert f" http://shop.test{called} " in saved(http, **fields)


def test_compose_begins_with_the_edition_of_the_chosen_receiver_and_says_where_another_goes(
    http: httpx2.Client, workspace: Workspace
) -> None:
    saved(http, base_url="http://shop.test/order_cancel_v1")
    page = words(http.get("/").text)
    assert "http://shop.test/order_cancel_v1 " in page
    assert "The payload is" not in page
    other = words(http.get("/?edition=draft").text)
    assert "http://shop.test/order_cancel " in other
    doubt = "The payload is draft, and the receiver speaks v1: its URL ends in /order_cancel_v1."
    assert doubt in other


def test_a_receiver_says_which_editions_it_speaks(http: httpx2.Client, workspace: Workspace) -> None:
    page = saved(http, edition_v1="yes")
    assert workspace.receivers().named("mine").editions == ("v1",)
    assert "speaks v1: it says so" in page
    assert f" {FIELDS['base_url']}/order_cancel_v1 " in page
    form = http.get("/receivers/edit?name=mine").text
    assert re.search(r'name="edition_v1" value="yes" checked', form)
    assert not re.search(r'name="edition_draft" value="yes" checked', form)


# --- One mistake, one place --------------------------------------------------------------------------


def test_a_receiver_that_cannot_be_called_is_told_once_when_sending(
    http: httpx2.Client, workspace: Workspace
) -> None:
    workspace.save_receiver(Receiver("mine", "http://127.0.0.1:1", token="${env:NOT_SET}"))
    page = http.get("/").text
    typed = dict(re.findall(r'<textarea[^>]*? name="(\w+)".*?>\n(.*?)</textarea>', page, re.DOTALL))
    fields = {name: html.unescape(value) for name, value in typed.items()}
    sent = http.post(
        "/send", data={**fields, "action": "order_cancel", "edition": "draft", "receiver": "mine"}
    )
    assert sent.status_code == 422
    errors = re.findall(r'class="field-error" id="([^"]*)">(.*?)</p>', sent.text, re.DOTALL)
    assert [id for id, _ in errors] == ["receiver-error"]
    assert words(errors[0][1]).startswith("! Nothing was sent: at /token: the environment variable NOT_SET")


# --- the selector of the header ---


def test_the_header_offers_each_receiver_with_where_it_sends(
    http: httpx2.Client, workspace: Workspace
) -> None:
    workspace.save_receiver(Receiver("shop", "http://user:geheim-wort@shop.example", protected=True))
    for path in ("/", "/scenarios", "/deliveries", "/receivers"):
        header = http.get(path).text.partition("</header>")[0]
        assert "@shop.example/order_cancel" in header
        assert "geheim-wort" not in header
        assert "protected" in header
        assert 'href="/receivers"' in header


def test_a_receiver_is_chosen_on_any_page_for_the_next_sends(
    http: httpx2.Client, workspace: Workspace
) -> None:
    workspace.save_receiver(Receiver("shop", "http://shop.example"))
    answer = http.post(
        "/receivers/choose", data={"name": "shop"}, headers={"Referer": f"{http.base_url}/runs"}
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/runs")
    target = http.get("/runs").text.partition('id="header-target"')[2].partition("</summary>")[0]
    assert "<b>shop</b>" in target
    assert http.post("/receivers/choose", data={"name": "nobody"}).status_code == 400


# --- a pasted URL ---


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://127.0.0.1:5000", "http://127.0.0.1:5000/order_cancel"),
        ("http://127.0.0.1:5000/order_cancel ", "http://127.0.0.1:5000/order_cancel"),
        ("https://shop.example/retailops/", "https://shop.example/retailops/order_cancel"),
        ("127.0.0.1:5000", "the URL has no scheme (write http://127.0.0.1:5000)"),
        ("shop.example/hook", "the URL has no scheme (write https://shop.example/hook)"),
        ("http://user:geheim@shop.example", "the URL has a user or password"),
        ("ftp://shop.example", "http:// or https://"),
        ("http://[", "a URL cannot be read"),
        ("", ""),
    ],
)
def test_a_pasted_url_is_checked_as_it_is_typed(http: httpx2.Client, url: str, said: str) -> None:
    answer = http.post("/receivers/url", data={"url": url})
    assert answer.status_code == 200
    assert said in words(answer.text)
    assert "geheim" not in answer.text


def test_a_pasted_url_is_sent_to_at_once_and_saved_when_wanted(
    http: httpx2.Client, workspace: Workspace
) -> None:
    answer = http.post("/receivers/use", data={"url": "http://till.example:81/order_cancel"})
    assert answer.status_code == 303
    header = http.get("/").text.partition("</header>")[0]
    target = header.partition('id="header-target"')[2].partition("</summary>")[0]
    assert "<b>till.example-81</b>" in target
    assert "http://till.example:81/order_cancel" in target
    assert "not saved" in words(header)
    assert not workspace.receivers().receivers
    http.post("/receivers/use", data={"url": "http://till.example:81/order_cancel"})
    assert http.get("/").text.count('value="receiver:till.example-81') == 1
    http.post("/receivers/keep", data={"name": "till.example-81"})
    [kept] = workspace.receivers().receivers
    assert (kept.name, kept.base_url) == ("till.example-81", "http://till.example:81/order_cancel")
    assert "not saved" not in words(http.get("/").text.partition("</header>")[0])


def test_a_chosen_receiver_that_is_gone_is_not_replaced_by_the_stand_in(
    http: httpx2.Client, workspace: Workspace
) -> None:
    workspace.save_receiver(Receiver("shop", "http://127.0.0.1:1"))
    http.post("/receivers/choose", data={"name": "shop"})
    assert "http://127.0.0.1:1/order_cancel" in words(http.get("/").text)
    (workspace.root / "receivers.json").unlink()
    page = http.get("/").text
    assert "no such receiver" in words(page)
    # Nor for a run, and no page says that a send would go elsewhere.
    for path in ("/scenarios", "/deliveries"):
        assert "no such receiver" in words(http.get(path).text), path
    refused = http.post("/scenarios/run", data={"receiver": "shop", "do": "listed"})
    assert refused.status_code == 422
    refused = http.post("/send", data={**hidden(page), "receiver": "shop", "payload": "{}"})
    assert refused.status_code == 422
    assert "there is no receiver 'shop' any more: choose one" in words(refused.text)


def test_a_wrong_url_is_refused_beside_its_field(http: httpx2.Client) -> None:
    answer = http.post("/receivers/use", data={"url": "nonsense"}, headers={"HX-Request": "true"})
    assert (answer.status_code, "no scheme" in words(answer.text)) == (200, True)
    assert http.post("/receivers/use", data={"url": "nonsense"}).status_code == 400
