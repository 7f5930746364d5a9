"""Secrets everywhere, and every byte searched that the real programs write, print or show.

Each secret begins with letters and digits that no encoding changes, and goes on with characters that every
encoding changes. The receiver answers with whatever credentials it was sent, in every spelling.
"""

from __future__ import annotations

import contextlib
import gzip
import html
import json
import os
import re
import signal
import subprocess
import threading
import time
from base64 import b64decode, b64encode, urlsafe_b64encode
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl, quote, quote_plus, unquote, urlsplit

import httpx2 as httpx
import pytest

from retailops_sandbox.model import Basic, Bearer
from retailops_sandbox.model import Receiver as Receiving
from retailops_sandbox.workspace.workspace import Workspace
from tests.support import command as program
from tests.support.compose_client import ComposeClient
from tests.support.logged import open_log
from tests.support.pages import hidden
from tests.support.receivers import Peer, Receiver, answering, receiver, response, unused_port
from tests.support.serving import MAIN, PACKAGE_ROOT, address, serving

_HARD = "-ß\"/+\\ ?&=<é>'%41~"
SECRETS = {
    name: f"{stem}{_HARD}{number}"
    for number, (name, stem) in enumerate(
        {
            "V1_TOKEN": "Kq7tokenT4mZp",
            "BEARER": "Wm3bearerV8nLc",
            "BASIC_PW": "Hx9basicQ2rTd",
            "URL_PW": "Ju5userinfoB6yGs",
            "QUERY_KEY": "Ve4queryN7kFw",
            "COOKIE": "Zt8cookieR3hXm",
            "HEADER_KEY": "Lp6headerC5vJq",
            "BODY": "Gd2payloadY9sKn",
            "FROM_SHOP": "Nb1setcookieU4tRv",
            "CALLERS_TOKEN": "Rf7callerE3wHz",
            "CALLERS_BEARER": "Sc9callbearA6mPx",
            "CALLERS_COOKIE": "Ty5callcookD8jQb",
        }.items()
    )
}
STEMS = [re.match("[A-Za-z0-9]+", secret)[0] for secret in SECRETS.values()]  # type: ignore[index]


# --- where they are looked for ---


