"""How users keep a rate together: each at its own pace, and evenly spread. Pure."""

from __future__ import annotations

import math

from retailops_sandbox.load.series import PROVIDER_MS

PATIENT = PROVIDER_MS / 1000
"""The pace in seconds at which no user falls behind before answers take longer than the provider waits."""
_MOST_USERS = 10_000
"""Of one process: more of them would open more connections at once than it can serve."""
_QUICK = 1.0
"""The shortest pace in seconds that is chosen for users."""
_GOLDEN = (5**0.5 - 1) / 2
"""Its multiples, without their whole part, are spread evenly however many there are."""
_OF_WORKERS = 0.7548776662466927
"""Likewise, and not in step with the golden ratio: the users of different workers."""


def users_for(rate: float, pace: float) -> int:
    """How many users a rate needs, of which each begins a scenario every `pace` seconds."""
    return max(1, math.ceil(rate * pace - 1e-9))


def patient_users(rate: float, processes: int) -> int:
    """How many users keep a rate as long as the provider waits, of as many as so many processes can have."""
    return min(users_for(rate, PATIENT), max(_MOST_USERS * processes, users_for(rate, _QUICK)))


class Pacing:
    """When each user of one worker begins."""

    def __init__(self) -> None:
        self.pace = 0.0
        """The seconds from one scenario of a user to its next; 0 where the next follows at once."""
        self._first = 0.0
        self._at_once = 1
        self._begun = 0

    def begin(self, pace: float, worker: int, *, pairs: bool) -> None:
        """Begin a test, on the worker of this number. With `pairs`, two users at a time begin at once."""
        self.pace = pace
        self._first = worker * _OF_WORKERS
        self._at_once = 2 if pairs else 1
        self._begun = 0

    def next_phase(self) -> float:
        """The seconds that the next user waits before its first scenario."""
        turn = self._begun // self._at_once
        self._begun += 1
        return (self._first + turn * _GOLDEN) % 1.0 * self.pace
