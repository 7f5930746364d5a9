"""Writes what is new of a run into the index: collected from its files, then compared with what is there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, RowMapping, bindparam, delete, func, select, update

from retailops_sandbox.contracts.catalogue import Contracts
from retailops_sandbox.model import Delivery, Judgement, Record, Result
from retailops_sandbox.runlog.index.places import Judged, Place
from retailops_sandbox.runlog.index.tables import (
    PLACE,
    codes,
    deliveries,
    elsewhere_in_order,
    judged_from,
    judgements_elsewhere,
    orders,
    place_from,
    results,
    tables,
)
from retailops_sandbox.runlog.rows import DeliveryRow, row_of, sort_of
from retailops_sandbox.runlog.sql.tables import Insert, chunks, json_text, row_from, row_values


@dataclass(slots=True)
class Draft:
    """A delivery of a run, or only new judgements of one that is in the index."""

    row: DeliveryRow | None
    """Without the judgements; None for a delivery that is in the index."""
    place: Place | None
    judged: list[Judged] = field(default_factory=list)
    is_broken: bool = False
    """Whether it was sent although it breaks the contract."""


class RunDraft:
    """The records of a run that are to be written, in order of the files."""

    def __init__(self, run_id: str, contracts: Contracts) -> None:
        self._run_id = run_id
        self._contracts = contracts
        self.drafts: dict[str, Draft] = {}
        """By the delivery's id."""
        self.elsewhere: list[tuple[str, Judged]] = []
        """Judgements of other runs' deliveries, by the delivery's id."""
        self.results: list[tuple[Result, Place]] = []

    def add(self, record: Record, place: Place) -> None:
        """Add a record that lies at this place."""
        if isinstance(record, Delivery):
            known = self.drafts.get(record.id)
            row = row_of(record, self._contracts)
            draft = self.drafts[record.id] = Draft(row, place)
            if known is not None:
                draft.judged, draft.is_broken = known.judged, known.is_broken
        elif isinstance(record, Judgement):
            self._add_judgement(record, place)
        else:
            self.results.append((record, place))

    def _add_judgement(self, judgement: Judgement, place: Place) -> None:
        judged = Judged(judgement.at, judgement.verdict, len(judgement.differences), place)
        if judgement.delivery.rpartition(".")[0] != self._run_id:
            self.elsewhere.append((judgement.delivery, judged))
            return
        draft = self.drafts.get(judgement.delivery)
        if draft is None:
            draft = self.drafts[judgement.delivery] = Draft(None, None)
        draft.is_broken |= bool(judgement.payload_violations) and not draft.judged
        draft.judged.append(judged)


class Totals(NamedTuple):
    """How the numbers of a run change."""

    deliveries: int
    verdicts: Counter[str]
    sorts: tuple[int, ...]
    """`sort_of` the first and the last delivery; none where there is no new one."""


class _Known(NamedTuple):
    """A delivery as it is in the index."""

    position: int
    added: int
    row: DeliveryRow
    judged: list[Judged]
    place: Place


class _New(NamedTuple):
    """A delivery to be inserted into the index."""

    position: int
    sort: int
    added: int
    row: DeliveryRow
    judged: list[Judged]
    place: Place


