"""Reports of probes, as if a receiver had been probed."""

from __future__ import annotations

from typing import Any

import msgspec

from retailops_sandbox.probe.report import (
    AreaScore,
    Cell,
    Finding,
    Observation,
    ProbeReport,
    Smallest,
)

RUN = "20261129T040000.000000Z-run-1"
SCENARIO = '{"format": 1, "name": "null", "steps": [{"name": "null", "fixture": "default"}]}\n'

CRASH = Finding(
    key="crash/null",
    kind="crash",
    area="contract",
    label="contract",
    server=True,
    title="Crashes where a member is null",
    evidence="27 of 27 requests with null were answered 500, such as /data/order/channel_payment",
    why="RetailOPS sends null where an order has no payment, and retries what is answered 5xx",
    mend="read a member that is null as one that is absent",
    source="contract order_cancel v1",
    count=27,
    smallest=Smallest(
        probe="contract/data/order/channel_payment",
        step="null",
        delivery="d-crash",
        shown="/data/order/channel_payment: null",
        scenario=SCENARIO,
    ),
    deliveries=("d-crash", "d-crash-2"),
    fields=("/data/order/channel_payment",),
    whats=("null",),
    state="new",
)
NULL_ARRAY = Finding(
    key="null-array",
    kind="null-array",
    area="answers",
    label="documentation",
    title="Answers null where there are no events",
    evidence="4 answers have null at /events",
    why="a client that reads the documentation expects an array",
    mend="answer [] where there is nothing to tell",
    source="documentation",
    count=4,
    smallest=Smallest(probe="contract/baseline", step="default", delivery="d-null", shown="default"),
    deliveries=("d-null",),
    state="still there",
)
PATHS = Finding(
    key="file-path",
    kind="file-path",
    area="answers",
    label="advice",
    title="Tells its own file paths",
    evidence="/srv/app/cancel.py stands in error_message of 4 answers",
    why="who reads them learns how the receiver is built",
    mend="answer a code and a message, and keep the trace in a log of your own",
    count=4,
    smallest=Smallest(
        probe="contract/data/order/id", step="text", delivery="d-path", shown='/data/order/id: "x"'
    ),
    deliveries=("d-path",),
    state="new",
)


def _crash(field: str) -> Observation:
    return _observed("crash", f"contract{field}", "null", field)


def _observed(kind: str, probe: str, what: str, field: str = "") -> Observation:
    return Observation(kind=kind, probe=probe, step=what, area="contract", what=what, field=field)


def probe_report(**changed: Any) -> ProbeReport:
    """A report with a finding of each label, compared with an earlier one."""
    report = ProbeReport(
        run=RUN,
        receiver="my-shop",
        url="http://127.0.0.1:5000/order_cancel",
        action="order_cancel",
        edition="v1",
        started_at="2026-11-29T04:00:00.000000Z",
        seconds=6.2,
        seed=7,
        orders="900000000-900000999",
        requests=211,
        left_out={"speed": 4, "contract": 120},
        areas=(
            AreaScore(area="contract", tried=104, held=72, did_not=27, to_see=5),
            AreaScore(area="repetition", tried=24, held=24),
            AreaScore(area="transport", tried=33, held=31, did_not=2),
            AreaScore(area="auth", tried=18, held=18),
            AreaScore(area="speed", tried=4, held=4),
            AreaScore(area="answers", tried=42, held=34, to_see=8),
        ),
        findings=(CRASH, NULL_ARRAY, PATHS),
        cells=(
            Cell(field="/data/order/id", what="missing", outcome="held", delivery="d-1"),
            Cell(field="/data/order/id", what="null", outcome="held", delivery="d-2"),
            Cell(field="/data/order/id", what="negative", outcome="to see", delivery="d-3", shown="?"),
            Cell(field="/data/order/channel_payment", what="missing", outcome="held", delivery="d-4"),
            Cell(
                field="/data/order/channel_payment",
                what="null",
                outcome="did not",
                delivery="d-crash",
                shown="5xx",
            ),
        ),
        notes=("Repetition cannot be judged by differences: both answers are the same.",),
        sdk_tool="passes /events: null",
        compared_with="20261128T040000.000000Z-run-1",
        gone=("Hangs up where the body is empty",),
        observations=(
            *(_crash(f"/data/order/{number}") for number in range(26)),
            _crash("/data/order/channel_payment"),
            _observed("wrong-status", "transport/chunked", "chunked"),
            _observed("off-contract", "transport/gzip", "gzip"),
            _observed("file-path", "contract/data/order/id", "text"),
        ),
    )
    return msgspec.structs.replace(report, **changed)


def clean_report(**changed: Any) -> ProbeReport:
    """A report of a receiver that holds everywhere, compared with no other."""
    areas = tuple(
        AreaScore(area=each.area, tried=each.tried, held=each.tried) for each in probe_report().areas
    )
    return probe_report(
        areas=areas,
        findings=(),
        cells=(),
        notes=(),
        sdk_tool="",
        compared_with="",
        gone=(),
        left_out={},
        observations=(),
        **changed,
    )
