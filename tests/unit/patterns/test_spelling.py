"""Patterns spelled for RE2: found in the same strings as by Python's `re`, or not spelled at all."""

from __future__ import annotations

import re
import warnings

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from retailops_sandbox.patterns.bounds import DEEPEST
from retailops_sandbox.patterns.spelling import spelled

TEXTS = st.text(alphabet="abAB_19 -.\n\x0b\x1c{}[]éß\u017f\u212a\u0130\u0663", max_size=12)


def counted(item: str, least: int, more: int | None) -> str:
    return f"{item}{{{least},{'' if more is None else least + more}}}"


ATOMS = st.one_of(
    st.sampled_from(["a", "b", "A", "1", "_", " ", "-", "é", "ß", "\n", "{", "}", "]", ",", "{,", "{}"]),
    st.sampled_from([".", "^", "$", r"\A", r"\Z", r"\b", r"\d", r"\D", r"\w", r"\W", r"\s", r"\S"]),
    st.sampled_from([r"\.", r"\n", r"\x41", r"\u00e9", r"\U000000df", r"\0", r"\053", r"\-", r"\{", r"\]"]),
    st.sampled_from(["[ab]", "[^a]", "[a-c1]", "[]a]", "[^]]", "[-a]", "[a-]", r"[\w-]", r"[^\d]", r"[\S1]"]),
    st.sampled_from([r"[\b\n]", r"[\x41-\x5a]", "[Z-a]", "[[a]", "[a&&b]", "[.^$|]", "[é-ü]", r"[^\s\S]"]),
    st.sampled_from([r"\B", r"\1", "(?=a)", "(?!a)", "(?<=a)", "(?#a)", "(?>a)", "(?P=a)", r"\z", r"\pL"]),
)
PATTERNS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map("".join),
        st.lists(inner, min_size=1, max_size=3).map(lambda each: f"({'|'.join(each)})"),
        st.builds(
            "{}{}".format, inner, st.sampled_from(["*", "+", "?", "*?", "+?", "??", "{2}", "{,2}", "++"])
        ),
        st.builds(counted, inner, st.integers(0, 2), st.none() | st.integers(0, 2)),
        st.builds("(?{}{})".format, st.sampled_from([":", "i:", "s:", "m:", "ms:", "P<a>", "P<b>"]), inner),
    ),
    max_leaves=8,
)
WHOLE = st.builds(
    "{}{}".format, st.sampled_from(["", "", "", "(?i)", "(?m)", "(?s)", "(?ims)", "(?x)"]), PATTERNS
)


@given(WHOLE, st.lists(TEXTS, min_size=1, max_size=5))
def test_what_is_spelled_is_found_where_python_finds_it(pattern: str, texts: list[str]):
    spelling = spelled(pattern)
    if spelling is None:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        python = re.compile(pattern)
    linear = re2.compile(spelling.text)
    for text in texts:
        if text.isascii() or not spelling.ascii_only:
            assert bool(linear.search(text)) == bool(python.search(text)), (pattern, spelling, text)


@given(st.text(alphabet="ab(|)[]{}^$.*+?\\-:=!<>Pimsxd1,é", max_size=10))
def test_no_mistake_is_spelled(pattern: str):
    if spelled(pattern) is not None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            re.compile(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        "^ERR[0-9]{4}$",
        r"^[0-9a-f]{8}\-x$",
        "(a|aa)+$",
        r"\d+ items?",
        "^(cancelled|shipped) by .+$",
        "(?i)order",
    ],
)
def test_usual_patterns_are_spelled(pattern: str):
    assert spelled(pattern) is not None


@pytest.mark.parametrize(
    "pattern", ["(?=a)", r"(a)\1", "a$b", r"a\B", "(?x)a b", "(?i)é", "a++", "[a-", "\ud800"]
)
def test_what_may_mean_something_else_is_not(pattern: str):
    assert spelled(pattern) is None


def test_the_deepest_pattern_can_be_read():
    assert spelled("(" * DEEPEST + "a" + ")+" * DEEPEST) is not None


def test_a_pattern_that_repeats_much_is_left_to_the_other_engine():
    assert spelled("(a{40}){40}") is not None
    assert spelled("(a{50}){50}") is None
