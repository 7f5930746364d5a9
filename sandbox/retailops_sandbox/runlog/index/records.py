"""Collects the records of one file as rows and places."""

from __future__ import annotations

from bisect import insort
from collections import Counter

from retailops_sandbox.model import Delivery, Judgement, Result, Verdict
from retailops_sandbox.runlog.rows import DeliveryRow, Judged, SortKey, Span, judged_row, row_of


class Records:
    """The rows of one file's deliveries, and the places of its other records.

    Records are added in the order in which they were appended.
    """

    def __init__(self) -> None:
        self.rows: dict[str, DeliveryRow] = {}
        """By the delivery's id."""
        self.order: list[SortKey] = []
        self.elsewhere: dict[str, list[Judged]] = {}
        """Judgements of deliveries in other files, by the delivery's id."""
        self.results: list[Span] = []
        self.outcomes: Counter[Verdict] = Counter()
        """The number of results of each verdict."""

    def add_delivery(self, delivery: Delivery, span: Span) -> None:
        row = row_of(delivery, span)
        is_new = row.id not in self.rows
        # In this order: another thread may be listing the rows, and looks up each id that `order` has.
        self.rows[row.id] = row
        if is_new:
            insort(self.order, row.key)

    def add_judgement(self, judgement: Judgement, span: Span) -> None:
        row = self.rows.get(judgement.delivery)
        if row is None:
            judged = Judged(judgement.at, judgement.verdict, span)
            self.elsewhere.setdefault(judgement.delivery, []).append(judged)
        else:
            self.rows[row.id] = judged_row(row, judgement, span)

    def add_result(self, result: Result, span: Span) -> None:
        self.results.append(span)
        self.outcomes[result.verdict] += 1

    def ordered(self) -> list[DeliveryRow]:
        """The rows, the oldest first."""
        return [self.rows[id] for _, id in self.order.copy()]
