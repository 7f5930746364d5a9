"""Brings run files into the database. What is there already is left, so that it can be done again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from itertools import chain
from pathlib import Path

import psycopg

from retailops_sandbox.contracts.catalogue import ContractSource
from retailops_sandbox.errors import FileError, unreadable, unwritable
from retailops_sandbox.model import Judgement
from retailops_sandbox.runlog.files import checking, finalize, lock, runfile
from retailops_sandbox.runlog.files.journal import Head
from retailops_sandbox.runlog.place import LogPlace
from retailops_sandbox.runlog.postgres import connecting
from retailops_sandbox.runlog.postgres.adding import RunRows, Stored
from retailops_sandbox.runlog.postgres.spelling import record_text
from retailops_sandbox.runlog.runs import PushedRun
from retailops_sandbox.runlog.unwritten import unmark

_AT_ONCE = 1 << 20
"""About the most bytes of records in one statement."""
_LONGEST = 2.0
"""Seconds in which the rules of judgements are checked."""


def push(place: LogPlace, path: Path, contracts: ContractSource) -> PushedRun:
    """Bring a run file into the database of a place, in one transaction; one of its spool is then deleted.

    It stays where the log has a record of it otherwise.
    FileError where it is none, is damaged or goes on; DatabaseAway or UsageError where the database is not to
    be used.
    """
    file = _ended(path)
    head = _checked_head(file, path)
    try:
        with closing(connecting.adding(place.database)) as connection, connection.transaction():
            rows = RunRows(connection, head, contracts)
            rows.begin()
            added = different = 0
            for some in _in_pieces(_records(file, head, path)):
                new, others = rows.add_missing(some)
                added += new
                different += others
            if head.finished_at:
                rows.end(head)
    except psycopg.Error as error:
        raise connecting.problem(error, place.database) from None
    if not different and path.absolute().parent == place.spool_dir.absolute():
        try:
            file.unlink(missing_ok=True)
            unmark(file)
        except OSError as error:
            raise unwritable(file, error) from error
    return PushedRun(head.id, added, is_new=rows.is_new, different=different)


def _ended(path: Path) -> Path:
    """The run file of a run that has ended; that of a dead process is made of its journal."""
    journal = path.with_suffix(".journal")
    if path.suffix not in (".json", ".journal") or not journal.exists():
        return path
    try:
        fd = lock.take(journal)
    except OSError as error:
        raise unreadable(journal, error) from error
    if fd is not None:
        finalize.finalize(journal, fd)
    elif journal.exists():
        raise FileError("goes on", mend="push it when its run has ended", file=str(path))
    return path.with_suffix(".json")


def _checked_head(file: Path, path: Path) -> Head:
    try:
        head = runfile.first_head(file)
    except FileError as error:
        raise checking.refused(error, str(path)) from error
    for mistake in checking.head_mistakes(head):
        raise checking.foreign(mistake, str(path))
    return head


def _records(file: Path, head: Head, path: Path) -> Iterator[Stored]:
    """The records of a run file; FileError for one that the sandbox would not have written."""
    deadline = time.monotonic() + _LONGEST
    try:
        for stored in runfile.records(file):
            record = runfile.decoded(file, stored)
            if record is None:
                continue
            mistakes = checking.record_mistakes(record, head.id)
            if isinstance(record, Judgement) and record.expectation and time.monotonic() < deadline:
                mistakes = chain(mistakes, checking.rule_mistakes(record.expectation))
            for mistake in mistakes:
                raise checking.foreign(mistake, str(path))
            yield record, record_text(stored.document)
    except FileError as error:
        raise checking.refused(error, str(path)) from error


def _in_pieces(records: Iterator[Stored]) -> Iterator[list[Stored]]:
    """The records in lists of a bounded size, at least one list."""
    piece: list[Stored] = []
    size = 0
    for stored in records:
        piece.append(stored)
        size += len(stored[1])
        if size >= _AT_ONCE:
            yield piece
            piece, size = [], 0
    yield piece
