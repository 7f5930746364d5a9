"""Orders that are acted on again, or though the request about them was refused.

Only answers are seen. The baseline shows what a first answer and a second one look like; where they differ,
each later answer is one or the other. Where they do not, a second answer must itself tell that it did
something, by its events.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from msgspec.structs import replace

from retailops_sandbox.probe.observers.reading import Reading
from retailops_sandbox.probe.probes import Trial
from retailops_sandbox.probe.report import Observation

_MOST_OPEN = 5_000
"""The number of steps whose first answers are remembered, and of orders that were accepted."""

CANNOT_TELL = (
    "A second request about one order is answered like the first, and neither tells what was done: "
    "whether a repetition acts again cannot be seen."
)


class _First:
    """What the first answer to a step was."""

    __slots__ = ("method", "numbers", "print", "shown", "was_refused")

    def __init__(self, reading: Reading) -> None:
        self.print = reading.print if reading.is_2xx else ""
        self.numbers = reading.numbers
        self.method = reading.delivery.request.method if reading.is_other_method else ""
        self.was_refused = 400 <= reading.status < 500
        self.shown = reading.shows("refused-acts")


class Repeating:
    """Compares the answers about one order."""

    def __init__(self) -> None:
        self._fresh: frozenset[str] = frozenset()
        """The prints of first answers, where they differ from that of a second one."""
        self._second = ""
        self._constants: frozenset[str] = frozenset()
        """The numbers that the answers about all orders have."""
        self._is_replay = False
        """Whether the second answer has the numbers that the first one made."""
        self._firsts: dict[tuple[str, str], _First] = {}
        self._accepted: dict[str, None] = {}
        """The orders of which a request was accepted."""
        self._groups: dict[tuple[str, str], list[tuple[bool, frozenset[str], Observation]]] = {}
        self._repeats = False
        self._second_acts = False
        """Whether the second answer tells by its events that something was done."""

    def baseline(self, first: Reading, second: Reading, others: Sequence[Reading]) -> None:
        """Learn what the answers to a first and to a second request about one order look like.

        `others` are answers to first requests about other orders.
        """
        prints = [each.print for each in (first, *others) if each.is_2xx]
        if second.is_2xx:
            # Where all of a baseline's orders but the first are new, it was asked about before.
            self._second = second.print
            self._second_acts = second.tells_of_acting and not all(
                map(second.shape.is_warning, second.events)
            )
            self._fresh = frozenset(prints) - {second.print}
            if others:
                self._fresh &= {each.print for each in others}
            if first.print == second.print and not second.tells_of_before:
                self._fresh = frozenset()  # the other orders may be in another state, and no newer
        if others:
            # What is the same for all orders, such as an amount, is no number of something that was made.
            self._constants = first.numbers.intersection(*(each.numbers for each in others))
        made = first.numbers - self._constants
        self._is_replay = bool(made) and made == second.numbers - self._constants

    def acted_on(self, order: str) -> None:
        """Learn that a request about an order may have been accepted before."""
        _bound(self._accepted)
        self._accepted[order] = None

    @property
    def can_tell(self) -> bool:
        """Whether first answers differ from second ones."""
        return bool(self._fresh)

    @property
    def notes(self) -> tuple[str, ...]:
        """What cannot be seen: whether a second request acts, where its answer tells no difference."""
        is_unseen = self._second and not self._second_acts and not self.can_tell and not self._repeats
        return (CANNOT_TELL,) if is_unseen else ()

    @property
    def _like(self) -> frozenset[str]:
        """The prints of answers that tell that something was done, or was done before."""
        return self._fresh | ({self._second} - {""})

    def is_fresh(self, reading: Reading) -> bool:
        """Whether an answer is told as the first one about its order."""
        return reading.print in self._fresh

    def is_repeat(self, reading: Reading) -> bool:
        """Whether an answer is told as another one about its order."""
        return self.can_tell and reading.print == self._second

    def observe(self, reading: Reading, *, names_other: bool) -> Iterator[Observation]:
        """How an answer shows that something was done again, or was done though it was refused.

        What an answer that names another order tells is not about the order that was asked about.
        """
        if names_other:
            return
        if reading.answered.probe.area == "speed":
            return
        if reading.is_other_method:
            yield from self._of_method(reading)
        elif reading.is_at_once:
            self._groups.setdefault(_group(reading), []).append(
                (
                    self.is_fresh(reading),
                    reading.numbers - self._constants,
                    reading.shows("races", print="races"),
                )
            )
        else:
            yield from self._one_by_one(reading)
        self._remember(reading)

    def _remember(self, reading: Reading) -> None:
        if reading.is_hung_up or not reading.status:
            return
        if reading.is_2xx and not reading.is_elsewhere:
            self.acted_on(reading.trial.order)
        _bound(self._firsts)
        key = (reading.answered.probe.id, reading.trial.step)
        if key not in self._firsts or self.is_fresh(reading):
            self._firsts[key] = _First(reading)

    def _of_method(self, reading: Reading) -> Iterator[Observation]:
        method = reading.delivery.request.method
        if reading.is_done and reading.value and reading.print in self._like:
            yield reading.shows("acts-on-method", f"{method} was answered like {reading.contract.method}")

    def _one_by_one(self, reading: Reading) -> Iterator[Observation]:
        probe, trial = reading.answered.probe, reading.trial
        before = self._firsts.get((probe.id, trial.after or trial.step))
        if before is None or not reading.is_2xx or trial.demand != "accept":
            return
        earlier = next((each for each in probe.trials if each.step == trial.after), None)
        if trial.after and earlier is not None and earlier.order != trial.order:
            return
        if before.method or before.was_refused:
            # Another request about the order may have done what this one is told was done.
            was_done = before.was_refused and trial.order in self._accepted
            if not was_done and self.is_repeat(reading) and earlier is not None:
                yield _acted(reading, before, earlier)
        elif before.print and self._acts_again(reading, before):
            self._repeats = True
            yield reading.shows("repeats", "told as fresh again", print="repeats")

    def _acts_again(self, reading: Reading, before: _First) -> bool:
        if self.can_tell:
            return self.is_fresh(reading) and before.print in self._fresh
        if not reading.tells_of_acting or reading.print != before.print:
            return False
        made = before.numbers - self._constants
        if reading.numbers - self._constants != made:
            return True
        # A warning that comes again may be about what an order is like, and not about what was done.
        return not made and not all(map(reading.shape.is_warning, reading.events))

    def finish(self) -> Iterator[Observation]:
        """The groups of requests at once of which more than one was told as fresh."""
        if self._repeats:
            return
        for answers in self._groups.values():
            fresh = [shown for is_fresh, _, shown in answers if is_fresh]
            made = {numbers for _, numbers, _ in answers if numbers}
            if self._is_replay and len(made) > 1:
                fresh = [shown for _, _, shown in answers]
            if len(fresh) > 1:
                yield replace(fresh[-1], detail=f"{len(fresh)} of {len(answers)} at once were told as fresh")


def _bound(remembered: dict[Any, Any]) -> None:
    """Forget the oldest where there is no place for one more."""
    if len(remembered) >= _MOST_OPEN:
        del remembered[next(iter(remembered))]


def _acted(reading: Reading, before: _First, earlier: Trial) -> Observation:
    """The observation that an order was acted on by a request that must not have had an effect."""
    kind, how = "refused-acts", "refused"
    if before.method:
        kind, how = "acts-on-method", f"sent as {before.method}"
    elif earlier.demand in ("refuse", "refuse somehow"):
        kind = "wrong-token-acts"
    detail = f"{how}, and the next request about its order is told as a repeat"
    return replace(before.shown, kind=kind, detail=detail, delivery=reading.delivery.id)


def _group(reading: Reading) -> tuple[str, str]:
    return reading.answered.probe.id, reading.trial.order
