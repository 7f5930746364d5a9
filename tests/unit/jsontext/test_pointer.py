"""JSON Pointer: what RFC 6901 says, and what changing through one does."""

from __future__ import annotations

from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retailops_sandbox.jsontext import pointer
from retailops_sandbox.jsontext.pointer import PointerError
from retailops_sandbox.model import Json

RFC = {"foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "i\\j": 5, 'k"l': 6, " ": 7, "m~n": 8}

tokens = st.text(st.sampled_from("ab~/01- \\"), max_size=4)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", RFC),
        ("/foo", ["bar", "baz"]),
        ("/foo/0", "bar"),
        ("/", 0),
        ("/a~1b", 1),
        ("/c%d", 2),
        ("/i\\j", 5),
        ('/k"l', 6),
        ("/ ", 7),
        ("/m~0n", 8),
    ],
)
def test_resolve_follows_the_rfc(text: str, value: Json) -> None:
    assert pointer.resolve(RFC, text) == value


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("foo", "must start with /"),
        ("/a~b", "neither ~0 nor ~1"),
        ("/nope", "no member 'nope'"),
        ("/foo/2", "past the end of an array of 2"),
        ("/foo/-", "not an array index"),
        ("/foo/01", "not an array index"),
        ("/foo/+1", "not an array index"),
        ("/foo/\u0661", "not an array index"),
        ("/foo/" + "9" * 30, "past the end"),
        ("/foo/0/x", "a string, which has no members"),
    ],
)
def test_a_pointer_that_leads_nowhere_says_where_it_ends(text: str, reason: str) -> None:
    with pytest.raises(PointerError, match=reason):
        pointer.resolve(RFC, text)


@given(st.lists(tokens).map(tuple))
def test_join_and_parse_are_inverse(path: tuple[str, ...]) -> None:
    assert pointer.parse(pointer.join(path)) == path


def test_a_tilde_escape_is_decoded_once() -> None:
    assert pointer.parse("/~01") == ("~1",)


@given(st.lists(tokens, min_size=1))
def test_what_is_set_in_an_empty_object_is_found_there(path: list[str]) -> None:
    text = pointer.join(path)
    assert pointer.resolve(pointer.set_at({}, text, "value"), text) == "value"


def test_set_changes_appends_and_makes_missing_objects() -> None:
    document: Json = {"list": [1, 2]}
    pointer.set_at(document, "/list/0", "one")
    pointer.set_at(document, "/list/-", 3)
    pointer.set_at(document, "/list/-/deep", 4)
    pointer.set_at(document, "/new/object", 5)
    assert document == {"list": ["one", 2, 3, {"deep": 4}], "new": {"object": 5}}
    assert pointer.set_at(document, "", "whole") == "whole"


@pytest.mark.parametrize("text", ["/list/2", "/list/0/x", "/list/x", "/list/0/x/y"])
def test_set_refuses_what_it_cannot_make(text: str) -> None:
    with pytest.raises(PointerError):
        pointer.set_at({"list": [1, 2]}, text, 0)


@pytest.mark.parametrize(
    ("text", "left"),
    [("/a", {"b": [1, 2]}), ("/b/0", {"a": 0, "b": [2]}), ("/b", {"a": 0})],
)
def test_remove_takes_one_value_away(text: str, left: Json) -> None:
    document: Json = {"a": 0, "b": [1, 2]}
    pointer.remove_at(document, text)
    assert document == left


@pytest.mark.parametrize("text", ["", "/c", "/b/2", "/b/-", "/a/x"])
def test_a_remove_that_fails_changes_nothing(text: str) -> None:
    document: Json = {"a": 0, "b": [1, 2]}
    before = deepcopy(document)
    with pytest.raises(PointerError):
        pointer.remove_at(document, text)
    assert document == before
