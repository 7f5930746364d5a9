"""What came into the log since the last look, whoever wrote it and whatever became of its files meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest

from retailops_sandbox.runlog.opening import open_log
from retailops_sandbox.runlog.ports import Cursor, RunWriter
from retailops_sandbox.runlog.query import Query
from tests.support.records import LATER, judge, make_delivery, open_run


def told(cursor: Cursor) -> list[tuple[str, str, bool]]:
    """The number of each delivery in its run, its verdict, and whether it is new."""
    changes = cursor.changes()
    assert changes is not None
    return [(each.row.id[-1:], each.row.verdict or "", each.is_new) for each in changes]


def sent(run: RunWriter, second: int) -> str:
    delivery = make_delivery(run, f"2024-05-01T12:00:0{second}.000Z")
    run.append(delivery)
    return delivery.id


def test_what_comes_and_what_is_judged_is_told_once(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    cursor = log.cursor()
    assert told(cursor) == []
    with open_run(tmp_path) as run:
        first = make_delivery(run)
        run.append(first)
        assert told(cursor) == [("1", "", True)]
        assert told(cursor) == []
        run.append(judge(first))
        sent(run, 2)
        assert told(cursor) == [("1", "passed", False), ("2", "", True)]
        assert told(cursor) == []


def test_what_was_there_is_not_told(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    with open_run(tmp_path) as run:
        sent(run, 1)
    with open_run(tmp_path, LATER) as run:
        sent(run, 2)
        cursor = log.cursor()
        assert told(cursor) == []
        sent(run, 3)
        assert told(cursor) == [("2", "", True)]


def test_what_another_reader_read_first_is_told_all_the_same(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    cursor = log.cursor()
    with open_run(tmp_path) as run:
        id = sent(run, 1)
        assert log.delivery(id) is not None
        assert len(list(log.rows())) == 1
        assert told(cursor) == [("1", "", True)]


def test_a_run_that_was_folded_between_two_looks_is_told_as_far_as_it_was_not_seen(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    cursor = log.cursor()
    with open_run(tmp_path) as run:
        first, second = make_delivery(run), make_delivery(run, "2024-05-01T12:00:02.000Z")
        run.append(first)
        run.append(judge(first))
        run.append(second)
        assert told(cursor) == [("1", "passed", True), ("2", "", True)]
        run.append(judge(second, "failed"))
        sent(run, 3)
    assert told(cursor) == [("2", "failed", False), ("3", "", True)]
    assert told(cursor) == []


def test_a_run_that_came_and_was_folded_between_two_looks_is_told_whole(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    cursor = log.cursor()
    with open_run(tmp_path) as run:
        sent(run, 1)
        sent(run, 2)
    assert told(cursor) == [("1", "", True), ("2", "", True)]
    assert told(cursor) == []


@pytest.mark.parametrize("is_folded", [False, True])
def test_a_delivery_that_is_judged_again_in_another_run_is_told_with_its_new_verdict(
    tmp_path: Path, is_folded: bool
) -> None:
    log = open_log(tmp_path)
    with open_run(tmp_path) as run:
        delivery = make_delivery(run)
        run.append(delivery)
        run.append(judge(delivery, "failed"))
        sent(run, 3)
    cursor = log.cursor()
    later = open_run(tmp_path, LATER)
    later.append(judge(delivery, "passed", "2024-05-01T13:00:00.000Z"))
    if is_folded:
        later.finish()
    assert told(cursor) == [("1", "passed", False)]
    assert told(cursor) == []
    if not is_folded:
        later.append(judge(delivery, "failed", "2024-05-01T13:00:01.000Z"))
        later.finish()
        assert told(cursor) == [("1", "failed", False)]


def test_text_is_looked_for_in_the_records_of_single_deliveries(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    with open_run(tmp_path) as run:
        first, second = sent(run, 1), sent(run, 2)
        query = Query(text='"a":35.00')
        assert log.holding(query, {second}) == {second}
    assert log.holding(query, {first, "nothing.1"}) == {first}
    assert log.holding(Query(text="elsewhere"), {first, second}) == set()
