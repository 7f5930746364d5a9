"""Names that users can give to files, receivers and the like."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import chain, count

from retailops_sandbox.errors import UsageError, did_you_mean

_NAME = re.compile(r"[^\W_][\w.-]{0,99}")
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
"""File names that Windows reserves for devices."""

EXPECTATION = ".expect"
"""What a fixture's name is followed by in the name of its expectation's file, before `.json`."""


def safe_name(name: str, whose: str = "a fixture's") -> str:
    """The name; UsageError where it cannot be a file's name in any folder on any system."""
    if not _NAME.fullmatch(name) or ".." in name or name.endswith(".") or _RESERVED.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot be {whose} name",
            mend="letters, digits, hyphens, dots and underscores, up to 100",
        )
    return name


def is_expectation(stem: str) -> bool:
    """Whether a file's name, without `.json`, is that of a fixture's expectation."""
    return stem.lower().endswith(EXPECTATION)


def fixture_name(name: str) -> str:
    """The name; UsageError where it cannot be a fixture's."""
    if is_expectation(safe_name(name)):
        raise UsageError(
            f"{name!r} cannot be a fixture's name: {name}.json is what {name[: -len(EXPECTATION)]} expects",
            mend="choose a name with another ending",
        )
    return name


def free_name(name: str, is_taken: Callable[[str], bool], *, separator: str = "-") -> str:
    """The name, or where it is taken, the first of `name-2`, `name-3` and so on that is free."""
    numbered = (f"{name}{separator}{number}" for number in count(2))
    return next(each for each in chain([name], numbered) if not is_taken(each))


def nearest(name: str, names: list[str]) -> str:
    """The names that an unknown one may be meant to be, as a question; otherwise which names there are."""
    return did_you_mean(name, names, most=3) or f"there are: {', '.join(names[:20])}"
