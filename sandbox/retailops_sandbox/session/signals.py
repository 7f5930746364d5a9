"""Ctrl-C and SIGTERM: the first stops the work, the second cancels it."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def stopping(act: Callable[[], None] = lambda: None) -> Iterator[asyncio.Event]:
    """Until the block ends, Ctrl-C or SIGTERM calls `act` and sets the event; a second one cancels this task.

    Only Python's main thread gets signals: in another thread this does nothing.
    """
    stopped = asyncio.Event()
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None

    def stop() -> None:
        if stopped.is_set():
            task.cancel()
        stopped.set()
        act()

    is_main = threading.current_thread() is threading.main_thread()
    numbers = (signal.SIGINT, signal.SIGTERM) if is_main else ()
    before = {number: signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop)) for number in numbers}
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
