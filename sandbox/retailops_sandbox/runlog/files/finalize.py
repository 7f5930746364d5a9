"""Makes the run file of a journal: written whole, and only then the journal is deleted.

Only the holder of the journal's lock does so. A crash between any two steps leaves either the journal beside
a run file that was only begun, or the run file and a journal of its generation, which is not read again.
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
from retailops_sandbox.runlog.files.tables import BEGUN, Tables, begun


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
                _write(head, journal, target, file, own=own)
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
    if journal.exists():
        try:
            head = read_head(journal)
            if head is not None and not _has_run_file(head, run_file):
                _write(head, journal, run_file, target)
                return
        except FileError:
            from retailops_sandbox.runlog.files import runfile  # hardly ever needed, and slow to import

            if runfile.is_only_begun(run_file):
                raise
            target.seek(0)  # Its run file was made meanwhile, or before, and is copied instead.
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


def _write(head: Head, journal: Path, run_file: Path, target: BinaryIO, *, own: bool = False) -> None:
    """Write the records of a journal, and what somebody else put into its run file, as a run file."""
    finished_at = torn = ""
    stopped = False
    judgements: list[msgspec.Raw] = []
    results: list[msgspec.Raw] = []
    also = _added(head, run_file)
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
    for document in also.pop("deliveries", {}).values():
        tables.add(document)
    for name, documents in (("judgements", judgements), ("results", results)):
        tables.table(name)
        for document in (*documents, *also.pop(name, {}).values()):
            tables.add(document)
    run, *more = [*also.pop("run", {}).values()] or [b"{}"]
    for name, others in also.items():
        tables.table(name)
        for id, document in others.items():
            tables.add(document, id)
    tables.table("run")
    ended = msgspec.structs.replace(head, finished_at=finished_at, stopped=stopped, torn=torn)
    tables.add(encoder.encode(_members.decode(run) | _members.decode(encoder.encode(ended))))
    for document in more:
        tables.add(document)
    tables.end()


def _has_run_file(head: Head, target: Path) -> bool:
    """Whether a run file holds the journal of this head; FileError where it holds only some of it."""
    if _is_as_begun(head, target):
        return False
    from retailops_sandbox.runlog.files import runfile  # hardly ever needed, and slow to import

    generation = runfile.read_head(target).generation
    if BEGUN < generation < head.generation:
        raise FileError("is older than its journal; both are kept", file=str(target))
    return generation >= head.generation


def _is_as_begun(head: Head, run_file: Path) -> bool:
    """Whether a run file has nothing that the journal lacks: it is not there, empty, or as it was begun."""
    start = begun(head)
    try:
        with open(run_file, "rb", opener=regular) as file:
            return file.read(len(start) + 1) in (start, b"")
    except FileNotFoundError:
        return True
    except OSError as error:
        raise unreadable(run_file, error) from error


def _added(head: Head, run_file: Path) -> dict[str, dict[str, bytes]]:
    """The documents of a run file that is not as it was begun, by table and id.

    Somebody put them there by TinyDB while the run went on: they stay.
    """
    added: dict[str, dict[str, bytes]] = {}
    if not _is_as_begun(head, run_file):
        from retailops_sandbox.runlog.files import runfile  # hardly ever needed, and slow to import

        for record in runfile.records(run_file):
            document = msgspec.json.format(record.document, indent=-1)  # on one line
            added.setdefault(record.table, {})[record.number] = document
    return added


_members = msgspec.json.Decoder(dict[str, msgspec.Raw])
