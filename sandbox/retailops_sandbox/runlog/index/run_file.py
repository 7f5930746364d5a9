"""The index of a run file: the summary in a file beside it.

`<run>.summary` is made from the run file by the process that first needs it, and again where the run file has
changed since. It may be deleted at any time. Its lines: `_Head`, the places of the results, then a
`DeliveryRow` for each delivery, the oldest first.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import msgspec

from retailops_sandbox.errors import FileError
from retailops_sandbox.model import Delivery, Judgement, Result, Verdict
from retailops_sandbox.regular_files import no_link
from retailops_sandbox.runlog.files import journal, runfile
from retailops_sandbox.runlog.files.atomic import replacing
from retailops_sandbox.runlog.files.runfile import RunFile
from retailops_sandbox.runlog.index import places, text_search
from retailops_sandbox.runlog.index.places import Stale, Stamp, stamp_of
from retailops_sandbox.runlog.index.records import Records
from retailops_sandbox.runlog.rows import FORMAT, DeliveryRow, Judged, SortKey, Span, lookups


class _Head(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The first line of a summary."""

    format: int
    stamp: Stamp
    """The stamp of the run file that the summary was made from."""
    run: journal.Head | None = None
    """None where the run's record is damaged."""
    deliveries: int = 0
    first: SortKey | None = None
    last: SortKey | None = None
    verdicts: dict[str, int] = {}
    """The number of deliveries of each verdict, as this run judged them; the empty one for not judged."""
    outcomes: dict[Verdict, int] = {}
    """The number of results of each verdict."""
    elsewhere: dict[str, list[Judged]] = {}
    """Judgements of other runs' deliveries, by the delivery's id."""
    lookups: int = 0
    """A digest of what the rows can be looked up by, from `rows.lookups`."""
    size: int = 0
    """Bytes of the summary after this line."""
    as_written: bool = True
    """Whether the run file is laid out as the sandbox writes it, so that its bytes can be searched."""


class RunFileIndex:
    """The index of a run file as it was at one moment. Of a file that has changed, another one is made."""

    def __init__(
        self,
        path: Path,
        head: _Head,
        text: bytes | None = None,
        problems: Sequence[FileError] = (),
        unkept: FileError | None = None,
    ) -> None:
        """`text` is the summary where it is kept in memory; `unkept` is why it could not be written."""
        self.unkept = unkept
        self.is_lost = False
        """Whether the summary is gone or has changed. Opening the run file again makes another."""
        self._path = path
        self._head = head
        self._text = text
        self.stamp = head.stamp
        self.head = head.run
        self.deliveries = head.deliveries
        self.first, self.last = head.first, head.last
        self.verdicts = Counter(head.verdicts)
        self.outcomes = Counter(head.outcomes)
        self.elsewhere = head.elsewhere
        self.problems = problems

    @classmethod
    def open(cls, path: Path, *, anew: bool = False) -> RunFileIndex:
        """The index of a run file; Stale where that is gone.

        The summary is made where none fits the run file; with `anew` it is made in any case.
        """
        try:
            stamp = stamp_of(os.stat(path))
        except FileNotFoundError as error:
            raise Stale from error
        if not anew and (head := _written_head(path, stamp)) is not None:
            return cls(path, head)
        return _made(path, stamp)

    @classmethod
    def of(cls, path: Path, stamp: Stamp, content: RunFile) -> RunFileIndex:
        """The index of a run file that was read already. Its summary is kept in memory alone."""
        head, text = _summed(stamp, content)
        return cls(path, head, text, content.problems)

    def rows(self, needles: Sequence[bytes] = (), *, newest_first: bool = True) -> Iterator[DeliveryRow]:
        """The rows whose lines hold all of these needles; Stale where the summary has changed."""
        text = self._summary()
        found = _lines_with(text, needles[0], newest_first) if needles else _lines(text, newest_first)
        for line in found:
            if all(needle in line for needle in needles):
                yield _row.decode(line)

    def picked(self, ids: Collection[str]) -> list[DeliveryRow]:
        """The rows of those of these deliveries that are in the run file."""
        needles = [msgspec.json.encode(id) for id in ids] if len(ids) == 1 else []
        return [row for row in self.rows(needles) if row.id in ids] if ids else []

    def with_text(self, rows: Iterator[DeliveryRow], needle: bytes) -> Iterator[DeliveryRow]:
        """The rows whose records may hold a text, spelled as in JSON: never too few, perhaps too many."""
        if not self._head.as_written:
            yield from rows
            return
        with places.opened(self._path, self.stamp) as file:
            yield from text_search.holding(rows, file, needle)

    def delivered(self, spans: Sequence[Span]) -> Iterator[Delivery]:
        """The deliveries at these places."""
        return map(runfile.delivery_decoder.decode, self._texts(spans))

    def judgements(self, spans: Sequence[Span]) -> Iterator[Judgement]:
        """The judgements at these places."""
        return map(runfile.judgement_decoder.decode, self._texts(spans))

    def results(self) -> list[Result]:
        """The results, in the order in which they were appended."""
        lines = self._summary().split(b"\n", 2)
        spans = msgspec.json.decode(lines[1], type=list[Span])
        return [runfile.result_decoder.decode(text) for text in self._texts(spans)]

    def _texts(self, spans: Sequence[Span]) -> Iterator[bytes]:
        if spans:
            with places.opened(self._path, self.stamp) as file:
                yield from places.read(file, spans)

    def _summary(self) -> bytes:
        if self._text is not None:
            return self._text
        try:
            with places.opened(summary_path(self._path)) as file:
                text = file.read()
            end = text.find(b"\n") + 1
            if len(text) - end != self._head.size or _decoded_head(text[:end]) != self._head:
                raise Stale
        except Stale:
            self.is_lost = True
            raise
        return text


