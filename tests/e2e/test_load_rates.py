"""`load` at rates that are held, against receivers of which it is known what they do at which rate."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.support import command, loaded
from tests.support.loaded import CancelsTwice, HasWorkers, Loaded, LosesEvents
from tests.support.probed.receiving import TOKEN, serving


def write_scenario(folder: Path) -> None:
    step = {"fixture": "default", "expect": loaded.EXPECTED}
    document = {"name": "cancel", "edition": "v1", "steps": [step]}
    (folder / "cancel.scenario.json").write_text(json.dumps(document))


def load(url: str, *arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    write_scenario(cwd)
    return command.run("load", ".", "--receiver", url, "--receiver-token", TOKEN, *arguments, cwd=cwd)


def last_line(done: subprocess.CompletedProcess[str]) -> str:
    return done.stdout.rstrip().rpartition("\n")[2]


def test_a_step_load_finds_where_answers_lose_their_events(tmp_path: Path):
    shop = LosesEvents(beyond=150)
    with serving(shop) as url:
        done = load(url, "--step-load", "120:180:60:1", "--users", 180, cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert last_line(done).startswith("holds 120 cancels a second; at 180 answers lose their events (")
    assert "; in between, at 120, none of " in last_line(done)
    assert set(shop.seen.values()) == {1}, "no user cancels the order of another"


def test_a_receiver_of_known_capacity_falls_behind_although_no_answer_is_late(tmp_path: Path):
    with serving(HasWorkers(workers=1, seconds=0.05)) as url:
        done = load(url, "--rate", 40, "--time", 2, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    said = (
        r"asked for 40 cancels a second, reached [34][\d.]+; 1[\d.]+ answers came in a second, and waits grew"
    )
    assert re.fullmatch(said, last_line(done)), last_line(done)


def test_a_rate_is_reached_and_too_few_users_are_told(tmp_path: Path):
    with serving(HasWorkers(workers=50, seconds=0.2)) as url:
        done = load(url, "--rate", 20, "--users", 2, "--time", 2, cwd=tmp_path)
    assert last_line(done).startswith("asked for 20 cancels a second, reached ")
    assert ": all 2 users waited for answers (median 2" in last_line(done)


def test_users_that_are_to_collide_send_about_the_same_order_at_once(tmp_path: Path):
    shop = CancelsTwice()
    with serving(shop) as url:
        done = load(url, "--rate", 40, "--time", 1, "--collide", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert max(shop.seen.values()) == 2
    assert "/events/0: expected" in done.stdout


def test_a_test_ends_when_all_orders_are_used(tmp_path: Path):
    shop = Loaded()
    with serving(shop) as url:
        done = load(url, "--users", 2, "--orders", "101-140", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "The test ended early: all 40 orders of 101-140 were used" in done.stdout
    assert set(shop.seen) == {str(number) for number in range(101, 141)}
    assert set(shop.seen.values()) == {1}


def test_a_range_that_is_too_small_is_refused_before_anything_is_sent(tmp_path: Path):
    shop = Loaded()
    with serving(shop) as url:
        done = load(url, "--rate", 100, "--time", 10, "--orders", "1-999", cwd=tmp_path)
    assert done.returncode == 2
    assert "the range 1-999 has 999 orders, and 1,000 are needed at these rates" in done.stderr
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
