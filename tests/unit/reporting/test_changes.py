"""What a change does to a file, line by line."""

from __future__ import annotations

from retailops_sandbox.reporting.render import changes


def told(before: str, after: str) -> list[str]:
    return [line.text for line in changes.unified(before, after, old="a", new="b")]


def test_only_what_changed_is_told_with_what_stands_around_it():
    before = "".join(f"{number}\n" for number in range(20))
    found = changes.unified(before, before.replace("9\n", "nine\n", 1), old="a", new="b")
    assert [line.text for line in found[:2]] == ["--- a", "+++ b"]
    assert [(line.kind, line.text) for line in found if line.kind in ("removed", "added")] == [
        ("removed", "-9"),
        ("added", "+nine"),
    ]
    assert [line.kind for line in found].count("same") == 6
    assert changes.counts(found) == (1, 1)


def test_nothing_is_told_of_what_is_equal():
    assert changes.unified("a\n", "a\n", old="a", new="b") == []


def test_a_last_line_without_an_end_is_told_as_such():
    assert told("one\ntwo", "one\nthree")[-4:] == [
        "-two",
        r"\ No newline at end of file",
        "+three",
        r"\ No newline at end of file",
    ]


def test_lines_end_where_the_file_says_and_not_where_unicode_does():
    assert told('{"a": "x\u2028y"}\n', '{"a": "z\u2028y"}\n')[-2:] == [
        '-{"a": "x\u2028y"}',
        '+{"a": "z\u2028y"}',
    ]
    assert told("a\r\nb\r\n", "a\r\nc\r\n")[-3:] == [" a", "-b", "+c"]
