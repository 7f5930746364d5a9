from __future__ import annotations

from collections.abc import Callable

from retailops_sandbox.load.order_numbers import OrderNumbers, OrderRange
from retailops_sandbox.probe.orders import OrderIds


class Workers:
    """Workers that share a range of ids; what they ask for comes when `answer` is called."""

    def __init__(self, ids: OrderIds, count: int, *, times: int = 1) -> None:
        self.range = OrderRange(ids)
        self._asked: list[int] = []
        self.numbers = [OrderNumbers(self._asking(worker), times=times) for worker in range(count)]
        for each in self.numbers:
            each.ask_if_few()
        self.answer()

    def answer(self) -> None:
        while self._asked:
            self.numbers[self._asked.pop(0)].add(self.range.block())

    def take(self, worker: int, count: int = 1) -> list[int] | None:
        taken = self.numbers[worker].take(count)
        self.answer()
        return taken

    def _asking(self, worker: int) -> Callable[[], None]:
        return lambda: self._asked.append(worker)


def test_workers_never_take_the_same_number() -> None:
    workers = Workers(OrderIds(900_000_000, 900_099_999), 3)
    taken = [number for turn in range(20_000) for number in workers.take(turn % 3) or ()]
    assert len(taken) == len({*taken}) == 20_000
    assert min(taken) >= 900_000_000
    assert max(taken) <= 900_099_999


def test_a_range_is_used_up_to_its_last_number() -> None:
    workers = Workers(OrderIds(1, 1_000), 2)
    taken: list[int] = []
    while any(found := [workers.take(0), workers.take(1)]):
        taken += [number for each in found for number in each or ()]
    assert sorted(taken) == [*range(1, 1_001)]
    assert all(each.is_used_up for each in workers.numbers)


def test_a_worker_that_is_lost_takes_few_numbers_of_a_small_range_with_it() -> None:
    workers = Workers(OrderIds(1, 1_000), 2)
    workers.take(0)
    assert workers.range.used is not None
    assert workers.range.used.last <= 40


def test_a_scenario_about_several_orders_has_them_all_or_none() -> None:
    workers = Workers(OrderIds(1, 7), 1)
    assert workers.take(0, 3) is None  # only one had come
    assert [workers.take(0, 3) for _ in range(3)] == [[1, 2, 3], [4, 5, 6], None]
    assert workers.take(0, 1) == [7]


def test_numbers_that_collide_come_twice_in_a_row() -> None:
    workers = Workers(OrderIds(1, 1_000), 1, times=2)
    assert [workers.take(0) for _ in range(6)] == [[1], [1], [2], [2], [3], [3]]
    # Scenarios about two orders collide with each other, and not with those about one.
    assert [workers.take(0, 2), workers.take(0), workers.take(0, 2), workers.take(0)] == [
        [4, 5],
        [6],
        [4, 5],
        [6],
    ]


def test_more_is_asked_for_once_and_in_time() -> None:
    asked: list[int] = []
    shared = OrderRange(OrderIds(1, 100_000))
    numbers = OrderNumbers(lambda: asked.append(1))
    assert numbers.take(1) is None
    assert numbers.take(1) is None
    assert len(asked) == 1
    numbers.add(shared.block())
    assert len(asked) == 2  # a block ahead
    numbers.add(shared.block())
    assert len(asked) == 2
    for _ in range(500):
        assert numbers.take(1) is not None
    assert len(asked) == 3