def core(stem: str, before: int) -> str:
    """The characters of a secret's base64 that do not depend on what stands around it."""
    octets = stem.encode()
    return b64encode(bytes(before) + octets).decode()[(before * 8 + 5) // 6 : (before + len(octets)) * 8 // 6]


NEEDLES = {needle: stem for stem in STEMS for needle in (stem, *(core(stem, at) for at in range(3)))}
_FOUND = re.compile("|".join(map(re.escape, NEEDLES)))
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")


def readings(text: str) -> Iterator[str]:
    """A text as it is, and with its escapes undone, one kind after the other."""
    yield text
    for _ in range(2):
        text = html.unescape(unquote(_ESCAPE.sub(lambda found: chr(int(found[1], 16)), text)))
        yield text
        text = text.replace("\\\\", "\\")


def assert_clean(text: str | bytes, where: object) -> None:
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    for reading in readings(text):
        for found in _FOUND.finditer(reading):
            around = reading[max(0, found.start() - 80) : found.end() + 40]
            raise AssertionError(f"{NEEDLES[found[0]]} is in {where}: …{around}…")


def assert_files_are_clean(folder: Path) -> int:
    """How many files there were."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    for path in files:
        assert_clean(path.read_bytes(), path.relative_to(folder))
    return len(files)


# --- the receiver ---


def spellings(secret: str) -> dict[str, str]:
    octets = secret.encode()
    escaped = quote(secret, safe="")
    return {
        "plain": secret,
        "json": json.dumps(secret),
        "json in json": json.dumps(json.dumps(secret)),
        "every character escaped": "".join(f"\\u{ord(each):04X}" for each in secret),
        "percent": escaped,
        "percent in small letters": re.sub("%..", lambda found: found[0].lower(), escaped),
        "every byte percent": "".join(f"%{each:02x}" for each in octets),
        "form": quote_plus(secret),
        **{f"base64 {at}": b64encode(b"x" * at + octets + b":tail").decode() for at in range(3)},
        **{f"urlsafe {at}": urlsafe_b64encode(b"x" * at + octets).decode() for at in range(3)},
    }


def credentials(request: bytes) -> dict[str, str]:
    """What a request gives away."""
    head, _, body = request.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    found = {name: value for name, value in parse_qsl(urlsplit(lines[0].split()[1]).query) if name == "key"}
    for line in lines[1:]:
        name, _, value = line.partition(": ")
        name = name.lower()
        if name == "authorization":
            scheme, _, rest = value.partition(" ")
            basic = scheme.lower() == "basic"
            found[name] = b64decode(rest).decode().partition(":")[2] if basic else rest
        elif name == "cookie":
            found[name] = value.partition("=")[2]
        elif name in ("x-key", "x-own"):
            found[name] = value
    document = json.loads(body)
    return {
        **found,
        **{key: document[key] for key in ("integration_auth_token", "remark") if key in document},
    }


def echo(peer: Peer) -> None:
    """Answer with all that a request gives away, compressed: JSON, text, bytes, or off the contract."""
    while (request := peer.read_request()) is not None:
        found = {name: spellings(secret) for name, secret in credentials(request).items()}
        kind = request.split(b" ", 2)[1].split(b"/")[1]
        plain = [each["plain"] for each in found.values()]
        document: object = {"events": [], "echo": found, "keys": dict.fromkeys(plain, 1)}
        if kind == b"violation":
            document = {"status": plain[0], "events": [{"code": 1, "message": each} for each in plain]}
        body = json.dumps(document, ensure_ascii=kind == b"violation").encode()
        if kind in (b"text", b"binary"):
            lines = [each for spelled in found.values() for each in spelled.values()]
            body = b"\xff\xfe" * (kind == b"binary") + "\n".join(lines).encode()
        headers = [
            "Content-Type: text/plain" if kind in (b"text", b"binary") else "Content-Type: application/json",
            "Content-Encoding: gzip",
            f"Set-Cookie: shop={quote(SECRETS['FROM_SHOP'], safe='')}; Path=/",
            *(f"X-Echo-{number}: {quote(each)}" for number, each in enumerate(plain)),
            *(f"X-Base64-{number}: {b64encode(each.encode()).decode()}" for number, each in enumerate(plain)),
        ]
        peer.send(response(gzip.compress(body), *headers))


RECEIVERS = ("everything", "basic", "userinfo", "violating", "closed")


def add_receivers(workspace: Workspace, shop: Receiver) -> None:
    host = shop.url.partition("//")[2]
    all_of_it = {
        "headers": {"X-Key": "${env:HEADER_KEY}", "Cookie": "session=${env:COOKIE}"},
        "auth": Bearer("${env:BEARER}"),
        "token": "${env:V1_TOKEN}",
        "secret_env": ("BODY",),
    }
    body = {"secret_env": ("BODY",), "token": "${env:V1_TOKEN}"}
    for each in (
        Receiving("everything", f"{shop.url}/json?key=${{env:QUERY_KEY}}", **all_of_it),
        Receiving("violating", f"{shop.url}/violation", **all_of_it),
        Receiving("basic", f"{shop.url}/text", auth=Basic("me", "${env:BASIC_PW}"), **body),
        Receiving("userinfo", f"http://me:${{env:URL_PW}}@{host}/binary", **body),
        Receiving("closed", f"http://me:${{env:URL_PW}}@127.0.0.1:{unused_port()}", **body),
    ):
        workspace.save_receiver(each)


def add_scenarios(folder: Path) -> None:
    v1 = {
        "action": "order_cancel",
        "version": 1,
        "client_id": 497,
        "channel_info": {"id": 21},
        "order": {"channel_order_refnum": "496"},
        "remark": "${env:BODY}",
    }
    own = {"headers": {"X-Own": "${env:BODY}"}}
    expect = {"body": {"echo": "${env:BODY}", "plain": "${env:V1_TOKEN}"}, "headers": {"X-A": "${env:BODY}"}}
    steps = [
        {"name": "one", "payload": v1, "deliver": own, "expect": expect},
        {
            "name": "caught",
            "payload": v1,
            "expect": {"status": 200, "contract": False},
            "capture": {"caught": "/echo/remark/plain"},
        },
        {
            "name": "off",
            "payload": {**v1, "version": "${env:BODY}"},
            "off_contract": True,
            "expect": {"body": "x"},
        },
    ]
    refused = [{"name": "refused", "payload": {**v1, "version": "${env:BODY}"}, "expect": {"status": 200}}]
    draft = [{"name": "d", "fixture": "default", "set": {"/remark": "${env:BODY}"}, "expect": expect}]
    for name, edition, plan in (("v1", "v1", steps), ("refused", "v1", refused), ("d", "draft", draft)):
        document = {"name": name, "edition": edition, "steps": plan}
        (folder / f"{name}.scenario.json").write_text(json.dumps(document))


# --- the programs ---


@pytest.fixture
def shop() -> Iterator[Receiver]:
    with receiver(echo) as shop:
        yield shop


@pytest.fixture
def place(tmp_path: Path, shop: Receiver) -> Path:
    """A workspace with receivers and scenarios that name the secrets."""
    workspace = Workspace(tmp_path / "workspace")
    workspace.initialise()
    add_receivers(workspace, shop)
    add_scenarios(workspace.root / "scenarios")
    assert assert_files_are_clean(tmp_path) > 3
    return workspace.root


def environment(**more: str) -> dict[str, str]:
    # What stands in a URL is written as URLs are.
    known = {
        **SECRETS,
        "URL_PW": quote(SECRETS["URL_PW"], safe=""),
        "QUERY_KEY": quote(SECRETS["QUERY_KEY"], safe=""),
    }
    return {**os.environ, "PYTHONPATH": PACKAGE_ROOT, "COLUMNS": "200", **known, **more}


def command(folder: Path, *arguments: str, **more: str) -> tuple[int, str]:
    """Run a command; what it printed, which is clean."""
    done = subprocess.run(
        [*MAIN, *arguments],
        cwd=folder,
        env=environment(**more),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "Traceback" not in done.stderr
    for text in (done.stdout, done.stderr):
        assert_clean(text, " ".join(arguments))
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("name", RECEIVERS)
def test_run_send_and_export(place: Path, shop: Receiver, name: str) -> None:
    out = place / "out"
    out.mkdir()
    on_github = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_WORKSPACE": str(place),
        "GITHUB_STEP_SUMMARY": "out/summary.md",
    }
    reports = ["--junit-xml", "out/r.xml", "--report-json", "out/r.json", "--report-html", "out/r.html"]
    say_all = ("--log-level", "debug")
    code, printed = command(place, "run", "-v", "--receiver", name, *reports, *say_all, **on_github)
    assert code == (3 if name == "closed" else 1), printed
    assert "«redacted:" in printed
    assert "debug engine: " in printed
    # So that all of it has been on the wire.
    if name != "closed":
        sent = b"".join(shop.requests)
        assert any(stem.encode() in sent for stem in STEMS)
        assert SECRETS["BODY"].partition("-")[0].encode() in sent
    command(place, "run", "--dry-run", "--receiver", name, *say_all)
    command(place, "send", "default", "--receiver", name, "--set", '/remark="${env:BODY}"')
    if name in ("everything", "userinfo"):
        assert command(place, "log", "list", "--format", "json")[0] == 0
        one = re.findall(r'"id":"([^"]+)', (place / "out/r.json").read_text())[0]
        for what in (("latest",), (one,), (one, "--format", "json")):
            assert command(place, "log", "show", *what)[0] == 0
        of_v1 = ("export", "out/r.json", "--edition", "v1", "--format")
        assert "struck out: " in command(place, *of_v1, "curl")[1]
        assert "struck out: " in command(place, *of_v1, "har")[1]
        command(place, *of_v1, "pytest", "-o", "out/test_it.py")
        command(place, *of_v1, "scenario", "-o", "out/it.scenario.json")
        command(place, "run", "--accept", "--receiver", name)
    for path in ("out/r.json", "out/r.html"):
        assert "«redacted:" in (place / path).read_text(), path
    assert assert_files_are_clean(place) > 10


def callers_request() -> dict[str, object]:
    v1 = {
        "integration_auth_token": SECRETS["CALLERS_TOKEN"],
        "action": "order_cancel",
        "version": 1,
        "client_id": 497,
        "channel_info": {"id": 21},
        "order": {"channel_order_refnum": "496"},
    }
    headers = {
        "Authorization": f"Bearer {SECRETS['CALLERS_BEARER']}".encode(),
        "Cookie": f"sid={SECRETS['CALLERS_COOKIE']}".encode(),
        "Content-Type": "application/json",
    }
    return {"content": json.dumps(v1).encode(), "headers": headers}


@pytest.mark.parametrize("name", ["everything", "violating", "userinfo"])
def test_record(place: Path, shop: Receiver, name: str) -> None:
    arguments = ["record", "--forward", name, "-o", "recorded.scenario.json", "--port", "0"]
    arguments += ["--log-level", "debug"]
    with subprocess.Popen(
        [*MAIN, *arguments],
        cwd=place,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        url = address(process)
        request = callers_request()
        answer = httpx.post(f"{url}/order_cancel_v1", **request)
        assert answer.status_code == 200
        process.send_signal(signal.SIGINT)
        printed, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert_clean(printed, "what record printed")
    assert "info relay: " in errors
    assert_clean(errors, "what record logged")
    assert SECRETS["CALLERS_TOKEN"].partition("-")[0].encode() in b"".join(shop.requests)
    assert (place / "recorded.scenario.json").exists()
    assert_files_are_clean(place)


def watch(url: str, streamed: list[str]) -> None:
    """Keep what the log's page is told as it happens, until the end of the process."""
    with (
        contextlib.suppress(httpx.HTTPError),
        httpx.Client(base_url=url, timeout=60) as http,
        http.stream("GET", "/deliveries/events") as stream,
    ):
        for line in stream.iter_lines():
            streamed.append(line)


def test_every_page(place: Path, shop: Receiver) -> None:
    known = {name: text for name, text in environment().items() if name in SECRETS}
    with serving(place, ("--log-level", "debug"), **known) as served:
        client = ComposeClient(served)

        def look(path: str, *, may_be_missing: bool = False) -> httpx.Response:
            page = client.http.get(path, follow_redirects=True)
            assert page.status_code == 200 or (may_be_missing and page.status_code < 500), path
            assert_clean(page.text, path)
            assert_clean(str(page.headers), path)
            return page

        streamed: list[str] = []
        watching = threading.Thread(target=watch, args=(served.url, streamed))
        watching.start()
        while not streamed and watching.is_alive():
            time.sleep(0.01)
        ids = []
        v1 = json.loads((place / "scenarios" / "v1.scenario.json").read_text())["steps"][0]["payload"]
        for name in RECEIVERS:
            for edition, payload in (("v1", v1), ("draft", None)):
                form = client.form(f"/?receiver={name}&action=order_cancel&edition={edition}")
                form = {**form, "receiver": name, "action": "order_cancel", "edition": edition}
                if payload is not None:
                    form["payload"] = json.dumps(payload)
                part = client.http.post("/compose", data=form, headers={"HX-Target": "target"})
                assert_clean(part.text, "the target")
                form["shown"] = hidden(part.text)["shown"]
                form["expectation"] = json.dumps({"body": {"echo": "${env:BODY}"}})
                page = client.http.post("/compose", data=form)
                assert_clean(page.text, "compose")
                sent = client.http.post("/send", data=form)
                assert sent.status_code == 303, page.text
                look(sent.headers["location"])
                ids.append(client.landed(sent.headers["location"]).delivery.id)
        client.http.post("/record/start", data={"receiver": "userinfo", "bind": "127.0.0.1", "port": "0"})
        page = look("/record").text
        found = re.search(r'id="relay-url">(http://[^<]+)<', page)
        assert found
        assert httpx.post(f"{found[1]}order_cancel_v1", **callers_request()).status_code == 200
        look("/record")
        review = client.http.post("/record/stop").headers["location"]
        look(review)
        saved = client.http.post(
            review, data={**client.form(review), "do": "save", "name": "from-relay"}, follow_redirects=True
        )
        assert_clean(saved.text, "the review")
        picked = [f"scenarios/{id}.scenario.json" for id in ("v1", "refused", "d")]
        for name in ("everything", "violating"):
            part = client.http.post("/scenarios", data={"receiver": name}, headers={"HX-Target": "target"})
            fields = {**hidden(client.http.get("/scenarios").text), **hidden(part.text), "receiver": name}
            run = client.http.post(
                "/scenarios/run", data={**fields, "do": "selected", "pick": picked}
            ).headers["location"]
            with client.http.stream("GET", f"{run}/events") as stream:
                assert "event: finished" in list(stream.iter_lines())
            look(run)
            look(f"{run}/review")
            for id in picked:
                look(f"{run}/scenario?id={id}")
                look(f"/scenarios/show?id={id}")
        log = open_log(Workspace(place).runs_dir)
        ids += [entry.delivery.id for run in log.runs() for entry in log.deliveries(run.id)]
        for path in ("/deliveries?text=order", "/deliveries/latency"):
            look(path)
        for path in ("/", "/deliveries", "/runs", "/receivers", "/scenarios", "/record"):
            look(path)
        for name in RECEIVERS:
            look(f"/receivers/edit?name={name}")
        for id in dict.fromkeys(ids):
            look(f"/?from={id}")
            look(f"/deliveries/{id}")
            look(f"/deliveries/{id}/request")
            # Of a fault there was none; of a send by hand there is no scenario to compare with.
            look(f"/deliveries/{id}/response", may_be_missing=True)
            look(f"/deliveries/{id}/review", may_be_missing=True)
            for format in ("curl", "har", "pytest", "scenario"):
                look(f"/deliveries/{id}/export/{format}")
            again = client.http.post(f"/deliveries/{id}/judge", data={"expectation": '{"body": 1}'})
            assert again.status_code == 303
            look(f"/deliveries/{id}")
        client.http.close()
        code, errors = served.interrupt()
    watching.join()
    assert any(ids[0] in line for line in streamed)
    assert_clean("\n".join(streamed), "the stream of the log")
    assert code == 0
    assert_clean(errors, "the server's log")
    assert "info engine: " in errors
    assert assert_files_are_clean(place) > 5


# --- what a command quotes ---


@pytest.mark.parametrize(
    "header", ["X-Api-Key a-secret-value", "a-secret-value", "X-Api-Key  a-secret value"]
)
def test_a_header_without_a_colon_is_refused_without_its_value(tmp_path: Path, header: str):
    done = program.run("send", "default", "--stand-in", "-H", header, cwd=tmp_path)
    assert done.returncode == 2
    assert "is not NAME:VALUE" in done.stderr
    assert "secret" not in done.stdout + done.stderr


def test_what_a_step_has_of_the_environment_in_its_headers_and_a_receiver_in_its_path_is_struck_out(
    tmp_path: Path,
):
    values = {"IN_STEP": "value-of-the-step", "IN_PATH": "value-of-the-path", "IN_EXPECT": "value-expected"}
    values |= {"IN_LINE": "value-of-the-line", "IN_TARGET": "value-of-the-target"}
    variables = {**values, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    step = {
        "fixture": "default",
        "deliver": {"headers": {"X-Note": "${env:IN_STEP}", "X-Api-Key": "several words of it"}},
        "expect": {"status": 200, "headers": {"X-Echo": "${env:IN_EXPECT}"}},
    }
    wire = {"headers": ["X-Line: ${env:IN_LINE}", "X-Secret: words of a line"], "path": "/${env:IN_TARGET}"}
    spelled = {**step, "deliver": {"wire": wire}}
    (tmp_path / "one.scenario.json").write_text(json.dumps({"steps": [step, spelled]}))
    answer = response(b'{"events": []}', "X-Echo: value-expected and more")
    with receiver(answering(answer)) as shop:
        Workspace(tmp_path).save_receiver(Receiving("shop", f"{shop.url}/${{env:IN_PATH}}/hook"))
        outputs = [
            "--junit-xml",
            "r.xml",
            "--report-json",
            "r.json",
            "--report-html",
            "r.html",
            "-v",
        ]
        done = program.run(
            "run", "one.scenario.json", "--receiver", "shop", *outputs, cwd=tmp_path, **variables
        )
        assert done.returncode == 1, done.stdout
        printed = [done.stdout + done.stderr]
        for format in ("curl", "har", "pytest", "scenario"):
            made = program.run("export", "latest", "--format", format, cwd=tmp_path, **variables)
            printed.append(made.stdout + made.stderr)
        for value in (*values.values(), "several words of it", "words of a line"):
            assert any(value.encode() in request for request in shop.requests) or value == "value-expected"
            for text in (*printed, *(path.read_text() for path in tmp_path.rglob("r.*"))):
                assert value not in text
