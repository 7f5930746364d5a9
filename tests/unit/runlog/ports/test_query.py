"""Every question of the log is answered as by one who looks at each record."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retailops_sandbox.model import Delivery
from retailops_sandbox.runlog.entries import Entry
from retailops_sandbox.runlog.ports import Log, RunWriter
from retailops_sandbox.runlog.query import Query
from retailops_sandbox.runlog.rows import NOT_JUDGED, DeliveryRow
from tests.support.backends import Backend, OpenBackend, begun, writing
from tests.support.logged import newest_deliveries
from tests.support.mixed_runs import CODES, PARENT, RECEIVERS, TEXTS, VERDICTS, mixed_runs, sent
from tests.support.records import LATER, RUN, make_delivery, make_result


def holds(query: Query, entry: Entry) -> bool:
    """What a query asks, answered from the record itself."""
    each = entry.delivery
    verdict = entry.judgement.verdict if entry.judgement else NOT_JUDGED
    status = None if each.response is None else str(each.response.status)
    codes = (
        [] if each.response is None else [e["error_code"] for e in json.loads(each.response.body)["events"]]
    )
    order = json.loads(each.request.body)["data"]["order"]
    return all(
        (
            query.receiver in ("", each.receiver),
            query.action in ("", each.action),
            query.edition in ("", each.edition),
            query.parent in ("", each.parent),
            query.scenario in ("", each.scenario),
            query.fixture in ("", each.fixture.removesuffix(" (edited)")),
            query.run in ("", each.run),
            query.verdict in ("", verdict),
            not query.status or (status is not None and status.startswith(query.status.rstrip("x"))),
            not query.fault or (each.fault is not None and query.fault in ("any", each.fault.kind)),
            not query.order or (each.edition == "draft" and query.order in (order["id"], "496")),
            not query.code or (each.edition == "draft" and query.code in codes),
            not query.since or each.sent_at >= query.since,
            not query.until or each.sent_at < query.until,
            not query.text or is_written(query.text, each),
        )
    )


def is_written(text: str, sent: Delivery) -> bool:
    texts = [sent.request.method, sent.request.url, sent.request.body]
    if sent.response is not None:
        texts += [str(sent.response.status), "X-Shop", "Yes", sent.response.body]
    if sent.fault is not None:
        texts += [sent.fault.kind, sent.fault.message]
    if text == text.lower():
        # Only of A to Z.
        return any(text in "".join(c.lower() if c.isascii() else c for c in each) for each in texts)
    return any(text in each for each in texts)


queries = st.builds(
    Query,
    receiver=st.sampled_from(("", *RECEIVERS, "gone")),
    action=st.sampled_from(("", "", "order_cancel", "gone")),
    edition=st.sampled_from(("", "draft", "v1")),
    parent=st.sampled_from(("", "", PARENT, "gone")),
    scenario=st.sampled_from(("", "", "scenarios/a.scenario.json")),
    fixture=st.sampled_from(("", "", "default", "default (edited)", "gone")),
    run=st.sampled_from(("", "", "20240501T100000Z-aaaaaa", "20240501T120000Z-aaaaaa", "none")),
    verdict=st.sampled_from(("", *VERDICTS, NOT_JUDGED)),
    status=st.sampled_from(("", "", "2xx", "5xx", "404")),
    fault=st.sampled_from(("", "", "any", "refused")),
    order=st.sampled_from(("", "", "345", "496", "34")),
    code=st.sampled_from(("", "", *CODES, "ERR")),
    since=st.sampled_from(("", "", "2024-05-01T12:20", "2024-05-02")),
    until=st.sampled_from(("", "", "2024-05-01T12:40:00.000Z")),
    text=st.one_of(st.just(""), st.sampled_from(TEXTS)),
)


@pytest.fixture(scope="module")
def log(open_backend: OpenBackend, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Log]:
    with open_backend(tmp_path_factory.mktemp("log")) as backend:
        yield mixed_runs(backend)


@pytest.fixture(scope="module")
def entries(log: Log) -> list[Entry]:
    """All that the log has, newest first, read once."""
    return newest_deliveries(log, 1000)


def ids(rows: Iterator[DeliveryRow]) -> list[str]:
    return [row.id for row in rows]


@given(query=queries, backwards=st.booleans())
def test_what_is_found_is_what_the_records_say(
    log: Log, entries: list[Entry], query: Query, backwards: bool
) -> None:
    expected = [entry.delivery.id for entry in entries if holds(query, entry)]
    found = ids(log.rows(query.checked(), newest_first=not backwards))
    assert found == (expected[::-1] if backwards else expected)


@given(query=queries, size=st.integers(1, 9))
def test_pages_follow_each_other_without_a_gap(log: Log, query: Query, size: int) -> None:
    whole = list(log.rows(query))
    pages: list[DeliveryRow] = []
    while rest := [
        row
        for _, row in zip(range(size), log.rows(query, after=pages[-1].key if pages else None), strict=False)
    ]:
        pages += rest
    assert pages == whole


@given(
    receiver=st.sampled_from((*RECEIVERS, "gone")),
    edition=st.sampled_from(("draft", "v1")),
)
def test_each_fixture_has_the_verdict_that_its_newest_delivery_has(
    log: Log, receiver: str, edition: str
) -> None:
    expected: dict[str, str] = {}
    for row in log.rows(Query(receiver=receiver, action="order_cancel", edition=edition)):
        if row.unedited_fixture and not row.scenario:
            expected.setdefault(row.unedited_fixture, row.verdict_word)
    assert log.latest_verdicts(receiver, "order_cancel", edition) == expected


def test_lines_say_what_the_records_say(log: Log) -> None:
    for row in log.rows():
        entry = log.delivery(row.id)
        assert entry is not None
        each = entry.delivery
        assert (row.sent_at, row.receiver, row.total_ms) == (each.sent_at, each.receiver, each.timings.total)
        assert row.differences == (len(entry.judgement.differences) if entry.judgement else 0)
        assert row.verdict == (entry.judgement.verdict if entry.judgement else None)


@pytest.mark.parametrize("newest_first", [True, False])
def test_what_comes_while_the_log_is_read_is_not_out_of_order(backend: Backend, newest_first: bool) -> None:
    def send(writer: RunWriter, number: int) -> str:
        delivery = sent(writer.next_id(), number, random.Random(0))
        writer.append(delivery)
        return delivery.id

    runs = [begun(backend, RUN), begun(backend, LATER)]
    send(runs[0], 20), send(runs[1], 30), send(runs[0], 40)
    log = backend.open_log()
    whole = ids(log.rows(newest_first=newest_first))
    reading = log.rows(newest_first=newest_first)
    found = [next(reading)]
    for writer in runs:
        # Somebody else sees both, one newer and one older than all.
        assert log.delivery(send(writer, 50)) is not None
        assert log.delivery(send(writer, 10)) is not None
    found += reading
    assert [row.id for row in found if row.id in whole] == whole
    assert found == sorted(found, key=lambda row: row.key, reverse=newest_first)


def test_a_day_is_meant_to_its_end(log: Log) -> None:
    assert len(ids(log.rows(Query(since="2024-05-01", until="2024-05-01")))) == 60
    assert ids(log.rows(Query(until="2024-04-30"))) == []
    assert ids(log.rows(Query(since="2024-05-02"))) == []


def test_the_time_has_no_end_and_no_beginning(backend: Backend) -> None:
    with writing(backend) as run:
        instants = ("0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "9999-12-31T23:59:59.999Z")
        for instant in instants:
            run.append(make_delivery(run, instant))
    log = backend.open_log()
    for text in ("", "35.00"):
        for query, found in (
            (Query(text=text), instants),
            (Query(text=text, since="0001-01-01", until="9999-12-31"), instants),
            (Query(text=text, since="1969-12-31"), instants[1:]),
            (Query(text=text, until="1969-12-31"), instants[:2]),
            (Query(text=text, until="9999-12-31T23:59:59.999Z"), instants[:2]),
        ):
            rows = list(log.rows(query.checked(), newest_first=False))
            assert tuple(row.sent_at for row in rows) == found
            assert all(map(query.accepts, rows))


def test_a_row_that_comes_is_accepted_as_the_list_has_it(backend: Backend) -> None:
    instants = [f"2024-05-01T12:00:00{fraction}Z" for fraction in ("", ".0", ".001", ".0015", ".5", ".500")]
    with writing(backend) as run:
        for instant in instants:
            run.append(make_delivery(run, instant))
    log = backend.open_log()
    rows = list(log.rows())
    edges = [
        "2024-05-01T12:00Z",
        "2024-05-01T12:00:00.00Z",
        "2024-05-01 12:00:00.5",
        "2024-05-01T12:00:00.0011",
    ]
    for edge in edges:
        for query in (Query(since=edge).checked(), Query(until=edge).checked()):
            assert list(log.rows(query)) == [row for row in rows if query.accepts(row)]
    assert len(list(log.rows(Query(since=edges[0])))) == len(instants)
    assert len(list(log.rows(Query(until=edges[2])))) == 4


def test_what_is_no_text_is_nowhere(backend: Backend) -> None:
    with writing(backend) as run:
        made = make_delivery(run)
        request = msgspec.structs.replace(made.request, body='{"?":35}')
        run.append(msgspec.structs.replace(made, receiver="?", scenario="?", request=request))
        run.append(make_result("?"))
    log = backend.open_log()
    asked = ("receiver", "action", "edition", "scenario", "run", "order", "code", "parent", "text")
    for text in ("\udcff", "\ud800"):
        for name in asked:
            assert list(log.rows(Query(**{name: text}))) == []
        assert log.delivery(f"{RUN}.{text}") is None
        assert log.delivery(text) is log.run(text) is None
        assert list(log.results_of(text)) == []
        assert log.scenarios_before(RUN, {text}) == set()
        assert log.holding(Query(text="35"), {f"{RUN}.{text}", made.id}) == {made.id}
    assert len(list(log.rows(Query(receiver="?", text="?")))) == 1


# --- order and pages ---


def test_what_was_sent_at_the_same_instant_is_in_the_order_of_ids(backend: Backend) -> None:
    one, other = begun(backend), begun(backend, LATER)
    same = ("2024-05-01T12:00:01Z", "2024-05-01T12:00:01.000Z")
    made = [make_delivery(run, same[number % 2]) for number in range(4) for run in (other, one)]
    before = make_delivery(other, "2024-05-01T12:00:00.999Z")
    after = make_delivery(one, "2024-05-01T12:00:01.001Z")
    for delivery in (after, *made, before):
        (one if delivery.run == RUN else other).append(delivery)
    log = backend.open_log()
    expected = [before.id, *sorted(delivery.id for delivery in made), after.id]
    assert ids(log.rows(newest_first=False)) == expected
    whole = list(log.rows())
    assert [row.id for row in whole] == expected[::-1]
    for place, row in enumerate(whole):
        assert list(log.rows(after=row.key)) == whole[place + 1 :]
        assert list(log.rows(after=row.key, newest_first=False)) == whole[:place][::-1]


def test_deliveries_of_all_runs_come_newest_first_and_page_by_page(backend: Backend) -> None:
    one, other = begun(backend), begun(backend, LATER)
    made = []
    for second in range(10):
        run = one if second % 3 else other
        made.append(make_delivery(run, f"2024-05-01T13:00:0{second}.000Z"))
    for delivery in reversed(made):  # They end in another order than they begin.
        (one if delivery.run == RUN else other).append(delivery)
    one.finish()
    log = backend.open_log()
    expected = [delivery.id for delivery in reversed(made)]
    assert [entry.delivery.id for entry in newest_deliveries(log, 100)] == expected
    pages: list[str] = []
    while page := newest_deliveries(log, 4, before=pages[-1] if pages else None):
        pages += [entry.delivery.id for entry in page]
    assert pages == expected
    assert [summary.id for summary in log.runs()] == [LATER, RUN]


def test_many_rows_are_read_in_order_while_more_come(backend: Backend) -> None:
    run = begun(backend)
    made = [make_delivery(run, f"2024-05-01T12:{n // 60:02}:{n % 60:02}.000Z") for n in range(1500)]
    for delivery in made[:-2]:
        run.append(delivery)
    log = backend.open_log()
    reading = log.rows(newest_first=False)
    found = [next(reading).id]
    for delivery in made[-2:]:
        run.append(delivery)
    found += ids(reading)
    # Those that came meanwhile may be missing, but nothing in front of them.
    assert found in [[delivery.id for delivery in made[:end]] for end in (1498, 1499, 1500)]
    assert ids(log.rows()) == [delivery.id for delivery in reversed(made)]


def test_a_query_for_what_is_not_there_finds_nothing(backend: Backend) -> None:
    log = backend.open_log()
    with writing(backend) as run:
        run.append(make_delivery(run))
    for query in (Query(run="no such run"), Query(run="no such run", text="a"), Query(text="no such text")):
        assert list(log.rows(query)) == []
        assert list(log.rows(query, newest_first=False)) == []
    assert list(log.rows(after=("", ""))) == []
    assert len(list(log.rows(after=("", ""), newest_first=False))) == 1


def test_a_text_is_found_whatever_the_number_of_its_record(backend: Backend) -> None:
    with writing(backend) as run:
        for number in range(120):
            body = '{"order":"12 and 7"}'
            delivery = make_delivery(run, f"2024-05-01T12:{number // 60:02}:{number % 60:02}.000Z")
            request = msgspec.structs.replace(delivery.request, body=body)
            run.append(msgspec.structs.replace(delivery, request=request))
    log = backend.open_log()
    for text in ("1", "12", "7", "2", "order"):
        assert len(list(log.rows(Query(text=text)))) == 120


@pytest.mark.parametrize(
    "query", [Query(text='"a":35'), Query(run=RUN, text='"a":35'), Query(run=RUN), Query()]
)
def test_a_list_that_is_read_while_a_run_ends_misses_nothing(backend: Backend, query: Query) -> None:
    log = backend.open_log()
    runs = [begun(backend, id) for id in (RUN, LATER)]
    for run in runs:
        for number in range(400):
            run.append(make_delivery(run, f"2024-05-01T12:00:{number % 60:02}.000Z"))
        log.runs()
    before = ids(log.rows(query))
    reading = log.rows(query)
    found = [next(reading).id for _ in range(100)]
    runs[0].finish()
    log.runs()
    found += ids(reading)
    assert found == before


# --- text in single deliveries ---


def test_text_is_looked_for_in_the_records_of_single_deliveries(backend: Backend) -> None:
    log = backend.open_log()
    with writing(backend) as run:
        made = [make_delivery(run), make_delivery(run)]
        for delivery in made:
            run.append(delivery)
        first, second = (delivery.id for delivery in made)
        query = Query(text='"a":35.00')
        assert log.holding(query, {second}) == {second}
    assert log.holding(query, {first, "nothing.1"}) == {first}
    assert log.holding(Query(text="elsewhere"), {first, second}) == set()
    assert log.holding(query, ()) == set()


def test_of_all_deliveries_those_hold_a_text_in_which_it_is_written(log: Log) -> None:
    made = [entry.delivery for entry in newest_deliveries(log, 1000)]
    for text in TEXTS:
        held = log.holding(Query(text=text), [delivery.id for delivery in made])
        assert held == {delivery.id for delivery in made if is_written(text, delivery)}
