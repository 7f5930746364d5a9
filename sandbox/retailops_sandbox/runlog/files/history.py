"""Reads the results of earlier runs, without their deliveries, for later runs to be compared with."""

# No `from __future__ import annotations`: msgspec would compile each string when the first run file is read.

import os
from collections.abc import Iterator
from io import FileIO
from pathlib import Path

import msgspec

from retailops_sandbox.errors import FileError, unreadable
from retailops_sandbox.model import Result, RunInfo
from retailops_sandbox.regular_files import no_link, regular
from retailops_sandbox.runlog.files.journal import UNDECODABLE
from retailops_sandbox.scenarios.trend import Past

_RESULTS = b'\n"results": {'
_FIRST_PIECE = 16 * 1024
"""Bytes; each further piece is twice as long as all before it."""


class _Outcome(msgspec.Struct):
    """The tables `run` and `results` of a run file; the other tables are most of its bytes."""

    run: dict[str, RunInfo] = {}
    results: dict[str, Result] = {}


def past_results(runs_dir: Path, *, before: str = "", most: int | None = None) -> Iterator[Past]:
    """The finished runs of a folder that have results, the newest first; each is read when it is taken.

    `before` leaves out the run of this id and newer ones. After `most` bytes no further file is read. Files
    that cannot be read are left out: the log names them.
    """
    for second, _, name in sorted(_files(runs_dir), reverse=True):
        if before and (second > _second(before) or name == f"{before}.json"):
            continue
        if most is not None and most <= 0:
            return
        try:
            with open(os.path.join(runs_dir, name), "rb", buffering=0, opener=no_link) as file:
                text = results_on(file)
            most = None if most is None else most - len(text)
            outcome = _decoder.decode(text)
        except (OSError, *UNDECODABLE):
            continue
        if outcome.results:
            for info in outcome.run.values():
                yield Past(info, list(outcome.results.values()))


def results_of(path: Path) -> list[Result]:
    """The results of a run file; FileError where it is none."""
    try:
        with open(path, "rb", buffering=0, opener=regular) as file:
            return list(_decoder.decode(results_on(file)).results.values())
    except OSError as error:
        raise unreadable(path, error) from error
    except UNDECODABLE as error:
        raise FileError(
            f"is no run file, or a damaged one: {error}",
            mend="give a file that --report-json wrote",
            file=str(path),
        ) from error


def results_on(file: FileIO) -> bytes:
    """A run file's text from the table `results` on, as JSON; its whole text where that table is not found.

    It is read from its end, where that table is: what comes before it is most of the file.
    """
    start = os.fstat(file.fileno()).st_size
    text = b""
    length = _FIRST_PIECE
    while start:
        length = min(length, start)
        start -= length
        file.seek(start)
        piece = file.read(length)
        # The table's beginning may lie across two pieces.
        found = (piece + text[: len(_RESULTS)]).rfind(_RESULTS)
        text = piece + text
        if found >= 0:
            return b"{" + text[found:]
        length = 2 * len(text)
    return text


def _files(runs_dir: Path) -> list[tuple[str, int, str]]:
    """The run files: the second in which the run began, from the name; when it was written; the name."""
    try:
        with os.scandir(runs_dir) as entries:
            return [
                (_second(each.name), each.stat().st_mtime_ns, each.name)
                for each in entries
                if each.name.endswith(".json")
            ]
    except OSError:
        return []


def _second(run_id: str) -> str:
    return run_id.partition("-")[0]


_decoder = msgspec.json.Decoder(_Outcome)
