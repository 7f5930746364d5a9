"""Diagnostics: what the sandbox does, by Python's logging. Nothing is shown unless it is asked for."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator

from retailops_sandbox.errors import SandboxError

_TIME = "%Y-%m-%d %H:%M:%S"

_package = logging.getLogger(__package__)
# Python prints the warnings of loggers that have no handler.
_package.addHandler(logging.NullHandler())


def logger(module: str) -> logging.Logger:
    """The logger of a module of this package. Messages may hold secrets: they are redacted when shown."""
    return logging.getLogger(module)


@contextlib.contextmanager
def shown(level: str, write: Callable[[str], None], redact: Callable[[str], str]) -> Iterator[None]:
    """Write what is logged from this level on, a line each, until the block ends.

    `redact` strikes out what is secret. Where it raises SandboxError, because what is secret is not known,
    the line says only that.
    """
    handler = _Handler(write, redact)
    before = _package.level
    _package.addHandler(handler)
    _package.setLevel(level.upper())
    try:
        yield
    finally:
        _package.setLevel(before)
        _package.removeHandler(handler)


class _Handler(logging.Handler):
    def __init__(self, write: Callable[[str], None], redact: Callable[[str], str]) -> None:
        super().__init__()
        self._write = write
        self._redact = redact
        self._time = logging.Formatter()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            said = self._redact(self.format(record))
        except SandboxError as error:
            said = f"not shown: {error}"
        time = self._time.formatTime(record, _TIME)
        part = record.name.removeprefix(f"{__package__}.").partition(".")[0]
        self._write(f"{time}.{int(record.msecs):03} {record.levelname.lower()} {part}: {said}")
