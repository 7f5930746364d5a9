"""reporting/probes/words.py: what a probe comes to, in words."""

from __future__ import annotations

import msgspec
import pytest

from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.probe.probes import AREAS
from retailops_sandbox.probe.probing import ProbeOutline
from retailops_sandbox.probe.report import ProbeReport
from retailops_sandbox.reporting.probes import words
from tests.support.finished import SHOP, STAND_IN
from tests.support.probe_reports import CRASH, NULL_ARRAY, PATHS, clean_report, probe_report

HANG = msgspec.structs.replace(CRASH, key="hang", title="Hangs", label="advice", count=2)
NO_CODE = msgspec.structs.replace(PATHS, key="no-code", kind="no-code", title="Tells events without a code")


@pytest.mark.parametrize(
    ("report", "word", "verdict", "sentence"),
    [
        (
            probe_report(),
            "not yet fit",
            "failed",
            '1 cause breaks the contract, 1 cause does harm; mending "Crashes where a member is null" '
            "turns 27 of 30 requests green",
        ),
        (
            probe_report(findings=(HANG, CRASH)),
            "not yet fit",
            "failed",
            "1 cause breaks the contract, 1 cause makes the server fail; "
            'mending "Crashes where a member is null" '
            "turns 27 of 30 requests green",
        ),
        (
            probe_report(findings=(HANG, PATHS, NULL_ARRAY), observations=()),
            "not yet fit",
            "failed",
            "1 cause makes the server fail, 1 cause does harm; "
            'mending "Tells its own file paths" turns 4 requests green',
        ),
        (
            clean_report(),
            "fit",
            "passed",
            "nothing broke the contract",
        ),
        (
            msgspec.structs.replace(clean_report(), findings=(NULL_ARRAY, NO_CODE), left_out={"speed": 4}),
            "fit by the contract",
            "recorded",
            "nothing broke the contract; 2 causes to see; 4 left out",
        ),
        (
            msgspec.structs.replace(clean_report(), areas_wanted=("contract", "auth")),
            "fit",
            "passed",
            "nothing broke the contract; only Contract and Auth tried",
        ),
        (
            msgspec.structs.replace(clean_report(), doubts=("nothing was seen done",)),
            "not enough seen",
            "errored",
            "nothing was seen done; nothing broke the contract",
        ),
        (
            msgspec.structs.replace(clean_report(), baseline="no valid request was accepted"),
            "not judged",
            "errored",
            "no valid request was accepted",
        ),
        (
            msgspec.structs.replace(clean_report(), stopped="it was interrupted"),
            "not finished",
            "errored",
            "it was interrupted; nothing broke the contract so far",
        ),
    ],
)
def test_the_verdict_says_in_a_sentence_what_a_probe_comes_to(
    report: ProbeReport, word: str, verdict: str, sentence: str
):
    assert words.verdict(report)[:3] == (word, verdict, sentence)


def test_where_one_cause_spoils_all_there_is_no_total():
    report = probe_report(observations=(), findings=(CRASH,))
    assert words.verdict(report).sentence.endswith("mending it turns 27 requests green")
    report = probe_report(observations=(), findings=(msgspec.structs.replace(CRASH, count=1),))
    assert words.verdict(report).sentence.endswith("mending it turns 1 request green")


def test_what_fails_as_a_server_or_does_harm_did_not_hold_and_other_advice_is_to_see():
    assert [words.outcome(each) for each in (CRASH, HANG, PATHS)] == ["did not"] * 3
    assert [words.outcome(each) for each in (NULL_ARRAY, NO_CODE)] == ["to see"] * 2
    assert words.label(HANG) == "advice, server"
    assert words.label(CRASH) == "contract"


def test_areas_are_told_worst_first_with_what_held_and_what_did_not():
    areas = words.worst_first(probe_report().areas)
    assert [each.area for each in areas] == [
        "contract",
        "transport",
        "answers",
        "repetition",
        "auth",
        "speed",
    ]
    assert words.counts_line(areas[0]) == "72 held, 27 did not, 5 to see"
    assert words.counts_line(areas[-1]) == "4 held"


def test_every_area_has_a_name():
    assert set(words.AREA_NAMES) == set(AREAS)


def test_what_changed_is_told_only_where_there_is_something_to_compare_with():
    assert words.tried(probe_report()) == "211 requests in 6.2 s · 2 new, 1 gone, 1 still there"
    assert words.tried(probe_report(findings=(), gone=())) == "211 requests in 6.2 s · nothing changed"
    assert words.tried(clean_report()) == "211 requests in 6.2 s"


def planned(**changed) -> ProbeOutline:
    outline = ProbeOutline(
        url="http://127.0.0.1:5000/order_cancel",
        requests=1040,
        scenarios=0,
        areas={"speed": 140, "auth": 0, "contract": 900},
        left_out={},
        orders="900000000-900009999",
        seed=7,
        max_seconds=90,
    )
    return msgspec.structs.replace(outline, **changed)


def test_what_will_be_sent_is_told_with_its_kinds_and_its_orders():
    contract = SHIPPED_CONTRACTS.load("order_cancel", "v1")
    assert words.outline(planned(), contract, SHOP) == [
        "probes http://127.0.0.1:5000/order_cancel with order_cancel v1",
        "sends about 1,040 requests within 90 s: 900 Contract, 140 Speed",
        "orders 900000000-900009999, seed 7",
    ]
    short = words.outline(planned(scenarios=4, left_out={"contract": 800}), contract, STAND_IN)
    assert short[0] == "probes the stand-in (it proves nothing about a real receiver) with order_cancel v1"
    assert short[2:] == [
        "sends 4 scenarios before",
        "orders 900000000-900009999, seed 7",
        "left out: 800 of Contract",
    ]


def test_what_was_left_out_is_named_by_area():
    assert words.left_out(probe_report()) == "left out: 120 of Contract, 4 of Speed"
    assert words.left_out(clean_report()) == ""
