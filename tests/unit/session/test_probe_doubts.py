"""A probe that finds nothing against a receiver, and cannot tell that it is fit."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from retailops_sandbox.errors import UsageError
from retailops_sandbox.probe.report import ProbeReport
from retailops_sandbox.reporting.probes import words
from retailops_sandbox.session import probing
from tests.support.probed.receiving import PATH, Answer, Call, RefusedError, Right, answer, event, serving
from tests.support.probed.right import KnowsOne, Minimal
from tests.support.probing import probed, setup


class AlwaysFails(Right):
    async def cancel(self, order: str, payload: Any) -> Answer:
        told = event("The database is down", "DB", order, "error")
        return answer({"status": "fail", "events": [told]})


class ReplaysWhatItTold(Right):
    def first(self, order: str) -> Answer:
        number = [*self.cancelled].index(order)
        return answer({"status": "success", "events": [event(f"Cancellation {number}", "DONE", order)]})

    def again(self, order: str) -> Answer:
        return self.first(order)


class MindsNoToken(Right):
    def authorize(self, payload: Any) -> None:
        """Accepts everybody."""


class Waits(Right):
    async def answered(self, call: Call) -> Answer:
        await asyncio.sleep(0.05)
        return await super().answered(call)


class Refusing(Right):
    """Refuses everything with a status, and counts how often."""

    def __init__(self, status: int) -> None:
        super().__init__()
        self.status = status
        self.calls = 0

    async def answered(self, call: Call) -> Answer:
        self.calls += 1
        raise RefusedError(self.status, "no")


def report_of(receiver: Right, folder: Path, **probe: Any) -> ProbeReport:
    with serving(receiver) as url:
        return probed(url, folder, **probe).report


# --- what the answers tell ---


def test_where_every_valid_request_is_told_as_failed_nothing_is_fit(tmp_path: Path):
    report = report_of(AlwaysFails(), tmp_path, max_requests=60)
    assert report.findings == ()
    told = words.verdict(report)
    assert (told.word, told.verdict) == ("not enough seen", "errored")
    assert told.sentence.startswith("every valid request was told as failed: nothing was seen done; ")
    assert any(note.startswith("Every valid request was told as failed") for note in report.notes)


def test_an_order_that_is_told_as_done_comes_before_one_that_is_told_as_failed(tmp_path: Path):
    report = report_of(KnowsOne(), tmp_path, max_requests=60)
    assert report.doubts == ()
    assert report.findings == ()
    assert any(
        "the order of the fixture default, and what needs a fresh one" in note for note in report.notes
    )


def test_answers_that_tell_nothing_are_noted(tmp_path: Path):
    report = report_of(Minimal(), tmp_path, max_requests=60)
    assert any(note.startswith("No answer to a valid request tells anything") for note in report.notes)
    assert not any("answered like the first" in note for note in report.notes)


class TellsData(Right):
    def first(self, order: str) -> Answer:
        return answer({"order": order})

    def again(self, order: str) -> Answer:
        return self.first(order)


def test_an_answer_with_what_was_asked_for_is_not_said_to_tell_nothing(tmp_path: Path):
    report = report_of(TellsData(), tmp_path, areas=("repetition",))
    assert not any("tells anything" in note for note in report.notes)


def test_a_replayed_answer_that_tells_what_was_done_is_not_said_to_tell_nothing(tmp_path: Path):
    report = report_of(ReplaysWhatItTold(), tmp_path, max_requests=60)
    assert report.findings == ()
    assert report.notes == ()


# --- what was tried ---


def test_without_a_token_a_made_up_one_is_tried_and_the_rest_is_doubted(tmp_path: Path):
    report = report_of(MindsNoToken(), tmp_path, token="", areas=("auth",))
    assert {each.kind for each in report.findings} == {"accepts-wrong-token"}
    assert report.doubts == ("auth was tried with a made-up token only: the receiver's is not known",)
    assert any("Give --receiver-token" in note for note in report.notes)


def test_too_few_requests_make_no_receiver_fit(tmp_path: Path):
    report = report_of(Right(), tmp_path, max_requests=1)
    told = words.verdict(report)
    assert told.word == "not enough seen"
    assert told.sentence.startswith("too little was tried: nothing of ")


def test_a_short_sample_has_a_part_of_every_area(tmp_path: Path):
    report = report_of(Right(), tmp_path, max_requests=30)
    assert {each.area for each in report.areas} >= {"contract", "repetition", "transport", "auth", "speed"}
    assert report.doubts[0].startswith("too little was tried: ")
    assert report.doubts[0].endswith(" fields were left out")


def test_a_probe_that_had_no_time_for_all_says_so(tmp_path: Path):
    report = report_of(Waits(), tmp_path, max_seconds=1.0)
    assert any(each.startswith("there was time for about ") for each in report.doubts)
    assert words.verdict(report).word in ("not enough seen", "not finished")


def test_a_probe_that_left_something_out_goes_on_with_the_rest_alone(tmp_path: Path):
    areas = {"areas": ("contract", "auth")}
    whole = report_of(Right(), tmp_path / "whole", **areas)
    with serving(Right()) as url:
        first = probed(url, tmp_path, **areas, max_requests=90).report
        left = probing.outline(setup(url, tmp_path, **areas, resumed=first))
        second = probed(url, tmp_path, **areas, resumed=first).report
    assert first.left_out.keys() == {"contract", "auth"}
    assert left.requests < whole.requests - 50
    assert (second.left_out, second.doubts, second.findings) == ({}, (), ())
    tried = [
        {each.area: each.tried for each in report.areas if each.area != "answers"}
        for report in (whole, second)
    ]
    assert tried[0] == tried[1]


# --- no baseline ---


@pytest.mark.parametrize(
    ("status", "calls", "said"),
    [
        (401, 1, "is the token the receiver's own?"),
        (403, 1, "was answered 403"),
        (404, 2, "does the receiver speak v1?"),
        (302, 1, "was answered 302"),
    ],
)
def test_what_refuses_all_payloads_is_asked_no_further(tmp_path: Path, status: int, calls: int, said: str):
    receiver = Refusing(status)
    report = report_of(receiver, tmp_path)
    assert receiver.calls == calls
    assert said in report.baseline
    assert "If the step is about a refusal" not in report.baseline


def test_a_redirect_that_made_another_request_of_it_is_told(tmp_path: Path):
    class Leads(Refusing):
        async def answered(self, call: Call) -> Answer:
            if call.path != PATH:
                return await super().answered(call)
            return Answer(302, b"", headers=("Location: /elsewhere",))

    with serving(Leads(404)) as url:
        made = setup(url, tmp_path)
        receiver = msgspec.structs.replace(made.options.receiver, follow_redirects=True)
        options = msgspec.structs.replace(made.options, receiver=receiver)
        report = probing.execute(msgspec.structs.replace(made, options=options), lambda _: None).report
    assert "after a redirect (302) to " in report.baseline
    assert "/elsewhere, and POST became GET on the way" in report.baseline


def test_a_receiver_whose_token_is_not_set_is_an_error(tmp_path: Path):
    made = setup("http://127.0.0.1:9", tmp_path, token="${env:NOT_SET_TOKEN}")
    with pytest.raises(UsageError, match="NOT_SET_TOKEN"):
        probing.outline(made)


def test_a_range_that_is_too_small_is_named_as_it_was_typed(tmp_path: Path):
    made = setup("http://127.0.0.1:9", tmp_path, orders="999999990-999999999")
    with pytest.raises(UsageError) as caught:
        probing.outline(made)
    assert caught.value.what.startswith("the range 999999990-999999999 has 10 ids, and what is tried needs ")
    assert caught.value.what.endswith(" beside the 2 that are kept for valid requests in between")
