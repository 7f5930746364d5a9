"""Locust's users: each runs one scenario after the other through the engine."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import gevent
from locust import User, constant_throughput

from retailops_sandbox.foreign_text import in_line
from retailops_sandbox.load.pacing import Pacing
from retailops_sandbox.scenarios.scenario import Plan


def scenario_users(
    plans: Sequence[Plan], run: Callable[[Plan], None], pacing: Pacing, host: str
) -> type[User]:
    """The class of Locust's users: each runs one scenario after the other, by chance.

    `run` runs one to its end; `host` is the receiver's URL for people.
    """

    def on_start(user: User) -> None:
        if pacing.pace:
            gevent.sleep(pacing.next_phase())
            # From here on Locust keeps the pace, and not from when the user was made.
            user._cp_last_run = time.perf_counter()

    def wait_time(user: User) -> float:
        return constant_throughput(1 / pacing.pace)(user) if pacing.pace else 0.0

    tasks = [_task(plan, run) for plan in plans]
    members = {"host": host, "tasks": tasks, "on_start": on_start, "wait_time": wait_time}
    return type("ScenarioUser", (User,), members)


def _task(plan: Plan, run: Callable[[Plan], None]) -> Callable[[User], None]:
    def task(user: User) -> None:
        run(plan)

    # Locust's page shows how often each is done, by its name.
    task.__name__ = in_line(plan.id)
    return task
