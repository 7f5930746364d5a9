"""The pytest plugin as its users run it: a pytest of its own, in a folder of its own."""

from __future__ import annotations

import functools
import json
import os
import re
import signal
import subprocess
import sys
import threading
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from typing import Any

import pytest
from lxml import etree

# All that a pytest in this process imports late: pytester takes out of `sys.modules` what came while it ran.
import retailops_sandbox.pytest_plugin.hooks
import retailops_sandbox.reporting.render.sidebyside_text
import retailops_sandbox.reporting.reporters.console
import retailops_sandbox.standin  # noqa: F401
from retailops_sandbox.errors import SandboxError
from retailops_sandbox.pytest_plugin.session import Session
from retailops_sandbox.runlog.opening import read_run_file
from tests.published import schemas
from tests.support import documents
from tests.support.pytest_runs import STAND_IN, run, scenario
from tests.support.receivers import Peer, Receiver, answering, receiver, response, unused_port

NOTHING = {"body": {"events": []}}
UNKNOWN = {"/data/order/id": "no-such-order"}
ANSWER = response(b'{"events":[]}', "Content-Type: application/json")


@pytest.fixture(autouse=True)
def _clean(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder to be in, and nothing said of the sandbox."""
    for name in os.environ:
        if name.startswith(("RETAILOPS", "PYTEST_ADDOPTS", "PYTEST_XDIST")):
            monkeypatch.delenv(name)


@pytest.fixture
def shop() -> Iterator[Receiver]:
    with receiver(answering(ANSWER)) as shop:
        yield shop


def run_files(pytester: pytest.Pytester) -> list[dict[str, Any]]:
    """The log, in order of its runs."""
    return [json.loads(file.read_text()) for file in sorted(pytester.path.glob(".sandbox/runs/*"))]


def rows(run_file: dict[str, Any], table: str) -> list[dict[str, Any]]:
    return list(run_file[table].values())


# --- scenario files ---


def test_each_scenario_file_is_an_item_and_a_broken_one_stops_no_other(pytester: pytest.Pytester):
    scenario(pytester, "a-good", NOTHING)
    (pytester.path / "b-broken.scenario.json").write_text('{\n  "steps": [{"fixtrue": "default"}]\n}')
    scenario(pytester, "c-bad", NOTHING, set=UNKNOWN)
    scenario(pytester, "d-recorded")
    scenario(pytester, "e-lost", NOTHING, fixture="no-such-fixture")
    pytester.makepyfile("def test_of_another_kind(): pass")
    done = run(pytester, STAND_IN)
    done.assert_outcomes(passed=2, failed=2, skipped=1, errors=1)
    assert done.ret == 1
    text = done.stdout.str()
    assert "Traceback" not in text + done.stderr.str()
    assert 'b-broken.scenario.json:2:25 at /steps/0/fixtrue: unknown field "fixtrue"' in text
    done.stdout.fnmatch_lines(
        [
            "*ERROR collecting b-broken.scenario.json*",
            "*did you mean*fixture*",
            "*The c-bad one*",
            "*step 'cancel' failed  c-bad.scenario.json:2",
            "*differs from what was expected:",
            "*POST http://127.0.0.1:*/order_cancel -> 200*",
            "*+ ERR1404 unexpected event*",
            "*The e-lost one*",
            "*no-such-fixture*",
            "*RetailOPS receiver: stand-in (it proves nothing about a real receiver)*",
            "SKIPPED*d-recorded*2: recorded: nothing is expected of step*; events were not compared",
            "FAILED c-bad.scenario.json::The c-bad one - failed: step 'cancel'*",
            "FAILED e-lost.scenario.json::The e-lost one - errored: step 'cancel'*",
        ]
    )


def test_a_scenario_that_passes_without_its_events_says_so(pytester: pytest.Pytester):
    scenario(pytester, "status", {"status": 200})
    scenario(pytester, "events", NOTHING)
    pytester.makepyfile(
        """
        def test_of_a_send(retailops):
            result = retailops.send("default", expect={"status": 200})
            assert result.check().unchecked == ("events",)
            assert repr(result) == "<Result passed: 200; events were not compared>"
            assert retailops.send("default").check().comparison.expected_by
            assert retailops.send("default", expect=None).verdict == "recorded"
        """
    )
    done = run(pytester, STAND_IN)
    done.assert_outcomes(passed=3)
    said = [line for line in done.outlines if "not compared" in line]
    assert said == ["passed, but status.scenario.json::The status one: events were not compared"]


def test_a_fault_is_named(pytester: pytest.Pytester):
    scenario(pytester, "down", NOTHING)
    done = run(pytester, "--retailops-receiver", f"http://127.0.0.1:{unused_port()}", "--tb=line")
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(["*down.scenario.json:2: errored: step 'cancel': refused*"])


def test_a_file_whose_name_is_not_utf_8_is_told_and_stops_no_other(pytester: pytest.Pytester):
    file = scenario(pytester, "good", NOTHING)
    file.with_name(os.fsdecode(b"b\xff.scenario.json")).write_text(file.read_text())
    done = run(pytester, STAND_IN)
    done.assert_outcomes(passed=1, errors=1)
    assert "ERROR collecting b\\xff.scenario.json" in done.stdout.str()
    assert "has a name that is not UTF-8 (rename it)" in done.stdout.str()


def test_a_log_that_cannot_be_written_is_one_line(pytester: pytest.Pytester):
    scenario(pytester, "good", NOTHING)
    pytester.makepyfile("def test_send(retailops):\n    retailops.send('default')")
    (pytester.path / ".sandbox").mkdir()
    (pytester.path / ".sandbox" / "runs").write_text("in the way")
    done = run(pytester, STAND_IN)
    done.assert_outcomes(failed=2)
    assert done.stdout.str().count("cannot be written") >= 2
    assert "store/writer.py" not in done.stdout.str()
    assert "asyncio" not in done.stdout.str()


def test_a_log_that_is_deleted_meanwhile_is_made_anew(pytester: pytest.Pytester):
    pytester.makepyfile(
        """
        import shutil

        def test_send(retailops):
            retailops.send("default", expect={"status": 200}).check()
            shutil.rmtree(".sandbox")
        """
    )
    done = run(pytester, STAND_IN, alone=True)
    done.assert_outcomes(passed=1)
    assert done.errlines == []
    (run_file,) = (pytester.path / ".sandbox" / "runs").glob("*.json")
    assert len(read_run_file(run_file)) == 1


def test_with_a_broken_module_too_the_rule_of_pytest_holds(pytester: pytest.Pytester):
    scenario(pytester, "good", NOTHING)
    (pytester.path / "broken.scenario.json").write_text("{")
    pytester.makepyfile("import no_such_module")
    done = run(pytester, STAND_IN)
    done.assert_outcomes(errors=2)
    assert done.ret == 2
    assert not (pytester.path / ".sandbox").exists()


def test_the_log_holds_deliveries_judgements_and_results(pytester: pytest.Pytester):
    scenario(pytester, "good", NOTHING, set={"/data/order/channel_refnum": "${sequence}"})
    scenario(pytester, "other", NOTHING, set={"/data/order/channel_refnum": "${sequence}"})
    (pytester.path / "broken.scenario.json").write_text("{")
    assert run(pytester, STAND_IN).ret == 1
    (log,) = run_files(pytester)
    (info,) = rows(log, "run")
    assert (info["kind"], info["receiver"], info["stand_in"], info["scenarios"]) == (
        "pytest",
        "stand-in",
        True,
        2,
    )
    assert "broken.scenario.json" in info["unreadable"][0]
    assert info["finished_at"]
    assert [row["verdict"] for row in rows(log, "judgements")] == ["passed", "passed"]
    assert [row["scenario"] for row in rows(log, "results")] == ["good.scenario.json", "other.scenario.json"]
    sent = [json.loads(row["request"]["body"]) for row in rows(log, "deliveries")]
    assert [payload["data"]["order"]["channel_refnum"] for payload in sent] == [1, 2]


def test_selecting_by_name_and_by_tag(pytester: pytest.Pytester):
    scenario(pytester, "first", NOTHING, tags=["smoke", "skip", "team:red", "two words"])
    scenario(pytester, "second", NOTHING)
    for selection in (("-k", "first"), ("-k", "smoke"), ("-m", "smoke"), ("-k", "skip")):
        done = run(pytester, STAND_IN, "--strict-markers", "-W", "error", *selection)
        done.assert_outcomes(passed=1, deselected=1)
    # `skip` as a marker would skip it.
    run(pytester, STAND_IN, "-m", "skip").assert_outcomes(deselected=2)


NAMES = [
    "The good one",
    "a [b] c",
    "[1-2]",
    "open [",
    "close ]",
    "a::b",
    "a:::b:",
    "::",
    "a@b] c",
    "two\nlines",
    "\u001b[31mred",
    "«d» \u202e",
    "  ",
    "dots.and/slashes\\",
    "long " * 100,
]


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_an_id_survives_any_name(pytester: pytest.Pytester, workers: tuple[str, ...]):
    for number, name in enumerate(NAMES):
        scenario(pytester, f"s{number:02}", NOTHING, set=UNKNOWN, title=name)
    scenario(pytester, "good", NOTHING)
    run(pytester, STAND_IN, *workers, "--junitxml", "r.xml").assert_outcomes(passed=1, failed=len(NAMES))
    again = run(pytester, STAND_IN, *workers, "--last-failed", "--last-failed-no-failures", "none")
    again.assert_outcomes(failed=len(NAMES))

    collected = run(pytester, STAND_IN, "--collect-only", "-q")
    ids = [line for line in collected.outlines if re.match(r"s\d\d\.scenario\.json::", line)]
    assert len(ids) == len(NAMES)
    assert all(id.isprintable() for id in ids)
    cases = [case.get("name") for case in ET.parse(pytester.path / "r.xml").iter("testcase")]
    assert {id.partition("::")[2] for id in ids} <= set(cases)
    run(pytester, STAND_IN, *workers, *ids).assert_outcomes(failed=len(NAMES))
    run(pytester, STAND_IN, *workers, "--deselect", ids[1]).assert_outcomes(
        passed=1, failed=len(NAMES) - 1, deselected=0 if workers else 1
    )


def test_a_scenario_is_selected_by_its_name_as_it_is(pytester: pytest.Pytester):
    scenario(pytester, "a", NOTHING, title="paid [twice]")
    scenario(pytester, "b", NOTHING, title="paid")
    run(pytester, STAND_IN, "-k", "[twice]").assert_outcomes(passed=1, deselected=1)


def test_last_failed_and_stopping_at_the_first(pytester: pytest.Pytester):
    for stem in ("a", "b", "c"):
        scenario(pytester, stem, NOTHING, set=UNKNOWN if stem != "a" else {})
    run(pytester, STAND_IN, "-x").assert_outcomes(passed=1, failed=1)
    run(pytester, STAND_IN, "--lf").assert_outcomes(failed=1)


def test_the_stand_in_is_fresh_for_each_scenario_and_each_test(pytester: pytest.Pytester):
    scenario(pytester, "one", NOTHING)
    pytester.makepyfile(
        """
        from urllib.request import urlopen

        def state(result):
            overview = urlopen(result.delivery.request.url.removesuffix("/order_cancel")).read().decode()
            (line,) = [line for line in overview.splitlines() if "id 4897," in line]
            return line.rpartition(" ")[2]

        def test_one(retailops):
            assert state(retailops.send("default", expect={"status": 200}).check()) == "cancelled"

        def test_two(retailops):
            assert state(retailops.send("unknown-order")) == "open"
            assert state(retailops.send("default")) == "cancelled"
            assert state(retailops.send("unknown-order")) == "cancelled"
        """
    )
    run(pytester, STAND_IN).assert_outcomes(passed=3)


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["alone", "xdist"])
def test_junit_names_the_receiver_where_jenkins_allows_it(
    pytester: pytest.Pytester, shop: Receiver, workers: tuple[str, ...]
):
    scenario(pytester, "good", NOTHING)
    pytester.makepyfile("def test_send(retailops): retailops.send('default')\ndef test_other(): pass")
    for arguments, properties in (
        ((STAND_IN,), {"retailops_receiver": "stand-in", "retailops_stand_in": "true"}),
        (("--retailops-receiver", shop.url), {"retailops_receiver": shop.url}),
    ):
        run(pytester, *arguments, *workers, "--junitxml", "report.xml").assert_outcomes(passed=3)
        report = etree.parse(pytester.path / "report.xml")
        schemas.junit().assertValid(report)
        found = {each.get("name"): each.get("value") for each in report.iterfind(".//property")}
        assert found == properties


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["alone", "xdist"])
def test_the_url_is_shown_before_the_first_test_and_says_the_edition(
    pytester: pytest.Pytester, shop: Receiver, workers: tuple[str, ...]
):
    scenario(pytester, "good", NOTHING)
    pytester.makepyfile("def test_send(retailops): assert retailops.send('default').request")
    done = run(pytester, "--retailops-receiver", f"{shop.url}/order_cancel", *workers)
    shown = [line for line in done.outlines if line.startswith("RetailOPS sends to:")]
    assert shown == [f"RetailOPS sends to: {shop.url}/order_cancel"]
    first = next(
        number for number, line in enumerate(done.outlines) if line.endswith("%]") or "PASSED" in line
    )
    assert done.outlines.index(shown[0]) < first
    run(pytester, "--retailops-receiver", f"{shop.url}/order_cancel_v1/", "-k", "test_send")
    sent = [request.split(b" ")[1] for request in shop.requests]
    assert sent == [b"/order_cancel", b"/order_cancel", b"/order_cancel_v1/"]


def test_junit_of_a_run_that_sends_nothing_names_no_receiver(pytester: pytest.Pytester):
    pytester.makepyfile("def test_other(): pass")
    run(pytester, STAND_IN, "--junitxml", "report.xml").assert_outcomes(passed=1)
    assert "propert" not in (pytester.path / "report.xml").read_text()


def test_with_xdist_each_worker_has_its_own_run(pytester: pytest.Pytester):
    for number in range(6):
        scenario(pytester, f"s{number}", NOTHING, set=UNKNOWN if number == 5 else {})
    (pytester.path / "broken.scenario.json").write_text("{")
    done = run(pytester, STAND_IN, "-n", "2", "--dist", "each", "--junitxml", "report.xml")
    done.assert_outcomes(passed=10, failed=2, errors=1)
    text = done.stdout.str()
    assert "RetailOPS receiver: stand-in (it proves nothing about a real receiver)" in text
    assert "step 'cancel' failed  s5.scenario.json:2" in text
    logs = run_files(pytester)
    assert [len(rows(log, "results")) for log in logs] == [6, 6]
    properties = ET.parse(pytester.path / "report.xml").iterfind(".//property[@name='retailops_receiver']")
    assert {each.get("value") for each in properties} == {"stand-in"}


# --- which receiver ---


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["alone", "xdist"])
def test_without_a_receiver_the_stand_in_is_named_and_nothing_is_sent(
    pytester: pytest.Pytester, workers: tuple[str, ...]
):
    scenario(pytester, "good", NOTHING)
    done = run(pytester, *workers)
    assert done.ret == 4
    assert "no receiver is named" in done.stderr.str()
    assert "--retailops-stand-in" in done.stderr.str()
    assert not (pytester.path / ".sandbox").exists()
    collected = run(pytester, "--collect-only", *workers)
    assert collected.ret == 0
    assert "The good one" in collected.stdout.str()


def test_without_a_receiver_the_fixture_says_so_too(pytester: pytest.Pytester):
    pytester.makepyfile("def test_send(retailops): retailops.send('default')")
    done = run(pytester)
    assert done.ret == 4
    assert "--retailops-stand-in" in done.stderr.str()
    workers = run(pytester, "-n", "1")
    workers.assert_outcomes(errors=1)
    assert "--retailops-stand-in" in workers.stdout.str()
    pytester.makepyfile("def test_send(request): request.getfixturevalue('retailops')")
    late = run(pytester)
    late.assert_outcomes(failed=1)
    assert "--retailops-stand-in" in late.stdout.str()


def test_a_run_that_uses_nothing_of_it_notices_nothing(pytester: pytest.Pytester):
    pytester.makepyfile(
        """
        import sys

        def test_other():
            assert "retailops_sandbox.pytest_plugin" in sys.modules
            used = [name for name in sys.modules if name.startswith("retailops_sandbox.")]
            assert used == ["retailops_sandbox.pytest_plugin"]
        """
    )
    done = run(pytester, alone=True)
    done.assert_outcomes(passed=1)
    assert "RetailOPS" not in done.stdout.str() + done.stderr.str()
    assert not (pytester.path / ".sandbox").exists()


INI = "[pytest]\nretailops_receiver = http://of-the-ini\n"
TOML = '[tool.pytest]\nretailops_receiver = "http://of-the-ini"\n'
OURS = '[tool.retailops-sandbox]\nreceiver = "http://of-pyproject"\n'
BOOK = {
    "receivers": {
        "1": {"name": "ours", "base_url": "http://of-the-workspace"},
        "2": {"name": "live", "base_url": "http://live", "protected": True},
    },
    "settings": {"1": {"default": "ours"}},
}


@pytest.mark.parametrize(
    ("options", "variable", "files", "expected"),
    [
        (
            ["--retailops-receiver", "http://of-the-option"],
            "http://v",
            {"pytest.ini": INI},
            "http://of-the-option",
        ),
        ([STAND_IN], "http://v", {"pytest.ini": INI}, "stand-in"),
        ([], "http://v", {"pytest.ini": INI}, "http://v"),
        ([], "", {"pytest.ini": INI, "pyproject.toml": OURS}, "http://of-the-ini"),
        ([], "", {"pyproject.toml": TOML + OURS}, "http://of-the-ini"),
        ([], "", {"pyproject.toml": "[tool.pytest]\nretailops_stand_in = true\n" + OURS}, "stand-in"),
        ([], "", {"pytest.ini": "[pytest]\nretailops_stand_in = true\n"}, "stand-in"),
        ([], "", {"pyproject.toml": OURS}, "http://of-pyproject"),
        ([], "", {}, "ours"),
        (["--retailops-receiver", "live", "--retailops-yes"], "", {}, "live"),
    ],
)
def test_command_line_environment_ini_pyproject_workspace_in_this_order(
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    options: list[str],
    variable: str,
    files: dict[str, str],
    expected: str,
):
    monkeypatch.setenv("RETAILOPS_SANDBOX_RECEIVER", variable)
    for name, text in files.items():
        (pytester.path / name).write_text(text)
    (pytester.path / "receivers.json").write_text(json.dumps(BOOK))
    below = pytester.mkdir("below")
    monkeypatch.chdir(below)
    session = Session(pytester.parseconfig(*options), scenarios=0)
    assert session.receiver.name == expected
    assert session.workspace.root == pytester.path


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([STAND_IN, "--retailops-receiver", "http://h"], "exclude each other"),
        (["--retailops-receiver", "lvie"], "did you mean live"),
        (["--retailops-receiver", "live"], "--retailops-yes"),
        (["--retailops-receiver", "localhost:80"], "write http://localhost:80"),
        (["--retailops-receiver", "ftp://h"], "write http://h"),
        ([STAND_IN, "--retailops-edition", "v7"], "v7"),
    ],
)
def test_what_cannot_be_used_is_told(pytester: pytest.Pytester, options: list[str], said: str):
    (pytester.path / "receivers.json").write_text(json.dumps(BOOK))
    with pytest.raises(SandboxError, match=said):
        Session(pytester.parseconfig(*options), scenarios=0)


def test_a_redirect_is_followed_where_that_is_asked_for(pytester: pytest.Pytester):
    pytester.makepyfile(
        """
        import pytest

        def test_redirected(retailops):
            result = retailops.send("default")
            assert result.response.status == 200

        def test_told(retailops):
            result = retailops.send("default")
            with pytest.raises(AssertionError, match="^the answer is text, not JSON: “moved”"):
                result.response.json()
        """
    )
    moved = response(b"moved", "Location: /there", status="307 Temporary Redirect")
    answer = response(b'{"events": []}')

    def act(peer: Peer) -> None:
        while (request := peer.read_request()) is not None:
            peer.send(answer if request.startswith(b"POST /there ") else moved)

    with receiver(act) as there:
        options = ("-p", "no:randomly", "--retailops-receiver", there.url)
        done = pytester.runpytest_subprocess(*options)
        done.assert_outcomes(passed=1, failed=1)
        done.stdout.fnmatch_lines(["*assert 307 == 200*"])
        done = pytester.runpytest_subprocess(*options, "--retailops-follow-redirects", "-k", "redirected")
        done.assert_outcomes(passed=1)


# --- the fixture ---


def test_send_gives_delivery_and_comparison(pytester: pytest.Pytester):
    pytester.makepyfile(
        """
        from decimal import Decimal
        import pytest
        from retailops_sandbox import Errored, SandboxError

        def test_passed(retailops):
            result = retailops.send(
                "default",
                set={"/data/order/grand_total": Decimal("35.00"), "/data/order/id": "${order}"},
                remove=["/data/order/ship_service_name"],
                variables={"order": "4897"},
                headers={"X-Shop": "12"},
                off_contract=True,
                expect={"status": 422},
            ).check()
            assert result.passed and result.verdict == "passed"
            assert '"grand_total":35.00' in result.delivery.request.body
            assert '"id":"4897"' in result.delivery.request.body
            assert ("X-Shop", "12") in result.delivery.request.headers
            assert result.delivery.id == result.comparison.delivery
            assert result.response.status == 422
            assert result.response.headers["CONTENT-type"].startswith("application/json")
            assert "ship_service_name" in result.response.text
            assert result.response.json()["error"]
            assert retailops.send("default").response.json(object_pairs_hook=list) == [("events", [])]
            assert "422" in repr(result)

        def test_failed(retailops):
            result = retailops.send("unknown-order", expect={"body": {"events": []}})
            assert not result.passed
            (difference,) = result.differences
            assert (difference.kind, difference.actual_pointer) == ("unexpected", "/events/0")
            assert result.violations == []
            assert "/events/0: expected nothing" in repr(result) and "\\n" not in repr(result)
            with pytest.raises(AssertionError, match="(?s)failed: /events/0.*ERR1404 unexpected event"):
                result.check()

        def test_recorded(retailops):
            result = retailops.send(payload={"version": 1}, off_contract=True)
            assert result.verdict == "recorded"
            with pytest.raises(AssertionError, match="nothing was expected: body was not compared"):
                result.check()

        def test_raw_in_another_edition(retailops):
            result = retailops.send(raw=b"\\xff", edition="v1", expect={"status": 400})
            assert result.check().delivery.request.url.endswith("/order_cancel_v1")
            assert retailops.send("default", edition="v1", expect={"status": 200}).passed

        def test_nothing_sent(retailops):
            result = retailops.send("default", remove=["/version"], expect={"status": 200})
            assert result.verdict == "errored" and not result.deliveries
            for look in (lambda: result.response, lambda: result.comparison, result.check):
                with pytest.raises(Errored, match="nothing was sent: the payload breaks the contract"):
                    look()
            assert not issubclass(Errored, AssertionError)

        @pytest.mark.parametrize("fields, said", [
            ({"exspect": {}}, "at /exspect.*did you mean \\"expect\\""),
            ({"expect": {"rules": {"/a": {"regexp": "x"}}}}, "at /expect/rules/~1a: .*regex"),
            ({"set": {"/a": float("nan")}}, "nan is not JSON"),
            ({"set": {"/a": {1: 2}}}, "at /set/~1a: .*is not JSON"),
            ({"edition": "v9"}, "v9"),
            ({"set": {"/data/x/y/0": "${nobody}"}}, "nobody"),
        ])
        def test_mistakes(retailops, fields, said):
            with pytest.raises(SandboxError, match=said):
                retailops.send("default", **fields)
        """
    )
    done = run(pytester, STAND_IN)
    done.assert_outcomes(passed=11)


def test_the_edition_that_is_sent_is_draft_unless_told(pytester: pytest.Pytester):
    pytester.makepyfile("def test_it(retailops): print('to', retailops.send('default').delivery.edition)")
    assert "to draft" in run(pytester, STAND_IN, "-s").stdout.str()
    assert "to v1" in run(pytester, STAND_IN, "-s", "--retailops-edition", "v1").stdout.str()
    pytester.makeini("[pytest]\nretailops_edition = v1")
    assert "to v1" in run(pytester, STAND_IN, "-s").stdout.str()


def test_a_failed_test_shows_what_it_had_sent_whatever_it_asserts(pytester: pytest.Pytester):
    pytester.makepyfile(
        """
        def test_one(retailops):
            assert retailops.send("default", expect={"status": 418}).passed

        def test_two(retailops):
            retailops.send("default", expect={"status": 418}).check()

        def test_three(retailops):
            retailops.send("default", expect={"status": 200}).check()
            assert 1 == 2
        """
    )
    done = run(pytester, STAND_IN)
    done.assert_outcomes(failed=3)
    done.stdout.fnmatch_lines(
        [
            "*where False = <Result failed: status: expected 418, got 200*>.passed",
            "*retailops send 1*",
            "*step 'test_*::test_one' failed*",
            "*test_two*",
            ">*check()",
            "E*AssertionError: failed: status: expected 418, got 200 (changed)*",
            "E*step 'test_*::test_two' failed*",
            "*test_three*",
            "*retailops send 1*",
            "*passed*default*",
        ]
    )
    assert done.stdout.str().count("retailops send") == 2  # not again what check() told
    assert "engine_thread.py" not in done.stdout.str()


def test_sending_inside_an_event_loop_keeps_the_connection(pytester: pytest.Pytester, shop: Receiver):
    pytester.makepyfile(
        """
        import asyncio
        import pytest

        @pytest.fixture
        def anyio_backend():
            return "asyncio"

        @pytest.mark.anyio
        async def test_blocking(retailops):
            assert retailops.send("default", expect={"status": 200}).check()
            assert (await retailops.send_async("default", expect={"status": 200})).passed

        def test_without(retailops):
            assert retailops.send("default", expect={"status": 200}).passed
        """
    )
    run(pytester, "--retailops-receiver", shop.url, "-p", "anyio").assert_outcomes(passed=2)
    assert len(shop.requests) == 3
    assert shop.connections == 1


def test_sending_from_several_threads(pytester: pytest.Pytester):
    pytester.makepyfile(
        """
        from concurrent.futures import ThreadPoolExecutor

        def test_it(retailops):
            def send(number):
                return retailops.send("default", set={"/data/order/channel_refnum": "${sequence}"})

            with ThreadPoolExecutor(8) as threads:
                deliveries = [result.delivery for result in threads.map(send, range(24))]
            assert len({each.run for each in deliveries}) == 1
            assert len({each.id for each in deliveries}) == 24
            assert len({each.request.url for each in deliveries}) == 1
            assert len({each.request.body for each in deliveries}) == 24
        """
    )
    run(pytester, STAND_IN).assert_outcomes(passed=1)


def test_a_receiver_in_the_loop_of_the_test(pytester: pytest.Pytester):
    port = unused_port()
    pytester.makepyfile(
        f"""
        import asyncio

        async def answer(reader, writer):
            await reader.readuntil(b"\\r\\n\\r\\n")
            writer.write(b"HTTP/1.1 200 OK\\r\\nContent-Type: application/json\\r\\nContent-Length: 13\\r\\n"
                         b"Connection: close\\r\\n\\r\\n" + b'{{"events":[]}}')
            await writer.drain()
            writer.close()

        async def send(retailops):
            async with await asyncio.start_server(answer, "127.0.0.1", {port}):
                return await retailops.send_async("default", expect={{"body": {{"events": []}}}})

        def test_it(retailops):
            asyncio.run(send(retailops)).check()
        """
    )
    run(pytester, "--retailops-receiver", f"http://127.0.0.1:{port}").assert_outcomes(passed=1)


def test_a_send_that_is_cancelled_ends_and_is_logged(pytester: pytest.Pytester):
    pytester.makepyfile(
        """
        import asyncio
        import pytest

        async def impatient(retailops):
            await asyncio.wait_for(retailops.send_async("default", expect={"status": 200}), 0.2)

        def test_it(retailops):
            with pytest.raises(TimeoutError):
                asyncio.run(impatient(retailops))
        """
    )
    with receiver(lambda peer: (peer.read_request(), peer.hang())) as shop:
        run(pytester, "--retailops-receiver", shop.url).assert_outcomes(passed=1)
        assert shop.left.wait(60)
    (log,) = run_files(pytester)
    assert [row["fault"]["kind"] for row in rows(log, "deliveries")] == ["cancelled"]
    assert rows(log, "run")[0]["finished_at"]


def test_an_interrupt_ends_what_is_in_flight_and_logs_it(pytester: pytest.Pytester):
    def act(peer: Peer) -> None:
        peer.read_request()
        hanging.set()
        peer.hang()

    hanging = threading.Event()
    scenario(pytester, "good", NOTHING)
    with receiver(act) as shop:
        command = [sys.executable, "-m", "pytest", "-p", "no:randomly", "--retailops-receiver", shop.url]
        # Where these tests run in the background, Ctrl-C is ignored, which a child would inherit.
        heeds = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
        process = subprocess.Popen(
            command, cwd=pytester.path, stdout=subprocess.PIPE, text=True, preexec_fn=heeds
        )
        assert hanging.wait(60)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 2, out
    assert "KeyboardInterrupt" in out
    (log,) = run_files(pytester)
    assert rows(log, "deliveries")[0]["fault"]["kind"] == "cancelled"
    assert rows(log, "run")[0]["stopped"] is True


def test_nothing_sent_is_nothing_written(pytester: pytest.Pytester):
    scenario(pytester, "good", NOTHING)
    pytester.makepyfile("def test_it(retailops): assert repr(retailops) == '<RetailOPS to stand-in>'")
    run(pytester, STAND_IN, "-k", "test_it").assert_outcomes(passed=1, deselected=1)
    assert not (pytester.path / ".sandbox").exists()


def test_the_documented_examples(pytester: pytest.Pytester):
    send, probe = documents.blocks(documents.text("docs/pytest.md"), "python")
    pytester.makepyfile(f"{send}\n{probe}")
    run(pytester, STAND_IN).assert_outcomes(passed=2)
