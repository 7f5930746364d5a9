"""The password of a shared log is in no output, page, report or file, and in no list of processes."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import httpx2 as httpx

from tests.support.command import run, run_forked
from tests.support.postgres import shows_no_password
from tests.support.postgres_proxy import PostgresProxy
from tests.support.serving import MAIN, serving

FAILS = '{"name": "A", "steps": [{"name": "cancel", "fixture": "default", "expect": {"status": 418}}]}'
PRINTS_ARGUMENTS = """
from pathlib import Path

def test_arguments():
    arguments = Path("/proc/self/cmdline")
    print(arguments.exists() and arguments.read_text())
    assert False
"""
REPORTS = ("--report-json", "r.json", "--report-html", "r.html", "--junit-xml", "r.xml")
COMMANDS = (
    ("run", "a.scenario.json", "--stand-in", "-v", "--log-level", "debug", *REPORTS),
    ("probe", "--stand-in", "--max-requests", "5", "--log-level", "debug", "--report-html", "probe.html"),
    ("send", "no-such-fixture", "--stand-in"),
    ("log", "init"),
    ("log", "list", "--format", "json"),
    ("log", "show", "latest", "--format", "json"),
    ("log", "show", "nothing"),
    ("log", "push", "a.scenario.json"),
    ("export", "latest", "--format", "run", "-o", "run.json"),
    ("export", "latest", "--format", "har", "-o", "run.har"),
)
WHILE_AWAY = (
    COMMANDS[0],
    ("log", "init"),
    ("log", "list"),
    ("log", "pin", "latest"),
    ("log", "push", "r.json"),
)
PAGES = ("/", "/deliveries", "/runs", "/scenarios", "/receivers", "/probe", "/record", "/palette", "/healthz")


def test_the_password_stands_in_nothing_that_commands_print_or_write(
    cut_database: tuple[str, PostgresProxy], tmp_path: Path
) -> None:
    url, proxy = cut_database
    (tmp_path / "a.scenario.json").write_text(FAILS)
    for commands in (COMMANDS, WHILE_AWAY):
        for command in commands:
            done = run_forked(*command, cwd=tmp_path, RETAILOPS_SANDBOX_LOG=url)
            assert "Traceback" not in done.stderr, command
            shows_no_password(done.stdout + done.stderr)
        proxy.cut()
    options = ("-vv", "--tb=long", "--showlocals", "--retailops-stand-in", f"--retailops-log={url}")
    (tmp_path / "test_arguments.py").write_text(PRINTS_ARGUMENTS)
    in_one = ("sh", "-c", 'exec "$0" -m pytest "$@" 2>&1', sys.executable)
    tested = run(*options, cwd=tmp_path, command=in_one).stdout
    assert "2 failed" in tested
    shows_no_password(tested)
    if sys.platform == "linux":
        assert "--retailops-log=postgresql://sandbox@127.0.0.1:" in tested
    assert re.search("^retailops-sandbox: postgresql://.* cannot be reached", tested, re.MULTILINE), tested
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) > 8
    for path in written:
        shows_no_password(path.read_bytes().decode(errors="replace"))
    # What is misspelled is quoted by the parser of options.
    for command in (("log", "list", "--lgo", url), ("run", url), ("serve", url), (url,)):
        done = run_forked(*command, cwd=tmp_path)
        assert done.returncode == 2, command
        shows_no_password(done.stdout + done.stderr)


def test_the_password_stands_on_no_page_and_in_no_list_of_processes(
    cut_database: tuple[str, PostgresProxy], tmp_path: Path
) -> None:
    url, proxy = cut_database
    run_forked("run", "--stand-in", cwd=tmp_path, RETAILOPS_SANDBOX_LOG=url)
    with (
        serving(tmp_path, ("--log", url, "--log-level", "debug"), main=MAIN) as served,
        httpx.Client(base_url=served.url, timeout=60) as http,
    ):
        if sys.platform == "linux":
            arguments = Path(f"/proc/{served.process.pid}/cmdline").read_text()
            assert "postgresql://sandbox@127.0.0.1:" in arguments
            shows_no_password(arguments)
        paths = [*PAGES, *set(re.findall(r'href="(/runs/[^"/]+)"', http.get("/runs").text))]
        paths += re.findall(r'href="(/deliveries/[^"/]+)"', http.get("/deliveries").text)[:1]
        assert len(paths) > len(PAGES) + 1
        for is_away in (False, True):
            if is_away:
                proxy.cut()
            for path in [*paths, "/runs/none", "/deliveries?text=abc"]:
                shows_no_password(http.get(path, follow_redirects=True).text)
        _, errors = served.interrupt()
        shows_no_password(errors)
