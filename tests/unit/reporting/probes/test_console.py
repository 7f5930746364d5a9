"""reporting/probes/console.py: what a terminal shows of a probe."""

from __future__ import annotations

import msgspec
import pytest

from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.probe.probing import ProbeOutline
from retailops_sandbox.reporting.probes import console
from tests.support.finished import SHOP
from tests.support.probe_reports import CRASH, PATHS, clean_report, probe_report


def text(report=None, width: int = 80, colour: bool = False, **options) -> list[str]:
    return console.text(report or probe_report(), width=width, colour=colour, **options)


def test_it_begins_with_the_scorecard_and_ends_with_the_verdict():
    lines = text()
    assert lines[1] == "Contract    72 held, 27 did not, 5 to see"
    assert lines[-5:] == [
        '✗ not yet fit: 1 cause breaks the contract, 1 cause does harm; mending "Crashes',
        '  where a member is null" turns 27 of 30 requests green',
        "211 requests in 6.2 s · 2 new, 1 gone, 1 still there, receiver: my-shop",
        "open a delivery: retailops-sandbox log show DELIVERY",
        "fails: 1 cause of contract and server (--fail-on)",
    ]


def test_a_finding_is_told_with_its_label_what_was_seen_and_how_to_mend_it():
    lines = text()
    start = lines.index("✗ Crashes where a member is null  (contract, new)")
    assert lines[start + 1 : start + 7] == [
        "    seen:     27 of 27 requests with null were answered 500, such as",
        "              /data/order/channel_payment",
        "    smallest: /data/order/channel_payment: null (delivery d-crash)",
        "    why:      RetailOPS sends null where an order has no payment, and retries",
        "              what is answered 5xx",
        "    mend:     read a member that is null as one that is absent",
    ]
    # That of the contract is the same for all; that of a documentation is told.
    assert "    source:   contract order_cancel v1" not in lines
    assert "    source:   documentation" in lines
    assert "✗ Tells its own file paths  (advice, new)" in lines


def test_it_says_what_is_gone_what_the_sdk_tool_says_and_what_was_not_seen():
    lines = text()
    for line in (
        "gone: Hangs up where the body is empty",
        "the SDK's tool: passes /events: null",
        "note: Repetition cannot be judged by differences: both answers are the same.",
        "left out: 120 of Contract, 4 of Speed",
    ):
        assert line in lines


def test_it_says_why_it_does_not_fail_where_a_receiver_is_not_yet_fit():
    harmful = msgspec.structs.replace(clean_report(), findings=(PATHS,))
    lines = text(harmful)
    assert lines[-1] == "exit 0: --fail-on names contract and server only"
    assert "✗ not yet fit: 1 cause does harm; mending it turns 4 requests green" in lines
    assert not any(line.startswith("exit 0") for line in text(harmful, fail_on=("advice",)))


def test_a_clean_probe_is_fit_and_fails_nothing():
    lines = text(clean_report())
    assert lines[-2:] == [
        "✓ fit: nothing broke the contract",
        "211 requests in 6.2 s, receiver: my-shop",
    ]


def test_where_nothing_was_judged_the_reason_is_all_there_is():
    report = msgspec.structs.replace(clean_report(), baseline="no valid request was accepted", areas=())
    assert text(report) == [
        "",
        "! not judged: no valid request was accepted",
        "211 requests in 6.2 s, receiver: my-shop",
    ]


def test_the_stand_in_is_no_proof():
    assert "receiver: the stand-in (it proves nothing about a real receiver)" in " ".join(
        text(clean_report(stand_in=True))
    )


@pytest.mark.parametrize("width", [44, 60, 80, 120])
def test_no_line_is_wider_than_the_terminal(width: int):
    assert all(len(line) <= width for line in text(width=width))


def test_a_word_that_is_longer_than_a_line_stays_whole():
    long = "/data/" + "x" * 200
    finding = msgspec.structs.replace(CRASH, evidence=f"answered 500 at {long}")
    assert any(long in line for line in text(probe_report(findings=(finding,)), width=40))


def test_colour_is_only_where_it_is_asked_for_and_changes_no_word():
    assert "\x1b" not in "".join(text())
    coloured = "\n".join(text(colour=True))
    assert "\x1b[31m✗\x1b[0m Crashes" in coloured
    bare = coloured
    for code in ("31", "32", "36", "35", "0"):
        bare = bare.replace(f"\x1b[{code}m", "")
    assert bare == "\n".join(text())


def test_what_a_receiver_wrote_is_no_command_to_the_terminal():
    finding = msgspec.structs.replace(CRASH, evidence="a\x1b[2J\n::error::b", title="c\x1bd")
    printed = text(probe_report(findings=(finding,)))
    assert "    seen:     a\\u001b[2J\\n::error::b" in printed
    assert "✗ c\\u001bd  (contract, new)" in printed


def test_what_ended_early_says_so_beside_its_findings():
    assert "it ended early: it was interrupted" in text(probe_report(stopped="it was interrupted"))


def test_what_will_be_sent_keeps_the_width_too():
    planned = ProbeOutline(
        url="http://127.0.0.1:5000/order_cancel",
        requests=330,
        scenarios=8,
        areas={"contract": 153, "repetition": 37, "transport": 60, "auth": 49, "speed": 28},
        left_out={},
        orders="900000000-900009999",
        seed=7,
        max_seconds=90,
    )
    contract = SHIPPED_CONTRACTS.load("order_cancel", "v1")
    lines = console.outline(planned, contract, SHOP, width=80)
    assert lines[1:3] == [
        "sends about 330 requests within 90 s: 153 Contract, 37 Repetition, 60 Transport,",
        "  49 Auth, 28 Speed",
    ]
    assert all(len(line) <= 80 for line in lines)
