"""The failed deliveries that the log keeps of a load test."""

from __future__ import annotations

from collections import Counter
from contextlib import AbstractContextManager, nullcontext

import msgspec

from retailops_sandbox.engine import Clock
from retailops_sandbox.errors import FileError
from retailops_sandbox.model import Delivery, DeliveryInFlight, Judgement, Number, Record, encoder
from retailops_sandbox.runlog.ports import RunWriter

_NOTHING = nullcontext()

MOST = 100
"""The most failed deliveries that the log keeps of one load test."""
MOST_ALIKE = 20
"""The most of them for one cause, so that a frequent one leaves room for others."""


class FailedDelivery(msgspec.Struct, frozen=True):
    """A delivery that failed or errored, redacted as the log keeps it."""

    delivery: Delivery
    judgement: Judgement
    cause: str
    """The step, and what failed."""

    def to_message(self) -> bytes:
        """The delivery as a message to the master holds it."""
        return encoder.encode(self)

    @classmethod
    def from_message(cls, message: bytes) -> FailedDelivery:
        """The delivery of a worker's message; ValidationError where it is none of this version."""
        return _decoder.decode(message)


_decoder = msgspec.json.Decoder(FailedDelivery, float_hook=Number)


class NoLog:
    """The log of a worker's engine: it counts ids, and keeps nothing. What failed goes to the master."""

    def __init__(self, worker: str) -> None:
        self._worker = worker
        self._last = 0

    def next_id(self) -> str:
        self._last += 1
        return f"{self._worker}.{self._last}"

    def append(self, record: Record) -> None:
        return None

    def sending(self, flight: DeliveryInFlight) -> AbstractContextManager[None]:
        return _NOTHING

    @property
    def is_flushed(self) -> bool:
        """True: nobody else reads what is kept here."""
        return True

    async def flush(self) -> None:
        return None


class Quota:
    """How many failed deliveries are kept, or told to the master."""

    def __init__(self) -> None:
        self.taken = 0
        self._alike: Counter[str] = Counter()

    def takes(self, cause: str) -> bool:
        """Whether there is room for one more of this cause, which is counted then."""
        if self.taken == MOST or self._alike[cause] == MOST_ALIKE:
            return False
        self.taken += 1
        self._alike[cause] += 1
        return True


class Evidence:
    """The first failed deliveries of a load test, as they go into the log."""

    def __init__(self, log: RunWriter, clock: Clock) -> None:
        self._log = log
        self._clock = clock
        self._quota = Quota()
        self.unwritten: FileError | None = None
        """Why nothing more could be logged."""

    def begin(self) -> None:
        """Put the run into the log; FileError where that fails."""
        self._log.begin()

    def keep(self, failed: FailedDelivery) -> None:
        """Log a failed delivery under an id of this run, unless there are enough."""
        if self.unwritten is not None or not self._quota.takes(failed.cause):
            return
        try:
            id = self._log.next_id()
            run = self._log.info.id
            self._log.append(msgspec.structs.replace(failed.delivery, id=id, run=run))
            self._log.append(msgspec.structs.replace(failed.judgement, delivery=id))
        except FileError as error:
            self.unwritten = error

    def finish(self, *, stopped: bool) -> None:
        """End the run."""
        try:
            self._log.finish(self._clock.now(), stopped=stopped)
        except FileError as error:
            self.unwritten = self.unwritten or error
