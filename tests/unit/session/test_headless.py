"""headless.py: what signals, listeners and receivers that cannot be called do to a run."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from pathlib import Path

import pytest
from click.testing import CliRunner

from retailops_sandbox import cli
from retailops_sandbox.engine import DeliveryFinished, Event, Options
from retailops_sandbox.errors import UsageError
from retailops_sandbox.model import Receiver, Step
from retailops_sandbox.scenarios import scenario
from retailops_sandbox.session import headless
from retailops_sandbox.session.receivers import STAND_IN
from retailops_sandbox.transport import wait_until_listening
from retailops_sandbox.workspace.workspace import Workspace
from tests.support.policies import secret_policy


def job(folder: Path, receiver: Receiver = STAND_IN, wait: float = 0) -> headless.Job:
    plan = scenario.single(Step(fixture="default"), action="order_cancel", edition="draft")
    return headless.Job(
        workspace=Workspace(folder),
        plans=[plan, plan],
        options=Options(receiver=receiver, jobs=1),
        environment={},
        policy=secret_policy(),
        wait=wait,
    )


def interrupt(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGINT)


def no_signal_handlers(*_: object) -> None:
    raise NotImplementedError


@pytest.fixture(params=["handlers of the event loop", "handlers of the system"])
def _either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "handlers of the system":
        monkeypatch.setattr(asyncio.SelectorEventLoop, "add_signal_handler", no_signal_handlers)


@pytest.mark.usefixtures("_either_way")
def test_an_interrupt_ends_the_waiting_and_the_run_reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    async def wait_forever(url: str, seconds: float) -> bool:
        interrupt()
        await asyncio.Event().wait()
        return True

    monkeypatch.setattr(headless, "wait_until_listening", wait_forever)
    before = signal.getsignal(signal.SIGINT)
    outcome = headless.run(job(tmp_path, wait=60), lambda event: None)
    assert [result.verdict for result in outcome.results] == ["skipped", "skipped"]
    assert not outcome.waited_in_vain
    assert headless.exit_code(outcome, []) == 130
    assert signal.getsignal(signal.SIGINT) is before


def test_a_second_interrupt_ends_the_run(tmp_path: Path):
    def listen(event: Event) -> None:
        interrupt()
        interrupt()

    with pytest.raises(KeyboardInterrupt):
        headless.run(job(tmp_path), listen)


def test_the_command_line_says_nothing_of_an_interrupt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def interrupted(*_: object) -> headless.Outcome:
        raise KeyboardInterrupt

    monkeypatch.setattr(headless, "run", interrupted)
    done = CliRunner().invoke(cli.main, ["send", "default", "--stand-in", "--workspace", str(tmp_path)])
    assert done.exit_code == 130
    assert done.output == ""


def test_a_listener_that_raises_loses_no_evidence(tmp_path: Path):
    def listen(event: Event) -> None:
        if isinstance(event, DeliveryFinished):
            raise RuntimeError("deaf")

    with pytest.raises(RuntimeError, match="deaf"):
        headless.run(job(tmp_path), listen)
    (file,) = (tmp_path / ".sandbox" / "runs").glob("*.json")
    assert len(json.loads(file.read_text())["deliveries"]) == 1


@pytest.mark.parametrize("url", ["ftp://h", "http://h:99999", "http://"])
@pytest.mark.parametrize("wait", [0, 60])
def test_a_receiver_that_cannot_be_called_leaves_nothing_behind(tmp_path: Path, url: str, wait: float):
    with pytest.raises(UsageError):
        headless.run(job(tmp_path, Receiver(name="r", base_url=url), wait), lambda event: None)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("url", ["http://h:99999", "http://a..b", f"http://{'x' * 70}.de", "http://[::1"])
def test_a_url_that_cannot_be_is_not_waited_for(url: str):
    assert asyncio.run(wait_until_listening(url, 3600)) is False
