"""The peer: the same cases as a team writes them by hand, parametrised pytest over requests.Session."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import requests

CASES = sorted(Path(os.environ["BENCH_CASES"]).glob("*.scenario.json"))
PAYLOAD = json.loads(Path(os.environ["BENCH_PAYLOAD"]).read_text())


@pytest.fixture(scope="session")
def session():
    with requests.Session() as session:
        yield session


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_case(case, session):
    step = json.loads(case.read_text())["steps"][0]
    payload = json.loads(json.dumps(PAYLOAD))
    payload["data"]["order"]["id"] = step["set"]["/data/order/id"]
    response = session.post(os.environ["BENCH_URL"] + "/order_cancel", json=payload, timeout=15)
    assert response.status_code == 200
    assert response.json() == step["expect"]["body"]
