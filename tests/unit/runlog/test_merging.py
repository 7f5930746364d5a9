"""files/merging.py: records pass one by one, and keep all that is not an id as it is spelled."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import msgspec

from retailops_sandbox.model import Judgement, Request, Response, RunInfo, Shard
from retailops_sandbox.runlog.files.merging import ShardFiles
from tests.support.records import begin_run, make_result, some_delivery

LONG = "x" * 40_000


def shard(folder: Path, number: int, deliveries: int, *, body: str = "{}", parent: str = "") -> Path:
    """The run file of a shard of two with so many deliveries, each of a scenario of its own."""
    info = RunInfo(
        id=f"20240501T12000{number}Z-aaaaa{number}",
        started_at=f"2024-05-01T12:00:0{number}Z",
        scenarios=deliveries,
        shard=Shard(number=number, count=2, scenarios=2 * deliveries, division="d"),
    )
    with begin_run(folder / "runs", info) as run:
        for at in range(deliveries):
            delivery = some_delivery(
                id=run.next_id(),
                run=info.id,
                scenario=f"{number}-{at}",
                parent=parent,
                request=Request(method="POST", url="http://shop/", headers=(), body=body),
                response=Response(status=200, body=body),
            )
            run.append(delivery)
            run.append(Judgement(delivery=delivery.id, verdict="passed", at="2024-05-01T12:00:02Z"))
            run.append(make_result(f"{number}-{at}"))
        run.finish("2024-05-01T12:00:09Z")
    return run.path


def test_no_run_is_ever_whole_in_memory(tmp_path: Path):
    files = [shard(tmp_path, number, 40, body=LONG) for number in (1, 2)]
    size = sum(file.stat().st_size for file in files)
    tracemalloc.start()
    try:
        with ShardFiles(files) as shards:
            before = tracemalloc.get_traced_memory()[0]
            tracemalloc.reset_peak()
            merged = shards.merge()
            count = sum(len(list(entries)) for _, entries in merged.results())
            peak = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    assert count == 80
    assert peak < size / 4, f"{peak} of {size} bytes"


def test_what_is_no_id_stays_as_it_is_spelled(tmp_path: Path):
    first = shard(tmp_path, 1, 2, body='{"a": 35.00}', parent="20240501T120001Z-aaaaa1.000001")
    second = shard(tmp_path, 2, 1, parent="20230101T000000Z-cccccc.000001")
    document = json.loads(second.read_text())
    document["deliveries"]["1"] |= {"later": [1.50, None], "composed": "ü"}
    document["judgements"]["1"] |= {"delivery": "20230101T000000Z-cccccc.000007"}
    second.write_text(json.dumps(document).replace("1.5,", "1.50,"))
    with ShardFiles([second, first]) as shards:
        merged = shards.merge()
        merged.export(tmp_path / "run.json")
    text = (tmp_path / "run.json").read_text()
    assert '"later":[1.50,null]' in text.replace(": ", ":").replace(", ", ",")
    tables = json.loads(text)
    run = merged.info.id
    one, two, other = tables["deliveries"].values()
    assert [each["id"] for each in (one, two, other)] == [f"{run}.00000{number}" for number in (1, 2, 3)]
    assert (one["parent"], other["parent"]) == (f"{run}.000001", "20230101T000000Z-cccccc.000001")
    assert one["request"]["body"] == '{"a": 35.00}'
    judged = [each["delivery"] for each in tables["judgements"].values()]
    assert judged == [f"{run}.000001", f"{run}.000002", "20230101T000000Z-cccccc.000007"]


def test_the_id_is_that_of_the_shards_and_their_number(tmp_path: Path):
    files = [shard(tmp_path, number, 1) for number in (1, 2)]

    def merged(*files: Path) -> RunInfo:
        with ShardFiles(files) as shards:
            return shards.merge().info

    both = merged(*files)
    assert both.id.startswith("20240501T120001Z-")
    assert merged(*files[::-1]) == both
    assert merged(files[0]).id != both.id
    assert merged(files[0]).missing_shards == (2,)
    assert msgspec.json.decode(msgspec.json.encode(both), type=RunInfo) == both


def said(*files: Path) -> list[str]:
    """What is said of files that are merged."""
    with ShardFiles(files) as shards:
        return [str(each) for each in (*shards.problems, *shards.refusals)]


def test_shards_that_are_missing_one_after_the_other_are_told_together(tmp_path: Path):
    file = shard(tmp_path, 2, 1)
    text = file.read_text()
    for count, missing in (
        (3, ["shard 1/3 is missing", "shard 3/3 is missing"]),
        (4, ["shard 1/4 is missing", "shards 3/4 and 4/4 are missing"]),
        (9_999, ["shard 1/9999 is missing", "shards 3/9999 to 9999/9999 are missing"]),
    ):
        file.write_text(text.replace('"count":2', f'"count":{count}'))
        assert [each.partition(" (")[0] for each in said(file)] == missing
    file.write_text(text.replace('"count":2', '"count":10000'))
    assert [each.partition(": ")[0] for each in said(file)] == [str(file)]


def test_what_was_skipped_as_somebody_stopped_the_run_is_not_done(tmp_path: Path):
    files = [shard(tmp_path, number, 3) for number in (1, 2)]
    document = json.loads(files[1].read_text())
    document["run"]["1"]["stopped"] = True
    document["results"]["3"] |= {"verdict": "skipped", "stopped": True}
    files[1].write_text(json.dumps(document))
    (line,) = said(*files)
    assert line.startswith("shard 2/2 was interrupted: 2 of its 3 scenarios have a result (run it again")


def test_the_file_of_a_run_without_its_journal_says_where_the_records_are(tmp_path: Path):
    whole = shard(tmp_path, 1, 2)
    info = msgspec.convert(
        {**json.loads(whole.read_text())["run"]["1"], "id": "20240501T120002Z-aaaaa2", "finished_at": ""},
        RunInfo,
    )
    info = msgspec.structs.replace(info, shard=Shard(number=2, count=2, scenarios=4, division="d"))
    with begin_run(tmp_path / "runs", info) as run:
        bare = tmp_path / run.path.name
        bare.write_bytes(run.path.read_bytes())
    (line,) = said(whole, bare)
    assert line == (
        "shard 2/2 did not end: 0 of its 2 scenarios have a result "
        f"(its records are in {info.id}.journal: put that beside it, or run it again with --shard 2/2)"
    )


def test_a_run_that_goes_on_is_not_merged(tmp_path: Path):
    info = RunInfo(id="20240501T120000Z-aaaaaa", started_at="2024-05-01T12:00:00Z")
    with begin_run(tmp_path / "runs", info) as run:
        assert said(run.path) == [f"{run.path}: goes on (merge it when its run has ended)"]


def test_what_somebody_else_wrote_into_the_record_of_a_run_is_refused(tmp_path: Path):
    file = shard(tmp_path, 2, 1)
    document = json.loads(file.read_text())
    for member, value in (
        ("id", "../x"),
        ("started_at", "yesterday"),
        ("finished_at", "2024-99-01T00:00:00Z"),
    ):
        changed = {**document, "run": {"1": {**document["run"]["1"], member: value}}}
        file.write_text(json.dumps(changed))
        (line,) = said(file)
        assert line.startswith(f"{file}: is no run file that the sandbox wrote: '{value}' is no "), line
