"""`run --shard` and `merge` as processes: the shards together are the whole run."""

from __future__ import annotations

import json
import re
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import httpx2 as httpx
import pytest

from retailops_sandbox.runlog.files import runfile
from tests.support.command import run_forked
from tests.support.pages import main_words, words
from tests.support.receivers import Peer, Receiver, receiver, response
from tests.support.serving import serving

EVENT = response(b'{"events":[{"error_code":"ERR7"}]}', "Content-Type: application/json")
PASSES = {"body": {"events": [{"error_code": "ERR7"}]}}
FAILS = {"status": 418, "body": {"events": []}}
SHARDS = 3


def answer(peer: Peer) -> None:
    while (request := peer.read_request()) is not None and b"hang-up" not in request:
        peer.sock.sendall(EVENT)


@pytest.fixture(scope="module")
def shop() -> Iterator[Receiver]:
    with receiver(answer) as shop:
        yield shop


def scenario(folder: Path, name: str, *steps: dict[str, object]) -> None:
    known = [{"name": f"step {number}", "fixture": "default", **step} for number, step in enumerate(steps, 1)]
    document = {"name": f"{name} it", "description": f"About {name}.", "tags": ["all"], "steps": known}
    (folder / f"{name}.scenario.json").write_text(json.dumps(document, indent=2))


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shards")
    (folder / "sound").mkdir()
    for number in range(6):
        twice = {"expect": PASSES, "deliver": {"times": 2}, "set": {"/data/order/note": "step ${sequence}"}}
        scenario(folder / "sound", f"good-{number}", {"expect": PASSES}, twice)
    scenario(folder / "sound", "bad", {"expect": PASSES}, {"expect": FAILS, "deliver": {"times": 3}})
    scenario(folder, "fault", {"set": {"/data/order/note": "hang-up"}, "expect": PASSES}, {"expect": PASSES})
    scenario(folder, "uncomposed", {"fixture": "nowhere", "expect": PASSES})
    scenario(folder, "recorded", {"expect": None})
    (folder / "broken.scenario.json").write_text('{"steps": [')
    return folder


def run(*arguments: object, cwd: Path, of: str = ".", **more: str) -> subprocess.CompletedProcess[str]:
    return run_forked("run", of, *arguments, cwd=cwd, **more)


