"""Searching for a pattern: by RE2 in linear time where it can, else by Python's `re` in its own process."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import TYPE_CHECKING

from retailops_sandbox.patterns.bounds import PatternTooLarge, check_bounds

if TYPE_CHECKING:
    from re2 import _Regexp

LONGEST_SEARCH = 0.1
"""Seconds of processor time that the searches of one comparison for one pattern may take together."""

_QUICK = 0.0005
"""Seconds. Quicker searches do not count: an answer may hold many strings, and reading it takes longer."""
_MEMORY = 1024 * 1024
"""Bytes that RE2 may use for one pattern."""


class Budget:
    """The seconds of processor time that are left for searches."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = LONGEST_SEARCH


class Search:
    """Whether a pattern is found in strings, until the searches took too long."""

    __slots__ = ("_ascii_only", "_budget", "_linear", "_pattern", "gave_up")

    def __init__(self, pattern: str) -> None:
        """Raises PatternError for what is no regular expression, PatternTooLarge beyond the bounds."""
        self._pattern = pattern
        self._linear, self._ascii_only = prepared(pattern)
        self.renew()

    @property
    def may_wait(self) -> bool:
        """Whether a search may have to wait for the other process."""
        return self._linear is None or self._ascii_only

    def renew(self, budget: Budget | None = None) -> None:
        """Begin another comparison, with a budget of its own or one that it shares with other searches."""
        self.gave_up = False
        self._budget = budget or Budget()

    def __call__(self, text: str) -> bool:
        """Whether the pattern is found; false, too, once the searches took too long."""
        if self._budget.left <= 0:
            return False
        if self._linear is None or (self._ascii_only and not text.isascii()):
            found, seconds = self._search_elsewhere(text)
        else:
            began = time.thread_time()
            found = self._linear.search(text.encode("utf-8", "surrogatepass")) is not None
            seconds = time.thread_time() - began
        if seconds > _QUICK:
            self._budget.left -= seconds
            self.gave_up = self._budget.left <= 0
        return found

    def _search_elsewhere(self, text: str) -> tuple[bool, float]:
        from retailops_sandbox.patterns import process

        try:
            return process.search(self._pattern, text, self._budget.left)
        except process.GaveUp:
            return False, LONGEST_SEARCH


@lru_cache(maxsize=256)
def prepared(pattern: str) -> tuple[_Regexp | None, bool]:
    """RE2's search for a pattern, and whether it can search ASCII only; None where `re` has to search."""
    from retailops_sandbox.patterns.spelling import spelled

    check_bounds(pattern)
    spelling = spelled(pattern)
    linear = _linear(spelling.text) if spelling is not None else None
    if linear is None:
        _check_elsewhere(pattern)
    return linear, spelling is not None and spelling.ascii_only


def _check_elsewhere(pattern: str) -> None:
    from retailops_sandbox.patterns import process

    try:
        process.search(pattern, None, LONGEST_SEARCH)
    except process.GaveUp:
        what = f"reading the pattern takes longer than {LONGEST_SEARCH * 1000:g} ms, which is the most"
        raise PatternTooLarge(what) from None


def _linear(spelling: str) -> _Regexp | None:
    """RE2's search; None where the pattern is too large for it."""
    import re2  # only few runs need it

    from retailops_sandbox.patterns.spelling import LARGEST

    options = re2.Options()
    options.log_errors = False
    options.never_capture = True
    options.max_mem = _MEMORY
    try:
        compiled = re2.compile(spelling.encode(), options)
    except re2.error:
        return None
    return compiled if compiled.programsize <= LARGEST else None
