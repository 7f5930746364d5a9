"""foreign_text.py: what others wrote, spelled so that it cannot act on what shows it."""

from __future__ import annotations

import json
import re
from xml.dom import minidom

from hypothesis import given
from hypothesis import strategies as st

from retailops_sandbox import foreign_text

foreign = st.text(
    alphabet=st.one_of(
        st.characters(),
        st.sampled_from("\x00\t\n\r\x1b\x7f\x85\x9b\u200b\u2028\u202e\u2066\ufeff\U000e0001::#["),
    ),
    max_size=60,
)


@given(foreign, st.integers(1, 80))
def test_a_line_is_one_line_of_visible_characters_and_not_longer_than_asked(text: str, most: int):
    line = foreign_text.visible(text, most)
    assert line.isprintable()
    assert len(line) <= most
    assert foreign_text.visible(line, most) == line


@given(foreign)
def test_a_printed_line_stays_as_it_is_when_it_is_printed_again(text: str):
    line = foreign_text.in_line(text)
    assert line.isprintable()
    assert foreign_text.in_line(line) == line


@given(foreign)
def test_a_text_keeps_its_lines_and_tabs_only(text: str):
    assert foreign_text.in_text(text).replace("\n", "").replace("\t", "").isprintable()


def test_what_can_be_seen_stays_as_it_is():
    for text in ("Zoë — 東京 ✓ \\ «x»", ""):
        assert foreign_text.in_line(text) == foreign_text.in_text(text) == text
    assert foreign_text.in_text("a\r\n\tb") == "a\n\tb"
    assert foreign_text.visible("a\n\x1b\u202e\U000e0001") == "a\\n\\u001b\\u202e\\U000e0001"


@given(foreign)
def test_xml_holds_a_text_in_elements_and_attributes(text: str):
    spelled = foreign_text.in_xml(text)
    found = minidom.parseString(f'<a b="{spelled}">{spelled}</a>').documentElement
    assert found is not None
    shown = foreign_text.in_text(text)
    assert found.getAttribute("b") == re.sub("[\n\t]", " ", shown)
    assert "".join(node.nodeValue or "" for node in found.childNodes) == shown


@given(st.recursive(foreign, lambda child: st.lists(child) | st.dictionaries(foreign, child), max_leaves=8))
def test_json_means_the_same(value: object):
    document = json.dumps(value, ensure_ascii=False, indent=1)
    spelled = foreign_text.in_json(document)
    assert json.loads(spelled) == value
    assert spelled.replace("\n", "").isprintable()


def test_a_long_name_is_shown_without_its_middle():
    assert foreign_text.place("/events/0") == "/events/0"
    assert len(foreign_text.place("k" * 1_000_000)) < 400
    assert foreign_text.place("k" * 1_000_000).endswith("k")
    assert foreign_text.quoted("a\n'b") == '"a\\n\'b"'


# --- commands to a runner ---


def runner_reads(line: str) -> str | None:
    """The command that a runner takes a line for: `::name` at its start, `##[name` anywhere."""
    found = re.match(r"\s*::([\w-]+)", line) or re.search(r"##\w*\[([\w-]+)", line)
    return found[1] if found else None


pieces = st.sampled_from(
    ["::", ":", "##[", "##vso[", "#", "[", "error", "add-mask", "x", " ", "\t", "\u3000", "\n"]
)


@given(st.lists(pieces, max_size=8).map("".join))
def test_no_printed_line_is_a_command(text: str):
    printed = foreign_text.without_commands(text)
    assert [runner_reads(line) for line in printed.split("\n") if runner_reads(line)] == []


def test_what_is_no_command_is_printed_as_it_is():
    for line in ("  sent: a::b", "a ::error::b", "# [x", "## x [y]", ""):
        assert foreign_text.without_commands(line) == line
