"""Probes of real receivers, from the baseline to the report that is kept."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from retailops_sandbox.engine import ScenarioResult
from retailops_sandbox.errors import FileError, UsageError
from retailops_sandbox.model import Record
from retailops_sandbox.probe import confirming
from retailops_sandbox.probe import probing as prober_module
from retailops_sandbox.probe.keeping import KeptReports, spelled
from retailops_sandbox.probe.report import ProbeReport
from retailops_sandbox.redaction import SecretPolicy
from retailops_sandbox.runlog.files.writer import FileRunWriter
from retailops_sandbox.scenarios import scenario
from retailops_sandbox.scenarios.scenario import Plan
from retailops_sandbox.session import probe_choices, probing
from retailops_sandbox.session.run import RunSetup, execute
from tests.support.logged import open_log
from tests.support.probed.receiving import Answer, Call, HangUpError, Right, answer, event, serving
from tests.support.probed.right import KnowsFew
from tests.support.probing import probed, setup

ONLY_CONTRACT: dict[str, Any] = {"areas": ("contract",), "fixtures": ("default",)}
"""The trials that each request is a whole of."""


PROVIDER_MS = 2_000


class Counting(Right):
    """Keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[Call] = []

    async def answered(self, call: Call) -> Answer:
        self.calls.append(call)
        return await super().answered(call)


def has_null(value: Any) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return value is None or any(map(has_null, inner))


class CrashesOnNull(Counting):
    def order(self, payload: Any) -> str:
        if has_null(payload):
            raise TypeError("null")
        return super().order(payload)


class GoesDownOnNull(Counting):
    """Hangs up on a null, and on the next two requests."""

    down = 0

    async def answered(self, call: Call) -> Answer:
        if self.down:
            self.down -= 1
            raise HangUpError
        return await super().answered(call)

    def order(self, payload: Any) -> str:
        if has_null(payload.get("channel_info", 0)):
            self.down = 2
            raise HangUpError
        return super().order(payload)


class DiesOnNull(GoesDownOnNull):
    def order(self, payload: Any) -> str:
        try:
            return super().order(payload)
        finally:
            if self.down:
                self.down = 1_000_000


class FailsAfterwards(Counting):
    """Answers a null as it should, and the next request with 500."""

    is_broken = False

    def order(self, payload: Any) -> str:
        if self.is_broken:
            self.is_broken = False
            raise RuntimeError("broken")
        self.is_broken = has_null(payload.get("channel_info", 0))
        return super().order(payload)


class HangsOnEmptyArray(Counting):
    async def cancel(self, order: str, payload: Any) -> Answer:
        if payload.get("channel_info") == []:
            await asyncio.Event().wait()
        return await super().cancel(order, payload)


class HangsUpOnce(Counting):
    hung_up = False

    def order(self, payload: Any) -> str:
        if has_null(payload) and not self.hung_up:
            self.hung_up = True
            raise HangUpError
        return super().order(payload)


def kinds(report: ProbeReport) -> set[str]:
    return {finding.kind for finding in report.findings}


def test_nothing_is_said_against_a_right_receiver(tmp_path: Path) -> None:
    with serving(receiver := Counting()) as url:
        outlined = probing.outline(setup(url, tmp_path, **ONLY_CONTRACT))
        assert not receiver.calls
        finished = probed(url, tmp_path, **ONLY_CONTRACT)
    report = finished.report
    assert not finished.unwritten
    assert not report.findings
    assert not report.stopped
    assert not report.baseline
    assert not report.left_out
    assert report.requests == len(receiver.calls) == outlined.requests
    assert report.url == outlined.url == f"{url}/order_cancel_v1"
    assert report.orders == outlined.orders
    assert KeptReports(setup(url, tmp_path).workspace).load(report.run) == report
    assert probing.last_report(setup(url, tmp_path)) == report
    assert probing.last_report(setup("http://127.0.0.1:9", tmp_path)) is None


def test_what_the_outline_made_is_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(receiver := Counting()) as url:
        asked = setup(url, tmp_path, **ONLY_CONTRACT)
        outlined = probing.outline(asked)
        made = msgspec.structs.replace(asked.probe, orders=outlined.orders, made=outlined.made)
        monkeypatch.setattr(prober_module, "generate", lambda *_: pytest.fail("made a second time"))
        report = probing.execute(msgspec.structs.replace(asked, probe=made), lambda _: None).report
    assert report.requests == len(receiver.calls) == outlined.requests


