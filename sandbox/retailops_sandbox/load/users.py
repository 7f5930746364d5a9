"""Locust's users: each runs one scenario after the other through the engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from locust import User

from retailops_sandbox.foreign_text import in_line
from retailops_sandbox.load.engine_thread import EngineThread
from retailops_sandbox.scenarios.scenario import Plan


def scenario_users(plans: Sequence[Plan], engine: Callable[[], EngineThread], host: str) -> type[User]:
    """The class of Locust's users: each runs one scenario after the other, by chance.

    `host` is the receiver's URL for people.
    """
    return type("ScenarioUser", (User,), {"host": host, "tasks": [_task(plan, engine) for plan in plans]})


def _task(plan: Plan, engine: Callable[[], EngineThread]) -> Callable[[User], None]:
    def task(user: User) -> None:
        engine().run(plan)

    # Locust's page shows how often each is done, by its name.
    task.__name__ = in_line(plan.id)
    return task
