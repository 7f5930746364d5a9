"""`load` at rates that are held, against receivers of which it is known what they do at which rate."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import command, loaded
from tests.support.loaded import BreaksDown, CancelsTwice, HasWorkers, Loaded
from tests.support.probed.receiving import TOKEN, serving
from tests.support.receivers import unused_port


def write_scenario(folder: Path) -> None:
    step = {"fixture": "default", "expect": loaded.EXPECTED}
    document = {"name": "cancel", "edition": "v1", "steps": [step]}
    (folder / "cancel.scenario.json").write_text(json.dumps(document))


def load(url: str, *arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    write_scenario(cwd)
    return command.run("load", ".", "--receiver", url, "--receiver-token", TOKEN, *arguments, cwd=cwd)


@contextlib.contextmanager
def started(*arguments: object, cwd: Path) -> Iterator[subprocess.Popen[str]]:
    """`load` as a process, killed at the end unless it has ended."""
    words = [command.COMMAND, "load", ".", "--receiver-token", TOKEN, *map(str, arguments)]
    with subprocess.Popen(
        words,
        cwd=cwd,
        env=command.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def children(process: int) -> list[int]:
    """The processes that a process has started."""
    return [int(each) for each in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def last_line(done: subprocess.CompletedProcess[str]) -> str:
    return done.stdout.rstrip().rpartition("\n")[2]


def test_a_step_load_outlives_a_worker_that_is_killed(tmp_path: Path):
    """Workers share rates and orders. What was lost is said, and the result is as ever.

    The receiver does not recover: its change is believed once the rate before has shown that. Another worker
    takes the place of the one that is killed, and must send, too, or the rate is not reached.
    """
    shop, port = BreaksDown(beyond=170), unused_port()
    with serving(shop) as url, contextlib.ExitStack() as stack:
        write_scenario(tmp_path)
        master = stack.enter_context(
            started(
                *("--receiver", url, "--master", "--workers", 2, "--master-port", port),
                *("--step-load", "100:240:140:1", "--users", 240),
                cwd=tmp_path,
            )
        )
        options = ("--receiver", url, "--worker", "--master-port", port)
        workers = [stack.enter_context(started(*options, cwd=tmp_path)) for _ in range(2)]
        assert master.stdout is not None
        assert master.stdout.readline() == f"waits for 2 workers at 127.0.0.1:{port}\n"
        sends = f"sends to {url} 100 to 240 cancels a second, by up to 240 users, for about "
        assert master.stdout.readline().startswith(sends)
        lines = iter(master.stdout.readline, "")
        first = next(line for line in lines if not re.match(r"\d+ s: ", line))
        assert first.startswith("100 cancels a second: "), "both of them send"
        (process,) = children(workers[0].pid)
        os.kill(process, signal.SIGKILL)
        workers.append(stack.enter_context(started(*options, cwd=tmp_path)))
        output, errors = master.communicate(timeout=120)
        assert [worker.wait(timeout=30) for worker in workers[1:]] == [1, 1], "they end as their master says"
    assert "warning: a worker was lost, and " in errors
    line = output.rstrip().rpartition("\n")[2]
    said = (
        r"holds 100 cancels a second; at 240 answers lose their events \(.*\), and from then on at 100, too.*"
    )
    assert re.fullmatch(said, line), output
    assert master.returncode == 1
    assert set(shop.seen.values()) == {1}, "the orders of the lost worker are not taken again"


def test_a_receiver_of_known_capacity_falls_behind_although_no_answer_is_late(tmp_path: Path):
    with serving(HasWorkers(workers=8, seconds=0.05)) as url:
        done = load(url, "--step-load", "200:210:10:1", cwd=tmp_path)
    assert done.returncode == 1, done.stdout
    said = r"at 200 cancels a second, the lowest rate, answers fall behind: [\d.]+ come in a second, .*"
    assert re.fullmatch(said, last_line(done)), last_line(done)
    assert "Failures" not in done.stdout, "each answer by itself was right"


def test_a_constant_answer_time_is_held_and_the_load_ends_with_its_time(tmp_path: Path):
    """Reports have what was found, too."""
    shop = HasWorkers(workers=500, seconds=0.5)
    reports = ("--json", "found.json", "--csv", "found", "--html", "found.html")
    with serving(shop) as url:
        done = load(url, "--rate", 20, "--time", 2, *reports, cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    line = last_line(done)
    assert re.fullmatch(r"asked for 20 cancels a second, reached [\d.]+", line)
    assert shop.seen.total() <= 42, "users begin no more while the last answers are waited for"
    found = json.loads((tmp_path / "found.json").read_text())
    assert (found["receiver"], found["verdict"]) == (url, line)
    assert {found["first_order"] <= int(order) <= found["last_order"] for order in shop.seen} == {True}
    assert sum(step["scenarios"] for step in found["steps"]) == shop.seen.total()
    (row,) = csv.DictReader((tmp_path / "found_verdict.csv").read_text().splitlines())
    assert (row["receiver"], row["verdict"], row["first_order"]) == (url, line, str(found["first_order"]))
    page = (tmp_path / "found.html").read_text()
    assert f"<h2>{line}</h2><p>Receiver {url}: 20 cancels a second, by 300 users</p>" in page


def test_the_rate_that_was_reached_is_told_and_why_not_more(tmp_path: Path):
    with serving(HasWorkers(workers=50, seconds=0.5)) as url:
        done = load(url, "--rate", 10, "--users", 2, "--time", 1, cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    said = r"asked for 10 cancels a second, reached [\d.]+: all 2 users waited for answers \(median .*"
    assert re.fullmatch(said, last_line(done)), last_line(done)


def test_each_order_is_used_once_and_the_test_ends_when_all_are(tmp_path: Path):
    shop = CancelsTwice()
    with serving(shop) as url:
        done = load(url, "--users", 4, "--orders", "101-140", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "orders from 101 to 140 were used\nthe test ended early, as there were no more" in done.stdout
    assert shop.seen == {str(number): 1 for number in range(101, 141)}


def test_users_that_are_to_collide_send_about_the_same_order_at_once(tmp_path: Path):
    shop = CancelsTwice()
    with serving(shop) as url:
        done = load(url, "--users", 4, "--orders", "101-140", "--collide", cwd=tmp_path)
    assert done.returncode == 1, "the second of two at once has no event"
    assert "/events/0: expected" in done.stdout
    assert shop.seen == {str(number): 2 for number in range(101, 141)}


def test_scenarios_may_keep_the_orders_that_they_name(tmp_path: Path):
    shop = Loaded()
    with serving(shop) as url:
        done = load(url, "--users", 2, "--orders", "named", "--time", 0.3, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(shop.seen) == 1
    assert shop.seen.total() > 1


def test_a_range_that_is_too_small_is_refused_before_anything_is_sent(tmp_path: Path):
    shop = Loaded()
    with serving(shop) as url:
        done = load(url, "--rate", 100, "--time", 10, "--orders", "1-999", cwd=tmp_path)
    assert done.returncode == 2
    assert "the range 1-999 has 999 orders, and about 1,108 are needed at these rates" in done.stderr
    assert not shop.seen


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--rate", 1, "--step-load", "1:2:1"], "exclude each other"),
        (["--step-load", "1:2:1", "--time", 3], "FROM:TO:STEP:SECONDS"),
        (["--step-load", "9"], "no step load"),
        (["--orders", "9"], "no range of order ids"),
    ],
)
def test_what_cannot_be_asked_for_says_how(arguments: list[object], said: str, tmp_path: Path):
    done = load("http://127.0.0.1:9", *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
