"""The workers of a master: which are there, and what is said of those that are lost."""

from __future__ import annotations

from collections.abc import Callable

import gevent
from locust.runners import STATE_MISSING, MasterRunner, Runner

_LOOK = 0.2
"""Seconds between two looks at the workers."""


def present(runner: Runner) -> set[str]:
    """The ids of the workers that are there; where a process has users itself, its own."""
    if not isinstance(runner, MasterRunner):
        return {"local"}
    return {worker.id for worker in runner.clients.all if worker.state != STATE_MISSING}


class WorkerWatch:
    """Says when a worker is lost, as long as a test goes on."""

    def __init__(self, runner: MasterRunner, say: Callable[[str], None]) -> None:
        self._runner = runner
        self._say = say
        self._watching = gevent.spawn(self._watch)

    def end(self) -> None:
        """Say nothing more."""
        self._watching.kill()

    def _watch(self) -> None:
        known = present(self._runner)
        while True:
            gevent.sleep(_LOOK)
            now = present(self._runner)
            for worker in known - now:
                self._say(self._said(worker, len(now)))
            known = now

    def _said(self, worker: str, left: int) -> str:
        others = f"{left} {'goes' if left == 1 else 'go'} on" if left else "none is left"
        if worker in self._runner.clients:
            return f"a worker was lost, and {others}; what it sent in its last seconds is in no statistic"
        return f"a worker ended, and {others}"
