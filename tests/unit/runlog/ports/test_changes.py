"""What came into the log since the last look, whoever wrote it and whether its run has ended meanwhile."""

from __future__ import annotations

import pytest

from retailops_sandbox.runlog.ports import Cursor, RunWriter
from tests.support.backends import Backend, begun, writing
from tests.support.records import LATER, judge, make_delivery, make_result


def told(cursor: Cursor) -> list[tuple[str, str, bool]]:
    """The number of each delivery in its run, its verdict, and whether it is new."""
    changes = cursor.changes()
    assert changes is not None
    return [(each.row.id[-1:], each.row.verdict or "", each.is_new) for each in changes]


def sent(run: RunWriter, second: int) -> str:
    delivery = make_delivery(run, f"2024-05-01T12:00:0{second}.000Z")
    run.append(delivery)
    return delivery.id


def test_what_comes_and_what_is_judged_is_told_once(backend: Backend) -> None:
    log = backend.open_log()
    cursor = log.cursor()
    assert told(cursor) == []
    with writing(backend) as run:
        first = make_delivery(run)
        run.append(first)
        assert told(cursor) == [("1", "", True)]
        assert told(cursor) == []
        run.append(judge(first))
        sent(run, 2)
        assert told(cursor) == [("1", "passed", False), ("2", "", True)]
        assert told(cursor) == []


def test_what_was_there_is_not_told(backend: Backend) -> None:
    log = backend.open_log()
    with writing(backend) as run:
        sent(run, 1)
    with writing(backend, LATER) as run:
        sent(run, 2)
        cursor = log.cursor()
        assert told(cursor) == []
        sent(run, 3)
        assert told(cursor) == [("2", "", True)]


def test_what_another_reader_read_first_is_told_all_the_same(backend: Backend) -> None:
    log = backend.open_log()
    cursor = log.cursor()
    with writing(backend) as run:
        id = sent(run, 1)
        assert log.delivery(id) is not None
        assert len(list(log.rows())) == 1
        assert told(cursor) == [("1", "", True)]


def test_a_run_that_ended_between_two_looks_is_told_as_far_as_it_was_not_seen(backend: Backend) -> None:
    log = backend.open_log()
    cursor = log.cursor()
    with writing(backend) as run:
        first, second = make_delivery(run), make_delivery(run, "2024-05-01T12:00:02.000Z")
        run.append(first)
        run.append(judge(first))
        run.append(second)
        assert told(cursor) == [("1", "passed", True), ("2", "", True)]
        run.append(judge(second, "failed"))
        sent(run, 3)
    assert told(cursor) == [("2", "failed", False), ("3", "", True)]
    assert told(cursor) == []


def test_a_run_that_came_and_ended_between_two_looks_is_told_whole(backend: Backend) -> None:
    log = backend.open_log()
    cursor = log.cursor()
    with writing(backend) as run:
        sent(run, 1)
        sent(run, 2)
    assert told(cursor) == [("1", "", True), ("2", "", True)]
    assert told(cursor) == []


@pytest.mark.parametrize("has_ended", [False, True])
def test_a_delivery_that_is_judged_again_in_another_run_is_told_with_its_new_verdict(
    backend: Backend, has_ended: bool
) -> None:
    log = backend.open_log()
    with writing(backend) as run:
        delivery = make_delivery(run)
        run.append(delivery)
        run.append(judge(delivery, "failed"))
        sent(run, 3)
    cursor = log.cursor()
    later = begun(backend, LATER)
    later.append(judge(delivery, "passed", "2024-05-01T13:00:00.000Z"))
    if has_ended:
        later.finish()
    assert told(cursor) == [("1", "passed", False)]
    assert told(cursor) == []
    if not has_ended:
        later.append(judge(delivery, "failed", "2024-05-01T13:00:01.000Z"))
        later.finish()
        assert told(cursor) == [("1", "failed", False)]


def test_each_cursor_tells_from_where_it_stands(backend: Backend) -> None:
    log, other = backend.open_log(), backend.open_log()
    early = log.cursor()
    run = begun(backend)
    sent(run, 1)
    late = other.cursor()
    sent(run, 2)
    assert told(late) == [("2", "", True)]
    assert told(early) == [("1", "", True), ("2", "", True)]
    assert (told(late), told(early)) == ([], [])


def test_what_is_judged_twice_between_two_looks_is_told_with_its_last_verdict(backend: Backend) -> None:
    cursor = backend.open_log().cursor()
    run = begun(backend)
    delivery = make_delivery(run)
    run.append(delivery)
    run.append(judge(delivery, "failed"))
    run.append(judge(delivery, "passed", "2024-05-01T12:00:03.000Z"))
    assert told(cursor) == [("1", "passed", True)]


def test_a_result_and_an_end_are_no_changes_of_deliveries(backend: Backend) -> None:
    cursor = backend.open_log().cursor()
    run = begun(backend)
    run.append(make_result())
    assert told(cursor) == []
    run.finish()
    assert told(cursor) == []


def test_who_watches_a_log_that_is_indexed_anew_goes_on_from_there(backend: Backend) -> None:
    log = backend.open_log()
    run = begun(backend)
    sent(run, 1)
    cursor = log.cursor()
    backend.open_log().reindex()
    # None says that something may have been missed.
    assert not cursor.changes()
    sent(run, 2)
    assert told(cursor) == [("2", "", True)]


def test_waiting_for_changes_ends_in_time_where_there_are_none(backend: Backend) -> None:
    cursor = backend.open_log().cursor()
    cursor.wait(0.001)
    assert told(cursor) == []
