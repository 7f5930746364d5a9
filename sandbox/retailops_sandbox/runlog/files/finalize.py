"""Makes the run file of a journal: written whole, and only then the journal is deleted.

Only the holder of the journal's lock does so. A crash between any two steps leaves either the journal alone,
or the run file and a journal of its generation, which is not read again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from retailops_sandbox.errors import FileError, unreadable
from retailops_sandbox.model import encoder
from retailops_sandbox.regular_files import regular
from retailops_sandbox.runlog.files import lock
from retailops_sandbox.runlog.files.atomic import replacing, unwritable
from retailops_sandbox.runlog.files.journal import (
    NO_RECORD,
    Head,
    RawLine,
    damaged_line,
    raw_lines,
    read_head,
)
from retailops_sandbox.runlog.files.tables import Tables


def finalize(journal: Path, fd: int, *, own: bool = False) -> None:
    """Make a journal's run file and delete the journal. `fd` holds its lock, and is closed in any case.

    `own` says that this process wrote the journal. FileError where something would be lost, as with a damaged
    journal or an older run file of that name: both are kept.
    """
    try:
        head = read_head(journal)
        if head is None:
            return  # Its process died before it wrote, or is about to write: it is not ours to delete.
        target = journal.with_suffix(".json")
        if not _has_run_file(head, target):
            with replacing(target) as file:
                _write(head, journal, file, own=own)
    finally:
        os.close(fd)
    # Closed first, because Windows deletes no open file. Who takes the lock now finds the run file made.
    try:
        journal.unlink(missing_ok=True)
    except OSError as error:
        raise unwritable(journal, error) from error


def finalize_abandoned(runs_dir: Path) -> list[FileError]:
    """Make the run files of journals that dead processes left; the error of each that could not be made."""
    problems: list[FileError] = []
    for journal in sorted(runs_dir.glob("*.journal")):
        try:
            fd = lock.take(journal)
        except OSError as error:
            problems.append(unreadable(journal, error))
            continue
        if fd is None:
            continue
        try:
            finalize(journal, fd)
        except FileError as error:
            problems.append(error)
    return problems


def copy_run(run_file: Path, journal: Path, target: BinaryIO) -> None:
    """Write a run so far as a run file; FileError where it cannot be read.

    `target` is empty and seekable.
    """
    if not run_file.exists():
        try:
            head = read_head(journal)
            if head is not None:
                _write(head, journal, target)
                return
        except FileError:
            if not run_file.exists():
                raise
            target.seek(0)  # Its run file was made meanwhile, and is copied instead.
            target.truncate()
    for chunk in _chunks(run_file):
        target.write(chunk)


def _chunks(path: Path) -> Iterator[bytes]:
    try:
        with open(path, "rb", opener=regular) as file:
            while chunk := file.read(1 << 20):
                yield chunk
    except OSError as error:
        raise unreadable(path, error) from error


def _write(head: Head, journal: Path, target: BinaryIO, *, own: bool = False) -> None:
    """Write the records of a journal as a run file."""
    finished_at = torn = ""
    stopped = False
    judgements: list[msgspec.Raw] = []
    results: list[msgspec.Raw] = []
    tables = Tables(target)
    # One pass: deliveries, the bulk, go straight from file to file. The rest waits for its table.
    tables.table("deliveries")
    for number, line in raw_lines(journal, own=own):
        if not isinstance(line, RawLine):
            torn = line.decode(errors="replace")
        elif line.delivery:
            tables.add(line.delivery)
        elif line.judgement:
            judgements.append(line.judgement)
        elif line.result:
            results.append(line.result)
        elif line.finished_at:
            finished_at, stopped = line.finished_at, line.stopped
        elif not line.run:
            raise damaged_line(journal, number, NO_RECORD)
    for name, documents in (("judgements", judgements), ("results", results)):
        tables.table(name)
        for document in documents:
            tables.add(document)
    tables.table("run")
    ended = msgspec.structs.replace(head, finished_at=finished_at, stopped=stopped, torn=torn)
    tables.add(encoder.encode(ended))
    tables.end()


def _has_run_file(head: Head, target: Path) -> bool:
    if not target.exists():
        return False
    from retailops_sandbox.runlog.files import runfile  # hardly ever needed, and slow to import

    if head.generation > runfile.read_head(target).generation:
        raise FileError("is older than its journal; both are kept", file=str(target))
    return True