def test_what_the_outline_made_is_not_sent_to_a_receiver_that_takes_none_of_its_orders(
    tmp_path: Path,
) -> None:
    with serving(KnowsFew()) as url:
        asked = setup(url, tmp_path, **ONLY_CONTRACT)
        made = msgspec.structs.replace(asked.probe, made=probing.outline(asked).made)
        report = probing.execute(msgspec.structs.replace(asked, probe=made), lambda _: None).report
    assert not report.baseline
    assert any("No order of the range" in note for note in report.notes)


def test_each_request_is_a_delivery_of_one_run_of_the_log(tmp_path: Path) -> None:
    with serving(Right()) as url:
        report = probed(url, tmp_path, **ONLY_CONTRACT, max_requests=30).report
    log = open_log(setup(url, tmp_path).workspace.runs_dir)
    [run] = log.runs()
    sent = log.deliveries(report.run)
    assert run.info is not None
    assert (run.info.kind, run.state, run.id, run.results) == ("probe", "finished", report.run, 0)
    assert len(sent) == report.requests
    assert {entry.delivery.scenario.partition("/")[0] for entry in sent} == {"probe"}
    assert all(entry.judgement is not None for entry in sent)


def test_a_crash_is_found_and_its_deliveries_are_named(tmp_path: Path) -> None:
    with serving(CrashesOnNull()) as url:
        report = probed(url, tmp_path, **ONLY_CONTRACT).report
    [crash] = [finding for finding in report.findings if finding.kind == "crash"]
    assert kinds(report) == {"crash"}
    assert crash.deliveries
    assert crash.smallest.delivery in crash.deliveries


@pytest.mark.parametrize(
    ("receiver", "good_time"),
    [
        pytest.param(GoesDownOnNull, 30.0, id="one probe after the other"),
        pytest.param(GoesDownOnNull, 0.01, id="several at once, where they would take long"),
        pytest.param(FailsAfterwards, 30.0, id="one that fails afterwards"),
    ],
)
def test_it_is_told_which_request_a_receiver_goes_down_at(
    receiver: type[Right], good_time: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prober_module, "GOOD_TIME", good_time)
    with serving(receiver()) as url:
        report = probed(url, tmp_path, **ONLY_CONTRACT).report
    assert kinds(report) == {"down"}
    assert {(each.field, each.what) for each in report.observations} == {
        ("/channel_info", "null"),
        ("/channel_info/id", "null"),
    }
    assert not report.left_out


def test_a_receiver_that_stays_away_ends_the_probe_and_what_was_found_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(confirming, "PAUSES", (0.0, 0.0))
    with serving(DiesOnNull()) as url:
        report = probed(url, tmp_path, **ONLY_CONTRACT).report
    assert report.stopped == "the receiver answered no valid request any more"
    assert kinds(report) == {"down"}
    assert [(each.field, each.what) for each in report.observations] == [("/channel_info", "null")]
    assert report.left_out["contract"] > 0


def test_a_hang_is_told_after_the_time_of_the_provider(tmp_path: Path) -> None:
    with serving(receiver := HangsOnEmptyArray()) as url:
        report = probed(url, tmp_path, **ONLY_CONTRACT, provider_ms=400).report
    assert kinds(report) == {"hang"}
    asked = [json.loads(call.body or b"0") for call in receiver.calls]
    hung = [each for each in asked if isinstance(each, dict) and each.get("channel_info") == []]
    assert len(hung) == 2  # once more, alone
    assert not report.left_out


class LateAtFirst(Counting):
    """Answers its first request after the provider's time."""

    async def answered(self, call: Call) -> Answer:
        if not self.calls:
            await asyncio.sleep(PROVIDER_MS * 1.1 / 1000)
        return await super().answered(call)


def test_an_answer_that_is_too_late_for_the_provider_is_looked_at(tmp_path: Path) -> None:
    with serving(LateAtFirst()) as url:
        report = probed(url, tmp_path, **ONLY_CONTRACT, max_requests=10, provider_ms=PROVIDER_MS).report
    assert not report.baseline
    assert report.requests > 3


def test_what_happens_once_and_not_again_is_a_note(tmp_path: Path) -> None:
    with serving(HangsUpOnce()) as url:
        report = probed(url, tmp_path, **ONLY_CONTRACT).report
    assert not report.findings
    assert "1 of the requests that met a fault were answered when they were sent again" in report.notes


def test_without_an_accepted_request_it_says_why_and_stops(tmp_path: Path) -> None:
    with serving(receiver := Counting()) as url:
        report = probed(url, tmp_path, token="not the token").report
    assert "no valid request was accepted: default was answered 401" in report.baseline
    assert not report.findings
    assert report.requests == len(receiver.calls) < 40


