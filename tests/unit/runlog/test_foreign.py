"""Run files that lie elsewhere are never trusted."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retailops_sandbox.errors import FileError
from retailops_sandbox.runlog.query import Query
from tests.support.logged import open_log
from tests.support.records import LATER, RUN, written

NAME = "nightly.json"


def test_opening_one_writes_nothing_and_a_copy_of_it_is_the_same(tmp_path: Path):
    path, _ = written(tmp_path)
    log = open_log(tmp_path / "runs")
    log.open(path, NAME)
    with (tmp_path / "copy.json").open("w+b") as copy:
        assert log.copy(RUN, copy)
    assert (tmp_path / "copy.json").read_bytes() == path.read_bytes()
    left = {each.name for each in tmp_path.iterdir() if not each.name.startswith("index.db")}
    assert left == {"copy.json", "elsewhere", NAME}


Change = Callable[[dict[str, Any]], object]
CHANGES: dict[str, tuple[Change, str]] = {
    "no run": (lambda file: file.pop("run"), "at /run: is no run file, or a damaged one"),
    "no file of ours": (lambda file: file.update(run=5), "is no run file, or a damaged one"),
    "a record of another kind": (
        lambda file: file["deliveries"].update({"1": {"id": 5}}),
        "at /deliveries/1: is no run file, or a damaged one",
    ),
    "newer": (
        lambda file: file["run"]["1"].update(format=3, kind="of the future"),
        "is of format 3: a newer version of the sandbox wrote it (update the sandbox)",
    ),
    "a path for an id": (lambda file: file["run"]["1"].update(id="../x"), "'../x' is no id of a run"),
    "of another run": (
        lambda file: file["deliveries"]["1"].update(id=f"{LATER}.000001"),
        f"is no id of a delivery of run {RUN}",
    ),
    "markup for an id": (
        lambda file: file["deliveries"]["1"].update(id=f"{RUN}.<b>"),
        f"is no id of a delivery of run {RUN}",
    ),
    "no month": (
        lambda file: file["deliveries"]["1"].update(sent_at="2024-13-01T12:00:00Z"),
        "'2024-13-01T12:00:00Z' is no time in UTC",
    ),
    "no zone": (
        lambda file: file["run"]["1"].update(started_at="2024-05-01T12:00:00"),
        "is no time in UTC",
    ),
    "no time": (lambda file: file["judgements"]["1"].update(at=""), "'' is no time in UTC"),
    "no rule": (
        lambda file: file["judgements"]["1"].update(expectation={"rules": {"/a": {"regex": "("}}}),
        "the rule '/a' cannot be used, regex: '(' is not a regular expression",
    ),
    "no rule for a header": (
        lambda file: file["judgements"]["1"].update(expectation={"headers": {"A": {"range": [1, 2]}}}),
        "the rule 'A' cannot be used, range cannot judge a header",
    ),
    "no end": (lambda file: file["results"]["1"].update(at="later"), "'later' is no time in UTC"),
}  # fmt: skip


def test_a_rule_from_before_the_bounds_does_not_refuse_the_file(tmp_path: Path):
    path, delivery = written(tmp_path)
    file = json.loads(path.read_text())
    expectation = {"rules": {"/a": {"regex": "(" * 31 + "a" + ")+" * 31}}}
    file["judgements"]["1"].update(expectation=expectation)
    path.write_text(json.dumps(file))
    log = open_log(tmp_path / "runs")
    assert log.open(path, NAME) == RUN
    entry = log.delivery(delivery)
    assert entry is not None
    assert [each.verdict for each in entry.judgements] == ["failed"]


@pytest.mark.parametrize(("change", "said"), CHANGES.values(), ids=CHANGES)
def test_what_cannot_be_shown_is_one_line_that_names_the_file(tmp_path: Path, change: Change, said: str):
    path, _ = written(tmp_path)
    file = json.loads(path.read_text())
    change(file)
    path.write_text(json.dumps(file))
    log = open_log(tmp_path / "runs")
    with pytest.raises(FileError) as caught:
        log.open(path, NAME)
    line = str(caught.value)
    assert line.startswith(NAME)
    assert said in line
    assert str(tmp_path) not in line
    assert log.opened() == []


@given(st.data())
def test_a_file_that_anything_happened_to_is_shown_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
):
    folder = tmp_path_factory.mktemp("foreign")
    path, _ = written(folder)
    text = path.read_bytes()
    at = data.draw(st.integers(0, len(text)))
    put = data.draw(st.binary(max_size=4))
    end = min(len(text), at + data.draw(st.sampled_from([0, 1, 20, len(text)])))
    path.write_bytes(text[:at] + put + text[end:])
    log = open_log(folder / "runs")
    id = refused = ""
    try:
        id = log.open(path, NAME)
    except FileError as error:
        refused = str(error)
    if refused:
        assert refused.startswith(NAME)
        return
    found = log.run(id)
    assert found is not None
    assert found.problems == ()
    assert len(log.deliveries(id)) == found.deliveries == len(list(log.rows(Query(run=id))))
