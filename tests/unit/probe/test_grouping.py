"""Which fields and mutations explain failures with few words."""

from __future__ import annotations

import pytest

from retailops_sandbox.probe.grouping import Case, explained

SECTION, MEMBER = "/order", "/order/id"
FIELDS = [SECTION, MEMBER, "/channel", "/version"]
WHATS = ["null", "missing", "array", "beyond-32-bits", "beyond-64-bits", "256-characters", "4096-characters"]
TRANSPORT = ["gzip", "utf-16", "latin-1", "64-kb", "1-mb"]
TRIED = [
    *(Case("contract", field, what) for field in FIELDS for what in WHATS),
    *(Case("transport", "", what) for what in TRANSPORT),
    *(Case("repetition", "", what) for what in ("same-again", "ten-at-once", "later")),
    *(Case("speed", "", what) for what in ("four-at-once", "sixteen-at-once")),
    *(Case("auth", "", what) for what in ("spaced", "shortened", "altered")),
    Case("contract", "", "fixture"),
]


def at(*whats: str, fields: list[str] = FIELDS) -> list[Case]:
    return [Case("contract", field, what) for field in fields for what in whats]


def of(area: str, *whats: str) -> list[Case]:
    return [each for each in TRIED if each.area == area and each.what in whats]


CAUSES: list[tuple[str, list[Case], list[str]]] = [
    ("a mutation", at("null"), ["null"]),
    ("a field", at(*WHATS, fields=[MEMBER]), [MEMBER]),
    ("a cell", at("null", fields=[MEMBER]), [f"null {MEMBER}"]),
    ("a size of a number", at("beyond-32-bits", "beyond-64-bits", fields=[MEMBER]), [f"size {MEMBER}"]),
    ("a length", at("256-characters", "4096-characters"), ["length"]),
    ("a length, also in a body", [*at("4096-characters"), *of("transport", "64-kb", "1-mb")], ["length"]),
    (
        "a section and its members",
        at("null", "missing", "array", "beyond-32-bits", fields=[SECTION, MEMBER]),
        [SECTION],
    ),
    ("what is not UTF-8", of("transport", "gzip", "latin-1", "utf-16"), ["not-utf-8"]),
    ("two causes", [*at("null"), *of("transport", "gzip")], ["null", "compressed"]),
    ("several at once", [*of("repetition", "ten-at-once"), *of("speed", "sixteen-at-once")], ["at-once"]),
    ("again", [*of("repetition", "same-again", "later"), Case("contract", "", "baseline")], ["again"]),
    ("an area", of("auth", "spaced", "shortened", "altered"), ["auth"]),
    ("a fixture beside broken requests", [*at("null"), Case("contract", "", "fixture")], ["fixture", "null"]),
    ("a fixture alone", [Case("contract", "", "fixture")], ["fixture"]),
    ("everything", TRIED, ["everything"]),
    ("nothing", [], []),
]


@pytest.mark.parametrize(("failed", "marks"), [each[1:] for each in CAUSES], ids=[each[0] for each in CAUSES])
def test_failures_have_few_causes(failed: list[Case], marks: list[str]):
    found = explained(dict.fromkeys(failed, "answered 500"), TRIED)
    assert [each.mark for each in found] == marks
    assert sorted(case for each in found for case in each.cases) == sorted(failed)


def test_a_plain_request_that_fails_does_so_now_and_then():
    failed = dict.fromkeys([*at("null"), Case("repetition", "", "first")], "answered 500")
    assert [each.mark for each in explained(failed, TRIED)] == ["sporadic"]


def test_there_are_at_most_five_causes():
    failed = {each: "answered 500" for each in TRIED if each.what in WHATS[:3]}
    assert len(explained(failed, TRIED)) <= 5
