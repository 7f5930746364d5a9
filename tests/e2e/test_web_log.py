"""The log's pages: filtered by their address, from page to page, from delivery to delivery."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path

import httpx2 as httpx
import msgspec
import pytest

from retailops_sandbox.model import (
    Delivery,
    Expectation,
    Fault,
    Judgement,
    Request,
    Response,
    Result,
    RunInfo,
    Timings,
)
from tests.support.logged import open_log
from tests.support.pages import main_words
from tests.support.records import begin_run, some_delivery
from tests.support.serving import serving

FIRST, SECOND, THIRD = "20240501T120000Z-aaaaaa", "20240501T130000Z-bbbbbb", "20240501T110000Z-cccccc"
COUNT = 130


class LogClient:
    """A browser at the log of two runs: the second has 130 deliveries, of which every tenth failed."""

    def __init__(self, url: str, runs_dir: Path) -> None:
        self.http = httpx.Client(base_url=url, timeout=60)
        self.log = open_log(runs_dir)

    def page(self, path: str, status: int = 200) -> str:
        answer = self.http.get(path, follow_redirects=True)
        assert answer.status_code == status, main_words(answer.text)
        return answer.text

    def rows(self, path: str) -> list[str]:
        """The ids of the rows that a page shows."""
        return re.findall(r'<tr id="row-([^"]+)"', self.page(path))


def href(page: str, id: str) -> str:
    """Where the link with this id leads."""
    found = re.search(rf'<a id="{id}"[^>]* href="([^"]+)"', page)
    assert found, f"there is no link {id}"
    return html.unescape(found[1])


def delivery(id: str, minute: int, **changes: object) -> Delivery:
    sent = some_delivery(
        id=id,
        run=id.rpartition(".")[0],
        sent_at=f"2024-05-01T{12 + minute // 60}:{minute % 60:02}:00.000Z",
        fixture="default",
        request=Request(
            method="POST",
            url="http://127.0.0.1:1/",
            headers=(),
            body=f'{{"data":{{"order":{{"id":"{minute}"}}}}}}',
        ),
        timings=Timings(total=float(minute)),
    )
    return msgspec.structs.replace(sent, **changes)


def fill(runs_dir: Path) -> None:
    with begin_run(runs_dir, RunInfo(id=FIRST, started_at="2024-05-01T12:00:00.000Z")) as run:
        fault = Fault("deadline", "it took too long")
        lost = delivery(run.next_id(), 0, receiver="slow", response=None, fault=fault)
        coded = '{"events":[{"error_code":"ERR-7","error_message":"Already <shipped>"}]}'
        refused = delivery(run.next_id(), 1, response=Response(status=404, body=coded))
        for each in (lost, refused):
            run.append(each)
            run.append(Judgement(delivery=each.id, verdict="errored", at="2024-05-01T12:02:00.000Z"))
        run.append(Result(scenario="a", name="a", verdict="errored", at="2024-05-01T12:02:00.000Z"))
    with begin_run(runs_dir, RunInfo(id=SECOND, started_at="2024-05-01T13:00:00.000Z")) as run:
        for number in range(COUNT):
            each = delivery(run.next_id(), 60 + number)
            run.append(each)
            verdict = "failed" if number % 10 == 0 else "passed"
            run.append(Judgement(delivery=each.id, verdict=verdict, at="2024-05-01T18:00:00.000Z"))


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LogClient]:
    workspace = tmp_path_factory.mktemp("workspace")
    runs_dir = workspace / ".sandbox" / "runs"
    fill(runs_dir)
    with serving(workspace) as served:
        client = LogClient(served.url, runs_dir)
        with client.http:
            yield client


LOST, REFUSED = f"{FIRST}.000001", f"{FIRST}.000002"


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("receiver=slow", [LOST]),
        ("fault=any", [LOST]),
        ("fault=deadline&verdict=errored", [LOST]),
        ("fault=refused", []),
        ("status=404", [REFUSED]),
        ("status=4xx", [REFUSED]),
        ("code=ERR-7", [REFUSED]),
        ("order=1", [REFUSED]),
        ("text=already", [REFUSED]),
        ("text=ALREADY", []),
        ("text=%3Cshipped%3E", [REFUSED]),
        (f"run={FIRST}", [REFUSED, LOST]),
        ("until=2024-05-01T12:01", [LOST]),
        ("since=2024-05-01T15:09:00&verdict=passed", [f"{SECOND}.{COUNT:06}"]),
        ("action=order_cancel&edition=v1", []),
        ("scenario=nowhere", []),
        ("fixture=none", []),
        (f"fixture=default&run={FIRST}", [REFUSED, LOST]),
    ],
)
def test_the_address_says_what_is_shown(client: LogClient, asked: str, found: list[str]) -> None:
    assert client.rows(f"/deliveries?{asked}") == found
    page = main_words(client.page(f"/deliveries?{asked}"))
    assert ("Nothing that the filter lets through" in page) is not found
    assert "132 deliveries in all" in page


def test_a_row_says_what_came_of_the_delivery(client: LogClient) -> None:
    page = client.page(f"/deliveries?run={FIRST}")
    refused, lost = (main_words(row) for row in re.findall(r'(?s)<tr id="row-[^"]+".*?</tr>', page))
    assert re.search(r"! errored \S+ \S+ UTC default order_cancel draft 1 ERR-7 404 1\.0 ms$", refused), (
        refused
    )
    assert re.search(
        r"! errored \S+ \S+ UTC default order_cancel draft 0 deadline: no answer in time 0\.0 ms$", lost
    ), lost
    assert "no events" in main_words(client.page(f"/deliveries?run={SECOND}&order=60"))


def test_a_delivery_opens_beside_the_list(client: LogClient) -> None:
    page = client.page(f"/deliveries?verdict=errored&show={REFUSED}")
    assert client.rows(f"/deliveries?verdict=errored&show={REFUSED}") == [REFUSED, LOST]
    assert re.search(rf'<tr id="row-{REFUSED}"[^>]* aria-current="true"', page)
    preview = page.partition('<aside class="panel preview"')[2]
    assert "Already" in main_words(preview)
    assert f'href="/deliveries/{REFUSED}?verdict=errored"' in preview
    assert 'id="close-preview" href="/deliveries?verdict=errored"' in preview
    part = client.page(f"/deliveries/{REFUSED}/preview?verdict=errored")
    assert "<html" not in part
    assert 'id="preview"' in part
    # What is not there is no page of its own.
    assert 'id="preview"' not in client.page("/deliveries?show=none")
    assert "There is no delivery none" in main_words(client.page("/deliveries/none/preview", 404))


def test_what_is_asked_for_stands_in_the_form_and_is_taken_away_one_by_one(client: LogClient) -> None:
    page = client.page("/deliveries?verdict=failed&order=60&text=%22%3E")
    assert '<option value="failed" selected>failed</option>' in page
    assert 'name="order" value="60"' in page
    assert 'value="&#34;&gt;"' in page
    assert 'class="filter-term" href="/deliveries?order=60&amp;text=%22%3E"' in page


def test_an_address_says_nothing_of_what_was_left_empty(client: LogClient) -> None:
    answer = client.http.get("/deliveries?text=&verdict=failed&receiver=&since=")
    assert (answer.status_code, answer.headers["location"]) == (303, "/deliveries?verdict=failed")


def test_what_cannot_be_asked_is_said_and_what_was_typed_is_kept(client: LogClient) -> None:
    page = client.page("/deliveries?status=999x&since=soon&order=7", 422)
    assert "status '999x' is no status" in main_words(page)
    assert 'name="since" value="soon"' in page
    assert 'name="order" value="7"' in page
    assert "is no time in UTC" in main_words(client.page("/deliveries?since=soon", 422))
    assert "there is no run 'none'" in main_words(client.page("/deliveries?run=none", 422))
    assert "there is no verdict 'wrong'" in main_words(client.page("/deliveries?verdict=wrong", 422))


def test_the_latest_run_can_be_asked_for(client: LogClient) -> None:
    answer = client.http.get("/deliveries?run=latest&verdict=failed")
    assert answer.headers["location"] == f"/deliveries?run={SECOND}&verdict=failed"


def test_pages_follow_each_other_in_the_filter(client: LogClient) -> None:
    whole: list[str] = []
    path = "/deliveries?verdict=passed"
    while path:
        whole += client.rows(path)
        link = re.search(r'<a href="([^"]+)" rel="next">Older', client.page(path))
        path = html.unescape(link[1]) if link else ""
    assert whole == [f"{SECOND}.{n:06}" for n in range(COUNT, 0, -1) if n % 10 != 1]
    assert len(client.rows("/deliveries?text=order")) == 100


def test_a_delivery_leads_to_its_neighbours_in_the_filter(client: LogClient) -> None:
    page = client.page(f"/deliveries/{SECOND}.000011?verdict=failed")
    assert href(page, "newer") == f"/deliveries/{SECOND}.000021?verdict=failed"
    assert href(page, "older") == f"/deliveries/{SECOND}.000001?verdict=failed"
    page = client.page(href(page, "older"))
    assert 'id="older"' not in page
    page = client.page(f"/deliveries/{SECOND}.000011")
    assert href(page, "newer") == f"/deliveries/{SECOND}.000012"
    assert href(page, "older") == f"/deliveries/{SECOND}.000010"


def test_a_search_of_the_text_is_not_held_up_by_compressing(client: LogClient) -> None:
    with client.http.stream("GET", "/deliveries?text=order") as answer:
        assert answer.headers["content-encoding"] == "identity"
        assert "content-length" not in answer.headers
    assert client.http.get("/deliveries").headers["content-encoding"] == "gzip"


def test_judging_again_changes_the_verdict_in_the_log(client: LogClient) -> None:
    id = f"{SECOND}.000050"
    assert id in client.rows("/deliveries?verdict=passed")
    expected = '{"body": {"events": [{"error_code": "ERR1"}]}}'
    answer = client.http.post(f"/deliveries/{id}/judge", data={"expectation": expected})
    assert answer.status_code == 303
    assert client.rows("/deliveries?verdict=failed&order=109") == [id]
    assert id not in client.rows("/deliveries?verdict=passed")
    entry = client.log.delivery(id)
    assert entry is not None
    assert [each.verdict for each in entry.judgements] == ["passed", "failed"]
    assert entry.judgements[1].expectation == Expectation(body={"events": [{"error_code": "ERR1"}]})
    assert client.http.post(f"/deliveries/{id}/judge", data={"expectation": ""}).status_code == 303
    assert id not in client.rows("/deliveries?verdict=failed")
    # As the other tests know it.
    assert (
        client.http.post(f"/deliveries/{id}/judge", data={"expectation": '{"status": 200}'}).status_code
        == 303
    )
    assert id in client.rows("/deliveries?verdict=passed")


def test_latency_is_a_chart_and_a_table(client: LogClient) -> None:
    page = client.page("/deliveries/latency?run=" + FIRST)
    assert "2 deliveries" in main_words(page)
    # Each dot leads to its delivery.
    for each in (LOST, REFUSED):
        assert re.search(rf'<a href="/deliveries/{each}\?run={FIRST}"[^>]*><title>[^<]+ errored, ', page)
    assert "<table>" in page
    assert "no delivery to show" in main_words(client.page("/deliveries/latency?order=none"))
    whole = main_words(client.page("/deliveries/latency"))
    assert "132 deliveries" in whole
    assert "The newest" not in whole
    assert "is no status" in main_words(client.page("/deliveries/latency?status=0", 400))


def test_verdicts_by_run_are_a_chart(client: LogClient) -> None:
    page = client.page("/runs")
    assert f'<a href="/runs/{FIRST}" aria-label="{FIRST}: 1 errored">' in page
    assert "the newest 1 run" in main_words(page)


def fill_with_attempts(runs_dir: Path) -> None:
    """A run in which a step was attempted twice and delivered twice; one of these was sent again."""
    with begin_run(runs_dir, RunInfo(id=THIRD, started_at="2024-05-01T11:00:00.000Z")) as run:
        of_step: dict[str, object] = {"scenario": "scenarios/a.scenario.json", "step": "twice"}
        closed = Fault("closed", "it hung up")
        made = [
            delivery(run.next_id(), 0, response=None, fault=closed, **of_step),
            delivery(run.next_id(), 0, attempt=2, **of_step),
            delivery(run.next_id(), 0, number=2, **of_step),
            delivery(run.next_id(), 0, scenario="scenarios/a.scenario.json", step="once"),
            delivery(run.next_id(), 0, parent=f"{THIRD}.000002"),
        ]
        for second, each in enumerate(made):
            run.append(msgspec.structs.replace(each, sent_at=f"2024-05-01T11:00:0{second}.000Z"))
            verdict = "errored" if each.fault is not None else "passed"
            run.append(Judgement(delivery=each.id, verdict=verdict, at="2024-05-01T11:00:09.000Z"))


def test_a_delivery_shows_the_attempts_of_its_step_and_its_resends(tmp_path: Path) -> None:
    fill_with_attempts(tmp_path / ".sandbox" / "runs")
    with serving(tmp_path) as served:
        client = LogClient(served.url, tmp_path / ".sandbox" / "runs")
        with client.http:
            shows_attempts(client)


def shows_attempts(client: LogClient) -> None:
    page = main_words(client.page(f"/deliveries/{THIRD}.000002"))
    assert "3 deliveries of this step, sent again 1 time" in page
    assert re.search(r"! errored closed .* ms delivery 1 2024", page)
    assert re.search(r"✓ passed 200 .* this one: delivery 1, attempt 2", page)
    assert "delivery 2" in page
    assert client.rows(f"/deliveries?parent={THIRD}.000002") == [f"{THIRD}.000005"]
    assert "Attempts" not in main_words(client.page(f"/deliveries/{THIRD}.000004"))
    assert "resend of" in main_words(client.page(f"/deliveries/{THIRD}.000005"))


def test_a_record_with_a_time_that_is_none_is_shown_as_it_is(tmp_path: Path) -> None:
    runs_dir = tmp_path / ".sandbox" / "runs"
    with begin_run(
        runs_dir, RunInfo(id=FIRST, started_at="2024-05-01T12:00:99Z", finished_at="never")
    ) as run:
        odd = delivery(run.next_id(), 0, sent_at="2024-05-01T12:00:60.000Z")
        run.append(odd)
    with serving(tmp_path) as served:
        client = LogClient(served.url, runs_dir)
        with client.http:
            for path in ("/deliveries", f"/deliveries/{odd.id}", "/runs", f"/runs/{FIRST}"):
                assert "2024-05-01T12:00:" in main_words(client.page(path))
            assert "no delivery to show" in main_words(client.page("/deliveries/latency"))
