"""The journal of a run: a head, then one compact line of JSON for each record, in the order of appending."""

# No `from __future__ import annotations`: msgspec would compile each string when the first journal is read.

from collections.abc import Iterator
from pathlib import Path

import msgspec

from retailops_sandbox.errors import FileError, unreadable
from retailops_sandbox.model import Delivery, Judgement, Result, RunInfo
from retailops_sandbox.regular_files import no_link

FORMAT = 2
"""The version of the layout that is written, and the newest that is read."""
TABLES = ("deliveries", "judgements", "results")
"""The tables of a run file whose documents are lines of a journal."""
_DELIVERY, _JUDGEMENT, _RESULT = b'{"delivery":', b'{"judgement":', b'{"result":'
_STARTS = {"deliveries": _DELIVERY, "judgements": _JUDGEMENT, "results": _RESULT}
"""How a line begins, by the table of its record."""


class Head(RunInfo, frozen=True, omit_defaults=True, kw_only=True):
    """The record of a run, in the first line of its journal and in the table `run` of its run file."""

    format: int = 1
    """The version of the file's layout. Before 2, records do not list what was struck out of them."""
    generation: int
    """A run file holds every journal up to its own generation; such a journal is not read again."""
    torn: str = ""
    """Only in a run file: the line that was unfinished when the process died. It was never reported."""


class Line(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """A line of a journal: one of the first four fields, or `finished_at` in the last line."""

    run: Head | None = None
    delivery: Delivery | None = None
    judgement: Judgement | None = None
    result: Result | None = None
    finished_at: str = ""
    stopped: bool = False
    """Whether the run was stopped before all was done; only with `finished_at`."""


class RawLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A line of a journal whose record stays undecoded JSON, to be copied."""

    run: Head | None = None
    delivery: msgspec.Raw = msgspec.Raw()
    judgement: msgspec.Raw = msgspec.Raw()
    result: msgspec.Raw = msgspec.Raw()
    finished_at: str = ""
    stopped: bool = False


_raw_line_decoder = msgspec.json.Decoder(RawLine)

UNDECODABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What a decoder raises for a text that is no JSON, is no UTF-8, has another type, or is nested too deep."""
NO_HEAD = "it does not say which run this is"
NO_RECORD = "it holds no record"


def record_line(table: str, record: bytes) -> bytes:
    """The line of a record, which is JSON, of one of the tables."""
    return b"".join((_STARTS[table], record, b"}\n"))


def read_head(journal: Path) -> Head | None:
    """The head of a journal; None where its process died before it had written one."""
    for _, line in raw_lines(journal):
        if not isinstance(line, RawLine):
            return None
        if line.run is None:
            raise damaged_line(journal, 1, NO_HEAD)
        return line.run
    return None


def raw_lines(journal: Path, *, own: bool = False) -> Iterator[tuple[int, RawLine | bytes]]:
    """The lines of a journal and their numbers, an unfinished last one as bytes; FileError for a damaged one.

    `own` says that this process wrote all lines: then only the two ends of a record's line are checked.
    """
    try:
        with open(journal, "rb", opener=no_link) as file:
            for number, line in enumerate(file, start=1):
                if not line.endswith(b"\n"):
                    yield number, line
                elif own and (record := _own_record(line)) is not None:
                    yield number, record
                else:
                    yield number, _raw_line(journal, number, line)
    except OSError as error:
        raise unreadable(journal, error) from error


def stored_record(line: bytes) -> tuple[str, bytes] | None:
    """The table and the record of a line that is spelled as `record_line` does; None for any other line."""
    if not line.endswith(b"}}\n"):
        return None
    for table, start in _STARTS.items():
        if line.startswith(start):
            return table, line[len(start) : -2]
    return None


def _own_record(line: bytes) -> RawLine | None:
    """The record of a line that is spelled as `record_line` does; None for any other line."""
    if not line.endswith(b"}}\n"):
        return None
    if line.startswith(_DELIVERY):
        return RawLine(delivery=msgspec.Raw(line[len(_DELIVERY) : -2]))
    if line.startswith(_JUDGEMENT):
        return RawLine(judgement=msgspec.Raw(line[len(_JUDGEMENT) : -2]))
    if line.startswith(_RESULT):
        return RawLine(result=msgspec.Raw(line[len(_RESULT) : -2]))
    return None


def _raw_line(journal: Path, number: int, line: bytes) -> RawLine:
    try:
        line.decode()  # msgspec does not look into what it leaves raw
        return _raw_line_decoder.decode(line)
    except UNDECODABLE as error:
        raise damaged_line(journal, number, str(error)) from error


def damaged_line(journal: Path, number: int, reason: str) -> FileError:
    """The error of a whole line of a journal that holds no record."""
    return FileError(
        f"damaged: {reason}", mend="it is kept as it is", file=str(journal), line=number, column=1
    )
