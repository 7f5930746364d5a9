"""Records of the log, and a run to write them into."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from retailops_sandbox import redaction
from retailops_sandbox.model import (
    Delivery,
    Judgement,
    Request,
    Response,
    Result,
    ResultStep,
    RunInfo,
    Timings,
    Verdict,
)
from retailops_sandbox.runlog.files.writer import FileRunWriter
from retailops_sandbox.runlog.ports import RunWriter

RUN = "20240501T120000Z-aaaaaa"
LATER = "20240501T130000Z-bbbbbb"


class OpenRun(FileRunWriter):
    """A run that has begun; leaving a `with` finishes it."""

    def __enter__(self) -> OpenRun:
        return self

    def __exit__(self, *_: object) -> None:
        self.finish()


def begin_run(runs_dir: Path, info: RunInfo) -> OpenRun:
    run = OpenRun(runs_dir, info)
    run.begin()
    return run


def open_run(runs_dir: Path, id: str = RUN) -> OpenRun:
    return begin_run(runs_dir, RunInfo(id=id, started_at="2024-05-01T12:00:00Z", receiver="local"))


def some_delivery(**fields: Any) -> Delivery:
    """A delivery of `order_cancel` that was answered with no events, but for the fields that are given."""
    given: dict[str, Any] = {
        "id": "r.1",
        "run": "r",
        "sent_at": "2024-05-01T12:00:01.000Z",
        "action": "order_cancel",
        "edition": "draft",
        "receiver": "shop",
        "request": Request(method="POST", url="http://shop/", headers=()),
        "response": Response(status=200, body='{"events":[]}'),
    }
    return Delivery(**given | fields)


def make_delivery(run: RunWriter, sent_at: str = "2024-05-01T12:00:01.000Z") -> Delivery:
    return some_delivery(
        id=run.next_id(),
        run=run.info.id,
        sent_at=sent_at,
        receiver="local",
        request=Request(
            method="POST", url="http://127.0.0.1:1/order_cancel", headers=(), body='{"a":35.00}\n'
        ),
        response=Response(status=200, headers=(("A", "1"), ("A", "2")), body='{"events":["ü«\\u00e9"]}'),
        timings=Timings(total=1.25),
    )


def listed(delivery: Delivery) -> Delivery:
    """The delivery with every text in it that looks like a mark listed as one."""
    return msgspec.structs.replace(delivery, struck_out=redaction.listing.of(delivery))


def judge(delivery: Delivery, verdict: Verdict = "passed", at: str = "2024-05-01T12:00:02.000Z") -> Judgement:
    return Judgement(delivery=delivery.id, verdict=verdict, at=at)


def make_result(scenario: str = "scenarios/a.scenario.json", verdict: Verdict = "passed") -> Result:
    step = ResultStep(number=0, name="cancel", verdict=verdict, reason="«why»", sent=2)
    return Result(scenario=scenario, name="A", verdict=verdict, at="2024-05-01T12:00:03Z", steps=(step,))


def written(folder: Path, id: str = RUN) -> tuple[Path, str]:
    """A run file as a CI job keeps it, `nightly.json`, and its delivery's id."""
    path = folder / "nightly.json"
    with open_run(folder / "elsewhere", id) as run:
        delivery = make_delivery(run)
        run.append(delivery)
        run.append(judge(delivery, "failed"))
        run.append(make_result(verdict="failed"))
        run.export(path)
    return path, delivery.id
