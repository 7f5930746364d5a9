"""session/run.py: what signals, listeners and receivers that cannot be called do to a run."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from retailops_sandbox.cli.commands import main
from retailops_sandbox.engine import DeliveryFinished, Event, Options
from retailops_sandbox.errors import UsageError
from retailops_sandbox.model import Receiver, Step
from retailops_sandbox.reporting.reporters.reporter import FinishedRun, Reporter
from retailops_sandbox.scenarios import scenario
from retailops_sandbox.session import run, waiting
from retailops_sandbox.session.exit_code import exit_code
from retailops_sandbox.session.receivers import STAND_IN
from retailops_sandbox.transport import wait_until_listening
from retailops_sandbox.workspace.workspace import Workspace
from tests.support.policies import secret_policy


class Listener(Reporter):
    """Hands the events on to a function."""

    def __init__(self, take: Callable[[Event], None]) -> None:
        self._take = take

    def on_event(self, event: Event) -> None:
        self._take(event)


def setup(folder: Path, receiver: Receiver = STAND_IN, wait: float = 0) -> run.RunSetup:
    plan = scenario.single(Step(fixture="default"), action="order_cancel", edition="draft")
    return run.RunSetup(
        workspace=Workspace(folder),
        plans=[plan, plan],
        options=Options(receiver=receiver, jobs=1),
        environment={},
        policy=secret_policy(),
        wait=wait,
    )


def interrupt(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_an_interrupt_ends_the_waiting_and_the_run_reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    async def wait_forever(url: str, seconds: float) -> bool:
        interrupt()
        await asyncio.Event().wait()
        return True

    monkeypatch.setattr(waiting, "wait_until_listening", wait_forever)
    before = signal.getsignal(signal.SIGINT)
    finished = run.execute(setup(tmp_path, wait=60), [])
    assert [result.verdict for result in finished.results] == ["skipped", "skipped"]
    assert not finished.waited_in_vain
    assert exit_code(finished) == 130
    assert signal.getsignal(signal.SIGINT) is before


def test_a_second_interrupt_ends_the_run(tmp_path: Path):
    def listen(event: Event) -> None:
        interrupt()
        interrupt()

    with pytest.raises(KeyboardInterrupt):
        run.execute(setup(tmp_path), [Listener(listen)])


def test_the_command_line_says_nothing_of_an_interrupt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def interrupted(*_: object) -> FinishedRun:
        raise KeyboardInterrupt

    monkeypatch.setattr(run, "execute", interrupted)
    done = CliRunner().invoke(main, ["send", "default", "--stand-in", "--workspace", str(tmp_path)])
    assert done.exit_code == 130
    assert done.output == ""


def test_a_listener_that_raises_loses_no_evidence(tmp_path: Path):
    def listen(event: Event) -> None:
        if isinstance(event, DeliveryFinished):
            raise RuntimeError("deaf")

    with pytest.raises(RuntimeError, match="deaf"):
        run.execute(setup(tmp_path), [Listener(listen)])
    (file,) = (tmp_path / ".sandbox" / "runs").glob("*.json")
    assert len(json.loads(file.read_text())["deliveries"]) == 1


@pytest.mark.parametrize("url", ["ftp://h", "http://h:99999", "http://"])
@pytest.mark.parametrize("wait", [0, 60])
def test_a_receiver_that_cannot_be_called_leaves_nothing_behind(tmp_path: Path, url: str, wait: float):
    with pytest.raises(UsageError):
        run.execute(setup(tmp_path, Receiver(name="r", base_url=url), wait), [])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("url", ["http://h:99999", "http://a..b", f"http://{'x' * 70}.de", "http://[::1"])
def test_a_url_that_cannot_be_is_not_waited_for(url: str):
    assert asyncio.run(wait_until_listening(url, 3600)) is False
