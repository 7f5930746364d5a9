"""The bounds on a pattern: named before any engine sees it."""

from __future__ import annotations

import pytest

from retailops_sandbox.patterns.bounds import DEEPEST, LONGEST, MOST_REPEATS, PatternTooLarge, check_bounds


@pytest.mark.parametrize(
    "pattern",
    [
        "a" * LONGEST,
        "(" * DEEPEST + "a" + ")+" * DEEPEST,
        "(a)" * (DEEPEST + 1),
        f"a{{{MOST_REPEATS}}}",
        "(a{100}){100}",
        "a{100}b{100}" * 20,
        "(a{100}|b){2}c{5000}",
        r"\(" * 100,
        "[(]" * 100,
        "[](]" * 100,
        r"[\](]" * 100,
        "a{20000",
        "[{20000}]",
        "",
    ],
)
def test_a_pattern_within_the_bounds_is_let_through(pattern: str):
    check_bounds(pattern)


@pytest.mark.parametrize(
    ("pattern", "what"),
    [
        ("a" * (LONGEST + 1), "2,001 characters; 2,000 are the most"),
        ("(" * (DEEPEST + 1) + "a" + ")" * (DEEPEST + 1), "more than 30 levels deep"),
        ("(" * LONGEST, "more than 30 levels deep"),
        ("(?:(?=" * DEEPEST, "more than 30 levels deep"),
        (f"a{{{MOST_REPEATS + 1}}}", "up to 10,001 times; 10,000 are the most"),
        ("a{,99999999999}", "up to 99,999,999,999 times"),
        ("((a{100}){100}){100}", "up to 1,000,000 times"),
        ("(?:a{101}b){100}", "up to 10,100 times"),
        ("a{101}{100}", "up to 10,100 times"),
        (r"\\(a{1000}b)*{11}", "up to 11,000 times"),
        ("(x{2}(a{1000}b)){11}", "up to 11,000 times"),
    ],
)
def test_a_pattern_beyond_a_bound_is_refused_with_its_name(pattern: str, what: str):
    with pytest.raises(PatternTooLarge, match=what):
        check_bounds(pattern)
