"""How a watch ends, and what it says of it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from retailops_sandbox.errors import UsageError
from retailops_sandbox.model import Receiver
from retailops_sandbox.web.shell.run_watch import RunWatch
from tests.support.apps import context_of


def test_a_watch_that_nobody_looks_at_ends(tmp_path: Path):
    async def ended() -> RunWatch:
        watch = RunWatch(context_of(tmp_path), idle=0.0)
        await watch.start("run", ["scenarios/a.scenario.json"], "stand-in")
        while watch.current is not None:
            await asyncio.sleep(0)
        return watch

    # One version for its start, and one for its end, which its page waits for.
    assert asyncio.run(asyncio.wait_for(ended(), 60)).version == 2


def test_a_watch_is_stopped_more_than_once(tmp_path: Path):
    async def stopped() -> RunWatch:
        watch = RunWatch(context_of(tmp_path))
        await watch.start("run", ["scenarios/a.scenario.json"], "stand-in")
        assert watch.current is not None
        await watch.stop()
        await watch.stop()
        return watch

    assert asyncio.run(stopped()).current is None


@pytest.mark.parametrize("name", ["gone", "live"])
def test_what_cannot_be_watched_leaves_the_earlier_watch(tmp_path: Path, name: str):
    async def refused() -> RunWatch:
        context = context_of(tmp_path)
        context.workspace.save_receiver(Receiver("live", "http://127.0.0.1:9", protected=True))
        watch = RunWatch(context)
        await watch.start("run", ["scenarios/a.scenario.json"], "stand-in")
        with pytest.raises(UsageError):
            await watch.start("other", ["scenarios/a.scenario.json"], name)
        current = watch.current
        assert current is not None
        assert current.run == "run"
        await watch.stop()
        return watch

    asyncio.run(refused())


def test_of_two_watches_that_start_at_once_one_is_left(tmp_path: Path):
    async def started() -> int:
        watch = RunWatch(context_of(tmp_path))
        await watch.start("run", ["scenarios/a.scenario.json"], "stand-in")
        before = asyncio.all_tasks()
        both = (watch.start(run, ["scenarios/a.scenario.json"], "stand-in") for run in ("one", "two"))
        await asyncio.gather(*both)
        await watch.stop()
        return len(asyncio.all_tasks() - before)

    assert asyncio.run(started()) == 0
