"""Runs as files in the browser application, over HTTP: opened and only looked at, given away, pinned."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx2 as httpx
import pytest

from tests.support.command import run
from tests.support.pages import main_words
from tests.support.run_client import EVENT, FAILS, NOTHING, RunClient, run_client
from tests.support.serving import serving
from tests.support.shop import Shop

FOREIGN_SHOP = "https://shop.example"
NASTY = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def ci(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run file that a job kept: a scenario that failed, on a receiver that nobody here knows."""
    folder = tmp_path_factory.mktemp("ci")
    (folder / "refused.scenario.json").write_text(json.dumps({"name": NASTY, "steps": [FAILS]}))
    done = run("run", "refused.scenario.json", "--stand-in", "--report-json", "run.json", cwd=folder)
    assert done.returncode == 1, done.stderr
    kept = folder / "run.json"
    text = kept.read_text().replace('"receiver":"stand-in","stand_in":true', f'"receiver":"{FOREIGN_SHOP}"')
    kept.write_text(text)
    return kept


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunClient]:
    with run_client(tmp_path_factory.mktemp("workspace"), Shop()) as client:
        yield client


def upload(http: httpx.Client, content: bytes, name: str = "nightly.json") -> httpx.Response:
    return http.post("/runs/open", files={"file": (name, content, "application/json")})


@pytest.fixture
def opened(client: RunClient, ci: Path) -> str:
    """The path of the run that was opened."""
    answer = upload(client.http, ci.read_bytes())
    assert answer.status_code == 303, main_words(answer.text)
    return str(answer.headers["location"])


def delivery_of(client: RunClient, run_path: str) -> str:
    """The path of the run's one delivery."""
    found = re.search(r'href="(/deliveries/[^"?]+)"', client.http.get(run_path).text)
    assert found is not None
    return found[1]


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("(" * 31 + "a" + ")+" * 31, "regex: the pattern has groups more than 30 levels deep"),
        ("^(?=(a|aa)+$)b", "its search takes too long"),
        ("(?i)(?=a)" + "[\\x00-\\U0010ffff]" * 90, "regex: reading the pattern takes longer than 100 ms"),
    ],
    ids=["deep", "hopeless", "slow to read"],
)
def test_a_rule_that_takes_too_long_is_not_tried_again(client: RunClient, ci: Path, pattern: str, why: str):
    file = json.loads(ci.read_text())
    for delivery in file["deliveries"].values():
        delivery["response"]["body"] = json.dumps({"events": [], "note": "a" * 60 + "b"})
    for judgement in file["judgements"].values():
        judgement["expectation"] = {"body": {"note": "x"}, "rules": {"/note": {"regex": pattern}}}
    answer = upload(client.http, json.dumps(file).encode())
    assert answer.status_code == 303, main_words(answer.text)
    told = client.text(delivery_of(client, str(answer.headers["location"])))
    assert "✗ failed" in told
    assert '"ERR1"' in told, "the difference as it was stored"
    assert f"the rule /note is not tried again: {why}" in told


def test_an_opened_run_is_shown_with_its_differences_and_marked(client: RunClient, opened: str):
    page = client.http.get(opened).text
    assert NASTY not in page
    told = main_words(page)
    for word in (
        "↧ opened from a file",
        "nightly.json",
        FOREIGN_SHOP,
        "retailops-sandbox",
        NASTY,
        '"ERR1"',
        "(missing)",
    ):
        assert word in told
    delivery = client.text(delivery_of(client, opened))
    for word in (
        "↧ opened from a file",
        "a run that was opened from nightly.json",
        "Compared with what was expected",
        "ERR1",
    ):
        assert word in delivery
    assert NASTY in client.text(f"{opened}/scenario?id=refused.scenario.json")
    runs = client.text("/runs")
    assert "Opened from files" in runs
    assert runs.count("nightly.json") == 1


def test_nothing_of_it_can_be_sent_judged_or_written(client: RunClient, opened: str):
    delivery = delivery_of(client, opened)
    before = client.text("/deliveries"), [run.id for run in client.log.runs()]
    for path, fields in {
        f"{delivery}/again": {},
        f"{delivery}/accept": {},
        f"{delivery}/judge": {"expectation": ""},
        f"{delivery}/review": {"do": "accept", "at": "1"},
        f"{opened}/review": {"do": "accept", "at": "1"},
        f"{opened}/pin": {"do": "pin"},
        "/record/from-log": {"delivery": delivery.rpartition("/")[2]},
    }.items():
        answer = client.http.post(path, data=fields)
        assert (path, answer.status_code) == (path, 400)
        assert "was opened from nightly.json, and is only to be looked at" in main_words(answer.text)
    for path in (f"{delivery}/review", f"{opened}/review"):
        assert client.http.get(path).status_code == 400
    offered = client.http.get(delivery).text + client.http.get(opened).text
    for action in ("/again", "/accept", "/judge", "/review", "/pin", "/record/from-log"):
        assert f'{action}"' not in offered
    assert (client.text("/deliveries"), [run.id for run in client.log.runs()]) == before
    assert not list(client.workspace.runs_dir.glob("*.pinned"))


