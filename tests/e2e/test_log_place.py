"""Where the log is kept: the option, the settings, and what is refused in one line."""

from __future__ import annotations

import sys
from pathlib import Path
from urllib.parse import quote, urlsplit

import psycopg
import pytest

from retailops_sandbox.runlog.place import database_words
from retailops_sandbox.runlog.postgres.version import EARLIER, LATEST, VERSION_TABLE
from tests.support import postgres
from tests.support.command import run, run_forked
from tests.support.postgres import shows_no_password

SEND = ("send", "default", "--stand-in")
ASKING = (
    SEND,
    ("run", "--stand-in"),
    ("probe", "--stand-in", "--dry-run"),
    ("serve", "--port", "0"),
    ("log", "list"),
    ("log", "show", "latest"),
    ("log", "prune", "--keep", "1"),
    ("log", "pin", "latest"),
    ("log", "unpin", "latest"),
    ("log", "reindex"),
    ("log", "init"),
    ("export", "latest", "--format", "run"),
)


@pytest.mark.parametrize(
    ("url", "line"),
    [
        ("mysql://me:s3cret-x@db/logs", "cannot be kept in mysql://me@db/logs (only PostgreSQL can keep it"),
        ("runs.json", "the log's place is no URL of a database (for example --log postgresql://"),
        ("postgresql://me:s3cret@x@db/logs", "the URL of the log, postgresql://…, cannot be read"),
        ("postgresql://me:s3cret/x@db/logs", "the URL of the log, postgresql://me@db/logs, cannot be read"),
        ("postgresql://me:s3cret%x@db/logs", "the URL of the log, postgresql://me@db/logs, cannot be read"),
    ],
)
def test_what_is_no_place_of_a_log_is_refused(url: str, line: str, tmp_path: Path) -> None:
    for command in ASKING if url.startswith("mysql") else (("log", "list"),):
        done = run_forked(*command, "--log", url, cwd=tmp_path)
        assert done.returncode == 2, (command, done)
        assert done.stderr.startswith("error: "), command
        assert line in done.stderr, command
        assert done.stderr.count("\n") == 1, command
        assert "s3cret" not in done.stdout + done.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_option_comes_before_the_environment_and_that_before_the_settings(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.retailops-sandbox]\nlog = "settings"\n')

    def refused(*options: str, **environment: str) -> str:
        return run_forked("log", "list", *options, cwd=tmp_path, **environment).stderr

    assert "no URL" in refused()
    assert "mysql://db" in refused(RETAILOPS_SANDBOX_LOG="mysql://db")
    assert "oracle://db" in refused("--log", "oracle://db", RETAILOPS_SANDBOX_LOG="mysql://db")
    assert refused("--log", "", RETAILOPS_SANDBOX_LOG="mysql://db") == ""


def test_pytest_takes_its_option_then_the_environment_then_its_ini_file(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\nretailops_log = ini://db\n")
    (tmp_path / "pyproject.toml").write_text('[tool.retailops-sandbox]\nlog = "settings://db"\n')
    (tmp_path / "test_it.py").write_text("def test_it(retailops): ...\n")
    command = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--retailops-stand-in")

    def refused(*options: str, **environment: str) -> str:
        done = run(*options, cwd=tmp_path, command=command, **environment)
        assert done.returncode == 4
        return done.stdout + done.stderr

    assert "cannot be kept in ini://db" in refused()
    assert "cannot be kept in env://db" in refused(RETAILOPS_SANDBOX_LOG="env://db")
    assert "cannot be kept in option://db" in refused(
        "--retailops-log=option://db", RETAILOPS_SANDBOX_LOG="env://db"
    )


def test_without_the_extra_one_line_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "psycopg.py").write_text("raise ImportError('there is none')\n")
    for command in (("log", "list"), ("log", "init"), SEND):
        done = run(*command, "--log", "postgresql://db/logs", cwd=tmp_path, PYTHONPATH=str(tmp_path))
        assert done.returncode == 2
        assert done.stderr == (
            "error: a log in PostgreSQL needs packages that are not installed"
            " (pip install 'retailops-sandbox[postgres]')\n"
        )


