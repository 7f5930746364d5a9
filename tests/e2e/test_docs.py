"""What the documentation shows is run: every scenario of docs/scenarios.md, every CI job of README.md."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tomllib
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.receivers import unused_port

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGE = (ROOT / "docs" / "scenarios.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"(?:<!-- verdict: (\w+) -->\n)?```json\n(.*?)```", PAGE + README, re.DOTALL)
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


def test_the_page_has_examples():
    assert PAGE.count('"steps"') >= 8
    assert len(EXAMPLES) == PAGE.count('"steps"') + README.count('"steps"')


# --- jobs ---


def job(start: str) -> Any:
    """The YAML of README that begins so."""
    blocks = [
        block for block in re.findall(r"```yaml\n(.*?)```", README, re.DOTALL) if block.startswith(start)
    ]
    assert len(blocks) == 1
    return yaml.safe_load(blocks[0])


def github_scripts() -> list[str]:
    (only,) = job("# .github/workflows/")["jobs"].values()
    return [step["run"] for step in only["steps"] if "run" in step]


def gitlab_scripts() -> list[str]:
    (only,) = (each for each in job("# .gitlab-ci.yml").values() if "script" in each)
    return ["\n".join(only["script"])]


def run_scripts(scripts: list[str], folder: Path, **environment: str) -> tuple[int, str]:
    """Run a job's scripts as its runner does: each in a shell of its own that ends at the first failure."""
    port = str(unused_port())
    (folder / "receiver.py").write_text(RECEIVER.replace("PORT", port))
    inherited = {
        name: text for name, text in os.environ.items() if not name.startswith(("RETAILOPS", "GITHUB"))
    }
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    text = "\n".join(f"bash -e -o pipefail <<'EOF' || exit\n{script}\nEOF" for script in scripts)
    text = re.sub(r"^pip install .*$", "", text, flags=re.MULTILINE).replace(":8000", f":{port}")
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
            os.killpg(process.pid, signal.SIGTERM)  # the receiver in the background
        output.seek(0)
        return code, output.read().decode()


@pytest.mark.parametrize("scripts", [github_scripts, gitlab_scripts])
@pytest.mark.parametrize(("events", "code"), [([], 0), ([{"error_code": "ERR1"}], 1)], ids=["good", "bad"])
def test_a_job_to_copy_does_what_it_says(scripts: Any, events: list[Any], code: int, tmp_path: Path):
    (tmp_path / "scenarios").mkdir()
    step = {"fixture": "default", "expect": {"body": {"events": events}}}
    file = tmp_path / "scenarios" / "a.scenario.json"
    file.write_text(json.dumps({"name": "a", "steps": [step]}))
    summary = tmp_path / "summary.md"
    here = (
        {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary)} if scripts is github_scripts else {}
    )
    found, output = run_scripts(scripts(), tmp_path, **here)
    assert found == code, output
    assert ET.parse(tmp_path / "reports" / "junit.xml").getroot().get("tests") == "1"
    assert "<!doctype html>" in (tmp_path / "reports" / "report.html").read_text()
    if scripts is github_scripts:
        assert "RetailOPS sandbox" in summary.read_text()
        assert ("::error file=scenarios/a.scenario.json" in output) == bool(code)


def test_the_jobs_install_this_package():
    name = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["name"]
    for scripts in (github_scripts(), gitlab_scripts()):
        installs = [line for line in "\n".join(scripts).splitlines() if line.startswith("pip ")]
        assert installs == [f"pip install {name}"]


def test_what_the_jobs_keep_is_what_the_run_writes():
    (github,) = job("# .github/workflows/")["jobs"].values()
    (upload,) = (step for step in github["steps"] if "upload-artifact" in step.get("uses", ""))
    assert upload["with"]["path"] == "reports/"
    assert upload["if"] == "${{ !cancelled() }}"
    (gitlab,) = (each for each in job("# .gitlab-ci.yml").values() if "script" in each)
    assert gitlab["artifacts"]["paths"] == ["reports/"]
    assert gitlab["artifacts"]["reports"]["junit"] == "reports/junit.xml"
    assert gitlab["artifacts"]["when"] == "always"
