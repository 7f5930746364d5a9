"""Probes as an HTTP client has them: a real process, a real port, real files."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from retailops_sandbox.model import Receiver
from retailops_sandbox.probe.report import Cell, ProbeReport
from retailops_sandbox.reporting.probes import words
from tests.support.pages import hidden, main_words
from tests.support.probe_client import CONTRACT, Crashing, ProbeClient, probe_client
from tests.support.probe_reports import CRASH, SCENARIO, clean_report, probe_report
from tests.support.probed.receiving import TOKEN

RUN, BEFORE = "20261129T040000Z-aaaaaa", "20261128T040000Z-bbbbbb"


@pytest.fixture(scope="module")
def shop() -> Crashing:
    return Crashing()


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, shop: Crashing) -> Iterator[ProbeClient]:
    with probe_client(tmp_path_factory.mktemp("workspace"), shop) as client:
        yield client


@pytest.fixture(autouse=True)
def at_the_shop(client: ProbeClient, shop: Crashing) -> Iterator[None]:
    shop.asked, shop.free = 0, 0
    client.choose("shop")
    yield
    shop.open()


@pytest.fixture
def kept(client: ProbeClient) -> ProbeReport:
    """A made report that the workspace keeps, of which one delivery is in the log."""
    sent = client.http.post("/probe/start")  # a form without an id starts nothing
    assert sent.status_code == 422
    report = probe_report(run=RUN, receiver="shop", compared_with=BEFORE)
    client.kept.save(report)
    return report


def press(client: ProbeClient, path: str, **fields: Any) -> tuple[int, str]:
    """The status and the words after a form was sent."""
    answer = client.http.post(path, data=fields)
    return answer.status_code, main_words(answer.text)


# --- before anything is sent ---


def test_the_page_says_what_it_would_send_where_and_with_which_orders(client: ProbeClient, shop: Crashing):
    client.workspace.save_receiver(Receiver("unprobed", client.shop_url, token=TOKEN))
    client.choose("unprobed")
    page = client.text(f"/probe?contract={CONTRACT}&area=contract&orders=91-99")
    assert "unprobed has not been probed with order_cancel v1 yet" in page
    said = re.search(
        r"Sends about \d+ requests \(\d+ contract\) and \d+ shipped scenarios of order_cancel v1 to (\S+) ,",
        page,
    )
    assert said is not None, page
    assert said[1].endswith("/order_cancel_v1")
    assert "with order ids 91-99 and those of the fixtures, in at most 1 min 30 s" in page
    assert re.search(r"Contract \d+ requests", page)
    assert "Transport 0" not in page
    assert re.search(r"All [\d,]+ Check my receiver", page)
    assert shop.asked == 0


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("seed", "seven", "The seed is a number"),
        ("max_time", "soon", "The time is a number of seconds"),
        ("fixture", "no-such", "There is no fixture 'no-such'"),
        ("orders", "9-to-99", "9-to-99"),
    ],
)
def test_an_option_that_cannot_be_used_is_said_at_its_field(
    client: ProbeClient, shop: Crashing, field: str, typed: str, said: str
):
    answer = client.start(**{field: typed})
    assert answer.status_code == 422
    assert said in main_words(answer.text)
    assert re.search(rf'id="{field}" name="{field}"[^>]*aria-invalid="true"', answer.text)
    if field != "fixture":
        assert f'value="{typed}"' in answer.text
    assert shop.asked == 0


def test_an_old_probe_is_repeated_at_the_receiver_that_it_is_of(client: ProbeClient, shop: Crashing):
    client.kept.save(clean_report(run=RUN, receiver="shop", action="order_cancel", edition="v1"))
    client.choose("stand-in")
    page = client.http.get(f"/probe/{RUN}").text
    words = main_words(page)
    assert "This is a probe of shop , and the buttons send to it. Chosen above is stand-in" in words
    assert f"of order_cancel v1 to {client.shop_url}/order_cancel_v1" in words
    assert re.search("<button[^>]*>Check shop</button>", page)
    fields = {**hidden(page), "contract": CONTRACT, "area": "auth", "do": "check"}
    started = client.http.post("/probe/start", data=fields)
    report = client.ended(started.headers["location"])
    assert (report.receiver, report.requests) == ("shop", shop.asked)


def test_an_old_probe_of_a_receiver_that_is_not_set_up_sends_nowhere(client: ProbeClient):
    client.kept.save(clean_report(run=RUN, receiver="http://127.0.0.1:1/gone"))
    client.choose("stand-in")
    page = client.http.get(f"/probe/{RUN}").text
    assert "which is not set up here: nothing can be sent to it" in main_words(page)
    assert f'href="/probe/{RUN}/report.html"' in page
    assert 'action="/probe/start"' not in page


def test_a_protected_receiver_asks_its_yes_for_each_probe(client: ProbeClient, shop: Crashing):
    client.choose("live")
    assert "Yes, probe live . It is protected" in client.text()
    refused = client.start()
    assert refused.status_code == 422
    assert "live is protected, and nothing was sent" in main_words(refused.text)
    assert shop.asked == 0
    report = client.ended(client.started(confirmed="live", area="auth"))
    assert (report.receiver, report.requests) == ("live", shop.asked)


def test_the_stand_in_and_a_receiver_that_is_not_set_up_are_said(client: ProbeClient):
    client.choose("stand-in")
    assert "stand-in It proves nothing about yours" in client.text()
    client.workspace.save_receiver(Receiver("unset", "https://${env:NO_SUCH_HOST}"))
    client.choose("unset")
    page = client.http.get("/probe").text
    assert "Nothing can be sent to unset yet." in main_words(page)
    assert "the environment variable NO_SUCH_HOST is not set" in main_words(page)
    assert re.search("<button[^>]* disabled>Check my receiver", page)


def test_what_was_not_seen_is_not_sent(client: ProbeClient, shop: Crashing):
    refused = client.start(shown="http://127.0.0.1:1/other")
    assert refused.status_code == 422
    assert "and the page showed http://127.0.0.1:1/other" in main_words(refused.text)
    assert shop.asked == 0


@pytest.mark.parametrize("contract", ["no_such v1", "order_cancel", "../../etc v1", "order_cancel ../v1"])
def test_a_contract_that_does_not_exist_is_said(client: ProbeClient, contract: str):
    page = client.http.get("/probe", params={"contract": contract})
    assert page.status_code == 200
    assert "there is no contract" in main_words(page.text)
    assert re.search("<button[^>]* disabled>Check my receiver", page.text)


# --- while it goes on ---


def test_a_probe_is_followed_stopped_and_resumed(client: ProbeClient, shop: Crashing):
    before = hidden(client.http.get(f"/probe?contract={CONTRACT}").text)
    shop.free = 40
    shop.close()
    path = client.started(area="contract")
    assert shop.is_reached.wait(60)
    page = client.text(path)
    assert "Probing shop http" in page
    assert "Leaving this page does not stop it" in page
    assert 'http-equiv="refresh"' in client.http.get(path).text
    # The page of the place shows it, too, and no second one starts, as from a page that was open before.
    assert "Leaving this page does not stop it" in client.text()
    again = client.http.post("/probe/start", data={**before, "contract": CONTRACT, "do": "check"})
    assert again.headers["location"] == f"{path}?begun=before"
    assert "No other was started." in client.text(again.headers["location"])
    status, _ = press(client, f"{path}/stop")
    assert status == 303
    stopped = client.ended(path)
    assert stopped.stopped
    assert "not finished" in client.text(path) or "not yet fit" in client.text(path)
    shop.open()
    report = client.ended(client.started(f"resume:{stopped.run}"))
    assert (report.seed, report.orders, report.stopped) == (stopped.seed, stopped.orders, "")
    assert report.run != stopped.run
    assert any(finding.kind == "crash" for finding in report.findings)


def test_what_a_probe_found_is_kept_when_the_sandbox_ends(tmp_path: Path):
    shop = Crashing(free=40)
    with probe_client(tmp_path, shop) as client:
        shop.close()
        path = client.started("all", area="contract")
        assert shop.is_reached.wait(60)
        code, errors = client.served.interrupt()
        assert (code, errors) == (0, "")
        report = client.kept.load(path.rpartition("/")[2])
    assert report.stopped
    assert any(finding.kind == "crash" for finding in report.findings)


def test_a_double_click_starts_one_probe(client: ProbeClient):
    fields = {**hidden(client.http.get(f"/probe?contract={CONTRACT}").text), "contract": CONTRACT}
    fields |= {"do": "all", "area": "auth"}
    first, second = (client.http.post("/probe/start", data=fields) for _ in range(2))
    assert first.headers["location"] == second.headers["location"]
    client.ended(first.headers["location"])


# --- what it found ---


def test_a_check_finds_what_is_wrong_and_leads_to_its_evidence(client: ProbeClient):
    path = client.started()
    report = client.ended(path)
    page = client.text(path)
    (crash,) = [finding for finding in report.findings if finding.kind == "crash"]
    assert "not yet fit" in page
    assert crash.title in page
    assert crash.mend in page
    assert f'href="/deliveries/{crash.smallest.delivery}"' in client.http.get(path).text
    assert crash.smallest.delivery in client.http.get(f"/deliveries/{crash.smallest.delivery}").text
    listed = client.http.get(f"{path}/deliveries", params={"finding": crash.key})
    assert all(f'id="row-{id}"' in listed.text for id in crash.deliveries)
    cell = next(each for each in report.cells if each.what == "null" and each.outcome == "did not")
    shown = client.http.get(f"{path}/evidence", params={"field": cell.field, "what": cell.what})
    assert "sent null answered HTTP/1.1 500" in main_words(shown.text)
    # What a probe sent is sent again as it was, and marks no case.
    again = client.http.get("/", params={"from": crash.smallest.delivery}).text
    assert "A probe sent this payload, as" in main_words(again)
    assert '<input type="hidden" name="fixture" value="">' in again
    run = client.http.get(f"/runs/{report.run}")
    assert run.status_code == 200


def test_the_next_probe_of_a_receiver_is_compared_with_the_last(tmp_path: Path):
    with probe_client(tmp_path, Crashing()) as client:
        first = client.ended(client.started(area="contract"))
        # Two probes of one second have no order: this one is of another day.
        client.kept.save(msgspec.structs.replace(first, run=BEFORE))
        path = client.started(area="contract")
        again = client.ended(path)
        assert (again.seed, again.compared_with) in {(first.seed, run) for run in (first.run, BEFORE)}
        assert again.orders != first.orders
        assert "Crashes where a member is null still there" in client.text(path)
        assert f'href="/probe/{first.run}"' in client.http.get(path).text


def test_a_report_is_shown_with_its_causes_areas_and_what_it_cannot_see(
    client: ProbeClient, kept: ProbeReport
):
    page = client.text(f"/probe/{RUN}")
    assert "✗ not yet fit 1 cause breaks the contract" in page
    assert "Contract 72 held , 27 did not , 5 to see" in page
    assert page.index("Crashes where a member is null") < page.index("Answers null where there are no events")
    assert "Rests on our advice, and no rule of RetailOPS" in page
    assert "All 3 New 2" in page
    assert "Gone Hangs up where the body is empty since the probe before" in page
    assert "The SDK's tool passes /events: null" in page
    assert "Side effects are judged by the answers alone" in page
    assert words.left_out(kept) in page
    only_new = client.text(f"/probe/{RUN}?show=new")
    assert "Answers null where there are no events" not in only_new
    assert "Tells its own file paths" in only_new


def test_the_fields_are_a_map_and_a_table(client: ProbeClient, kept: ProbeReport):
    page = client.http.get(f"/probe/{RUN}").text
    assert 'aria-label="/data/order/channel_payment, null: did not, 5xx"' in page
    assert 'title="/data/order/channel_payment"' in page
    rows = client.text(f"/probe/{RUN}?view=table")
    found = re.findall(r"(did not|to see|held) (/\S+) (\w+)", rows)
    assert found[:2] == [
        ("did not", "/data/order/channel_payment", "null"),
        ("to see", "/data/order/id", "negative"),
    ]
    assert len(found) == len(kept.cells)


def test_a_finding_is_saved_as_a_scenario_under_a_name_that_is_free(client: ProbeClient, kept: ProbeReport):
    page = client.http.get(f"/probe/{RUN}").text
    assert 'value="crashes-where-a-member-is-null"' in page
    status, _ = press(client, f"/probe/{RUN}/save", finding=CRASH.key, file="crashes-where-a-member-is-null")
    assert status == 303
    saved = client.workspace.root / "scenarios" / "crashes-where-a-member-is-null.scenario.json"
    assert saved.read_text(encoding="utf-8") == SCENARIO
    # Saved once, it is not offered again under another name.
    page = client.http.get(f"/probe/{RUN}").text
    assert f"Saved as {saved.name}" in main_words(page)
    assert 'value="crashes-where-a-member-is-null' not in page
    saved.write_text(SCENARIO + "\n", encoding="utf-8")
    status, page = press(client, f"/probe/{RUN}/save", finding=CRASH.key, file=saved.name)
    assert status == 422
    assert f"there is a scenario file {saved.name} already (choose another name)" in page
    assert saved.read_text(encoding="utf-8") == SCENARIO + "\n"
    assert 'value="crashes-where-a-member-is-null-2"' in client.http.get(f"/probe/{RUN}").text
    status, page = press(client, f"/probe/{RUN}/save", finding=CRASH.key, file="../out")
    assert status == 422
    assert "cannot be a scenario file's name" in page


def test_the_report_is_a_file(client: ProbeClient, kept: ProbeReport):
    answer = client.http.get(f"/probe/{RUN}/report.html")
    assert answer.headers["content-disposition"] == f'attachment; filename="probe-{RUN}.html"'
    assert CRASH.title in html.unescape(answer.text)


def test_what_a_receiver_wrote_is_text(client: ProbeClient):
    evil = "<script>alert(1)</script>\u202e"
    finding = {**{name: getattr(CRASH, name) for name in CRASH.__struct_fields__}, "evidence": evil}
    cell = Cell(field="/<b>", what="null", outcome="did not", shown="<i>")
    report = probe_report(run=RUN, receiver="shop", findings=(type(CRASH)(**finding),), cells=(cell,))
    client.kept.save(report)
    for view in ("", "table"):
        page = client.http.get(f"/probe/{RUN}?view={view}").text
        assert "<script>alert" not in page
        assert '<b>"' not in page
        assert "<i>" not in page
        assert "\u202e" not in page


def test_a_clean_receiver_is_fit_and_says_what_it_was_compared_with(client: ProbeClient):
    client.kept.save(clean_report(run=RUN, receiver="shop"))
    page = client.text(f"/probe/{RUN}")
    assert "✓ fit nothing broke the contract" in page
    assert "Nothing was found against it." in page
    assert "There is no earlier probe of this receiver to compare with." in page


def test_what_a_stopped_probe_has_not_come_to_keeps_its_place(client: ProbeClient):
    stopped = clean_report(run=RUN, receiver="shop", stopped="it was stopped")
    client.kept.save(msgspec.structs.replace(stopped, areas=()))
    page = client.text(f"/probe/{RUN}")
    assert "! not finished it was stopped" in page
    assert (
        "Contract 0 held Repetition 0 held Transport 0 held Auth 0 held Speed 0 held Answers 0 held" in page
    )


def test_without_a_baseline_the_page_says_what_to_do_first(client: ProbeClient):
    client.kept.save(probe_report(run=RUN, receiver="shop", baseline="all were answered 422", findings=()))
    page = client.text(f"/probe/{RUN}")
    assert "! not judged all were answered 422" in page
    assert "Make it work in the workbench" in page
    assert "Causes, worst first" not in page


@pytest.mark.parametrize("path", ["", "/events", "/report.html", "/deliveries?finding=x", "/evidence"])
def test_a_probe_that_is_not_kept_is_not_found(client: ProbeClient, path: str):
    assert "no report of a probe 20200101T000000Z-0 in this workspace" in client.text(
        f"/probe/20200101T000000Z-0{path}", 404
    )


def test_a_report_that_cannot_be_kept_is_shown_with_the_reason(tmp_path: Path):
    with probe_client(tmp_path, Crashing()) as client:
        (tmp_path / ".sandbox" / "probes").write_text("in the way", encoding="utf-8")
        path = client.started(area="auth")
        with client.http.stream("GET", f"{path}/events") as stream:
            assert "event: finished" in list(stream.iter_lines())
        page = client.text(path)
        assert "Auth" in page
        assert "probes" in page.partition("Causes")[0]