class Filling:
    """Writes into the index, in one transaction, as one numbered change."""

    def __init__(self, connection: Connection, change: int) -> None:
        self._connection = connection
        self._change = change

    def write(self, number: int, draft: RunDraft, *, sort: int | None, is_whole: bool) -> Totals:
        """Write what is new of the run with this number.

        `sort` is that of its results. With `is_whole` the draft has all of the run, and what it lacks is
        deleted; only what differs counts as changed.
        """
        known = self._known(number, None if is_whole else draft.drafts)
        totals = self._write_deliveries(number, draft.drafts, known, is_whole=is_whole)
        self._write_elsewhere(number, draft.elsewhere, is_whole=is_whole)
        if is_whole:
            self._connection.execute(delete(results).where(results.c.run == number))
        found = [(number, each.scenario, sort, each.verdict, *place) for each, place in draft.results]
        _RESULT.rows(self._connection, found)
        return totals

    def delete(self, number: int) -> None:
        """Delete all records of a run."""
        self._delete_deliveries(self._known(number, None).values())
        self._write_elsewhere(number, (), is_whole=True)
        self._connection.execute(delete(results).where(results.c.run == number))

    # --- deliveries ---

    def _known(self, number: int, ids: Iterable[str] | None) -> dict[str, _Known]:
        """The deliveries of a run that are in the index; of these ids, or all."""
        chosen = _KNOWN.where(deliveries.c.run == number)
        asked = [chosen]
        if ids is not None:
            asked = [chosen.where(deliveries.c.id.in_(some)) for some in chunks(ids)]
        found = (values for each in asked for values in self._connection.execute(each).mappings())
        return {values["id"]: _known(values) for values in found}

    def _write_deliveries(
        self, number: int, drafts: Mapping[str, Draft], known: Mapping[str, _Known], *, is_whole: bool
    ) -> Totals:
        elsewhere = self._elsewhere(drafts)
        position = self._connection.scalar(_LAST_POSITION) or 0
        verdicts, sorts = Counter[str](), dict[str, int]()
        new: list[_New] = []
        moved, changed = [], []
        for id, draft in drafts.items():
            before = known.get(id)
            if draft.row is not None and draft.place is not None:
                row, place = draft.row, draft.place
            elif before is not None and not is_whole:
                row, place = before.row, before.place
            else:
                continue  # A judgement whose delivery is damaged.
            earlier = before.judged if before is not None and not is_whole else []
            own = sorted([*earlier, *draft.judged], key=_at) if earlier or draft.judged[1:] else draft.judged
            is_broken = draft.is_broken and not earlier
            row = _judged(row, [*own, *elsewhere.get(id, ())], is_broken=is_broken)
            verdicts[own[-1].verdict if own else ""] += 1
            sort = sorts[id] = sort_of(row.sent_at)
            if before is None:
                position += 1
                new.append(_New(position, sort, self._change, row, own, place))
                continue
            if not is_whole:
                verdicts[before.judged[-1].verdict if before.judged else ""] -= 1
            if row != before.row or len(own) != len(before.judged):
                changed.append(before)
                new.append(_New(before.position, sort, before.added, row, own, place))
            elif own != before.judged or place != before.place:
                moved.append({"at": before.position, **place._asdict(), "judged": json_text(own)})
        if moved:
            self._connection.execute(_MOVE, moved)
        gone = [each for id, each in known.items() if is_whole and id not in sorts]
        self._delete_deliveries([*changed, *gone])
        self._insert_deliveries(number, new)
        span = (min(sorts.values()), max(sorts.values())) if sorts else ()
        return Totals(len(sorts) if is_whole else len(sorts.keys() - known.keys()), verdicts, span)

    def _insert_deliveries(self, number: int, new: Sequence[_New]) -> None:
        rows, of_orders, of_codes = [], [], []
        for position, sort, added, row, judged, place in new:
            derived = row.status_class, row.unedited_fixture
            own = position, number, json_text(judged), added, self._change, *place
            rows.append((*own, sort, *derived, *row_values(row)))
            of_orders += [(value, sort, position) for value in row.orders]
            of_codes += [(value, sort, position) for value in row.codes]
        _DELIVERY.rows(self._connection, rows)
        _ORDER.rows(self._connection, of_orders)
        _CODE.rows(self._connection, of_codes)

    def _delete_deliveries(self, found: Collection[_Known]) -> None:
        for table in (orders, codes):
            keys = [
                {"of": value, "at": sort_of(each.row.sent_at), "which": each.position}
                for each in found
                for value in getattr(each.row, table.name)
            ]
            if keys:
                self._connection.execute(_DELETE_LOOKUP[table.name], keys)
        if found:
            self._connection.execute(_DELETE, [{"at": each.position} for each in found])

    # --- judgements of other runs' deliveries ---

    def _elsewhere(self, ids: Collection[str]) -> dict[str, list[Judged]]:
        """The judgements that other runs hold of these deliveries."""
        found: dict[str, list[Judged]] = {}
        if self._connection.scalar(_ANY_ELSEWHERE) is None:
            return found
        for some in chunks(ids):
            for values in self._connection.execute(_ELSEWHERE, {"ids": some}).mappings():
                found.setdefault(values["delivery"], []).append(_judged_elsewhere(values))
        return found

    def _write_elsewhere(self, number: int, new: Sequence[tuple[str, Judged]], *, is_whole: bool) -> None:
        before: Counter[tuple[str, str, str, int]] = Counter()
        if is_whole:
            of_run = judgements_elsewhere.c.run == number
            found = self._connection.execute(select(judgements_elsewhere).where(of_run)).all()
            before.update((each.delivery, each.at, each.verdict, each.differences) for each in found)
            if before:
                self._connection.execute(delete(judgements_elsewhere).where(of_run))
        rows = [(id, number, each.at, each.verdict, each.differences, *each.place) for id, each in new]
        _ELSEWHERE_ONE.rows(self._connection, rows)
        now = Counter((id, judged.at, str(judged.verdict), judged.differences) for id, judged in new)
        self._judge_again({each[0] for each in (now - before) + (before - now)})

    def _judge_again(self, ids: Collection[str]) -> None:
        """Set the verdicts of deliveries that other runs judged, or no longer do."""
        elsewhere = self._elsewhere(ids)
        for some in chunks(ids):
            for values in self._connection.execute(_KNOWN.where(deliveries.c.id.in_(some))).mappings().all():
                known = _known(values)
                row = _judged(known.row, [*known.judged, *elsewhere.get(known.row.id, ())])
                self._connection.execute(
                    update(deliveries)
                    .where(deliveries.c.position == known.position)
                    .values(
                        verdict=row.verdict or "",
                        first_verdict=row.first_verdict,
                        differences=row.differences,
                        changed=self._change,
                    )
                )


