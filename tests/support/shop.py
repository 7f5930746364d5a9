"""The receiver under test of scenarios: its answer can be changed and held back."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from typing import Any

from tests.support.receivers import Peer, response


class Shop:
    """A receiver with one answer for all; while it is closed, it answers one request for each ticket."""

    def __init__(self, answer: Mapping[str, Any] | None = None) -> None:
        self.url = ""
        self.answer = answer or {"events": []}
        self.requests: list[bytes] = []
        self._arrived = threading.Semaphore(0)
        self._closed = False
        self._tickets = threading.Semaphore(0)

    def act(self, peer: Peer) -> None:
        while (request := peer.read_request()) is not None:
            self.requests.append(request)
            self._arrived.release()
            if self._closed:
                self._tickets.acquire(timeout=120)
            peer.send(response(json.dumps(self.answer).encode(), "Content-Type: application/json"))

    def wait_for(self, count: int) -> None:
        """Wait until so many more requests have arrived."""
        for _ in range(count):
            assert self._arrived.acquire(timeout=60)

    def close(self) -> None:
        """Answer nobody without a ticket."""
        self._tickets = threading.Semaphore(0)
        self._closed = True

    def answer_one(self) -> None:
        """Answer one request that waits, or the next."""
        self._tickets.release()

    def open(self) -> None:
        """Answer everybody."""
        self._closed = False
        self._tickets.release(1000)
