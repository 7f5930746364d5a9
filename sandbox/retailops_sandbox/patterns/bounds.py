"""The bounds on a pattern, checked on its text alone: compiling a small one may already take for ever."""

from __future__ import annotations

import re

LONGEST = 2_000
"""Characters of a pattern."""
DEEPEST = 30
"""Levels of groups within groups."""
MOST_REPEATS = 10_000
"""The most times that nested counts such as `(a{10}){10}` may repeat something."""

_COUNT = r"\{(?:([0-9]{1,19})(?:,([0-9]{0,19}))?|,([0-9]{1,19}))\}"
_TOKEN = r"(?s)\\.|\[\^?\]?(?:[^\]\\]|\\.)*\]?|."
"""An escape, a set, or one character."""


class PatternError(ValueError):
    """A pattern that is no regular expression."""


class PatternTooLarge(PatternError):
    """A pattern beyond the bounds."""


def check_bounds(pattern: str) -> None:
    """PatternTooLarge, which names the bound, for a pattern that is beyond one of them."""
    if len(pattern) > LONGEST:
        raise PatternTooLarge(f"the pattern has {len(pattern):,} characters; {LONGEST:,} are the most")
    count, token = re.compile(_COUNT), re.compile(_TOKEN)  # here, because few runs need them
    within = [1]  # for each open group, the most repeats within it until now
    last = 1  # the repeats within the last item
    at = 0
    while at < len(pattern):
        counted = count.match(pattern, at)
        found = counted or token.match(pattern, at)
        assert found is not None
        at = found.end()
        if counted:
            last *= max(int(number or 0) for number in counted.groups())
            if last > MOST_REPEATS:
                what = f"the pattern repeats up to {last:,} times; {MOST_REPEATS:,} are the most"
                raise PatternTooLarge(what)
            within[-1] = max(within[-1], last)
        elif found[0] == "(":
            within.append(1)
            if len(within) - 1 > DEEPEST:
                raise PatternTooLarge(
                    f"the pattern has groups more than {DEEPEST} levels deep, which is the most"
                )
        elif found[0] == ")" and len(within) > 1:
            last = within.pop()
            within[-1] = max(within[-1], last)
        elif found[0] not in "*+?":
            last = 1