def test_a_receiver_that_is_not_there_is_asked_once(tmp_path: Path) -> None:
    with serving(Right()) as url:
        pass
    report = probed(url, tmp_path).report
    assert "refused" in report.baseline
    assert (report.requests, report.faults) == (1, 1)


def test_nothing_is_sent_to_a_protected_receiver(tmp_path: Path) -> None:
    with serving(receiver := Counting()) as url, pytest.raises(UsageError, match="protected"):
        probed(url, tmp_path, protected=True)
    assert not receiver.calls
    assert not (tmp_path / ".sandbox").exists()


def test_the_same_seed_and_orders_send_the_same_requests(tmp_path: Path) -> None:
    sent = []
    for folder in ("first", "second"):
        with serving(receiver := Counting()) as url:
            probed(url, tmp_path / folder, **ONLY_CONTRACT, seed=5)
        sent.append([call.body for call in receiver.calls])
    assert sent[0] == sent[1]
    assert sent[0]


def test_it_stops_at_once_and_goes_on_where_it_stopped(tmp_path: Path) -> None:
    with serving(whole := Counting()) as url:
        all_at_once = probed(url, tmp_path / "whole", **ONLY_CONTRACT).report
    with serving(receiver := Counting()) as url:
        first = stopped_after(40, url, tmp_path)
        before = len(receiver.calls)
        second = probed(url, tmp_path, **ONLY_CONTRACT, resumed=first).report
    assert first.stopped == "it was stopped"
    assert first.requests == before < all_at_once.requests
    assert first.left_out["contract"] > 0
    assert not second.left_out
    assert not second.stopped
    assert len(first.interrupted) <= 1  # one probe at a time was sent
    assert second.interrupted == ()
    assert len(second.done) == len(all_at_once.done)
    # Each trial was sent, and those of probes that were done only once.
    sent = [call.body for call in receiver.calls]
    assert set(map(bytes, (call.body for call in whole.calls))) <= set(sent)
    assert len(sent) < len(whole.calls) + 30


def stopped_after(requests: int, url: str, root: Path) -> ProbeReport:
    """The report of a probe that is stopped when so many requests were sent."""
    asked = setup(url, root, **ONLY_CONTRACT)

    async def main() -> ProbeReport:
        async with probing.Transport() as transport:
            clock = probing.SystemClock()
            prober, log = probing.prober_and_log(asked, asked.options.receiver, transport, clock)
            running = asyncio.create_task(prober.execute(lambda progress: None))
            while prober.requests < requests:
                await asyncio.sleep(0)
            prober.stop()
            report = await running
            log.finish(clock.now(), stopped=True)
            return report

    return asyncio.run(main())


def test_it_ends_in_time_and_names_what_was_left_out(tmp_path: Path) -> None:
    class Slow(Counting):
        async def cancel(self, order: str, payload: Any) -> Answer:
            await asyncio.sleep(0.1)
            return await super().cancel(order, payload)

    with serving(Slow()) as url:
        report = probed(url, tmp_path, **ONLY_CONTRACT, max_seconds=1.0).report
    assert report.left_out["contract"] > 0
    assert report.areas[0].tried > 0
    assert not report.findings


class CrashesOnLong(Counting):
    def order(self, payload: Any) -> str:
        if len(str(payload.get("action"))) >= 300:
            raise ValueError("long")
        return super().order(payload)


def test_a_finding_has_the_scenario_of_the_smallest_request_that_shows_it(tmp_path: Path) -> None:
    with serving(CrashesOnLong()) as url:
        report = probed(url, tmp_path, **ONLY_CONTRACT).report
        [crash] = report.findings
        assert crash.smallest.shown == "/action: 300 characters"
        [step] = scenario.read(crash.smallest.scenario, id="", file="").scenario.steps
        assert step.set["/action"] == "${text:300}"
        run = run_scenario(setup(url, tmp_path), crash.smallest.scenario)
    assert run.verdict == "failed"


def run_scenario(asked: probing.ProbeSetup, text: str) -> ScenarioResult:
    """The result of a scenario's text, run as a file of that text is."""
    plan = scenario.read(text, id="saved", file="saved.scenario.json")
    sent = RunSetup(
        workspace=asked.workspace,
        plans=[plan],
        options=asked.options,
        environment={},
        policy=asked.policy,
    )
    [result] = execute(sent, []).results
    return result


class TellsNobody(Counting):
    """Answers each cancel with a status that only a scenario of somebody's own forbids."""

    def first(self, order: str) -> Answer:
        return answer({"status": "fail", "events": [event("It has shipped", "SHIPPED", order, "error")]})

    again = first