def merge(*arguments: object, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
    return run_forked("merge", *arguments, cwd=cwd, **more)


@pytest.fixture(scope="module")
def shards(workspace: Path, shop: Receiver) -> list[Path]:
    files = [workspace / f"shard-{number}.json" for number in range(1, SHARDS + 1)]
    for number, file in enumerate(files, 1):
        run("--receiver", shop.url, "--shard", f"{number}/{SHARDS}", "--report-json", file, cwd=workspace)
    return files


def alike(text: str) -> str:
    """A report without what differs from run to run: times, ids, ports and trends."""
    for pattern in (r"\d{8}T\d{6}Z-\w+(\.\d+)?", r"\b[\d.,]+ m?s\b", r'(?<=time=")[^"]*', r":\d{4,5}\b"):
        text = re.sub(pattern, "", text)
    return re.sub(r'id="\w+-\d+"|<span class="trend.*?</span>', "", text)


def blocks(text: str, start: str) -> list[str]:
    """The parts of a report that begin like that, in an order of their own."""
    found = re.split(f"(?=^{start})", alike(text), flags=re.MULTILINE)[1:]
    cut = [each.replace("  (the same cause as above)", "").partition("\n</section>\n")[0] for each in found]
    return sorted(each.strip() for each in cut)


def test_the_reports_of_a_merged_run_are_those_of_the_whole_run(
    workspace: Path, shop: Receiver, shards: list[Path], tmp_path: Path
):
    def reports(name: str) -> list[object]:
        return ["-v", "--junit-xml", tmp_path / f"{name}.xml", "--report-html", tmp_path / f"{name}.html"]

    github = {"GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": str(workspace)}
    whole = run("--receiver", shop.url, *reports("whole"), cwd=workspace, **github)
    merged = merge(*shards[::-1], "-o", tmp_path / "run.json", *reports("merged"), cwd=workspace, **github)
    assert merged.stderr == ""
    assert merged.returncode == whole.returncode == 2
    counts = [line for line in merged.stdout.splitlines() if " 2 errored, " in line]
    assert alike(counts[0]) in alike(whole.stdout)
    assert blocks(merged.stdout, "[✓✗!○-] |::error") == blocks(whole.stdout, "[✓✗!○-] |::error")

    def cases(name: str) -> dict[str, bytes]:
        tree = ET.fromstring(alike((tmp_path / f"{name}.xml").read_text()))
        return {each.attrib["classname"]: ET.tostring(each) for each in tree.iter("testcase")}

    assert len(cases("merged")) == 11
    assert cases("merged") == cases("whole")
    pages = [(tmp_path / f"{name}.html").read_text() for name in ("merged", "whole")]
    assert blocks(pages[0], "<details class=.scenario") == blocks(pages[1], "<details class=.scenario")
    assert "recorded.scenario.json:" in pages[0]


def test_a_merge_is_one_run_and_the_same_however_often_it_is_made(
    workspace: Path, shards: list[Path], tmp_path: Path
):
    for name, files in (("one", shards), ("two", shards[::-1])):
        merge(*files, "-o", tmp_path / f"{name}.json", cwd=workspace)
    one = tmp_path / "one.json"
    assert one.read_bytes() == (tmp_path / "two.json").read_bytes()
    found = runfile.read(one)
    parts = [runfile.read(file) for file in shards]
    assert not found.problems
    assert found.head.scenarios == len(found.results) == 10
    assert [each.run for each in found.head.shards] == [part.head.id for part in parts]
    deliveries = [each for each, _ in found.deliveries]
    assert len({each.id for each in deliveries}) == sum(len(part.deliveries) for part in parts)
    assert {each.run for each in deliveries} == {found.head.id}
    judged = {each.delivery for each, _ in found.judgements}
    assert judged <= {each.id for each in deliveries}
    assert len(judged) == sum(len(part.judgements) for part in parts)
    assert {each.shard for each, _ in found.results} == {1, 2, 3}


def problems(done: subprocess.CompletedProcess[str]) -> list[str]:
    """The lines of a report about what is not there."""
    return [line for line in done.stdout.splitlines() if line.startswith("! incomplete")]


def test_a_shard_that_is_missing_is_said_in_every_report(shards: list[Path], tmp_path: Path):
    summary = tmp_path / "summary.md"
    reports = ["--junit-xml", "r.xml", "--report-html", "r.html"]
    github = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary)}
    done = merge(shards[0], shards[2], *reports, cwd=tmp_path, **github)
    said = "shard 2/3 is missing (give its run file, or run it again with --shard 2/3)"
    assert problems(done) == [f"! incomplete  {said}"]
    assert "1 incomplete in " in done.stdout
    assert f"::error title=incomplete::{said}" in done.stdout
    assert "shard 2&#47;3 is missing" in summary.read_text()
    (case,) = ET.parse(tmp_path / "r.xml").iterfind(".//testcase[@name='shard']/error")
    assert case.attrib == {"message": said, "type": "incomplete"}
    page = words((tmp_path / "r.html").read_text())
    assert "Shards 2 of 3" in page
    assert "shard 2/3 is missing give its run file, or run it again with --shard 2/3" in page


def changed(file: Path, folder: Path, name: str, **fields: object) -> Path:
    """A copy of a run file whose record of the run has these fields."""
    document = json.loads(file.read_text())
    document["run"]["1"] |= fields
    copy = folder / name
    copy.write_text(json.dumps(document))
    return copy


def test_runs_that_did_not_end_are_merged_and_said(workspace: Path, shop: Receiver, tmp_path: Path):
    files = [tmp_path / f"{number}.json" for number in (1, 2)]
    for number, file in enumerate(files, 1):
        asked = ["-k", "good", "--shard", f"{number}/2", "--report-json", file]
        run("--receiver", shop.url, *asked, of="sound", cwd=workspace)
    whole = merge(*files, cwd=tmp_path)
    assert whole.returncode == 0, whole.stdout
    for fields, code, said in (
        ({"finished_at": ""}, 2, "did not end"),
        ({"stopped": True}, 130, "was interrupted"),
        ({"stopped": True, "max_failures": 1}, 130, "was interrupted"),
        ({"scenarios": 9}, 2, "is not whole"),
    ):
        done = merge(files[0], changed(files[1], tmp_path, "x.json", **fields), cwd=tmp_path)
        assert done.returncode == code, done.stdout
        assert re.search(
            rf"shard 2/2 {said}: \d of its \d scenarios have a result \(run it again with", done.stdout
        )


