"""What a probe says of receivers that are wrong in exactly one way, and that it says nothing of right ones.

Each probe is short: the areas that show the fault, or a sample of the requests, and waits are shortened.
`bench/probe_receivers.py` probes all of them in full.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from retailops_sandbox.contracts.catalogue import SHIPPED_CONTRACTS
from retailops_sandbox.probe.observers import timing
from retailops_sandbox.probe.probes import AREAS, Area
from retailops_sandbox.probe.report import ProbeReport
from retailops_sandbox.probe.trials import transport
from retailops_sandbox.standin import TOKEN as STAND_IN_TOKEN
from retailops_sandbox.standin import StandIn, careless
from retailops_sandbox.standin.careless import CARELESS
from tests.support.probed.probing import probe
from tests.support.probed.receiving import serving
from tests.support.probed.right import RIGHT
from tests.support.probed.wrong import WRONG

SAMPLE = 100
"""About how many requests a short probe sends."""
SHORT_MS = 600
"""How long an answer is waited for where none comes: longer than a busy machine takes to answer."""


@pytest.fixture(autouse=True)
def upload(monkeypatch: pytest.MonkeyPatch) -> None:
    """Upload slowly for a moment only."""
    monkeypatch.setattr(transport, "_SLOW_SECONDS", 0.01)


def limits(area: Area, kind: str) -> dict[str, int]:
    """In which limits a receiver is probed that shows this kind of finding: all that v1 tries of an area.

    Every answer shows what is wrong with answers. Where each failure takes its time, a few are enough.
    """
    if kind == "hang":
        return {"max_requests": 90, "provider_ms": SHORT_MS}
    return {"max_requests": 40 if area == "answers" else 160}


def told(report: ProbeReport) -> dict[str, list[str]]:
    """The evidence of each finding, by its kind."""
    found: dict[str, list[str]] = {}
    for finding in report.findings:
        found.setdefault(finding.kind, []).append(f"{finding.title}: {finding.evidence}")
    return found


# --- Right and wrong ones of our own -----------------------------------------------------------------


@pytest.mark.parametrize("name", RIGHT)
def test_nothing_is_said_against_a_right_receiver(name: str, tmp_path: Path):
    with RIGHT[name].start() as url:
        report = probe(url, tmp_path, edition=RIGHT[name].edition, max_requests=SAMPLE)
    assert told(report) == {}
    assert (report.baseline, report.stopped) == ("", "")
    assert {area.area for area in report.areas if area.tried} >= {"contract", "repetition", "transport"}


LIKE_OTHERS = {
    *("CrashesOnNullSection", "ExpectsChannel", "PacksIn64Bits", "HasWideColumn", "CrashesOnEmptyText"),
    *("HasThreeByteColumn", "CrashesOnControlCharacter", "CrashesOnNegative", "ExpectsSection"),
    *("CrashesOnByteOrderMark", "CrashesOnEmptyBody", "CrashesOnWhatIsNotUtf8", "CrashesOnLarge"),
    *("ActsOnEveryMethod", "MindsCaseOfLength", "CrashesOnOtherPaths", "AcceptsFalsyToken", "AcceptsSuffix"),
    *("AcceptsPart", "ComparesFirstCharacters", "RefusesBy400", "UnpacksTokenInArray", "SaysArray"),
    *("SaysEventsAsObject", "AnswersNothing", "AnswersText", "Answers202", "Answers204", "NumbersCodes"),
    *("TellsTraceInEvent", "LeaksTraceOfPhp", "TellsErrorOfSql", "AnswersWithMark", "AnswersWithoutType"),
    *("LooksUpCharset", "CrashesOnDoubledHeader", "HangsUpOnExpect", "IgnoresCaseOfToken", "StripsToken"),
    *("RemembersFew", "HasFewConnections", "Deadlocks", "EncodesToken", "CrashesOnEmptyObject"),
}
"""Wrong receivers that are found as others are; the bench alone probes them, and those that are slow."""
PROBED = [name for name, wrong in WRONG.items() if wrong.area != "speed" and name not in LIKE_OTHERS]


@pytest.mark.parametrize("name", PROBED)
def test_the_fault_of_a_wrong_receiver_is_found_and_nothing_else(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    wrong = WRONG[name]
    if name == "HasNoPatience":
        monkeypatch.undo()
    area: Area = "contract" if wrong.area == "answers" else wrong.area
    with serving(wrong.receiver()) as url:
        report = probe(url, tmp_path, areas=(area, "answers"), **limits(wrong.area, wrong.kinds[0]))
    found = told(report)
    assert set(wrong.kinds) & set(found), found
    assert set(found) <= {*wrong.kinds, *wrong.also}, found


# --- The stand-in ------------------------------------------------------------------------------------

SHOWN_BY: dict[str, tuple[str, Area]] = {
    "crash-on-null": ("crash", "contract"),
    "accept-anything": ("accepts-anything", "transport"),
    "not-idempotent": ("repeats", "repetition"),
    "race": ("races", "repetition"),
    "leak-stack-trace": ("stack-trace", "contract"),
    "ignore-token": ("accepts-wrong-token", "auth"),
    "token-prefix": ("accepts-wrong-token", "auth"),
    "html-page": ("html", "contract"),
    "mix-up-orders": ("mixed-up", "repetition"),
    "hang-on-empty-array": ("hang", "contract"),
    "slow": ("slow", "speed"),
}
"""The kind of finding that fits a careless mode, and the area that shows it."""


@pytest.fixture(scope="module")
def stand_in() -> Iterator[str]:
    """The base URL of a stand-in in a thread of its own."""
    loop = asyncio.new_event_loop()
    served = StandIn()
    url = loop.run_until_complete(served.start())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield url
    asyncio.run_coroutine_threadsafe(served.stop(), loop).result(30)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def probed(url: str, folder: Path, name: tuple[str, str], **options: Any) -> ProbeReport:
    action, edition = name
    return probe(url, folder, action=action, edition=edition, token=STAND_IN_TOKEN, **options)


@pytest.mark.parametrize("name", SHIPPED_CONTRACTS.names, ids=".".join)
def test_the_careful_stand_in_has_a_clean_card(stand_in: str, name: tuple[str, str], tmp_path: Path):
    report = probed(stand_in, tmp_path, name, max_requests=SAMPLE)
    assert told(report) == {}
    assert [area for area in report.areas if area.did_not or area.to_see] == []
    assert (report.baseline, report.stopped) == ("", "")


@pytest.mark.parametrize("edition", ["v1", "draft"])
@pytest.mark.parametrize("mode", CARELESS)
def test_exactly_the_fitting_finding_is_told_of_a_careless_stand_in(
    stand_in: str, mode: str, edition: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    # A fifth of a second stands for a second: no shorter, or a busy machine makes it look serialised.
    monkeypatch.setattr(careless, "_PAUSE", 0.2)
    monkeypatch.setattr(timing, "_SLOW_MS", timing._SLOW_MS / 5)
    kind, area = SHOWN_BY[mode]
    name = ("order_cancel", edition)
    applies = "token" not in mode or SHIPPED_CONTRACTS.load(*name).auth is not None
    url = f"{stand_in}/careless/{mode}"
    report = probed(url, tmp_path, name, areas=(area, "answers"), **limits(area, kind))
    assert list(told(report)) == ([kind] if applies else []), told(report)


def test_the_tables_name_what_is_there():
    assert set(WRONG) > LIKE_OTHERS
    assert set(SHOWN_BY) == set(CARELESS)
    assert {area for _, area in SHOWN_BY.values()} < set(AREAS)