def test_its_requests_can_be_taken_elsewhere_and_sent_from_here(client: RunClient, ci: Path, opened: str):
    delivery = delivery_of(client, opened)
    for format in ("curl", "har", "pytest", "scenario"):
        assert client.http.get(f"{delivery}/export/{format}").status_code == 200
    given = client.http.get(f"{opened}/export/run")
    assert given.content == ci.read_bytes()
    assert f'filename="{opened.rpartition("/")[2]}.json"' in given.headers["content-disposition"]
    page = client.http.get(f"/?from={delivery.rpartition('/')[2]}").text
    assert "Will Call" in page
    assert '<input type="hidden" name="parent" value=""' in page
    assert "ERR1" in page


def test_a_run_of_the_workspace_is_led_to(client: RunClient):
    path = client.ran(client.scenario("good", {"fixture": "default", "expect": {"body": NOTHING}}))
    given = client.http.get(f"{path}/export/run").content
    answer = upload(client.http, given)
    assert answer.headers["location"] == path
    assert "opened from a file" not in client.text(path).lower()


def test_several_are_opened_at_once(client: RunClient, ci: Path, tmp_path: Path):
    other = json.loads(
        ci.read_text().replace(json.loads(ci.read_text())["run"]["1"]["id"], "20200101T000000Z-cccccc")
    )
    files = [("file", ("a.json", ci.read_bytes())), ("file", ("b.json", json.dumps(other).encode()))]
    answer = client.http.post("/runs/open", files=files)
    assert answer.headers["location"] == "/runs#opened"
    assert "20200101T000000Z-cccccc" in client.text("/runs/20200101T000000Z-cccccc")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{}", "x.json at /run: is no run file, or a damaged one: it does not say which run it is"),
        (b"\xff\xfe", "x.json: is no run file, or a damaged one"),
        (b'{"deliveries": {', "x.json: is no run file, or a damaged one"),
        (b'{"run": {"1": {"format": 3}}}', "x.json: is of format 3: a newer version of the sandbox wrote it"),
    ],
)
def test_what_is_no_run_file_is_said_in_one_line_where_it_was_dropped(
    client: RunClient, content: bytes, said: str
):
    answer = upload(client.http, content, "C:\\builds\\..\\x.json")
    assert answer.status_code == 422
    assert said in main_words(answer.text)
    assert "Open a run file" in main_words(answer.text)
    assert client.http.get("/runs/open").headers["location"] == "/runs"
    assert "Choose a run file first." in main_words(client.http.post("/runs/open", data={"a": "b"}).text)


def test_a_run_is_pinned_and_unpinned(client: RunClient):
    path = client.ran(client.scenario("stays", {"fixture": "default", "expect": {"body": EVENT}}))
    pinned = client.workspace.runs_dir / f"{path.rpartition('/')[2]}.pinned"
    assert "pinned" not in client.text(path)
    assert client.http.post(f"{path}/pin", data={"do": "pin"}).headers["location"] == path
    assert pinned.exists()
    assert "◆ pinned" in client.text(path)
    assert "◆ pinned" in client.text("/runs")
    client.http.post(f"{path}/pin", data={"do": "unpin"})
    assert not pinned.exists()
    assert "pinned" not in client.text(path)
    assert client.http.post("/runs/20200101T000000Z-ffffff/pin", data={"do": "pin"}).status_code == 404
    assert client.http.get(f"{path}/pin").headers["location"] == path


def test_a_page_elsewhere_can_neither_open_nor_pin(client: RunClient, ci: Path):
    headers = {"Origin": "https://evil.example"}
    files = {"file": ("nightly.json", ci.read_bytes())}
    assert client.http.post("/runs/open", files=files, headers=headers).status_code == 403
    assert client.http.post("/runs/x/pin", data={"do": "pin"}, headers=headers).status_code == 403


def test_what_was_opened_goes_with_the_process(tmp_path: Path, ci: Path):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    with serving(workspace, TMPDIR=str(temporary)) as served, httpx.Client(base_url=served.url) as http:
        path = upload(http, ci.read_bytes()).headers["location"]
        upload(http, ci.read_bytes())
        assert http.get(path).status_code == 200
        assert [each.name for each in temporary.rglob("*.json")] == ["2.json"]
        assert served.interrupt() == (0, "")
    assert list(temporary.iterdir()) == []
    assert tempfile.gettempdir() != str(temporary)
    with serving(workspace) as served, httpx.Client(base_url=served.url) as http:
        assert http.get(path).status_code == 404


def test_serve_opens_run_files(tmp_path: Path, ci: Path):
    with serving(tmp_path, ["--open", str(ci)]) as served, httpx.Client(base_url=served.url) as http:
        assert served.process.stdout is not None
        served.process.stdout.readline()
        line = served.process.stdout.readline()
        address = line.split()[-1]
        assert line.startswith(f"opened:            {ci}: {served.url}/runs/")
        assert "↧ opened from a file" in main_words(http.get(address).text)
        assert "Nothing has been run yet" in main_words(http.get("/runs").text)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read: no such file or directory"),
        ("{}", "at /run: is no run file, or a damaged one: it does not say which run it is"),
        ('{"run": {"1": {"format": 3}}}', "a newer version of the sandbox wrote it (update the sandbox)"),
    ],
)  # fmt: skip
def test_what_cannot_be_opened_is_one_line_before_anything_is_served(
    tmp_path: Path, content: str | None, said: str
):
    if content is not None:
        (tmp_path / "x.json").write_text(content)
    done = run("serve", "--port", "0", "--open", "x.json", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith("error: x.json")
    assert said in done.stderr
