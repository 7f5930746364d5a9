"""The index of a journal, kept in memory: of a run that is running, or whose run file was not made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from retailops_sandbox.errors import FileError
from retailops_sandbox.model import Delivery, Judgement, Number, Result, Verdict
from retailops_sandbox.regular_files import no_link
from retailops_sandbox.runlog.files.journal import NO_HEAD, NO_RECORD, UNDECODABLE, Head, Line, damaged_line
from retailops_sandbox.runlog.index import places, text_search
from retailops_sandbox.runlog.index.records import Records
from retailops_sandbox.runlog.rows import DeliveryRow, Judged, SortKey, Span


class JournalIndex:
    """The index of a journal. `read` reads what is new since the last time; records stay on disk."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._records = Records()
        self.head: Head | None = None
        self.finished_at = ""
        self.stopped = False
        self.is_torn = False
        """The last line is unfinished."""
        self.problems: list[FileError] = []
        self.lines = 0
        """The number of whole lines that were read."""
        self.sent: list[str] = []
        """The ids of the deliveries, in the order of their lines."""
        self.judged: list[str] = []
        """The ids of the deliveries that were judged, in the order of the judgements' lines."""
        self._size = self._offset = 0

    @property
    def deliveries(self) -> int:
        return len(self._records.rows)

    @property
    def first(self) -> SortKey | None:
        return self._records.order[0] if self._records.order else None

    @property
    def last(self) -> SortKey | None:
        return self._records.order[-1] if self._records.order else None

    @property
    def verdicts(self) -> Counter[str]:
        """The number of deliveries of each verdict, as this run judged them; the empty one for not judged."""
        return Counter(row.verdict or "" for row in self._records.rows.values())

    @property
    def outcomes(self) -> Counter[Verdict]:
        """The number of results of each verdict."""
        return self._records.outcomes

    @property
    def elsewhere(self) -> Mapping[str, list[Judged]]:
        """Judgements of other runs' deliveries, by the delivery's id."""
        return self._records.elsewhere

    def rows(self, needles: Sequence[bytes] = (), *, newest_first: bool = True) -> Iterator[DeliveryRow]:
        """All rows, whatever the needles: they are in memory."""
        found = self._records.ordered()
        return reversed(found) if newest_first else iter(found)

    def picked(self, ids: Collection[str]) -> list[DeliveryRow]:
        """The rows of those of these deliveries that are in the journal."""
        rows = self._records.rows
        return [rows[id] for id in ids if id in rows]

    def with_text(self, rows: Iterator[DeliveryRow], needle: bytes) -> Iterator[DeliveryRow]:
        """The rows whose records may hold a text, spelled as in JSON."""
        with places.opened(self._path) as file:
            yield from text_search.holding(rows, file, needle)

    def delivered(self, spans: Sequence[Span]) -> Iterator[Delivery]:
        """The deliveries at these places."""
        return (line.delivery for line in self._lines_at(spans) if line.delivery)

    def judgements(self, spans: Sequence[Span]) -> Iterator[Judgement]:
        """The judgements at these places."""
        return (line.judgement for line in self._lines_at(spans) if line.judgement)

    def results(self) -> list[Result]:
        """The results, in the order in which they were appended."""
        return [line.result for line in self._lines_at(list(self._records.results)) if line.result]

    def _lines_at(self, spans: Sequence[Span]) -> Iterator[Line]:
        if spans:
            with places.opened(self._path) as file:
                yield from map(_decoder.decode, places.read(file, spans))

    def read(self, size: int) -> None:
        """Read the whole lines that were added; `size` is that of the file now."""
        if size == self._size:
            return
        self._size = size
        self.is_torn = False
        with open(self._path, "rb", opener=no_link) as file:
            file.seek(self._offset)
            for text in file:
                if not text.endswith(b"\n"):
                    self.is_torn = True
                    return
                self.lines += 1
                self._read_line(text, (self._offset, len(text)))
                self._offset += len(text)

    def _read_line(self, text: bytes, span: Span) -> None:
        try:
            line = _decoder.decode(text)
        except UNDECODABLE as error:
            self._name_line(str(error))
            return
        if self.lines == 1 and not line.run:
            self._name_line(NO_HEAD)
        if line.delivery:
            self._records.add_delivery(line.delivery, span)
            self.sent.append(line.delivery.id)
        elif line.judgement:
            self._records.add_judgement(line.judgement, span)
            self.judged.append(line.judgement.delivery)
        elif line.result:
            self._records.add_result(line.result, span)
        elif line.run:
            self.head = self.head or line.run
        elif line.finished_at:
            self.finished_at, self.stopped = line.finished_at, line.stopped
        else:
            self._name_line(NO_RECORD)

    def _name_line(self, reason: str) -> None:
        self.problems.append(damaged_line(self._path, self.lines, reason))


_decoder = msgspec.json.Decoder(Line, float_hook=Number)
