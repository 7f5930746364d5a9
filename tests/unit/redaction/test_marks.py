"""Marks: one spelling, found wherever it stands."""

from __future__ import annotations

from pathlib import Path

import retailops_sandbox
from retailops_sandbox.redaction import marks

PACKAGE = Path(retailops_sandbox.__file__).parent
ROOT = PACKAGE.parents[1]


def test_the_spelling_of_a_mark_stands_in_one_file():
    folders = (PACKAGE, ROOT / "templates", ROOT / "assets" / "src")
    files = [file for folder in folders for file in folder.rglob("*.*") if "static" not in file.parts]
    texts = {file: file.read_text() for file in files if file.suffix in (".py", ".html", ".js", ".css")}
    assert {file.name for file, text in texts.items() if "«redacted" in text} == {"marks.py"}


def test_a_mark_is_told_from_a_text_that_holds_one():
    mark = marks.mark("TOKEN")
    assert marks.is_mark(mark)
    assert not marks.is_mark(f"Bearer {mark}")
    assert marks.holds_mark(f"Bearer {mark}")
    assert not marks.holds_mark(mark[:-1])
    assert not marks.is_mark(7)


def test_a_name_cannot_end_its_mark():
    assert marks.is_mark(marks.mark("a»b«c"))


def test_pointers_lead_to_what_was_struck_out():
    mark = marks.mark("TOKEN")
    document = {"a/b": [1, f"x {mark}", {"~": mark}], "c": "clean", mark: "a name is no value"}
    assert list(marks.marked(document)) == ["/a~1b/1", "/a~1b/2/~0"]