def test_a_shard_that_its_own_limit_stopped_was_not_interrupted(
    workspace: Path, shop: Receiver, tmp_path: Path
):
    for number in (1, 2):
        asked = ["-x", "-j", 1, "--report-json", tmp_path / f"{number}.json"]
        run("--receiver", shop.url, "--shard", f"{number}/2", *asked, of="sound", cwd=workspace)
    done = merge(tmp_path / "1.json", tmp_path / "2.json", cwd=tmp_path)
    assert done.returncode == 1, done.stdout
    assert problems(done) == []


def test_the_journal_of_a_process_that_died_is_taken(shards: list[Path], tmp_path: Path):
    one = tmp_path / f"{runfile.read(shards[0]).head.id}.json"
    head, *records = journal(shards[0])
    one.write_text("")
    one.with_suffix(".journal").write_text("\n".join([head, *records[:-2], records[-2][:40]]))
    for name in (one, one.with_suffix(".journal")):
        done = merge(name, *shards[1:], cwd=tmp_path)
        assert re.search(r"shard 1/3 did not end: \d of its \d scenarios", done.stdout), done.stderr


def journal(file: Path) -> list[str]:
    """The lines of the journal of a run."""
    document = json.loads(file.read_text())
    run = document["run"]["1"] | {"finished_at": ""}
    tables = {"deliveries": "delivery", "judgements": "judgement", "results": "result"}
    records = [{word: each} for table, word in tables.items() for each in document[table].values()]
    return [json.dumps(each) for each in ({"run": run}, *records)]


