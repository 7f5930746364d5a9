"""What a load test found, for its reports. Pure."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

import msgspec

from retailops_sandbox.load.order_numbers import Block
from retailops_sandbox.load.series import Step

_STYLE = (
    "max-width: 1200px; box-sizing: border-box; margin: 0 auto; padding: 16px clamp(16px, 2vw, 24px) 0;"
    " font: 16px/1.5 Roboto, Helvetica, Arial, sans-serif"
)
"""As wide as Locust's page, and in its type."""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """Where a load test sent to, which orders it was about and what it found."""

    receiver: str
    """Its URL, as it is shown."""
    asked: str
    """How much was asked of it, in words."""
    verdict: str = ""
    """What was found, in one line; empty where no rate was asked for."""
    orders: Block | None = None
    """The orders that were used; None where there were none, or scenarios kept theirs."""
    steps: Sequence[Step] = ()
    """What was measured at each rate, or in each part of the time at a constant one."""

    def fields(self) -> dict[str, Any]:
        """All that has a value of its own, by name."""
        return {
            "receiver": self.receiver,
            "asked": self.asked,
            "verdict": self.verdict,
            "first_order": self.orders.first if self.orders else None,
            "last_order": self.orders.last if self.orders else None,
        }

    def to_json(self) -> dict[str, Any]:
        """All of it, as a report in JSON has it."""
        return {**self.fields(), "steps": [_step(step) for step in self.steps]}

    def to_html(self) -> str:
        """It as it stands above a page's own report."""
        said = [f"Receiver {self.receiver}: {self.asked}"]
        if self.orders is not None:
            said.append(f"Orders from {self.orders.first} to {self.orders.last}")
        lines = [f"<p>{html.escape(line)}</p>" for line in said]
        if self.verdict:
            lines.insert(0, f"<h2>{html.escape(self.verdict)}</h2>")
        return f'<section style="{_STYLE}">{"".join(lines)}</section>'


def _step(step: Step) -> dict[str, Any]:
    counts = step.counts
    return {
        "rate": step.rate,
        "reached": round(counts.reached, 3),
        "seconds": round(counts.seconds, 3),
        "scenarios": counts.begun,
        "answers": counts.answers,
        "wrong": counts.wrong,
        "median_ms": counts.percentile(0.5),
        "p99_ms": counts.percentile(0.99),
        "judged": not step.is_disturbed,
        "again": step.is_check,
        "change": step.change.what if step.change is not None else None,
    }
