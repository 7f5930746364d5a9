"""What the documentation shows is run: every scenario, every CI job, and the first command of each page."""

from __future__ import annotations

import contextlib
import fnmatch
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tomllib
import urllib.request
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from retailops_sandbox.cli.commands import main
from tests.support import documents, postgres
from tests.support.action import INPUTS, Action
from tests.support.documents import PAGES
from tests.support.receivers import Receiver, answering, receiver, response, unused_port
from tests.support.serving import MAIN, address

BIN = Path(sys.executable).parent
EVERYTHING = documents.everything()
BLOCKS = re.findall(r"(?:<!-- verdict: (\w+) -->\n)?```json\n(.*?)```", EVERYTHING, re.DOTALL)
EXAMPLES = [(verdict, text) for verdict, text in BLOCKS if '"steps"' in text]
CODES = {"passed": 0, "recorded": 5}

RECEIVER = """
from http.server import BaseHTTPRequestHandler, HTTPServer

class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        body = b'{"events": []}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

HTTPServer(("127.0.0.1", PORT), Receiver).serve_forever()
"""


@pytest.mark.parametrize(
    ("verdict", "text"),
    EXAMPLES,
    ids=[f"{json.loads(text)['name']} {place}" for place, (_, text) in enumerate(EXAMPLES, 1)],
)
def test_every_example_runs_as_it_stands(verdict: str, text: str, tmp_path: Path):
    file = tmp_path / "example.scenario.json"
    file.write_text(text)
    command = [BIN / "retailops-sandbox", "run", file, "--stand-in", "--report-json", "run.json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == CODES[verdict or "passed"], done.stdout + done.stderr
    (result,) = json.loads((tmp_path / "run.json").read_text())["results"].values()
    assert result["verdict"] == (verdict or "passed")


def test_the_pages_have_examples():
    assert documents.text("docs/scenarios.md").count('"steps"') >= 8
    assert len(EXAMPLES) == EVERYTHING.count('"steps"')


# --- commands ---


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with the files that the commands name, and a receiver; `port` in it says where it listens."""
    folder = tmp_path_factory.mktemp("desk")
    (folder / "scenarios").mkdir()
    (folder / "scenarios" / "cancel.scenario.json").write_text(EXAMPLES[0][1])
    payload = documents.text("fixtures/order_cancel/draft/default.json")
    (folder / "order.json").write_text(payload)
    for name in ("session.har", "run.json", "nightly.json"):
        (folder / name).write_text("{}")
    with receiver(answering(response(b'{"events": []}', "Content-Type: application/json"))) as shop:
        (folder / "port").write_text(str(shop.port))
        run_line("retailops-sandbox run scenarios/ --receiver http://127.0.0.1:8000", folder)
        yield folder


def run_line(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command of the documentation in the folder, against the receiver there."""
    port = (folder / "port").read_text()
    kept = {name: text for name, text in os.environ.items() if not name.startswith(("RETAILOPS", "PYTEST"))}
    kept.pop("CI", None)
    return subprocess.run(
        ["bash", "-c", line.replace(":8000", f":{port}")],
        cwd=folder,
        env={**kept, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


DATABASE = "postgresql://sandbox@db.example.com/sandbox"
"""The database of a log, as the documentation names it."""
PROGRAM = re.compile(r"retailops-sandbox(?=\s|$)[^|]*")
LINES = sorted({found[0] for line in documents.commands(EVERYTHING) if (found := PROGRAM.search(line))})


@pytest.mark.parametrize("line", LINES)
def test_the_program_takes_every_command_that_is_shown(
    line: str, desk: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(desk)
    command: click.Command = main
    context, words = None, shlex.split(line)[1:]
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        context = click.Context(command, parent=context)
        _, found, words = command.resolve_command(context, words)
        assert found is not None
        command = found
    with contextlib.suppress(click.exceptions.Exit):  # of --help
        command.make_context(command.name, words, parent=context)


FIRST = {
    page.name: next(
        line for line in documents.commands(page.read_text()) if line.startswith(("retailops", "pytest"))
    )
    for page in PAGES
    if page.name not in ("README.md", "container.md", "decisions.md", "recording.md", "python.md")
}


@pytest.mark.parametrize("name", sorted(FIRST))
def test_the_first_command_of_a_page_works(name: str, desk: Path):
    line = f"{FIRST[name]} -p no:cacheprovider" if FIRST[name].startswith("pytest") else FIRST[name]
    with postgres.empty_database() if DATABASE in line else contextlib.nullcontext("") as url:
        done = run_line(line.replace(DATABASE, shlex.quote(url)), desk)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_relay_that_is_shown_records_what_passes_through(desk: Path):
    line = next(line for line in documents.commands(documents.text("docs/recording.md")))
    port = (desk / "port").read_text()
    words = [*MAIN, *shlex.split(line.replace(":8000", f":{port}"))[1:], "--port", "0"]
    process = subprocess.Popen(words, cwd=desk, stdout=subprocess.PIPE, text=True)
    with process:
        url = address(process)
        body = (desk / "order.json").read_bytes()
        with urllib.request.urlopen(f"{url.rstrip('/')}/order_cancel", body, timeout=60) as answer:
            assert json.load(answer) == {"events": []}
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert process.returncode == 0
    (step,) = json.loads((desk / "scenarios" / "recorded.scenario.json").read_text())["steps"]
    assert step["expect"]["status"] == 200


# --- jobs ---


def job(start: str) -> Any:
    """The YAML in the documentation that begins so."""
    (block,) = (block for block in documents.blocks(EVERYTHING, "yaml") if block.startswith(start))
    return yaml.safe_load(block)


def test_the_database_of_the_compose_file_keeps_its_data_and_its_password_apart():
    made = job("# compose.yaml")
    database = made["services"]["log"]
    (volume,) = database["volumes"]
    assert volume.partition(":")[0] in made["volumes"]
    (secret,) = database["secrets"]
    assert database["environment"]["POSTGRES_PASSWORD_FILE"] == f"/run/secrets/{secret}"
    assert secret in made["secrets"]
    assert "POSTGRES_PASSWORD" not in database["environment"]


def readme_scripts() -> list[str]:
    (only,) = job("# .github/workflows/receiver.yml")["jobs"].values()
    return [step["run"] for step in only["steps"] if "run" in step]


def github_merge_scripts() -> list[str]:
    return [
        step["run"]
        for step in job("# .github/workflows/scenarios.yml")["jobs"]["merge"]["steps"]
        if "run" in step
    ]


def gitlab_scripts(name: str, part: str = "script") -> list[str]:
    return ["\n".join(job("# .gitlab-ci.yml")[name][part])]


def jenkins_scripts() -> list[str]:
    """The scripts of a shard, of what is kept of it, and of the merge, as Groovy reads them."""
    (pipeline,) = documents.blocks(EVERYTHING, "groovy")
    assert pipeline.count("{") == pipeline.count("}")
    return [text.replace("\\\n", "") for text in re.findall(r"sh '''\n(.*?)'''", pipeline, re.DOTALL)]


def run_scripts(
    scripts: list[str], folder: Path, *, running: Receiver | None = None, **environment: str
) -> tuple[int, str]:
    """Run a job's scripts as its runner does: each in a shell of its own that ends at the first failure.

    The receiver that a job starts is the one that is `running` already, if there is one.
    """
    port = str(running.port if running else unused_port())
    program = "import signal; signal.pause()" if running else RECEIVER.replace("PORT", port)
    (folder / "receiver.py").write_text(program)
    inherited = {
        name: text for name, text in os.environ.items() if not name.startswith(("RETAILOPS", "GITHUB"))
    }
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    text = "\n".join(f"bash -e -o pipefail <<'EOF' || exit\n{script}\nEOF" for script in scripts)
    text = re.sub(
        r"^ *(pip install|python -m venv|\. \S*activate$).*$", "", text, flags=re.MULTILINE
    ).replace(":8000", f":{port}")
    with open(folder / "output", "w+b") as output:
        process = subprocess.Popen(
            ["bash", "-c", text],
            cwd=folder,
            env={**inherited, "PATH": path, **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code = process.wait(120)
        finally:
            if "receiver.py &" in text:
                os.killpg(process.pid, signal.SIGTERM)  # the receiver in the background
        output.seek(0)
        return code, output.read().decode()


@pytest.fixture
def shop() -> Iterator[Receiver]:
    with receiver(answering(response(b'{"events": []}', "Content-Type: application/json"))) as shop:
        yield shop


def scenarios_of(folder: Path, *expected: list[Any]) -> None:
    """Write a scenario for each list of expected events."""
    (folder / "scenarios").mkdir()
    for number, events in enumerate(expected):
        step = {"fixture": "default", "expect": {"body": {"events": events}}}
        file = folder / "scenarios" / f"{number}.scenario.json"
        file.write_text(json.dumps({"name": f"scenario {number}", "steps": [step]}))


@pytest.mark.parametrize(("events", "code"), [([], 0), ([{"error_code": "ERR1"}], 1)], ids=["good", "bad"])
def test_the_job_of_the_readme_does_what_it_says(events: list[Any], code: int, tmp_path: Path):
    scenarios_of(tmp_path, events)
    summary = tmp_path / "summary.md"
    found, output = run_scripts(
        readme_scripts(), tmp_path, GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(summary)
    )
    assert found == code, output
    assert ET.parse(tmp_path / "reports" / "junit.xml").getroot().get("tests") == "1"
    assert "<!doctype html>" in (tmp_path / "reports" / "report.html").read_text()
    assert "RetailOPS sandbox" in summary.read_text()
    assert ("::error file=scenarios/0.scenario.json" in output) == bool(code)


def merged(folder: Path, scripts: list[str], code: int) -> None:
    """Run a job's merge; its reports have all eight scenarios."""
    found, output = run_scripts(scripts, folder)
    assert found == code, output
    assert ET.parse(folder / "reports" / "junit.xml").getroot().get("tests") == "8"
    assert "<!doctype html>" in (folder / "reports" / "report.html").read_text()
    assert len(json.loads((folder / "reports" / "run.json").read_text())["results"]) == 8


def kept_of_a_shard(scripts: list[str], folder: Path, shard: object, **environment: str) -> None:
    """Run what a job does at its end, where the shard's process was killed before it wrote its run file."""
    file = folder / "reports" / f"shard-{shard}.json"
    whole = file.read_text()
    run_scripts(scripts, folder, **environment)
    assert file.read_text() == whole
    file.unlink()
    found, output = run_scripts(scripts, folder, **environment)
    assert found == 0, output
    assert json.loads(file.read_text())["results"] == json.loads(whole)["results"]


def test_the_shards_of_github_become_one_run(shop: Receiver, tmp_path: Path):
    jobs = job("# .github/workflows/scenarios.yml")["jobs"]
    (step,) = (each for each in jobs["scenarios"]["steps"] if "retailops-sandbox@" in each.get("uses", ""))
    (download,) = (each for each in jobs["merge"]["steps"] if "download-artifact" in each.get("uses", ""))
    assert step["with"].keys() <= INPUTS.keys()
    inputs = {name.replace("-", "_"): text for name, text in step["with"].items()}
    for shard in jobs["scenarios"]["strategy"]["matrix"]["shard"]:
        (tmp_path / str(shard)).mkdir()
        action = Action(tmp_path / str(shard))
        action.outputs["install"] = {"program": str(BIN / "retailops-sandbox")}
        scenarios_of(action.workspace, *[[]] * 8)
        inputs |= {"shard": f"{shard}/3", "receiver": shop.url}
        assert step["with"]["shard"] == "${{ matrix.shard }}/3"
        assert action.run_all(**inputs).returncode == 0
        (upload,) = action.uploads
        assert fnmatch.fnmatch(upload["name"], download["with"]["pattern"])
        kept = action.workspace / upload["path"]
        shutil.copytree(kept, tmp_path / download["with"]["path"] / upload["name"])
    merged(tmp_path, github_merge_scripts(), 0)


def test_the_shards_of_gitlab_become_one_run(shop: Receiver, tmp_path: Path):
    scenarios_of(tmp_path, *[[]] * 7, [{"error_code": "ERR1"}])
    codes = []
    for number in range(1, job("# .gitlab-ci.yml")["scenarios"]["parallel"] + 1):
        node = {"CI_NODE_INDEX": str(number), "CI_NODE_TOTAL": "3"}
        codes.append(run_scripts(gitlab_scripts("scenarios"), tmp_path, running=shop, **node)[0])
    kept_of_a_shard(gitlab_scripts("scenarios", "after_script"), tmp_path, number, **node)
    assert sorted(codes) == [0, 0, 1]
    merged(tmp_path, gitlab_scripts("merge"), 1)


def test_the_shards_of_jenkins_become_one_run(shop: Receiver, tmp_path: Path):
    scenarios_of(tmp_path, *[[]] * 8)
    shard, kept, merge = jenkins_scripts()
    for number in "123":
        found, output = run_scripts([shard], tmp_path, running=shop, SHARD=number)
        assert found == 0, output
    kept_of_a_shard([kept.replace(".sandbox-venv/bin/", "")], tmp_path, number, SHARD=number)
    merged(tmp_path, [merge], 0)


def test_the_jobs_install_this_package():
    name = tomllib.loads(documents.text("pyproject.toml"))["project"]["name"]
    gitlab = [*gitlab_scripts("scenarios"), *gitlab_scripts("merge")]
    for scripts in (readme_scripts(), github_merge_scripts(), gitlab, jenkins_scripts()):
        installs = [
            line.strip() for script in scripts for line in script.splitlines() if "pip install" in line
        ]
        assert {*installs} == {f"pip install {name}"}


def test_what_the_jobs_keep_is_what_the_run_writes():
    for start, name in (
        ("# .github/workflows/receiver.yml", "scenarios"),
        ("# .github/workflows/scenarios.yml", "merge"),
    ):
        github = job(start)["jobs"][name]
        (upload,) = (step for step in github["steps"] if "upload-artifact" in step.get("uses", ""))
        assert upload["with"]["path"] == "reports/"
        assert upload["if"] == "${{ !cancelled() }}"
    for name in ("scenarios", "merge"):
        kept = job("# .gitlab-ci.yml")[name]["artifacts"]
        assert (kept["paths"], kept["when"]) == (["reports/"], "always")
    assert job("# .gitlab-ci.yml")["merge"]["artifacts"]["reports"]["junit"] == "reports/junit.xml"


def test_the_hook_of_ones_own_means_the_same_files():
    (own,) = (
        each for each in map(yaml.safe_load, documents.blocks(EVERYTHING, "yaml")) if "local" in str(each)
    )
    (hook,), (shipped,) = own["repos"][0]["hooks"], yaml.safe_load(documents.text(".pre-commit-hooks.yaml"))
    same = ("id", "name", "entry", "files", "require_serial")
    assert {key: hook[key] for key in same} == {key: shipped[key] for key in same}
    (used,) = (each for each in documents.blocks(EVERYTHING, "yaml") if "rev: " in each)
    assert yaml.safe_load(used)["repos"][0]["hooks"] == [{"id": shipped["id"]}]