def test_log_init_makes_the_tables_once_and_says_so(database_without_tables: str, tmp_path: Path) -> None:
    place = database_words(database_without_tables)
    note = (
        "note: without the extension pg_trgm a search for text reads one delivery after the other"
        " (have it made by CREATE EXTENSION pg_trgm, and run log init again)\n"
    )
    for said in (
        f"made the tables of a log in {place}\n",
        f"the tables of the log in {place} are up to date\n",
    ):
        done = run_forked("log", "init", "--log", database_without_tables, cwd=tmp_path)
        assert (done.returncode, done.stdout, done.stderr) == (0, said, note)
    with psycopg.connect(database_without_tables) as connection:
        connection.execute(f"update {VERSION_TABLE} set version_num = '{EARLIER[0]}'")
    done = run_forked("log", "init", cwd=tmp_path, RETAILOPS_SANDBOX_LOG=database_without_tables)
    assert (
        done.stdout == f"brought the tables of the log in {place} up to date, from {EARLIER[0]} to {LATEST}\n"
    )
    nowhere = run_forked("log", "init", cwd=tmp_path)
    assert (nowhere.returncode, nowhere.stderr.partition(" (")[0]) == (2, "error: no database is named")


def refusals(database: str) -> dict[str, str]:
    """URLs at which there is no log, and what is said of each."""
    own, server = urlsplit(database), postgres.server()
    password, at = quote(server.password, safe=""), f"127.0.0.1:{server.port}"
    return {
        database.replace(password, "s3cret-x"): "password authentication failed",
        f"postgresql://nobody:{password}@{at}{own.path}": 'password authentication failed for user "nobody"',
        f"postgresql://sandbox@{at}{own.path}": "no password supplied",
        server.url("nowhere"): 'database "nowhere" does not exist (make it first: createdb --encoding UTF8',
        f"{database}?colour=blue": "PostgreSQL does not know the option 'colour' of this URL",
        database.replace(at, f"127.0.0.1:{server.port}x"): "has a port that is no number from 1 to 65535",
    }


def test_a_database_that_cannot_be_used_is_refused_in_one_line(database: str, tmp_path: Path) -> None:
    for url, line in refusals(database).items():
        for command in (SEND, ("log", "list"), ("log", "init")) if "s3cret" in url else (("log", "init"),):
            done = run_forked(*command, "--log", url, cwd=tmp_path)
            assert (done.returncode, done.stderr.count("\n")) == (2, 1), (command, line, done)
            assert line in done.stderr, command
            shows_no_password(done.stdout + done.stderr)
            assert "s3cret" not in done.stderr


def test_the_password_of_an_option_does_not_stay_in_the_list_of_processes(tmp_path: Path) -> None:
    argument = "postgresql://me:s3cret-x@127.0.0.1:1/logs"
    script = (
        "import click, sys; from pathlib import Path; from retailops_sandbox.cli import options\n"
        "@click.command()\n@options.log_options\ndef show(workspace):\n"
        "    sys.stdout.buffer.write(Path('/proc/self/cmdline').read_bytes())\n"
        "show()"
    )
    shown = run("-c", script, "--log", argument, cwd=tmp_path, command=(sys.executable,))
    words = [word.rstrip() for word in shown.stdout.split("\0")]
    assert words[-3:] == ["--log", "postgresql://me@127.0.0.1:1/logs", ""], shown


def test_tables_that_are_missing_or_of_another_version_stop_every_command(
    database: str, database_without_tables: str, tmp_path: Path
) -> None:
    with psycopg.connect(database) as connection:
        connection.execute(f"update {VERSION_TABLE} set version_num = '9999'")
    newer = run_forked("log", "init", "--log", database, cwd=tmp_path)
    assert newer.returncode == 2
    assert "newer version: 9999" in newer.stderr
    assert "pip install -U 'retailops-sandbox[postgres]'" in newer.stderr
    for command in ASKING:
        if command != ("log", "init"):
            missing = run_forked(*command, "--log", database_without_tables, cwd=tmp_path)
            assert missing.returncode == 2, command
            assert f"log init --log {database_words(database_without_tables)})" in missing.stderr, command
    with psycopg.connect(database) as connection:
        assert connection.execute("select count(*) from runs").fetchone() == (0,)
    assert list(tmp_path.iterdir()) == []
