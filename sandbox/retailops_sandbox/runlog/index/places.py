"""The places of records in the files of a run, and reading them there."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from io import FileIO
from operator import attrgetter
from pathlib import Path
from typing import Annotated, NamedTuple, TypeVar

import msgspec

from retailops_sandbox.errors import unreadable
from retailops_sandbox.model import Delivery, Judgement, Number, Result, Verdict
from retailops_sandbox.regular_files import regular
from retailops_sandbox.runlog.files import runfile
from retailops_sandbox.runlog.files.folder import Stamp, stamp_of
from retailops_sandbox.runlog.files.journal import UNDECODABLE, Line


class Place(NamedTuple):
    """Where a record lies: in the journal of its run or in the run file, and there from byte to byte."""

    in_journal: bool
    offset: Annotated[int, msgspec.Meta(ge=0)]
    size: Annotated[int, msgspec.Meta(ge=0)]


class Judged(NamedTuple):
    """What the index keeps of a judgement."""

    at: str
    verdict: Verdict
    differences: int
    place: Place


_R = TypeVar("_R", Delivery, Judgement, Result)


class Stale(Exception):
    """A file has changed, or is gone, since it was indexed: bring the index up to date and ask again."""


class IndexLost(Stale):
    """The index is gone or damaged, and another one takes its place: bring that up to date and ask again."""


class RecordFiles:
    """The files of a run, as they were indexed."""

    def __init__(self, run_file: Path, stamp: Stamp | None) -> None:
        """`stamp` is that of the run file when it was indexed; None where there was none."""
        self.run_file = run_file
        self.journal = run_file.with_suffix(".journal")
        self.stamp = stamp

    def deliveries(self, places: Sequence[Place]) -> Iterator[Delivery]:
        """The deliveries at these places; Stale where a file is another one."""
        return self._records(places, runfile.delivery_decoder, attrgetter("delivery"))

    def judgements(self, places: Sequence[Place]) -> Iterator[Judgement]:
        """The judgements at these places; Stale where a file is another one."""
        return self._records(places, runfile.judgement_decoder, attrgetter("judgement"))

    def results(self, places: Sequence[Place]) -> Iterator[Result]:
        """The results at these places; Stale where a file is another one."""
        return self._records(places, runfile.result_decoder, attrgetter("result"))

    def _records(
        self,
        places: Sequence[Place],
        decoder: msgspec.json.Decoder[_R],
        of_line: Callable[[Line], _R | None],
    ) -> Iterator[_R]:
        for place, text in self._texts(places):
            try:
                record = of_line(_line.decode(text)) if place.in_journal else decoder.decode(text)
            except UNDECODABLE as error:
                raise Stale from error
            if record is None:
                raise Stale
            yield record

    @contextmanager
    def opened(self, *, in_journal: bool) -> Iterator[FileIO]:
        """One of the files; Stale where it is gone, or is another one."""
        path = self.journal if in_journal else self.run_file
        try:
            with open(path, "rb", buffering=0, opener=regular) as file:
                if not in_journal and stamp_of(os.fstat(file.fileno())) != self.stamp:
                    raise Stale
                yield file
        except FileNotFoundError as error:
            raise Stale from error
        except OSError as error:
            raise unreadable(path, error) from error

    def _texts(self, places: Sequence[Place]) -> Iterator[tuple[Place, bytes]]:
        with ExitStack() as stack:
            files: dict[bool, FileIO] = {}
            for place in places:
                if place.in_journal not in files:
                    files[place.in_journal] = stack.enter_context(self.opened(in_journal=place.in_journal))
                file = files[place.in_journal]
                file.seek(place.offset)
                text = file.read(place.size)
                if len(text) != place.size:
                    raise Stale
                yield place, text


_line = msgspec.json.Decoder(Line, float_hook=Number)
