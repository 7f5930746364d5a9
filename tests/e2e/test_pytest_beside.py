"""The pytest plugin beside plugins of others, as they are published."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.pytest_runs import STAND_IN, run, scenario
from tests.support.receivers import answering, receiver, response, unused_port

ROOT = Path(__file__).parents[2]
NOTHING = {"body": {"events": []}}
UNKNOWN = {"/data/order/id": "no-such-order"}
UNREACHABLE = {"fixture": "no-such-fixture"}


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the plugins of others, which the environment of these tests is kept free of."""
    folder = tmp_path_factory.mktemp("others")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
    wanted = ["--constraint", ROOT / "constraints.txt", "--group", f"{ROOT / 'pyproject.toml'}:beside-pytest"]
    done = subprocess.run(
        [*pip, *wanted, "--target", folder], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(autouse=True)
def _beside(others: Path, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder to be in, with the plugins of others on Python's path."""
    for name in ("PYTEST_ADDOPTS", "PYTEST_XDIST_WORKER", "RETAILOPS_SANDBOX_RECEIVER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTHONPATH", str(others))


def result_files(folder: Path) -> dict[str, dict[str, object]]:
    """The results that allure wrote, by their names."""
    found = [json.loads(file.read_text()) for file in folder.glob("*-result.json")]
    return {each["name"]: each for each in found}


# --- running a test again ---


def test_pytest_retry_runs_a_failed_scenario_again(pytester: pytest.Pytester):
    scenario(pytester, "bad", NOTHING, set=UNKNOWN)
    scenario(pytester, "good", NOTHING)
    pytester.makepyfile("def test_other(): pass")
    done = run(pytester, STAND_IN, "--retries", "2", alone=True)
    outcomes = done.parseoutcomes()
    assert outcomes == {"passed": 2, "failed": 1, "retried": 1}
    done.stdout.fnmatch_lines(["*The bad one failed after 3 attempts!*"])


def test_pytest_retry_passes_a_scenario_whose_receiver_recovers(pytester: pytest.Pytester):
    busy = response(status="503 Busy")
    answer = response(b'{"events":[]}', "Content-Type: application/json")
    scenario(pytester, "shaky", NOTHING)
    with receiver(answering(busy, answer)) as shop:
        done = run(pytester, "--retailops-receiver", shop.url, "--retries", "1", alone=True)
    assert done.parseoutcomes() == {"passed": 1, "retried": 1}


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_pytest_repeat_repeats_scenarios_as_it_does_functions(
    pytester: pytest.Pytester, workers: tuple[str, ...]
):
    scenario(pytester, "bad", NOTHING, set=UNKNOWN, title="bad [x]")
    pytester.makepyfile("def test_other(): pass")
    done = run(pytester, STAND_IN, "--count", "3", *workers, alone=True)
    done.assert_outcomes(passed=3, failed=3)
    for number in (1, 2, 3):
        done.stdout.fnmatch_lines([f"FAILED bad.scenario.json::bad (x)[[]{number}-3[]] *"])
    again = run(pytester, STAND_IN, "--count", "3", *workers, "--last-failed", alone=True)
    again.assert_outcomes(failed=3)
    one = run(pytester, STAND_IN, "--count", "3", "bad.scenario.json::bad (x)[2-3]", alone=True)
    one.assert_outcomes(failed=1)
    every = run(pytester, STAND_IN, "--count", "3", "bad.scenario.json::bad (x)", alone=True)
    every.assert_outcomes(failed=3)


def test_pytest_flakefinder_repeats_scenarios_too(pytester: pytest.Pytester):
    scenario(pytester, "good", NOTHING)
    pytester.makepyfile("def test_other(): pass")
    done = run(pytester, STAND_IN, "--flake-finder", "--flake-runs", "3", alone=True)
    done.assert_outcomes(passed=6)


# --- reports ---


def test_allure_says_failed_of_a_failed_verdict_and_broken_of_an_errored_one(pytester: pytest.Pytester):
    scenario(pytester, "bad", NOTHING, set=UNKNOWN, title="bad [x] y")
    scenario(pytester, "lost", NOTHING, **UNREACHABLE)
    scenario(pytester, "recorded")
    scenario(pytester, "good", NOTHING)
    pytester.makepyfile(
        """
        def test_bad(retailops):
            retailops.send("unknown-order", expect={"body": {"events": []}}).check()

        def test_lost(retailops):
            retailops.send("default", remove=["/version"], expect={"status": 200}).check()

        def test_nothing_came(retailops):
            retailops.send("default", remove=["/version"]).response
        """
    )
    run(pytester, STAND_IN, "--alluredir", "allure", alone=True)
    results = result_files(pytester.path / "allure")
    assert {name: result["status"] for name, result in results.items()} == {
        "bad (x) y": "failed",
        "The lost one": "broken",
        "The recorded one": "skipped",
        "The good one": "passed",
        "test_bad": "failed",
        "test_lost": "broken",
        "test_nothing_came": "broken",
    }
    assert results["bad (x) y"]["fullName"] == "bad.scenario#bad (x) y"


def test_allure_says_broken_where_the_receiver_is_down(pytester: pytest.Pytester):
    scenario(pytester, "down", NOTHING)
    down = f"http://127.0.0.1:{unused_port()}"
    run(pytester, "--retailops-receiver", down, "--alluredir", "allure", alone=True)
    (result,) = result_files(pytester.path / "allure").values()
    assert result["status"] == "broken"


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["alone", "xdist"])
def test_annotations_name_the_line_of_the_step(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, workers: tuple[str, ...]
):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)
    steps = [
        {"name": "first", "fixture": "default", "expect": NOTHING},
        {"name": "second", "fixture": "unknown-order", "expect": NOTHING},
    ]
    text = '{"steps": [\n' + ",\n\n".join(map(json.dumps, steps)) + "]}"
    (pytester.path / "two.scenario.json").write_text(text)
    scenario(pytester, "lost", NOTHING, **UNREACHABLE)
    done = run(pytester, STAND_IN, *workers, alone=True)
    places = re.findall(r"::error file=(\S+),line=(\d+)::", done.stdout.str() + done.stderr.str())
    assert sorted(places) == [("lost.scenario.json", "2"), ("two.scenario.json", "4")]


