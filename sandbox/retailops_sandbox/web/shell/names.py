"""Names for what is new."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain, count


def free_name(name: str, is_taken: Callable[[str], bool], *, separator: str = "-") -> str:
    """The name, or the first of its like with a number at the end that is not taken."""
    numbered = (f"{name}{separator}{number}" for number in count(2))
    return next(each for each in chain([name], numbered) if not is_taken(each))
