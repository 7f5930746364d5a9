"""A log in PostgreSQL that cannot be reached: what is said, what is kept, and how it comes in."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import psycopg

from retailops_sandbox.runlog.place import log_option
from tests.support.command import run_forked
from tests.support.postgres_proxy import PostgresProxy

SEND = ("send", "default", "--stand-in")


def runs_in(url: str) -> list[tuple[str, int]]:
    with psycopg.connect(url) as connection:
        return connection.execute("select id, deliveries from runs order by number").fetchall()


def waiting(folder: Path) -> list[Path]:
    return sorted((folder / ".sandbox" / "shared" / "runs").iterdir())


def one_note(done: subprocess.CompletedProcess[str]) -> str:
    """The one line on standard error, which is no error."""
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith("note: "), done.stderr
    return done.stderr.strip()


def test_a_run_goes_on_without_the_database_and_says_how_to_bring_it_in(
    tmp_path: Path, database: str, cut_database: tuple[str, PostgresProxy]
) -> None:
    url, proxy = cut_database
    proxy.cut()
    reports = ("--junit-xml", "junit.xml", "--report-json", "run.json")
    done = run_forked("run", "--stand-in", *reports, "--log", url, cwd=tmp_path)
    assert done.returncode == 0
    (file,) = waiting(tmp_path)
    note = one_note(done)
    assert "cannot be reached" in note
    assert note.endswith(f"bring it in later with: retailops-sandbox log push {file} {log_option(url)}")
    assert url.split(":")[2].split("@")[0] not in done.stdout + note
    assert json.loads((tmp_path / "run.json").read_text()) == json.loads(file.read_text())

    away = run_forked("log", "push", "--log", url, cwd=tmp_path)
    assert (away.returncode, away.stdout, away.stderr.count("\n")) == (2, "", 1)
    assert away.stderr.startswith("error: postgresql://")
    assert waiting(tmp_path) == [file]

    # What waits here is not taken for all that there is.
    for what in (
        ("--runs",),
        ("--verdict", "failed"),
        ("--run", "latest"),
        ("--run", "20240501T120000Z-abcdef"),
    ):
        listed = run_forked("log", "list", *what, "--log", url, cwd=tmp_path)
        assert (listed.returncode, listed.stdout, listed.stderr.count("\n")) == (2, "", 1), listed
        assert "cannot be reached" in listed.stderr
    local = run_forked("log", "list", "--run", file.stem, "--log", url, cwd=tmp_path)
    assert (local.returncode, file.stem in local.stdout) == (0, True)
    assert "this is what waits here" in local.stderr

    proxy.mend()
    listed = run_forked("log", "list", "--runs", "--log", url, cwd=tmp_path)
    assert (
        "1 run waits here for the shared log: retailops-sandbox log push --log postgresql://" in listed.stderr
    )
    pushed = run_forked("log", "push", str(file), "--log", url, cwd=tmp_path)
    assert (pushed.returncode, pushed.stderr) == (0, "")
    assert re.fullmatch(rf"{file.stem}: brought in, [\d,]+ records\n", pushed.stdout)
    ((id, deliveries),) = runs_in(database)
    assert (id, deliveries > 0) == (file.stem, True)
    assert waiting(tmp_path) == []
    again = run_forked("log", "push", "run.json", "--log", url, cwd=tmp_path)
    assert (again.returncode, again.stdout) == (0, f"{id}: the log has all of it already\n")
    assert runs_in(database) == [(id, deliveries)]
    nothing = run_forked("log", "push", "--log", url, cwd=tmp_path)
    assert (nothing.returncode, nothing.stdout) == (0, "no run waits for the log\n")


def test_what_was_kept_in_files_before_is_brought_in(tmp_path: Path, database: str) -> None:
    for _ in range(2):
        assert run_forked(*SEND, cwd=tmp_path).returncode == 0
    files = sorted((tmp_path / ".sandbox" / "runs").iterdir())
    pushed = run_forked("log", "push", *files, tmp_path / "none.json", "--log", database, cwd=tmp_path)
    assert pushed.returncode == 2
    assert pushed.stdout.count("brought in, 2 records") == 2
    assert pushed.stderr.count("\n") == 1
    assert f"{tmp_path}/none.json" in pushed.stderr
    assert runs_in(database) == [(file.stem, 1) for file in files]
    assert sorted((tmp_path / ".sandbox" / "runs").iterdir()) == files


def test_a_run_in_the_database_leaves_no_file_and_what_it_tells_comes_from_there(
    tmp_path: Path, database: str
) -> None:
    (tmp_path / "scenarios").mkdir()
    scenario = tmp_path / "scenarios" / "it.scenario.json"
    for status, code, told in ((200, 0, ""), (500, 1, "1 regressed")):
        step = {"fixture": "default", "expect": {"status": status}}
        scenario.write_text(json.dumps({"format": 1, "steps": [step]}))
        done = run_forked("run", "--stand-in", "--report-json", "run.json", "--log", database, cwd=tmp_path)
        assert (done.returncode, done.stderr) == (code, "")
        # It is compared with the run before it, which is in the database alone.
        assert told in done.stdout
    assert waiting(tmp_path) == []
    assert not (tmp_path / ".sandbox" / "runs").exists()
    kept = json.loads((tmp_path / "run.json").read_text())
    (_, (id, deliveries)) = runs_in(database)
    assert (kept["run"]["1"]["id"], len(kept["deliveries"]), deliveries) == (id, 1, 1)


def test_pushing_needs_a_database(tmp_path: Path) -> None:
    done = run_forked("log", "push", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "no database is named" in done.stderr


def test_a_merge_without_the_database_says_that_it_compares_with_nothing(
    tmp_path: Path, cut_database: tuple[str, PostgresProxy]
) -> None:
    url, proxy = cut_database
    asked = ("--stand-in", "-k", "shipped and event", "--shard", "1/1", "--report-json", "1.json")
    run_forked("run", *asked, cwd=tmp_path)
    proxy.cut()
    done = run_forked("merge", "1.json", "--log", url, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    said = one_note(done)
    assert said.startswith(
        "note: the run is not compared with earlier ones, as these cannot be read: postgresql://"
    )
    assert url.split(":")[2].split("@")[0] not in said
