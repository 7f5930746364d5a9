"""Makes one run file of the run files of a run's shards. Their records pass one by one."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack
from itertools import accumulate, chain, groupby
from pathlib import Path
from typing import BinaryIO, Self

import msgspec

from retailops_sandbox import __version__
from retailops_sandbox.errors import FileError, SandboxError, unreadable
from retailops_sandbox.model import (
    Delivery,
    MergedShard,
    Result,
    RunInfo,
    Shard,
    Verdict,
    encoder,
)
from retailops_sandbox.regular_files import SHARED_FILE
from retailops_sandbox.runlog.entries import Entry
from retailops_sandbox.runlog.files import checking, lock, replaying, runfile
from retailops_sandbox.runlog.files.atomic import replacing, unwritable
from retailops_sandbox.runlog.files.finalize import copy_run
from retailops_sandbox.runlog.files.journal import FORMAT, TABLES, UNDECODABLE, Head
from retailops_sandbox.runlog.files.tables import Tables
from retailops_sandbox.runlog.rows import sort_of
from retailops_sandbox.runlog.runs import run_id

_GENERATION = 1


class ShardFile(msgspec.Struct, frozen=True):
    """The run file of a shard, looked through once."""

    name: str
    """The file as it was named."""
    path: Path
    """The file that is read: a copy where the run has not ended."""
    head: Head
    shard: Shard
    largest: int
    """The largest number of a delivery."""
    outcomes: Counter[Verdict]
    """The number of results of each verdict."""
    may_have_journal: bool = False
    """Whether it looks like the file that a run begins with, which has its records in a journal beside it."""

    @property
    def results(self) -> int:
        return self.outcomes.total()

    @property
    def is_interrupted(self) -> bool:
        """Whether somebody stopped it, rather than the number of failures."""
        most = self.head.max_failures
        return self.head.stopped and not (most and self.outcomes["failed"] + self.outcomes["errored"] >= most)

    @property
    def problem(self) -> SandboxError | None:
        """Why it is incomplete; None where it is not."""
        if self.head.finished_at and not self.is_interrupted and self.results >= self.head.scenarios:
            return None
        ended = "was interrupted" if self.is_interrupted else "is not whole"
        why = ended if self.head.finished_at else "did not end"
        # What was stopped before it was done is a result, too: it was skipped.
        done = self.results - self.outcomes["skipped"] if self.is_interrupted else self.results
        what = f"shard {self.shard} {why}: {done:,} of its {self.head.scenarios:,} scenarios have a result"
        mend = _again(self.shard)
        if self.may_have_journal:
            mend = f"its records are in {Path(self.name).stem}.journal: put that beside it, or {mend}"
        return SandboxError(what, mend=mend)


class ShardFiles:
    """The `Shards` of some run files."""

    def __init__(self, paths: Sequence[Path]) -> None:
        """Look the files through."""
        self.problems: list[SandboxError] = []
        """Why parts of the run are missing: files that cannot be read, shards that are incomplete."""
        self.refusals: list[SandboxError] = []
        """Why the files cannot be merged."""
        self.notes: list[str] = []
        """What should be known, and is no mistake."""
        self._copies = ExitStack()
        try:
            self._shards = sorted(self._found(paths), key=lambda each: each.shard.number)
            self._compare()
        except BaseException:
            self._copies.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._copies.close()

    @property
    def are_none(self) -> bool:
        """Whether there is no file of a shard."""
        return not self._shards

    @property
    def results(self) -> int:
        """The number of scenarios that have a result."""
        return sum(each.results for each in self._shards)

    @property
    def is_interrupted(self) -> bool:
        """Whether somebody stopped one of the shards."""
        return any(each.is_interrupted for each in self._shards)

    def info(self) -> RunInfo:
        """The record of the merged run. Its id is that of these shards, however often they are merged."""
        heads = [each.head for each in self._shards]
        first, shard = heads[0], self._shards[0].shard
        started_at = min((each.started_at for each in heads), key=sort_of)
        named = hashlib.sha256(" ".join(each.id for each in heads).encode()).hexdigest()[:6]
        return RunInfo(
            id=run_id(started_at, named),
            kind=first.kind,
            started_at=started_at,
            finished_at=max((each.finished_at for each in heads), key=sort_of),
            receiver=first.receiver,
            stand_in=first.stand_in,
            tool=f"retailops-sandbox {__version__}",
            scenarios=shard.scenarios,
            unreadable=tuple(dict.fromkeys(line for each in heads for line in each.unreadable)),
            stopped=any(each.stopped for each in heads),
            shards=tuple(map(_merged_shard, self._shards)),
            divided_into=shard.count,
        )

    def merge(self) -> MergedFile:
        """Write the merged run into a file that is there until the block ends.

        FileError where that fails, or a file cannot be read any more.
        """
        info = self.info()
        path = self._folder() / "merged.json"
        try:
            with open(path, "wb") as file:
                self._write(info, file)
        except OSError as error:
            raise unwritable(path, error) from error
        return MergedFile(info, path)

    def _write(self, info: RunInfo, target: BinaryIO) -> None:
        before = [0, *accumulate(each.largest for each in self._shards)]
        tables = Tables(target)
        for table in TABLES:
            tables.table(table)
            for shard, earlier in zip(self._shards, before, strict=False):
                for document in _documents(shard.path, table):
                    try:
                        tables.add(_renamed(document, table, shard, info.id, earlier))
                    except UNDECODABLE as error:
                        raise _changed(shard) from error
        tables.table("run")
        tables.add(
            encoder.encode(Head(**msgspec.structs.asdict(info), format=FORMAT, generation=_GENERATION))
        )
        tables.end()

    # --- looking through ---

    def _found(self, paths: Sequence[Path]) -> list[ShardFile]:
        found: dict[str, ShardFile] = {}
        for path in paths:
            try:
                file = self._looked_through(path)
            except FileError as error:
                self.problems.append(error)
                continue
            except _Refused as refused:
                self.refusals.append(SandboxError(refused.what, mend=refused.mend, file=str(path)))
                continue
            if (known := found.get(file.head.id)) is not None:
                twice = "is named twice" if file.name == known.name else f"is the same run as {known.name}"
                self.notes.append(f"{file.name} {twice}: it is taken once")
            found.setdefault(file.head.id, file)
        return list(found.values())

    def _looked_through(self, path: Path) -> ShardFile:
        """The file of a shard; FileError where it cannot be read, _Refused where it is of no shard."""
        readable = self._whole(path)
        largest = 0
        outcomes: Counter[Verdict] = Counter()
        try:
            head = runfile.first_head(readable)
            mistakes = checking.head_mistakes(head)
            for stored in runfile.records(readable):
                record = runfile.decoded(readable, stored)
                if record is not None:
                    mistakes = chain(mistakes, checking.record_mistakes(record, head.id))
                for mistake in mistakes:
                    raise checking.foreign(mistake, str(path), mend=_AGAIN)
                if isinstance(record, Delivery):
                    largest = max(largest, int(record.id.rpartition(".")[2]))
                elif isinstance(record, Result):
                    outcomes[record.verdict] += 1
        except FileError as error:
            raise checking.refused(error, str(path), mend=_AGAIN) from error
        if head.shards:
            raise _Refused("is merged already", "give the run files of its shards")
        if head.shard is None:
            raise _Refused("is a whole run, and no shard of one", "run its shards with --shard 1/2 and so on")
        is_bare = readable is path and not (head.finished_at or largest or outcomes)
        return ShardFile(str(path), readable, head, head.shard, largest, outcomes, may_have_journal=is_bare)

    def _whole(self, path: Path) -> Path:
        """The file, or a copy that has the records of the journal beside it too."""
        if path.suffix not in (".json", ".journal"):
            return path
        run_file, journal = path.with_suffix(".json"), path.with_suffix(".journal")
        try:
            if not journal.is_file():
                return path
            if lock.is_held(journal):
                raise FileError("goes on", mend="merge it when its run has ended", file=str(path))
        except OSError as error:
            raise unreadable(path, error) from error
        copy = self._folder() / path.name
        try:
            with open(copy, "wb") as file:
                copy_run(run_file, journal, file)
        except OSError as error:
            raise unwritable(copy, error) from error
        except FileError as error:
            raise checking.refused(error, str(path), mend=_AGAIN) from error
        return copy

    def _folder(self) -> Path:
        """A new folder for one file, which is deleted when the block ends."""
        try:
            return Path(self._copies.enter_context(tempfile.TemporaryDirectory(prefix="retailops-sandbox-")))
        except OSError as error:
            raise unwritable(Path(tempfile.gettempdir()), error) from error

    def _compare(self) -> None:
        """Find out whether these are shards of one run, and which of its shards are not there."""
        if not self._shards or self.refusals:
            return
        first = _of_most(self._shards)
        for one in self._shards:
            for what, ours, theirs in _alike(first, one):
                if ours != theirs:
                    words = what.format(ours=ours, theirs=theirs, name=first.name)
                    mend = "give the shards of one run"
                    self.refusals.append(
                        SandboxError(f"is of another run: {words}", mend=mend, file=one.name)
                    )
                    break
            if one.head.tool != first.head.tool:
                self.notes.append(
                    f"{one.name} was run by {one.head.tool}, {first.name} by {first.head.tool}: "
                    "versions may judge differently, so install the same one for each shard"
                )
        by_number: dict[int, ShardFile] = {}
        for one in self._shards:
            if (known := by_number.setdefault(one.shard.number, one)) is not one:
                ended = f"{known.name} ended {_when(known)}, this one {_when(one)}"
                what = f"is shard {one.shard}, and {known.name} is it too: {ended}"
                self.refusals.append(SandboxError(what, mend="leave one of them out", file=one.name))
        if self.refusals:
            return
        missing = list(_missing(by_number, first.shard.count))
        if len(self.problems) == 1 and first.shard.count - len(by_number) == 1:
            # The one file that cannot be read is the one shard that is missing, and counts once.
            self.problems[0].what += f", so {missing.pop().what}"
        self.problems += [each.problem for each in self._shards if each.problem is not None]
        self.problems += missing


class MergedFile:
    """A `MergedRun` in a file of its own."""

    def __init__(self, info: RunInfo, path: Path) -> None:
        self.info = info
        self._path = path

    def results(self) -> Iterator[tuple[Result, Iterator[Entry]]]:
        """The results of its scenarios, shard by shard, each with its deliveries."""
        return replaying.results(self._path)

    def export(self, target: Path) -> None:
        """Replace a file by its run file. Blocks."""
        with replacing(target, mode=SHARED_FILE) as file:
            self.copy(file)

    def copy(self, target: BinaryIO) -> None:
        """Write its run file into an empty file. Blocks."""
        with open(self._path, "rb") as file:
            shutil.copyfileobj(file, target, 1 << 20)


class _Refused(Exception):
    """A run file that is of no shard."""

    def __init__(self, what: str, mend: str) -> None:
        super().__init__(what)
        self.what = what
        self.mend = mend


def _missing(there: Collection[int], count: int) -> Iterator[SandboxError]:
    """An error for each row of shards that are missing one after the other."""
    numbers = [number for number in range(1, count + 1) if number not in there]
    for _, row in groupby(enumerate(numbers), lambda each: each[1] - each[0]):
        first, *others = [number for _, number in row]
        if not others:
            mend = f"give its run file, or run it again with --shard {first}/{count}"
            yield SandboxError(f"shard {first}/{count} is missing", mend=mend)
        else:
            words = f"{'and' if len(others) == 1 else 'to'} {others[-1]}/{count}"
            mend = "give their run files, or run them again"
            yield SandboxError(f"shards {first}/{count} {words} are missing", mend=mend)


def _alike(one: ShardFile, other: ShardFile) -> Iterator[tuple[str, object, object]]:
    """What two shards of one run have in common, each with the words of where it differs."""
    yield "it is one of {theirs} shards, and {name} of {ours}", one.shard.count, other.shard.count
    yield "its receiver is {theirs}, that of {name} is {ours}", _receiver(one), _receiver(other)
    yield "it is of kind {theirs}, {name} of kind {ours}", one.head.kind, other.head.kind
    yield (
        "its run has {theirs} scenarios in all, that of {name} has {ours}",
        one.shard.scenarios,
        other.shard.scenarios,
    )
    yield (
        "its scenarios, or how they were divided, are not those of {name}",
        one.shard.division,
        other.shard.division,
    )


def _of_most(files: Sequence[ShardFile]) -> ShardFile:
    """The first of those that have the most in common: others are of another run."""
    kinds = [tuple(theirs for _, _, theirs in _alike(files[0], each)) for each in files]
    (most, _), *_ = Counter(kinds).most_common(1)
    return files[kinds.index(most)]


def _receiver(file: ShardFile) -> str:
    return "the stand-in" if file.head.stand_in else repr(file.head.receiver)


def _when(file: ShardFile) -> str:
    return f"at {file.head.finished_at}" if file.head.finished_at else "before it was done"


def _again(shard: Shard) -> str:
    return f"run it again with --shard {shard}"


def _changed(file: ShardFile) -> FileError:
    return FileError("was changed while it was read", mend="merge again", file=file.name)


def _merged_shard(file: ShardFile) -> MergedShard:
    head = file.head
    return MergedShard(
        number=file.shard.number,
        run=head.id,
        started_at=head.started_at,
        finished_at=head.finished_at,
        stopped=head.stopped,
        scenarios=head.scenarios,
        results=file.results,
        tool=head.tool,
    )


def _documents(path: Path, table: str) -> Iterator[bytes]:
    """The documents of one table, which were looked through before."""
    is_there = False
    for stored in runfile.records(path, unchecked=TABLES):
        if stored.table == table:
            is_there = True
            yield stored.document
        elif is_there:
            return


def _renamed(document: bytes, table: str, file: ShardFile, run: str, earlier: int) -> bytes:
    """A record as it is in the merged run; all that is not its id stays as it is spelled.

    `earlier` is the number of deliveries in the shards before.
    """
    members = _members.decode(document)

    def rename(member: str) -> None:
        of, _, number = _text.decode(members.get(member, _NO_TEXT)).rpartition(".")
        if of == file.head.id:
            members[member] = msgspec.Raw(encoder.encode(f"{run}.{earlier + int(number):06}"))

    if table == "deliveries":
        rename("id")
        rename("parent")
        members["run"] = msgspec.Raw(encoder.encode(run))
    elif table == "judgements":
        rename("delivery")
    else:
        members["shard"] = msgspec.Raw(encoder.encode(file.shard.number))
    return encoder.encode(members)


_AGAIN = "fetch it again, or run its shard again"
_NO_TEXT = msgspec.Raw(b'""')
_members = msgspec.json.Decoder(dict[str, msgspec.Raw])
_text = msgspec.json.Decoder(str)
