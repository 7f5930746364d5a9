"""What is asked for: the command hands it to each process of a load test."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO, Literal

import msgspec

from retailops_sandbox.load.series import StepLoad
from retailops_sandbox.model import Json, Receiver
from retailops_sandbox.probe.orders import DEFAULT_FIRST, DEFAULT_LAST, OrderIds
from retailops_sandbox.scenarios.scenario import Plan

Role = Literal["alone", "master", "worker"]

LOCALHOST = "127.0.0.1"
MASTER_PORT = 5557
"""Locust's own."""
WEB_PORT = 8089
"""Locust's own."""
UNABLE = 64
"""The exit code of a process that could not begin or go on, and has said why."""
WORKER_ENDED = b"w"
"""What the command writes to a master when a worker that it started has ended."""


class LoadSetup(msgspec.Struct, frozen=True, kw_only=True):
    """A load test, as one of its processes needs it."""

    workspace: Path
    database: str = ""
    """The URL of the database that keeps the log; empty for files."""
    plans: tuple[Plan, ...]
    receiver: Receiver
    """The receiver under test; the stand-in with its address."""
    variables: Mapping[str, Json] = {}
    timeout_ms: int | None = None
    confirmed: bool = False
    secret_env: tuple[str, ...] = ()

    users: int = 10
    spawn_rate: float = 10.0
    """Users that are started in a second; 0, at a rate that is held, for all at once."""
    seconds: float = 60.0
    """How long the test takes from its first user on."""

    pace: float = 0.0
    """The seconds from one scenario of a user to its next; 0 where the next follows at once."""
    rate: float = 0.0
    """The constant rate that is held; 0 for none."""
    step_load: StepLoad | None = None
    orders: OrderIds | None = OrderIds(DEFAULT_FIRST, DEFAULT_LAST)
    """The ids that scenarios get for the orders that they name; None where they keep those."""
    collide: bool = False
    """Whether two users at a time get the same order."""

    role: Role = "alone"
    master_host: str = LOCALHOST
    """The address at which the master listens, and to which a worker connects."""
    master_port: int = MASTER_PORT
    workers: int = 1
    """The number of workers for which a master waits before it starts."""

    together: bool = False
    """Whether one command has started a master and its workers, on this machine."""

    web_host: str = LOCALHOST
    web_port: int | None = None
    """The port of Locust's page, on which the test is started; None starts it at once, without a page."""
    csv: str = ""
    """The beginning of the names of Locust's CSV files; empty for none."""
    html: str = ""
    json: str = ""
    is_watched: bool = False
    """Whether standard output is a terminal on which a line can be redrawn."""

    @property
    def starting_seconds(self) -> float:
        """The seconds within which users are started; 0 for all at once."""
        return self.users / self.spawn_rate if self.spawn_rate else 0.0

    @property
    def scenarios(self) -> float:
        """How many scenarios its rates need where answers come within a second; 0 without a rate."""
        if self.step_load is not None:
            return self.step_load.scenarios
        # Users that have started send while others start.
        return self.rate * (self.seconds + 1 + self.starting_seconds / 2)

    @property
    def sends(self) -> bool:
        """Whether this process has users."""
        return self.role != "master"

    @property
    def reports(self) -> bool:
        """Whether this process has the statistics of all users, the log and the reports."""
        return self.role != "worker"


def written(setup: LoadSetup) -> bytes:
    """A setup as it is written into the pipe to a process of this program, which reads it with `read`.

    Pickled, since variables hold numbers as they were spelled; both ends are this program.
    """
    content = pickle.dumps(setup)
    return len(content).to_bytes(8, "big") + content


def read(stream: BinaryIO) -> LoadSetup:
    """The setup that the parent wrote; EOFError where it died before."""
    size = int.from_bytes(_exactly(stream, 8), "big")
    setup: LoadSetup = pickle.loads(_exactly(stream, size))
    return setup


def _exactly(stream: BinaryIO, size: int) -> bytes:
    content = b""
    while len(content) < size:
        part = stream.read(size - len(content))
        if not part:
            raise EOFError
        content += part
    return content
