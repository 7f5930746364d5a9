"""How a master hands the ids of orders out to its workers, and users take them."""

from __future__ import annotations

from collections.abc import Callable

import gevent
from gevent.event import Event
from locust.env import Environment
from locust.rpc import Message
from locust.runners import Runner

from retailops_sandbox.load.order_numbers import Block, OrderNumbers, OrderRange

# The messages between master and workers, beside Locust's own.
_WANTED = "retailops orders wanted"
_ORDERS = "retailops orders"
_USED_UP = "retailops orders used up"

_LOOK = 0.005
"""Seconds between two looks for numbers that are on their way."""
_COLLIDING = 2
"""The number of users that take the same order where they are to collide."""


class HandingOut:
    """The master's part: each block of a range goes to one worker."""

    def __init__(self, runner: Runner, range: OrderRange, on_used_up: Callable[[], None]) -> None:
        """`on_used_up` is called when a user found no order."""
        self._runner = runner
        self._range = range
        self._on_used_up = on_used_up
        self._is_used_up = False
        runner.register_message(_WANTED, self._hand_out)
        runner.register_message(_USED_UP, self._end)

    def _hand_out(self, environment: Environment, msg: Message) -> None:
        block = self._range.block()
        data = None if block is None else {"first": block.first, "last": block.last}
        self._runner.send_message(_ORDERS, {"block": data}, client_id=msg.node_id)

    @property
    def used(self) -> Block | None:
        """The orders that were handed out."""
        return self._range.used

    @property
    def said(self) -> list[str]:
        """What is said at the end: which orders scenarios were about, and whether there were too few."""
        used = self._range.used
        lines = [] if used is None else [f"orders from {used.first} to {used.last} were used"]
        return (
            [*lines, "the test ended early, as there were no more (--orders)"] if self._is_used_up else lines
        )

    def _end(self, environment: Environment, msg: Message) -> None:
        if not self._is_used_up:
            self._is_used_up = True
            self._on_used_up()


class Taking:
    """A worker's part: its users take numbers that no other worker has."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._numbers = OrderNumbers(self._ask)
        self._has_told = False
        runner.register_message(_ORDERS, self._add)

    def begin(self, *, collide: bool) -> None:
        """Ask for the first numbers. Where users are to collide, two of them take the same."""
        self._numbers.times = _COLLIDING if collide else 1
        self._numbers.ask_if_few()

    def take(self, count: int) -> list[int]:
        """So many numbers; waits for them. A user for whom there are none waits until it is stopped."""
        while (numbers := self._numbers.take(count)) is None:
            if self._numbers.is_used_up:
                if not self._has_told:
                    self._has_told = True
                    self._runner.send_message(_USED_UP, {})
                Event().wait()
            gevent.sleep(_LOOK)
        return numbers

    def _ask(self) -> None:
        self._runner.send_message(_WANTED, {})

    def _add(self, environment: Environment, msg: Message) -> None:
        block = msg.data["block"]
        self._numbers.add(None if block is None else Block(block["first"], block["last"]))