def summary_path(path: Path) -> Path:
    """The path of a run file's summary."""
    return path.with_suffix(".summary")


# --- The summary's lines ---------------------------------------------------------------------------


def _written_head(path: Path, stamp: Stamp) -> _Head | None:
    """The head of the summary beside a run file; None where there is none, or it does not fit."""
    try:
        with open(summary_path(path), "rb", opener=no_link) as file:
            line = file.readline()
            rest = os.fstat(file.fileno()).st_size - len(line)
    except OSError:
        return None  # Also where it cannot be read: it is made again, from the run file.
    head = _decoded_head(line)
    return head if head is not None and (head.stamp, head.size) == (stamp, rest) else None


def _decoded_head(line: bytes) -> _Head | None:
    try:
        head = _head.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None  # Of another version, or damaged: it is made again, from the run file.
    is_current = (head.format, head.lookups) == (FORMAT, lookups())
    return head if is_current and line.endswith(b"\n") else None


def _lines(text: bytes, newest_first: bool) -> Iterator[bytes]:
    body = _body(text)
    if not newest_first:
        yield from text[body:].splitlines()
        return
    end = len(text) - 1
    while end > body:
        start = text.rfind(b"\n", body - 1, end) + 1
        yield text[start:end]
        end = start - 1


def _lines_with(text: bytes, needle: bytes, newest_first: bool) -> Iterator[bytes]:
    start, end = _body(text), len(text)
    while True:
        hit = text.rfind(needle, start, end) if newest_first else text.find(needle, start, end)
        if hit == -1:
            return
        first, last = text.rfind(b"\n", 0, hit) + 1, text.find(b"\n", hit)
        yield text[first:last]
        if newest_first:
            end = first
        else:
            start = last + 1


def _body(text: bytes) -> int:
    """The offset of the first row."""
    return text.find(b"\n", text.find(b"\n") + 1) + 1


# --- Making it -------------------------------------------------------------------------------------


def _made(path: Path, stamp: Stamp) -> RunFileIndex:
    try:
        content = runfile.read(path)
    except FileError as error:
        return RunFileIndex(path, _Head(format=FORMAT, stamp=stamp), b"\n[]\n", [error])
    if content.problems:
        # The summary of a damaged file is not kept, so that each process finds the damage again.
        return RunFileIndex.of(path, stamp, content)
    head, text = _summed(stamp, content)
    target = summary_path(path)
    try:
        with replacing(target) as file:
            file.write(text)
    except FileError as error:
        return RunFileIndex(path, head, text, unkept=error)
    return RunFileIndex(path, head)


def _summed(stamp: Stamp, content: RunFile) -> tuple[_Head, bytes]:
    """The head of a run file's summary, and the lines after it."""
    records = Records()
    for delivery, span in content.deliveries:
        records.add_delivery(delivery, span)
    for judgement, span in content.judgements:
        records.add_judgement(judgement, span)
    for result, span in content.results:
        records.add_result(result, span)
    rest = [records.results, *records.ordered()]
    lines = b"".join(msgspec.json.encode(line) + b"\n" for line in rest)
    head = _Head(
        format=FORMAT,
        lookups=lookups(),
        stamp=stamp,
        run=content.head,
        deliveries=len(records.rows),
        first=records.order[0] if records.order else None,
        last=records.order[-1] if records.order else None,
        verdicts=Counter(row.verdict or "" for row in records.rows.values()),
        outcomes=records.outcomes,
        elsewhere=records.elsewhere,
        as_written=content.as_written,
        size=len(lines),
    )
    return head, msgspec.json.encode(head) + b"\n" + lines


_head = msgspec.json.Decoder(_Head)
_row = msgspec.json.Decoder(DeliveryRow)
