"""A log of three runs whose deliveries overlap in time and differ in all that a query asks for."""

from __future__ import annotations

import json
import random

import msgspec

from retailops_sandbox.model import Delivery, Fault, Judgement, Request, Response, Timings
from retailops_sandbox.runlog.ports import Log
from tests.support.backends import Backend, begun
from tests.support.records import some_delivery

RECEIVERS = ("shop", "live")
VERDICTS = ("passed", "failed", "errored")
ANSWERS = (200, 404, 503, None)
CODES = ("ERR1", "ERR2", "Größe")
PARENT = "20240501T090000Z-aaaaaa.000001"
"""Some deliveries are resends of this one."""
TEXTS = ("345", "err1", "ERR1", "größe", "Größe", '"4', "\\", "refused", "nothing like it", "€", "503", "\n")
"""Texts to look for."""


def mixed_runs(backend: Backend) -> Log:
    """Three runs; the last one has no end, and judged some deliveries of the others again."""
    chance = random.Random(0)
    made: list[Delivery] = []
    writers = []
    for number in range(3):
        started_at = f"2024-05-01T1{number}:00:00.000Z"
        writers.append(begun(backend, f"20240501T1{number}0000Z-aaaaaa", started_at))
    for number in range(60):
        writer = writers[number % 3]
        made.append(sent(writer.next_id(), number, chance))
        writer.append(made[-1])
        if chance.random() < 0.8:
            writer.append(judged(made[-1], chance.choice(VERDICTS), number))
    for delivery in chance.sample(made, 6):
        writers[2].append(judged(delivery, "failed", 100))
    writers[0].finish()
    writers[1].finish()
    backend.abandon(writers[2])
    return backend.open_log()


def sent(id: str, number: int, chance: random.Random) -> Delivery:
    status = chance.choice(ANSWERS)
    order, code = f"{345 + number % 4}", chance.choice(CODES)
    fault = chance.choice(("refused", "deadline"))
    payload = {"data": {"order": {"id": order, "channel_refnum": 496}}}
    answer = {"events": [{"error_code": code, "error_message": 'a "quoted"\nword €'}]}
    return some_delivery(
        id=id,
        run=id.rpartition(".")[0],
        sent_at=f"2024-05-01T12:{number:02}:00.000Z",
        edition=chance.choice(("draft", "v1")),
        receiver=chance.choice(RECEIVERS),
        fixture=("", "default", "default (edited)")[number % 3],
        scenario=chance.choice(("", "scenarios/a.scenario.json")),
        parent=chance.choice(("", PARENT)),
        request=Request(method="POST", url="http://127.0.0.1:1/", headers=(), body=json.dumps(payload)),
        response=None
        if status is None
        else Response(
            status=status, headers=(("X-Shop", "Yes"),), body=json.dumps(answer, ensure_ascii=False)
        ),
        fault=Fault(fault, "nobody there") if status is None else None,
        timings=Timings(total=chance.random() * 100),
    )


def judged(delivery: Delivery, verdict: str, second: int) -> Judgement:
    at = f"2024-05-01T13:{second // 60:02}:{second % 60:02}.000Z"
    return msgspec.convert({"delivery": delivery.id, "verdict": verdict, "at": at}, Judgement)
