"""The records of a run file, read a line at a time, are those that reading it as a whole finds."""

from __future__ import annotations

import json
import os
import tracemalloc
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tinydb import TinyDB

from retailops_sandbox.errors import FileError
from retailops_sandbox.model import Judgement, Result
from retailops_sandbox.runlog.files import runfile
from retailops_sandbox.runlog.files.written import NotAsWritten, StoredRecord, stored_records
from tests.support.records import RUN, make_delivery, open_run


def write_run(folder: Path, kinds: list[str]) -> Path:
    """The run file of a run with records of these kinds, in this order."""
    with open_run(folder) as run:
        for kind in kinds:
            if kind == "delivery":
                run.append(make_delivery(run))
            elif kind == "judgement":
                run.append(Judgement(delivery=f"{RUN}.000001", verdict="passed", at="2024-05-01T12:00:02Z"))
            else:
                run.append(Result(scenario="a", name="A ä", verdict="passed", at="2024-05-01T12:00:03Z"))
        run.finish("2024-05-01T12:00:04Z")
        return run.path


def as_lines(path: Path) -> list[StoredRecord]:
    with path.open("rb") as file:
        return list(stored_records(file))


def whole(path: Path) -> list[StoredRecord]:
    """The records of a file as its JSON has them, found without looking at lines."""
    text = path.read_bytes()
    return [
        StoredRecord(table, number, document, (start, len(document)))
        for table, number, start, document in found_in(text)
    ]


def found_in(text: bytes) -> list[tuple[str, str, int, bytes]]:
    decoded = text.decode()
    decoder = json.JSONDecoder()
    found: list[tuple[str, str, int, bytes]] = []
    for table, documents in json.loads(decoded).items():
        at = decoded.index(f'"{table}": ')
        for number in documents:
            name = f'"{number}": '
            at = decoded.index(name, at) + len(name)
            _, end = decoder.raw_decode(decoded, at)
            start = len(decoded[:at].encode())
            found.append((table, number, start, decoded[at:end].encode()))
            at = end
    return found


def outcome(path: Path) -> tuple[list[StoredRecord], str]:
    """What `records` says of a file."""
    try:
        return list(runfile.records(path)), ""
    except FileError as error:
        return [], str(error)


def outcome_of_reading(path: Path) -> tuple[set[tuple[int, int]], str]:
    try:
        content = runfile.read(path)
    except FileError as error:
        return set(), str(error)
    spans = {span for _, span in [*content.deliveries, *content.judgements, *content.results]}
    return spans, ""


def decodable(records: list[StoredRecord]) -> set[tuple[int, int]]:
    decoders = {
        "deliveries": runfile.delivery_decoder,
        "judgements": runfile.judgement_decoder,
        "results": runfile.result_decoder,
    }
    found = set()
    for record in records:
        if record.table in decoders:
            try:
                decoders[record.table].decode(record.document)
            except (ValueError, RecursionError):
                continue
            found.add(record.span)
    return found


KINDS = st.lists(st.sampled_from(["delivery", "judgement", "result"]), max_size=6)


@given(KINDS)
def test_a_file_of_the_sandbox_is_read_by_its_lines(kinds: list[str]) -> None:
    with TemporaryDirectory() as folder:
        path = write_run(Path(folder), kinds)
        assert as_lines(path) == list(runfile.records(path)) == whole(path)
        assert decodable(as_lines(path)) == outcome_of_reading(path)[0]
        assert [each.table for each in as_lines(path)].count("run") == 1


PIECES = [b"", b"\n", b" ", b'"', b"{", b"}", b"},", b"}}", b"\xff", b"[" * 3000, b'"1": {},']


def spoiled(text: bytes, data: st.DataObject) -> bytes:
    """A text of which a piece is replaced by another, perhaps of its own."""
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 40)))
    at = data.draw(st.integers(0, len(text)))
    return text[:start] + data.draw(st.sampled_from([*PIECES, text[at : at + 300]])) + text[end:]