def _judged_elsewhere(values: RowMapping) -> Judged:
    """A judgement from the values of `judgements_elsewhere`."""
    return Judged(values["at"], values["verdict"], values["differences"], place_from(values))


def _judged(row: DeliveryRow, judged: list[Judged], *, is_broken: bool = False) -> DeliveryRow:
    """A row with its first and latest judgement. Of several at one instant, the last in the list is later."""
    first = min(judged, key=_at, default=None)
    last = max(reversed(judged), key=_at, default=None)
    return msgspec.structs.replace(
        row,
        verdict=last.verdict if last is not None else None,
        first_verdict=first.verdict if first is not None else None,
        differences=last.differences if last is not None else 0,
        breaks_contract=row.breaks_contract or (row.off_contract and is_broken),
    )


def _known(values: RowMapping) -> _Known:
    return _Known(
        values["position"],
        values["added"],
        row_from(values),
        judged_from(values["judged"]),
        place_from(values),
    )


_KNOWN = select(
    deliveries.c.position,
    deliveries.c.added,
    deliveries.c.judged,
    *PLACE,
    *tables.row,
)
_DELIVERY, _ORDER, _CODE, _ELSEWHERE_ONE = map(Insert, (deliveries, orders, codes, judgements_elsewhere))
_RESULT = Insert(results, without="position")
_LAST_POSITION = select(func.max(deliveries.c.position))
_MOVE = update(deliveries).where(deliveries.c.position == bindparam("at"))
"""Sets the columns that its values name."""
_DELETE = delete(deliveries).where(deliveries.c.position == bindparam("at"))
_DELETE_LOOKUP = {
    table.name: delete(table).where(
        table.c.value == bindparam("of"),
        table.c.sort == bindparam("at"),
        table.c.delivery == bindparam("which"),
    )
    for table in (orders, codes)
}
_ANY_ELSEWHERE = select(judgements_elsewhere.c.run).limit(1)
_ELSEWHERE = elsewhere_in_order.where(judgements_elsewhere.c.delivery.in_(bindparam("ids", expanding=True)))
_at = attrgetter("at")
