"""Locust's master and worker, as far as they are to agree, and to notice that the other one is gone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import gevent
import msgspec
from locust import __version__ as LOCUST
from locust.env import Environment
from locust.rpc import Message
from locust.runners import STATE_RUNNING, STATE_SPAWNING, MasterRunner, WorkerRunner
from locust.stats import RequestStats

from retailops_sandbox.load.agreement import Agreement

# The messages between master and workers, beside Locust's own.
_JOINING = "retailops joining"
_REFUSED = "retailops refused"

_LOOK = 0.05
"""Seconds between two looks at whether all users have started."""
_READY = "client_ready"
"""Locust's message of a worker that can begin."""
_ASK_AGAIN = 5.0
"""Seconds after which a worker asks its master again."""
_MOST_ASKED = 60
"""How often it asks a master that does not answer, as often as Locust's own."""
_SILENT = 5
"""Heartbeats, of which there is one a second, without which a worker takes its master for gone."""


class Master(MasterRunner):
    """A master that takes only workers that do the same, and each of them once."""

    def __init__(
        self,
        environment: Environment,
        host: str,
        port: int,
        agreement: Agreement,
        refused: Callable[[str], None],
    ) -> None:
        """`refused` is called with why a worker was refused. Raises SystemExit for a port that is taken."""
        self._agreement = agreement
        self._refused = refused
        self._agreed: set[str] = set()
        MasterRunner.__init__(self, environment, host, port)

    def handle_message(self, client_id: str, msg: Message) -> None:
        """Leave to Locust what workers say that have joined; others may be left over from another test."""
        if msg.type == _JOINING:
            self._judge(client_id, msg)
        elif client_id not in self._agreed:
            return
        elif msg.type == _READY and client_id in self.clients:
            # It asked more than once: Locust would give it as many workers' users.
            self.send_message("ack", {"index": self.worker_indexes[client_id]}, client_id=client_id)
        else:
            MasterRunner.handle_message(self, client_id, msg)
            if msg.type == _READY and self.state == STATE_SPAWNING:
                gevent.spawn(self._share_again)

    def _share_again(self) -> None:
        """Share the users once they have started: Locust forgets a worker that comes as the last ones do."""
        while self.state == STATE_SPAWNING:
            gevent.sleep(_LOOK)
        if self.state == STATE_RUNNING:
            self.start(self.target_user_count, self.spawn_rate)

    def _judge(self, client_id: str, msg: Message) -> None:
        try:
            refusal = self._agreement.refusal(Agreement.from_message(msg.data))
        except msgspec.ValidationError:
            refusal = "it has another version of this program"
        if not refusal:
            self._agreed.add(client_id)
            return
        self.server.send_to_client(Message(_REFUSED, {"why": refusal}, client_id))
        self._refused(refusal)

    def start(self, user_count: int, spawn_rate: float, wait: bool = False, user_classes: Any = None) -> None:
        """Start so many users; without a worker the test ends, which is said elsewhere."""
        if self.worker_count:
            MasterRunner.start(self, user_count, spawn_rate, wait, user_classes)


class Worker(WorkerRunner):
    """A worker that says what it does, and ends when its master is gone."""

    def __init__(
        self, environment: Environment, host: str, port: int, agreement: Agreement, gone: Callable[[], None]
    ) -> None:
        """Waits for the master. `gone` is called when it does not answer any more."""
        self._agreement = agreement
        self._gone = gone
        self.refusal = ""
        """Why the master refused this worker."""
        environment.stats = RequestStats(use_response_times_cache=False)  # as Locust has it for its workers
        WorkerRunner.__init__(self, environment, host, port)

    def connect_to_master(self) -> None:
        """Ask the master until it takes this worker, which is `connected` then, or until it refuses it."""
        for _ in range(_MOST_ASKED):
            self.client.send(Message(_JOINING, self._agreement.to_message(), self.client_id))
            self.client.send(Message(_READY, LOCUST, self.client_id))
            if self.connection_event.wait(timeout=_ASK_AGAIN):
                self.connected = not self.refusal
                return

    def handle_message(self, msg: Message) -> None:
        """Take a refusal; the rest is Locust's."""
        if msg.type == _REFUSED:
            self.refusal = str(msg.data["why"])
            self.connection_event.set()
        else:
            WorkerRunner.handle_message(self, msg)

    def heartbeat_timeout_checker(self) -> NoReturn:
        """Look once a second whether the master has answered. A worker that is late itself counts no more."""
        heard, silent = self.last_heartbeat_timestamp, 0
        while True:
            gevent.sleep(1)
            silent = silent + 1 if self.last_heartbeat_timestamp == heard else 0
            heard = self.last_heartbeat_timestamp
            if silent == _SILENT:
                self._gone()
