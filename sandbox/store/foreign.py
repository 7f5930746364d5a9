"""Run files that lie anywhere, such as one that a CI job wrote: looked at before anything of them is shown.

What is in them is not trusted: ids become addresses, and instants are reckoned with.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from sandbox.errors import FileError
from sandbox.store import runfile
from sandbox.store.runfile import NewerFormat, RunFile

_MEND = "give a file that --report-json or `log export --format run` wrote"
_RUN_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,63}", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,12}", re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z", re.ASCII)


def checked(path: Path, name: str) -> str:
    """The id of the run that a file holds; FileError, which calls it `name`, where it cannot be shown."""
    try:
        content = runfile.read(path)
        if content.problems:
            raise content.problems[0]
    except FileError as error:
        what, mend = error.what.replace("damaged: ", "is no run file, or a damaged one: ", 1), _MEND
        if isinstance(error, NewerFormat):
            mend = "update the sandbox"
        raise FileError(what, mend=mend, file=name, pointer=error.pointer) from error
    for what, wrong in _wrong(content):
        raise FileError(
            f"is no run file that the sandbox wrote: {wrong[:100]!r} is no {what}", mend=_MEND, file=name
        )
    return content.head.id


def _wrong(content: RunFile) -> Iterator[tuple[str, str]]:
    """What in a file is not as the sandbox writes it: what it should be, and what it is."""
    head = content.head
    if not _RUN_ID.fullmatch(head.id):
        yield "id of a run", head.id
    for delivery, _ in content.deliveries:
        run, _, number = delivery.id.rpartition(".")
        if run != head.id or not _NUMBER.fullmatch(number):
            yield f"id of a delivery of run {head.id}", delivery.id
    instants = [head.started_at, *([head.finished_at] if head.finished_at else [])]
    instants += [delivery.sent_at for delivery, _ in content.deliveries]
    instants += [judgement.at for judgement, _ in content.judgements]
    instants += [result.at for result, _ in content.results]
    yield from (("time in UTC", each) for each in instants if not _is_instant(each))


def _is_instant(text: str) -> bool:
    if not _INSTANT.fullmatch(text):
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
