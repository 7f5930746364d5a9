"""Standard output and standard error, also where they cannot be written any more."""

from __future__ import annotations

import os
import sys
from typing import TextIO


def write_out(text: str, *, flush: bool = False) -> None:
    """Print a document as it is. Where standard output cannot be written, it is discarded.

    The command goes on then.
    """
    try:
        print(text, end="", flush=flush)
    except OSError as error:
        give_up(sys.stdout, error)


def write_error(text: str) -> None:
    """Print a line to standard error; where that cannot be written, it is discarded."""
    try:
        print(text, file=sys.stderr, flush=True)
    except OSError as error:
        give_up(sys.stderr, error)


def give_up(stream: TextIO, error: OSError) -> None:
    """Discard further output to this stream, and say so on standard error."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
    if stream is sys.stdout and not isinstance(error, BrokenPipeError):
        write_error(f"standard output cannot be written: {error.strerror}")
