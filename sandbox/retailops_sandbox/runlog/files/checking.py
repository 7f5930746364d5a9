"""Checks run files from outside the log's folder, such as one that a CI job wrote, before they are shown.

Their content is not trusted: pages make links of its ids and calculate with its instants.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from retailops_sandbox.comparing import matchers
from retailops_sandbox.comparing.rules import compile_headers, compile_rules
from retailops_sandbox.errors import FileError, unreadable
from retailops_sandbox.model import Delivery, Expectation, MergedShard, Record, RunInfo
from retailops_sandbox.runlog.files import runfile
from retailops_sandbox.runlog.files.folder import Stamp, stamp_of
from retailops_sandbox.runlog.files.runfile import NewerFormat, RunFile

_MEND = "give a file that --report-json or `log export --format run` wrote"
_LONGEST = 2.0
"""Seconds in which rules are checked: a page that uses a rule which cannot be used says so, too."""
_RUN_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,63}", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,12}", re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z", re.ASCII)


def read_checked(path: Path, name: str) -> tuple[Stamp, RunFile]:
    """The stamp and the content of a run file; FileError, which calls it `name`, where it is refused."""
    try:
        stamp = stamp_of(path.stat())
        content = runfile.read(path)
        if content.problems:
            raise content.problems[0]
    except OSError as error:
        raise FileError(unreadable(path, error).what, file=name) from error
    except FileError as error:
        raise refused(error, name) from error
    for mistake in _mistakes(content):
        raise foreign(mistake, name)
    return stamp, content


def refused(error: FileError, name: str, *, mend: str = _MEND) -> FileError:
    """The error of a run file from elsewhere that cannot be read, which calls it `name`."""
    what = error.what.replace("damaged: ", "is no run file, or a damaged one: ", 1)
    mend = "update the sandbox" if isinstance(error, NewerFormat) else mend
    return FileError(what, mend=mend, file=name, pointer=error.pointer)


def foreign(mistake: str, name: str, *, mend: str = _MEND) -> FileError:
    """The error of a run file, called `name`, that the sandbox would not have written."""
    return FileError(f"is no run file that the sandbox wrote: {mistake}", mend=mend, file=name)


def head_mistakes(head: RunInfo) -> Iterator[str]:
    """The ids and instants of a run's record that the sandbox would not have written."""
    runs: list[RunInfo | MergedShard] = [head, *head.shards]
    ids = [head.id, *(shard.run for shard in head.shards)]
    yield from (f"{_cut(id)} is no id of a run" for id in ids if not _RUN_ID.fullmatch(id))
    yield from _no_instants(each.started_at for each in runs)
    yield from _no_instants(each.finished_at for each in runs if each.finished_at)


def record_mistakes(record: Record, run: str) -> Iterator[str]:
    """The id and the instant of a record of a run that the sandbox would not have written."""
    if isinstance(record, Delivery):
        of, _, number = record.id.rpartition(".")
        if of != run or not _NUMBER.fullmatch(number):
            yield f"{_cut(record.id)} is no id of a delivery of run {run}"
    yield from _no_instants([record.sent_at if isinstance(record, Delivery) else record.at])


def _mistakes(content: RunFile) -> Iterator[str]:
    """The mistakes in a run file: ids and instants that the sandbox would not have written."""
    head = content.head
    yield from head_mistakes(head)
    for table in (content.deliveries, content.judgements, content.results):
        for record, _ in table:
            yield from record_mistakes(record, head.id)
    deadline = time.monotonic() + _LONGEST
    for judgement, _ in content.judgements:
        if judgement.expectation is not None and time.monotonic() < deadline:
            yield from rule_mistakes(judgement.expectation)


def _no_instants(found: Iterable[str]) -> Iterator[str]:
    yield from (f"{_cut(each)} is no time in UTC" for each in found if not _is_instant(each))


def rule_mistakes(expectation: Expectation) -> Iterator[str]:
    """The rules of an expectation that no sandbox uses."""
    try:
        compile_rules(expectation.rules)
        compile_headers(expectation.headers)
    except matchers.RuleTooLarge:
        return  # the sandbox wrote such rules before there were bounds; pages show what was judged by them
    except matchers.RuleError as error:
        yield f"the rule {_cut(error.path)} cannot be used, {error.what[:200]}"


def _cut(text: str) -> str:
    return repr(text[:100])


def _is_instant(text: str) -> bool:
    if not _INSTANT.fullmatch(text):
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