def test_damaged_files_are_said_and_the_others_merged(shards: list[Path], tmp_path: Path):
    text = shards[1].read_text()
    (tmp_path / "cut.json").write_text(text[: len(text) // 2])
    (tmp_path / "other.xml").write_text("<testsuites/>")
    moved = json.loads(text)
    moved["deliveries"]["1"]["sent_at"] = "yesterday"
    (tmp_path / "moved.json").write_text(json.dumps(moved))
    files = ["cut.json", "other.xml", "moved.json", "nowhere.json", "."]
    done = merge(shards[0], shards[2], *files, "-o", "run.json", cwd=tmp_path)
    assert done.returncode == 2
    said = problems(done)
    for line, begin in zip(
        said,
        (
            "cut.json: is no run file, or a damaged one: Input data was truncated",
            "other.xml: is no run file, or a damaged one: JSON is malformed",
            "moved.json: is no run file that the sandbox wrote: 'yesterday' is no time in UTC",
            "nowhere.json: cannot be read: no such file or directory",
            ".: cannot be read: is a directory",
            "shard 2/3 is missing",
        ),
        strict=True,
    ):
        assert line.startswith(f"! incomplete  {begin}"), line
        assert "(fetch it again, or run its shard again)" in line or "--shard 2/3" in line
    assert len(runfile.read(tmp_path / "run.json").head.shards) == 2
    (line,) = problems(merge(shards[0], shards[2], "nowhere.json", cwd=tmp_path))
    assert line.partition("  ")[2] == (
        "nowhere.json: cannot be read: no such file or directory, so shard 2/3 is missing "
        "(fetch it again, or run its shard again)"
    )


def test_what_is_not_of_one_run_is_refused_in_a_line_each(
    workspace: Path, shop: Receiver, shards: list[Path], tmp_path: Path
):
    one = shards[0]
    info = runfile.read(shards[1]).head
    assert info.shard is not None

    def other(name: str, **fields: object) -> Path:
        return changed(shards[1], tmp_path, name, **fields)

    def shard(name: str, **fields: object) -> Path:
        known = {"number": 2, "count": 3, "scenarios": 10, "division": info.shard and info.shard.division}
        return other(name, shard={**known, **fields})

    merge(*shards, "-o", tmp_path / "merged.json", cwd=tmp_path)
    for file, said in (
        (other("a.json", receiver="b"), f"its receiver is 'b', that of {one} is '{shop.url}'"),
        (shard("b.json", count=4), f"it is one of 4 shards, and {one} of 3"),
        (shard("c.json", scenarios=9), f"its run has 9 scenarios in all, that of {one} has 10"),
        (shard("d.json", division="x"), f"its scenarios, or how they were divided, are not those of {one}"),
    ):
        done = merge(one, file, "-o", "not.json", cwd=tmp_path)
        line = f"error: {file}: is of another run: {said} (give the shards of one run)"
        assert done.stderr.splitlines() == [line, "nothing was merged"]
        assert done.returncode == 2
    copied = shard("e.json", number=1)
    for file, said in (
        (copied, f"is shard 1/3, and {one} is it too: {one} ended at 2"),
        (tmp_path / "merged.json", "is merged already (give the run files of its shards)"),
        (other("f.json", shard=None), "is a whole run, and no shard of one (run its shards with --shard 1/2"),
    ):
        done = merge(one, file, cwd=tmp_path)
        assert done.stderr.startswith(f"error: {file}: {said}"), done.stderr
        assert done.returncode == 2
    assert not (tmp_path / "not.json").exists()


def test_one_file_given_twice_and_another_version_are_notes(shards: list[Path], tmp_path: Path):
    newer = changed(shards[1], tmp_path, "newer.json", tool="retailops-sandbox 9")
    done = merge(shards[0], newer, shards[2], shards[0], cwd=tmp_path)
    assert problems(done) == []
    twice, version = done.stderr.splitlines()
    assert twice == f"note: {shards[0]} is named twice: it is taken once"
    assert version.startswith(
        f"note: {newer} was run by retailops-sandbox 9, {shards[0]} by retailops-sandbox "
    )


def test_a_shard_without_scenarios_ends_with_0_and_is_no_missing_one(
    workspace: Path, shop: Receiver, tmp_path: Path
):
    codes = []
    for number in (1, 2, 3):
        asked = ["-k", "good-1", "--shard", f"{number}/3", "--report-json", tmp_path / f"{number}.json"]
        done = run("--receiver", shop.url, *asked, of="sound", cwd=workspace)
        codes.append(done.returncode)
        assert f"shard {number}/3" in done.stdout
    assert codes == [0, 0, 0]
    done = merge(*(tmp_path / f"{number}.json" for number in (1, 2, 3)), cwd=tmp_path)
    assert (done.returncode, problems(done)) == (0, [])
    assert "1 passed, 0 failed in " in done.stdout


def test_a_shard_that_judged_nothing_ends_with_0_and_the_whole_run_with_5(
    workspace: Path, shop: Receiver, tmp_path: Path
):
    files = [tmp_path / f"{number}.json" for number in (1, 2)]
    said = []
    for number, file in enumerate(files, 1):
        asked = ["-k", "recorded", "--shard", f"{number}/2", "--report-json", file]
        done = run("--receiver", shop.url, *asked, cwd=workspace)
        assert (done.returncode, done.stdout.count("broken.scenario.json")) in {(0, 0), (2, 1)}, done.stdout
        said += done.stderr.splitlines()
    assert said == ["note: this shard judged nothing; `merge` tells whether the whole run did"]
    sound = [changed(file, tmp_path, f"sound-{file.name}", unreadable=[]) for file in files]
    assert merge(*sound, cwd=tmp_path).returncode == 5
    done = run("--receiver", shop.url, "--shard", "1/1", of="recorded.scenario.json", cwd=workspace)
    assert done.returncode == 5


def test_the_shards_that_are_not_of_the_run_of_the_others_are_refused(shards: list[Path], tmp_path: Path):
    one, two, three = shards
    other = changed(one, tmp_path, "other.json", receiver="b")
    done = merge(other, two, three, cwd=tmp_path)
    assert done.stderr.splitlines()[0].startswith(f"error: {other}: is of another run: its receiver is 'b', ")
    assert len(done.stderr.splitlines()) == 2


def test_shards_are_balanced_by_the_seconds_of_a_run(workspace: Path, shop: Receiver, tmp_path: Path):
    asked = ["-k", "good", "--report-json", tmp_path / "times.json"]
    run("--receiver", shop.url, *asked, of="sound", cwd=workspace)
    times = changed(tmp_path / "times.json", tmp_path, "times.json")
    document = json.loads(times.read_text())
    for result in document["results"].values():
        result["seconds"] = 5.0 if result["scenario"] == "sound/good-3.scenario.json" else 1.0
    times.write_text(json.dumps(document))
    shown = []
    for number in (1, 2):
        asked = ["-k", "good", "--shard", f"{number}/2", "--shard-times", times, "--dry-run"]
        done = run("--receiver", shop.url, *asked, of="sound", cwd=workspace)
        shown.append(sorted(set(re.findall(r"good-\d", done.stdout))))
    assert shown == [["good-3"], ["good-0", "good-1", "good-2", "good-4", "good-5"]]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["--shard", "4/3"], "--shard '4/3' names no shard (for example --shard 2/5, the second of five)"),
        (["--shard-times", "x.json"], "--shard-times is about --shard (give --shard too, or leave it out)"),
        (["--shard", "1/2", "--watch"], "--watch goes on and on, without --shard (leave one out)"),
        (["--shard", "1/2", "--shard-times", "x.json"], "x.json: cannot be read: no such file or directory"),
    ],
)
def test_options_that_mean_no_shard_are_refused(asked: list[str], said: str, workspace: Path, shop: Receiver):
    done = run("--receiver", shop.url, *asked, cwd=workspace)
    assert (done.returncode, done.stderr) == (2, f"error: {said}\n")