@given(KINDS, st.integers(1, 3), st.data())
def test_a_damaged_or_foreign_file_says_the_same_as_when_it_is_read_as_a_whole(
    kinds: list[str], times: int, data: st.DataObject
) -> None:
    with TemporaryDirectory() as folder:
        path = write_run(Path(folder), kinds)
        for _ in range(times):
            path.write_bytes(spoiled(path.read_bytes(), data))
        records, error = outcome(path)
        assert (decodable(records), error) == outcome_of_reading(path)


@given(st.permutations(["deliveries", "judgements", "results", "run", "notes"]), st.integers(1, 4))
def test_lines_in_another_order_say_the_same(order: list[str], indent: int) -> None:
    with TemporaryDirectory() as folder:
        path = write_run(Path(folder), ["delivery", "judgement", "result", "delivery"])
        tables = {**json.loads(path.read_bytes()), "notes": {"7": {"note": "ä"}, "8": {}}}
        path.write_text(json.dumps({name: tables[name] for name in order}, indent=indent, ensure_ascii=False))
        records, error = outcome(path)
        assert error == ""
        assert decodable(records) == outcome_of_reading(path)[0]
        assert [json.loads(each.document) for each in records] == [
            document for name in order for document in tables[name].values()
        ]
        text = path.read_bytes()
        for record in records:
            start, size = record.span
            assert text[start : start + size] == record.document


def test_a_file_that_tinydb_rewrote_is_read_as_a_whole(tmp_path: Path) -> None:
    path = write_run(tmp_path, ["delivery", "judgement", "result"])
    before = [json.loads(each.document) for each in runfile.records(path)]
    with TinyDB(path) as db:
        db.table("notes").insert({"note": "of a person"})
    with pytest.raises(NotAsWritten):
        as_lines(path)
    assert [json.loads(each.document) for each in runfile.records(path)] == [*before, {"note": "of a person"}]


@pytest.mark.parametrize(
    ("old", "new", "pointer"),
    [
        (b'\n"2": {', b'\n"1": {', "/deliveries/1"),
        (b'\n"results": {', b'\n"judgements": {', "/judgements/1"),
    ],
    ids=["document", "table"],
)
def test_what_another_of_its_name_hides_is_damage(
    tmp_path: Path, old: bytes, new: bytes, pointer: str
) -> None:
    path = write_run(tmp_path, ["delivery", "delivery", "judgement", "result"])
    path.write_bytes(path.read_bytes().replace(old, new))
    for read in (lambda: list(runfile.records(path)), lambda: runfile.read(path)):
        with pytest.raises(FileError, match="a name stands in it twice") as raised:
            read()
        assert raised.value.pointer == pointer


def test_a_record_that_is_nested_too_deep_is_damage(tmp_path: Path) -> None:
    path = write_run(tmp_path, ["delivery", "delivery"])
    deep = b'"2": {"deep":' + b"[" * 100_000 + b"]" * 100_000 + b","
    path.write_bytes(path.read_bytes().replace(b'"2": {', deep))
    for read in (lambda: list(runfile.records(path)), lambda: runfile.read(path)):
        with pytest.raises(FileError, match="damaged: maximum recursion depth exceeded"):
            read()


def test_a_file_that_is_rewritten_meanwhile_gives_no_record_twice(tmp_path: Path) -> None:
    path = write_run(tmp_path, ["delivery"] * 3000)
    reading = iter(runfile.records(path))
    first = next(reading)
    # As TinyDB writes: into the same file.
    with TinyDB(path) as db:
        db.table("deliveries").remove(doc_ids=[1])
    with pytest.raises(FileError, match="was changed while it was read"):
        list(reading)
    assert first.number == "1"


def test_a_large_file_is_never_whole_in_memory(tmp_path: Path) -> None:
    path = write_run(tmp_path, ["delivery"] * 5000)
    size = path.stat().st_size
    assert size > 2_000_000
    list(runfile.records(write_run(tmp_path / "first", ["delivery"])))
    tracemalloc.start()
    try:
        assert sum(1 for _ in runfile.records(path)) == 5001
        assert tracemalloc.get_traced_memory()[1] < size / 4
    finally:
        tracemalloc.stop()


def test_what_is_no_file_is_an_error(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.json")
    for name in ("none.json", "pipe.json", "."):
        with pytest.raises(FileError):
            list(runfile.records(tmp_path / name))
