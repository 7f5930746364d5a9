"""Marks: one spelling, found wherever it stands."""

from __future__ import annotations

from pathlib import Path

import retailops_sandbox
from retailops_sandbox.redaction import marks
from retailops_sandbox.redaction.marks import Span

PACKAGE = Path(retailops_sandbox.__file__).parent
ROOT = PACKAGE.parents[1]


def test_the_spelling_of_a_mark_stands_in_one_file():
    folders = (PACKAGE, ROOT / "templates", ROOT / "assets" / "src")
    files = [file for folder in folders for file in folder.rglob("*.*") if "static" not in file.parts]
    texts = {file: file.read_text() for file in files if file.suffix in (".py", ".html", ".js", ".css")}
    assert {file.name for file, text in texts.items() if "«redacted" in text} == {"marks.py"}


def test_a_name_cannot_end_its_mark():
    assert marks.LOOKS_LIKE.fullmatch(marks.mark("a»b«c"))


def test_spans_give_way_to_marks_and_the_first_and_longest_gives_the_name():
    spans = [Span(2, 4, "B"), Span(0, 3, "A"), Span(0, 1, "short"), Span(6, 7, "C")]
    text, found = marks.struck_out("abcdefgh", spans)
    assert text == "«redacted:A»ef«redacted:C»h"
    assert [text[each.start : each.end] for each in found] == ["«redacted:A»", "«redacted:C»"]
    assert [each.name for each in found] == ["A", "C"]
