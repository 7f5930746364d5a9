"""Searching for patterns: Python's meaning, in bounded time, whichever engine does it."""

from __future__ import annotations

import os
import re
import threading
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retailops_sandbox.patterns import (
    LONGEST_SEARCH,
    Budget,
    PatternError,
    PatternTooLarge,
    Search,
    process,
    searching,
)

HOPELESS = r"^(?=(a|aa)+$)b"
"""A pattern for which only Python's `re` will do, which takes for ever to search for it in some strings."""
SLOW_TO_READ = "(?i)(?=a)" + "[\\x00-\\U0010ffff]" * 90


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The patterns that were asked of the other process."""
    asked: list[str] = []
    search = process.search

    def noted(pattern: str, text: str | None, seconds: float) -> tuple[bool, float]:
        asked.append(pattern)
        return search(pattern, text, seconds)

    monkeypatch.setattr(process, "search", noted)
    searching.prepared.cache_clear()
    return asked


@pytest.mark.parametrize(
    "pattern", ["(" * 20 + "a" + ")+" * 20, "^(a|aa)+$", "(.*)*x", "^((a+)+.)+[A-Z](a)+$"]
)
def test_nested_repeats_are_searched_here_in_linear_time(pattern: str, elsewhere: list[str]):
    search = Search(pattern)
    assert search("a" * 9_999 + "!") == pattern.startswith("((")
    assert not search.gave_up
    assert not search.may_wait
    assert elsewhere == []


@pytest.mark.parametrize(
    ("pattern", "found", "lost"),
    [
        (r"(?=.*\d)(?=.*[a-z])", "a1", "a"),
        (r"^(\w)\1", "aab", "aba"),
        ("a$\n", "a\n", "a"),
        (r"x\B", "xy", "x y"),
        ("a{1001}", "a" * 1001, "a" * 1000),
        ("\ud800", "\ud800", "a"),
    ],
)
def test_what_re2_cannot_do_is_searched_by_re(pattern: str, found: str, lost: str, elsewhere: list[str]):
    search = Search(pattern)
    assert search(found)
    assert not search(lost)
    assert search.may_wait
    assert elsewhere == [pattern] * 3


def test_a_string_beyond_ascii_is_searched_by_re_where_the_pattern_depends_on_it(elsewhere: list[str]):
    search = Search(r"^\d\w$")
    assert search("1a")
    assert elsewhere == []
    assert search("٣é")
    assert elsewhere == [r"^\d\w$"]
    assert Search("^.é$")("€é")
    assert len(elsewhere) == 1


def test_a_search_without_end_is_given_up_for_this_comparison_alone():
    search = Search(HOPELESS)
    assert not search("a" * 60 + "b")
    assert search.gave_up
    assert not search("b"), "nothing more is searched"
    search.renew()
    assert not search.gave_up
    assert not search("b" * 60)
    assert not search.gave_up


def test_searches_that_take_long_together_are_given_up(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(process, "search", lambda pattern, text, seconds: (True, LONGEST_SEARCH / 2))
    search = Search("(?=a)")
    assert [search("a") for _ in range(5)] == [True, True, False, False, False]
    assert search.gave_up


def test_searches_may_share_their_time(elsewhere: list[str]):
    first, second = Search(HOPELESS), Search("(?=a)")
    budget = Budget()
    first.renew(budget)
    second.renew(budget)
    assert second("a")
    assert not first("a" * 60 + "b")
    elsewhere.clear()
    assert not second("a")
    assert elsewhere == []
    assert (first.gave_up, second.gave_up) == (True, False)


def test_compiling_is_bounded_too():
    with pytest.raises(PatternTooLarge, match="reading the pattern takes longer than 100 ms"):
        Search(SLOW_TO_READ)


@pytest.mark.parametrize(
    "pattern", ["(", "a{2,1}", "*", "[z-a]", r"\p", "(?P<a>x)(?P<a>y)", "(?<=a+)b", "a**"]
)
def test_a_mistake_is_told_in_the_words_of_re(pattern: str):
    with pytest.raises(re.error) as told:
        re.compile(pattern)
    with pytest.raises(PatternError) as caught:
        Search(pattern)
    assert str(caught.value) == str(told.value)


def test_a_process_that_was_ended_is_started_again():
    search = Search("(?=a)")
    assert search("a")
    running = process._process._popen
    assert running is not None
    running.kill()
    running.wait()
    assert search("a")
    assert not search.gave_up


def test_many_threads_get_their_own_answers():
    wrong: list[int] = []

    def ask(number: int) -> None:
        search = Search(f"(?=a)a{number}$")
        wrong.extend(number for _ in range(20) if not search(f"a{number}") or search("a"))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_fork_has_a_process_of_its_own():
    assert Search("(?=a)")("a")
    ours = process._process._popen
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # threads are fine here: the child only looks
        child = os.fork()
    if child == 0:
        os._exit(0 if process._process._popen is None else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert process._process._popen is ours


@given(
    st.text(alphabet="ab(|)[]^$.*+?\\dw1-=!<:", max_size=8),
    st.lists(st.text(alphabet="ab1 -é\n", max_size=8), min_size=1, max_size=3),
)
def test_every_verdict_is_that_of_re(pattern: str, texts: list[str]):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            python = re.compile(pattern)
        except re.error:
            python = None
    if python is None:
        with pytest.raises(PatternError):
            Search(pattern)
        return
    search = Search(pattern)
    assert [search(text) for text in texts] == [python.search(text) is not None for text in texts]
    assert not search.gave_up
