"""The run file: a TinyDB database with the tables `run`, `deliveries`, `judgements` and `results`.

This module reads it, and `tables` writes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from retailops_sandbox.errors import FileError, unreadable
from retailops_sandbox.model import Delivery, Judgement, Number, Result
from retailops_sandbox.regular_files import regular
from retailops_sandbox.runlog.entries import Entry
from retailops_sandbox.runlog.files.journal import FORMAT, Head
from retailops_sandbox.runlog.rows import Span

_Tables = Mapping[str, Mapping[str, msgspec.Raw]]


class _Version(msgspec.Struct):
    """The version of a run file's layout. A file that does not state it has version 1."""

    format: int = 1


class RunFile(msgspec.Struct, frozen=True):
    """The content of a run file: each record with its place, and what cannot be read."""

    head: Head
    deliveries: list[tuple[Delivery, Span]]
    judgements: list[tuple[Judgement, Span]]
    results: list[tuple[Result, Span]]
    problems: list[FileError]
    as_written: bool
    """Whether each record is on a line of its own, as the sandbox writes it; TinyDB writes one line."""


class NewerFormat(FileError):
    """A run file that only a newer version of the sandbox can read."""


def read(path: Path) -> RunFile:
    """The records of a run file; FileError where it is none. Other tables are left out."""
    try:
        text = _content(path)
    except OSError as error:
        raise unreadable(path, error) from error
    tables, head = _open(path, text)
    problems: list[FileError] = []
    content = RunFile(head, [], [], [], problems, as_written=text.startswith(_START))
    end = 0
    for name, table in tables.items():
        for number, raw in table.items():
            document = bytes(raw)
            start = text.find(document, end)
            if start == -1:
                # Of two documents of one name the later is decoded, and lies behind those after the first.
                raise _damaged(path, "a name stands in it twice", pointer=f"/{name}/{number}")
            end = start + len(document)
            span = start, len(document)
            try:
                if name == "deliveries":
                    content.deliveries.append((delivery_decoder.decode(document), span))
                elif name == "judgements":
                    content.judgements.append((judgement_decoder.decode(document), span))
                elif name == "results":
                    content.results.append((result_decoder.decode(document), span))
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                problems.append(_damaged(path, str(error), pointer=f"/{name}/{number}"))
    return content


def entries(path: Path) -> list[Entry]:
    """The deliveries of a run file; FileError where it is none, or any of it is damaged."""
    content = read(path)
    if content.problems:
        raise content.problems[0]
    by_delivery: dict[str, list[Judgement]] = {}
    for judgement, _ in content.judgements:
        by_delivery.setdefault(judgement.delivery, []).append(judgement)
    return [Entry(each, tuple(by_delivery.get(each.id, ()))) for each, _ in content.deliveries]


def read_head(path: Path) -> Head:
    """The head of a run file; FileError where it is none."""
    try:
        text = _content(path)
    except OSError as error:
        raise unreadable(path, error) from error
    return _open(path, text)[1]


def _content(path: Path) -> bytes:
    with open(path, "rb", opener=regular) as file:
        return file.read()


def _open(path: Path, text: bytes) -> tuple[_Tables, Head]:
    try:
        tables = _tables.decode(text)
        run = next(iter(tables.get("run", {}).values()), None)
        if run is None:
            raise _damaged(path, "it does not say which run it is", pointer="/run")
        version = _version.decode(run).format
        if version > FORMAT:
            raise NewerFormat(
                f"is of format {version}: a newer version of the sandbox wrote it",
                mend="update the sandbox; the file is kept as it is",
                file=str(path),
            )
        return tables, _head.decode(run)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _damaged(path, str(error)) from error


def _damaged(path: Path, reason: str, *, pointer: str | None = None) -> FileError:
    return FileError(f"damaged: {reason}", mend="it is kept as it is", file=str(path), pointer=pointer)


_START = b'{"deliveries": {\n'
_tables: msgspec.json.Decoder[dict[str, dict[str, msgspec.Raw]]] = msgspec.json.Decoder(
    dict[str, dict[str, msgspec.Raw]]
)
_version = msgspec.json.Decoder(_Version)
_head = msgspec.json.Decoder(Head)
delivery_decoder = msgspec.json.Decoder(Delivery, float_hook=Number)
judgement_decoder = msgspec.json.Decoder(Judgement, float_hook=Number)
result_decoder = msgspec.json.Decoder(Result)
