"""The numbers of orders under load: shares of a range that no two workers have, and each one used once."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable
from random import SystemRandom

import msgspec

from retailops_sandbox.probe.orders import DEFAULT_FIRST, DEFAULT_LAST, OrderIds

_SOME = 10_000_000
"""The number of ids, at least, that a load test has where a user says none."""
_LARGEST_BLOCK = 1_000
_BLOCKS = 200
"""The number of blocks, at least, that a range is divided into: a worker that is lost takes one with it."""


def some_orders() -> OrderIds:
    """The usual ids from a random one on: a receiver may remember those of an earlier test."""
    return OrderIds(SystemRandom().randrange(DEFAULT_FIRST, DEFAULT_LAST - _SOME + 2), DEFAULT_LAST)


class Block(msgspec.Struct, frozen=True):
    """Numbers from a range, both ends included."""

    first: int
    last: int


class OrderRange:
    """Hands out a range of order ids in blocks, each once."""

    def __init__(self, ids: OrderIds) -> None:
        self._ids = ids
        self._size = max(1, min(_LARGEST_BLOCK, len(ids) // _BLOCKS))
        self._next = ids.first

    @property
    def most_left(self) -> int:
        """How many numbers a worker may be left with at the end: of one block, and of one kept in reserve."""
        return 2 * self._size

    @property
    def used(self) -> Block | None:
        """The numbers that were handed out; None where there were none."""
        return Block(self._ids.first, self._next - 1) if self._next > self._ids.first else None

    def block(self) -> Block | None:
        """The next block; None where the range is used up."""
        if self._next > self._ids.last:
            return None
        first = self._next
        self._next = min(first + self._size, self._ids.last + 1)
        return Block(first, self._next - 1)


class OrderNumbers:
    """The numbers that the users of one worker take; more are asked for before they run out."""

    def __init__(self, ask: Callable[[], None], *, times: int = 1) -> None:
        """`ask` asks for another block, which `add` takes."""
        self._ask = ask
        self.times = times
        """How often in a row numbers are taken."""
        self._numbers: deque[int] = deque()
        self._reserve = 0
        """How many numbers there must be for no more to be asked for."""
        self._again: dict[int, deque[list[int]]] = defaultdict(deque)
        """Numbers that are to be taken again, by how many a scenario takes."""
        self._is_asking = False
        self.is_used_up = False
        """Whether the range has no more blocks."""

    def add(self, block: Block | None) -> None:
        """Take a block that was asked for; None where there are no more."""
        self._is_asking = False
        if block is None:
            self.is_used_up = True
            return
        self._numbers.extend(range(block.first, block.last + 1))
        self._reserve = max(self._reserve, block.last - block.first + 1)
        self.ask_if_few()

    def ask_if_few(self) -> None:
        """Ask for another block where there are few numbers, and none is on its way."""
        if not self._is_asking and not self.is_used_up and len(self._numbers) <= self._reserve:
            self._is_asking = True
            self._ask()

    def take(self, count: int) -> list[int] | None:
        """So many numbers for one scenario; None where they are not here, or not yet."""
        if self._again[count]:
            return self._again[count].popleft()
        if len(self._numbers) < count:
            self._reserve = max(self._reserve, count)
            self.ask_if_few()
            if len(self._numbers) < count:
                return None
        numbers = [self._numbers.popleft() for _ in range(count)]
        self._again[count].extend([numbers] * (self.times - 1))
        self.ask_if_few()
        return numbers