def test_a_file_that_cannot_be_read_is_told_by_one_shard(workspace: Path, shop: Receiver):
    told = [
        "broken.scenario.json"
        in run("--stand-in", "--shard", f"{number}/3", "--dry-run", cwd=workspace).stdout
        for number in (1, 2, 3)
    ]
    assert sum(told) == 1


def test_the_browser_shows_a_merged_run_with_its_shards_and_what_is_missing(
    shards: list[Path], tmp_path: Path
):
    whole, partly = tmp_path / "whole.json", tmp_path / "partly.json"
    merge(*shards, "-o", whole, cwd=tmp_path)
    merge(shards[0], shards[2], "-o", partly, cwd=tmp_path)
    known = {file: runfile.read(file).head for file in (whole, partly)}
    options = ["--open", str(whole), "--open", str(partly)]
    with serving(tmp_path, options) as served, httpx.Client(base_url=served.url) as http:
        text = main_words(http.get(f"/runs/{known[whole].id}").text)
        assert "3 of 10 did not pass 3 shards" in text
        assert "Shards 3 of 3 Shard State Results" in text
        for shard in known[whole].shards:
            assert f"{shard.number}/3 finished" in text
            assert shard.run in text
        second = http.get(f"/runs/{known[whole].id}?shard=2").text
        listed = set(re.findall(r'id="of-([^"]+)"', second))
        assert listed == {each.scenario for each, _ in runfile.read(shards[1]).results}
        text = main_words(http.get(f"/runs/{known[partly].id}").text)
        assert ", 1 incomplete shard 2 of 3 shards" in text
        assert re.search(
            r"2/3 ! missing Give its run file to merge ?, or run it again with --shard 2/3 ?\.", text
        )
        listed = main_words(http.get("/runs").text)
        assert "2 of 3 shards" in listed
        assert "! 1 incomplete shard" in listed


def test_a_merged_run_in_the_log_is_one_that_later_runs_are_compared_with(
    shop: Receiver, shards: list[Path], tmp_path: Path
):
    bad = "sound/bad.scenario.json"
    (has,) = [file for file in shards if bad in {each.scenario for each, _ in runfile.read(file).results}]
    merge(has, "-o", tmp_path / "run.json", cwd=tmp_path)
    run_id = runfile.read(tmp_path / "run.json").head.id
    log = tmp_path / ".sandbox" / "runs"
    log.mkdir(parents=True)
    (tmp_path / "run.json").rename(log / f"{run_id}.json")
    shown = run_forked("log", "show", "latest", cwd=tmp_path).stdout
    assert re.search(r"^  shards +1 of 3$", shown, re.MULTILINE)
    assert len(re.findall(r"  ! incomplete: shard \d/3 is missing", shown)) == 2
    (tmp_path / "sound").mkdir()
    scenario(tmp_path / "sound", "bad", {"expect": PASSES})
    done = run("--receiver", shop.url, cwd=tmp_path)
    assert "0 regressed, 1 fixed since the last finished run on this receiver" in done.stdout


def test_a_merged_run_is_brought_into_a_shared_log_once_however_often_it_is_merged(
    shards: list[Path], tmp_path: Path, database: str
):
    said = []
    for name, files in (("one.json", shards), ("two.json", shards[::-1])):
        merge(*files, "-o", name, cwd=tmp_path)
        said.append(run_forked("log", "push", name, "--log", database, cwd=tmp_path).stdout.strip())
    head = runfile.read(tmp_path / "one.json").head
    assert said[0].startswith(f"{head.id}: brought in, ")
    assert said[1] == f"{head.id}: the log has all of it already"
    shown = run_forked("log", "show", "latest", "--log", database, cwd=tmp_path).stdout
    assert shown.startswith(f"run {head.id}  finished\n")
    assert re.search(r"^  shards +3 of 3$", shown, re.MULTILINE)