# --- trio ---


def test_a_receiver_in_the_trio_loop_of_the_test(pytester: pytest.Pytester):
    port = unused_port()
    pytester.makepyfile(
        f"""
        from functools import partial

        import pytest
        import trio

        async def answer(stream):
            await stream.receive_some()
            await stream.send_all(
                b"HTTP/1.1 200 OK\\r\\nContent-Type: application/json\\r\\nContent-Length: 13\\r\\n"
                b"Connection: close\\r\\n\\r\\n" + b'{{"events":[]}}'
            )

        async def send(retailops):
            async with trio.open_nursery() as nursery:
                await nursery.start(partial(trio.serve_tcp, answer, {port}, host="127.0.0.1"))
                result = await retailops.send_async("default", expect={{"body": {{"events": []}}}})
                nursery.cancel_scope.cancel()
            return result

        def test_it(retailops):
            trio.run(send, retailops).check()

        def test_a_mistake_is_told(retailops):
            async def mistaken():
                await retailops.send_async("no-such-fixture")

            with pytest.raises(Exception, match="no-such-fixture"):
                trio.run(mistaken)
        """
    )
    done = run(pytester, "--retailops-receiver", f"http://127.0.0.1:{port}", alone=True)
    done.assert_outcomes(passed=2)


def test_a_send_that_trio_cancels_ends_and_is_logged(pytester: pytest.Pytester):
    pytester.makepyfile(
        """
        import trio

        async def impatient(retailops):
            with trio.move_on_after(0.2) as scope:
                await retailops.send_async("default", expect={"status": 200})
            return scope.cancelled_caught

        def test_it(retailops):
            assert trio.run(impatient, retailops)
        """
    )
    with receiver(lambda peer: (peer.read_request(), peer.hang())) as shop:
        done = run(pytester, "--retailops-receiver", shop.url, alone=True)
        done.assert_outcomes(passed=1)
        assert shop.left.wait(60)
    (log,) = [json.loads(file.read_text()) for file in pytester.path.glob(".sandbox/runs/*")]
    assert [row["fault"]["kind"] for row in log["deliveries"].values()] == ["cancelled"]
