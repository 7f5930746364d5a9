"""The search for secrets finds what looking for each needle in each reading finds."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retailops_sandbox import jsontext
from retailops_sandbox.redaction import search as searching
from retailops_sandbox.redaction.encodings import encodings_for, folded, forms, origins, readings
from retailops_sandbox.redaction.search import Search

Hit = tuple[int, int, str]


def sorted_needles(needles: Sequence[str]) -> dict[str, str]:
    """The needles by their small letters, the longest first."""
    small = {folded(needle): needle for needle in needles}
    return {each: small[each] for each in sorted(small, key=len, reverse=True)}


def first_by_hand(needles: Sequence[str], text: str) -> str | None:
    ordered = sorted_needles(needles)
    for reading, _ in readings(text, encodings_for(list(ordered))):
        for needle, original in ordered.items():
            if needle in folded(reading):
                return original
    return None


def hits_by_hand(needles: Sequence[str], text: str) -> list[Hit]:
    ordered = sorted_needles(needles)
    found: list[Hit] = []
    for reading, undone in readings(text, encodings_for(list(ordered))):
        starts, ends = origins(text, undone)
        for needle, original in ordered.items():
            for at in range(len(reading)):
                if folded(reading).startswith(needle, at):
                    found.append((starts[at], ends[at + len(needle) - 1], original))
    return found


# Few characters, so that needles overlap, hold each other and are nearly there.
characters = st.sampled_from('aAb éÉ€😀/+%\\"«\ud800')
short = st.text(characters, min_size=1, max_size=12)
written = {
    "plain": str,
    "json": lambda value: jsontext.compact(value.replace("\ud800", "")).decode()[1:-1],
    "escaped": lambda value: "".join(f"\\u{ord(each):04x}" for each in value if ord(each) < 0x10000),
    "percent": lambda value: quote(value.replace("\ud800", "")),
    "twice": lambda value: quote(quote(value.replace("\ud800", ""))),
    "base64": lambda value: forms(value.replace("\ud800", ""))[-1],
}


@st.composite
def searches(draw: st.DrawFn, most: int) -> tuple[list[str], str]:
    """Some needles, and a text that may hold some of them, written in some way."""
    needles = draw(st.lists(short, min_size=1, max_size=most))
    # Of one text come many needles, as of one secret come its forms.
    base = draw(st.text(characters, min_size=60, max_size=60))
    needles += [base[at : at + 7 + at % 5] for at in range(draw(st.integers(0, most)))]
    parts = draw(
        st.lists(
            short
            | st.builds(
                lambda needle, how: written[how](needle),
                st.sampled_from(needles),
                st.sampled_from(sorted(written)),
            ),
            max_size=6,
        )
    )
    return needles, "".join(parts)


@given(searches(4) | searches(45))
@settings(max_examples=500)
def test_every_needle_is_found_and_nothing_else(search: tuple[list[str], str]) -> None:
    needles, text = search
    assert Search(needles).first(text) == first_by_hand(needles, text)
    assert list(Search(needles).hits(text)) == hits_by_hand(needles, text)
    assert not (Search(needles).rules_out(text) and first_by_hand(needles, text))


def test_a_needle_among_many_is_found_wherever_it_stands_and_however_long_it_is() -> None:
    many = [f"{number:05}:{number * 7919 % 100_000:05}" for number in range(200)]
    for length in range(1, 12):
        wanted = "needle-wäre"[:length]
        search = Search([*many, wanted])
        for before in range(9):
            text = "x" * before + wanted + "y" * (length % 4)
            assert list(search.hits(text)) == hits_by_hand([*many, wanted], text)
            assert search.first(text) == wanted
        assert search.first("x" * 50 + wanted[:-1]) is None


def test_one_look_rules_out_a_text_of_which_nothing_is_to_be_decoded() -> None:
    search = Search(["needle-1", "needle-2"])
    assert search.rules_out('{"events":[],"note":"needle-3"}')
    assert not search.rules_out('{"note":"a needle-2"}')
    assert not search.rules_out('{"note":"100 %"}')


def test_nothing_is_found_without_needles() -> None:
    assert not Search([])
    assert Search([]).first("any\\u0020text") is None
    assert list(Search([]).hits("any text")) == []
    assert Search(["needle-1"])


def test_needles_that_begin_alike_are_told_apart_in_a_text_full_of_their_beginning() -> None:
    search = Search(f"value-number-{number}-of-many" for number in range(200))
    text = "value-number-" * 50
    assert search.first(text) is None
    for before in range(9):
        held = f"{text}{'x' * before}value-number-117-of-many{text}"
        assert search.first(held) == "value-number-117-of-many"
        assert [needle for _, _, needle in search.hits(held)] == ["value-number-117-of-many"]


@pytest.mark.parametrize("how", sorted(written))
def test_a_needle_is_found_once_wherever_a_long_text_is_cut(
    monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    needle = 'a "secret" é'
    spelled = written[how](needle)
    needles = [needle, forms(needle)[-1]]
    whole = Search(needles)
    monkeypatch.setattr(searching, "_PIECE", 1)
    in_pieces = Search(needles)
    size = 24 * len(forms(needle)[-1])  # the shortest piece for it
    for before in range(2 * size - len(spelled) - 1, 2 * size + 2):
        text = f"{'.' * before}{spelled}{'.' * 3 * size}"
        assert sorted(in_pieces.hits(text)) == sorted(whole.hits(text)) != []
        assert in_pieces.first(text) == whole.first(text)
        assert not in_pieces.rules_out(text)
    assert list(in_pieces.hits("." * 9 * size)) == []
    assert in_pieces.rules_out("." * 9 * size)
