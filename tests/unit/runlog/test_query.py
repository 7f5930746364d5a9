"""Every question of the log is answered as by one who looks at each record."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tinydb import TinyDB

from retailops_sandbox.contracts import contract
from retailops_sandbox.errors import UsageError
from retailops_sandbox.model import Delivery, Fault, Judgement, Request, Response, RunInfo, Timings
from retailops_sandbox.runlog import rows
from retailops_sandbox.runlog.entries import Entry
from retailops_sandbox.runlog.opening import open_log
from retailops_sandbox.runlog.ports import Log, RunWriter
from retailops_sandbox.runlog.query import Query
from retailops_sandbox.runlog.rows import COLUMNS, NOT_JUDGED, DeliveryRow
from tests.support.logged import newest_deliveries
from tests.support.records import RUN, begin_run, make_delivery, make_result, open_run, some_delivery

RECEIVERS = ("shop", "live")
VERDICTS = ("passed", "failed", "errored")
ANSWERS = (200, 404, 503, None)
CODES = ("ERR1", "ERR2", "Größe")
TEXTS = ("345", "err1", "ERR1", "größe", "Größe", '"4', "\\", "refused", "nothing like it", "€", "503", "\n")


def a_log(folder: Path, seed: int = 0) -> Log:
    """Three runs, one of them still open, whose deliveries overlap in time; some judged again elsewhere."""
    chance = random.Random(seed)
    made: list[Delivery] = []
    writers = []
    for number in range(3):
        info = RunInfo(id=f"20240501T1{number}0000Z-aaaaaa", started_at=f"2024-05-01T1{number}:00:00.000Z")
        writers.append(begin_run(folder, info))
    for number in range(60):
        writer = writers[number % 3]
        made.append(sent(writer.next_id(), number, chance))
        writer.append(made[-1])
        if chance.random() < 0.8:
            writer.append(judged(made[-1], chance.choice(VERDICTS), number))
    for delivery in chance.sample(made, 6):
        writers[2].append(judged(delivery, "failed", 100))
    writers[0].finish()
    writers[1].finish()
    writers[2].close()
    return open_log(folder)


def sent(id: str, number: int, chance: random.Random) -> Delivery:
    status = chance.choice(ANSWERS)
    order, code = f"{345 + number % 4}", chance.choice(CODES)
    fault = chance.choice(("refused", "deadline"))
    payload = {"data": {"order": {"id": order, "channel_refnum": 496}}}
    answer = {"events": [{"error_code": code, "error_message": 'a "quoted"\nword €'}]}
    return some_delivery(
        id=id,
        run=id.rpartition(".")[0],
        sent_at=f"2024-05-01T12:{number:02}:00.000Z",
        edition=chance.choice(("draft", "v1")),
        receiver=chance.choice(RECEIVERS),
        scenario=chance.choice(("", "scenarios/a.scenario.json")),
        request=Request(method="POST", url="http://127.0.0.1:1/", headers=(), body=json.dumps(payload)),
        response=None
        if status is None
        else Response(
            status=status, headers=(("X-Shop", "Yes"),), body=json.dumps(answer, ensure_ascii=False)
        ),
        fault=Fault(fault, "nobody there") if status is None else None,
        timings=Timings(total=chance.random() * 100),
    )


def judged(delivery: Delivery, verdict: str, second: int) -> Judgement:
    at = f"2024-05-01T13:{second // 60:02}:{second % 60:02}.000Z"
    return msgspec.convert({"delivery": delivery.id, "verdict": verdict, "at": at}, Judgement)


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
            query.edition in ("", each.edition),
            query.scenario in ("", each.scenario),
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
    edition=st.sampled_from(("", "draft", "v1")),
    scenario=st.sampled_from(("", "", "scenarios/a.scenario.json")),
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
def log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Log]:
    return a_log(tmp_path_factory.mktemp("runs"))


def ids(rows: Iterator[DeliveryRow]) -> list[str]:
    return [row.id for row in rows]


@given(query=queries, backwards=st.booleans())
def test_what_is_found_is_what_the_records_say(log: Log, query: Query, backwards: bool) -> None:
    expected = [entry.delivery.id for entry in newest_deliveries(log, 1000) if holds(query, entry)]
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


def test_lines_say_what_the_records_say(log: Log) -> None:
    for row in log.rows():
        entry = log.delivery(row.id)
        assert entry is not None
        each = entry.delivery
        assert (row.sent_at, row.receiver, row.total_ms) == (each.sent_at, each.receiver, each.timings.total)
        assert row.differences == (len(entry.judgement.differences) if entry.judgement else 0)
        assert row.verdict == (entry.judgement.verdict if entry.judgement else None)


def test_an_index_by_other_contracts_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a_log(tmp_path)
    found = ids(open_log(tmp_path).rows(Query(order="345")))
    other = msgspec.structs.replace(contract.load("order_cancel", "draft"), subject=())
    monkeypatch.setattr(contract, "load", lambda *_: other)
    rows.lookups.cache_clear()
    assert ids(open_log(tmp_path).rows(Query(order="345"))) == []
    monkeypatch.undo()
    rows.lookups.cache_clear()
    assert ids(open_log(tmp_path).rows(Query(order="345"))) == found != []


def test_a_run_file_that_tinydb_wrote_anew_is_searched_too(tmp_path: Path) -> None:
    a_log(tmp_path)
    before = [ids(open_log(tmp_path).rows(Query(text=text))) for text in TEXTS]
    for path in tmp_path.glob("*.json"):
        with TinyDB(path) as database:
            database.table("notes").insert({"mine": "größe"})
    assert [ids(open_log(tmp_path).rows(Query(text=text))) for text in TEXTS] == before
    assert any(before)


def test_a_run_file_that_somebody_laid_out_anew_is_searched_too(tmp_path: Path) -> None:
    a_log(tmp_path)
    before = [ids(open_log(tmp_path).rows(Query(text=text))) for text in TEXTS]
    for path in tmp_path.glob("*.json"):
        # The first record keeps its line; those after it share one.
        first, *others = path.read_bytes().split(b',\n"')
        path.write_bytes(b',\n"'.join([first, b',"'.join(others)]) if others else first)
    assert [ids(open_log(tmp_path).rows(Query(text=text))) for text in TEXTS] == before
    assert any(before)


def test_a_log_that_changes_while_it_is_read_is_read_on(tmp_path: Path) -> None:
    log = a_log(tmp_path)
    whole = ids(log.rows())
    reading = log.rows()
    found = [next(reading).id for _ in range(5)]
    for path in tmp_path.glob("*.json"):
        with TinyDB(path) as database:
            database.table("notes").insert({})
    found += ids(reading)
    assert found == whole


@pytest.mark.parametrize("newest_first", [True, False])
def test_what_comes_while_the_log_is_read_is_not_out_of_order(tmp_path: Path, newest_first: bool) -> None:
    def send(writer: RunWriter, number: int) -> str:
        delivery = sent(writer.next_id(), number, random.Random(0))
        writer.append(delivery)
        return delivery.id

    runs = [begin_run(tmp_path, RunInfo(id=f"20240501T1{n}0000Z-aaaaaa", started_at="")) for n in (0, 1)]
    send(runs[0], 20), send(runs[1], 30), send(runs[0], 40)
    log = open_log(tmp_path)
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
    for writer in runs:
        writer.close()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"status": "7"}, "status '7' is no status"),
        ({"status": "6xx"}, "status '6xx' is no status"),
        ({"verdict": "wrong"}, "there is no verdict 'wrong'"),
        ({"fault": "xx"}, "there is no fault 'xx'"),
        ({"since": "yesterday"}, "since 'yesterday' is no time in UTC"),
        ({"until": "2024-05-01T12"}, "until '2024-05-01T12' is no time in UTC"),
        ({"until": "2024-11-31"}, "until '2024-11-31' is no time in UTC"),
        ({"since": "2024-02-30T00:00Z"}, "since '2024-02-30T00:00Z' is no time in UTC"),
    ],
)
def test_what_cannot_be_asked_is_said(asked: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Query(**asked).checked()


def test_a_day_is_meant_to_its_end(tmp_path: Path) -> None:
    log = a_log(tmp_path)
    assert len(ids(log.rows(Query(since="2024-05-01", until="2024-05-01")))) == 60
    assert ids(log.rows(Query(until="2024-04-30"))) == []
    assert ids(log.rows(Query(since="2024-05-02"))) == []


def test_the_time_has_no_end_and_no_beginning(tmp_path: Path) -> None:
    with open_run(tmp_path) as run:
        instants = ("0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "9999-12-31T23:59:59.999Z")
        for instant in instants:
            run.append(make_delivery(run, instant))
    log = open_log(tmp_path)
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


def test_a_row_that_comes_is_accepted_as_the_list_has_it(tmp_path: Path) -> None:
    instants = [f"2024-05-01T12:00:00{fraction}Z" for fraction in ("", ".0", ".001", ".0015", ".5", ".500")]
    with open_run(tmp_path) as run:
        for instant in instants:
            run.append(make_delivery(run, instant))
    log = open_log(tmp_path)
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


def test_what_is_no_text_is_nowhere(tmp_path: Path) -> None:
    with open_run(tmp_path) as run:
        sent = make_delivery(run)
        request = msgspec.structs.replace(sent.request, body='{"?":35}')
        run.append(msgspec.structs.replace(sent, receiver="?", scenario="?", request=request))
        run.append(make_result("?"))
    log = open_log(tmp_path)
    asked = ("receiver", "action", "edition", "scenario", "run", "order", "code", "parent", "text")
    for text in ("\udcff", "\ud800"):
        for name in asked:
            assert list(log.rows(Query(**{name: text}))) == []
        assert log.delivery(f"{RUN}.{text}") is None
        assert log.delivery(text) is log.run(text) is None
        assert list(log.results_of(text)) == []
        assert log.scenarios_before(RUN, {text}) == set()
        assert log.holding(Query(text="35"), {f"{RUN}.{text}", sent.id}) == {sent.id}
    assert len(list(log.rows(Query(receiver="?", text="?")))) == 1


def test_every_column_that_is_not_the_pages_own_is_listed() -> None:
    own = {"breaks_contract"}
    assert set(DeliveryRow.__struct_fields__) - own <= set(COLUMNS)
    assert own.isdisjoint(COLUMNS)