def own_scenario(id: str, expected: dict[str, Any]) -> Plan:
    document = {
        "name": "An order is cancelled",
        "action": "order_cancel",
        "edition": "v1",
        "steps": [{"name": "cancel", "fixture": "default", "expect": expected}],
    }
    return scenario.read(json.dumps(document), id=id, file=id)


def checked(url: str, root: Path, *plans: Plan) -> ProbeReport:
    asked = probing.quick_check(setup(url, root, **ONLY_CONTRACT), plans)
    return probing.execute(asked, lambda progress: None).report


def test_a_check_says_nothing_against_a_right_receiver_that_does_not_know_the_orders_of_what_ships(
    tmp_path: Path,
) -> None:
    with serving(Right()) as url:
        report = checked(url, tmp_path, *probe_choices.shipped_plans())
    assert not report.findings
    assert any("orders that only the stand-in knows" in note for note in report.notes)
    assert report.requests > 100
    log = open_log(setup(url, tmp_path).workspace.runs_dir)
    assert "shipped:v1-cancel.scenario.json" in {result.scenario for result in log.results(report.run)}


def test_own_scenarios_that_fail_for_one_reason_are_one_finding(tmp_path: Path) -> None:
    expected = {"status": 200, "body": {"status": "success"}, "rules": {"": {"extra": "allow"}}}
    own = [own_scenario(f"scenarios/{name}.scenario.json", expected) for name in ("first", "second")]
    passes = own_scenario("scenarios/third.scenario.json", {"status": 200})
    with serving(TellsNobody()) as url:
        report = checked(url, tmp_path, *own, passes)
    [failing] = report.findings
    assert (failing.kind, failing.label, failing.count) == ("scenario-fails", "advice", 2)
    assert "An order is cancelled: " in failing.evidence


def test_what_a_scenario_and_the_probe_show_is_one_finding(tmp_path: Path) -> None:
    null = own_scenario("scenarios/null.scenario.json", {"status": 200})
    step = msgspec.structs.replace(null.scenario.steps[0], set={"/channel_info": None}, off_contract=True)
    null = msgspec.structs.replace(null, scenario=msgspec.structs.replace(null.scenario, steps=[step]))
    with serving(CrashesOnNull()) as url:
        report = checked(url, tmp_path, null)
    assert kinds(report) == {"crash"}


@pytest.mark.parametrize("records", [1, 60])
def test_where_nothing_more_can_be_logged_it_ends_and_what_was_found_is_kept(
    records: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    append, left = FileRunWriter.append, [records]

    def until_full(self: FileRunWriter, record: Record) -> None:
        if not left[0]:
            raise FileError("cannot be written: No space left on device", file="run.json")
        left[0] -= 1
        append(self, record)

    monkeypatch.setattr(FileRunWriter, "append", until_full)
    with serving(receiver := CrashesOnNull()) as url:
        finished = probed(url, tmp_path, **ONLY_CONTRACT)
    assert [str(error) for error in finished.unwritten] == [
        "run.json: cannot be written: No space left on device"
    ]
    assert finished.report.stopped == "nothing more could be logged"
    assert len(receiver.calls) == records // 2 + 1


def test_a_range_of_orders_that_is_too_small_is_said_before_anything_is_sent(tmp_path: Path) -> None:
    with (
        serving(receiver := Counting()) as url,
        pytest.raises(UsageError, match="ids, and what is tried needs"),
    ):
        probing.outline(setup(url, tmp_path, orders="5-6"))
    assert not receiver.calls


class CrashesOnArray(Counting):
    def order(self, payload: Any) -> str:
        if isinstance(payload.get("action"), list):
            raise TypeError("list")
        return super().order(payload)


def test_a_secret_in_a_fixture_is_sent_and_is_in_no_report(tmp_path: Path) -> None:
    secret = "Shop-Secret-4711"
    with serving(receiver := CrashesOnArray()) as url:
        asked = setup(url, tmp_path, **ONLY_CONTRACT)
        text = asked.workspace.read_fixture("order_cancel", "v1", "default")
        text = text.replace('"action": "order_cancel"', '"action": "${env:SHOP_SECRET}"')
        asked.workspace.save_fixture("order_cancel", "v1", "default", text)
        environment = {"SHOP_SECRET": secret}
        policy = SecretPolicy(environment, receivers=[asked.options.receiver], named=["SHOP_SECRET"])
        asked = msgspec.structs.replace(asked, environment=environment, policy=policy)
        report = probing.execute(asked, lambda progress: None).report
    assert "crash" in kinds(report)
    assert any(secret.encode() in call.body for call in receiver.calls)
    assert secret not in spelled(report)
    assert not [path for path in tmp_path.rglob("*.json") if secret in path.read_text()]
