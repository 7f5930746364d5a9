"""The results of earlier runs, without their deliveries: what later runs are compared with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from sandbox.model import Result, RunInfo
from sandbox.trend import Past


class _Outcome(msgspec.Struct):
    """A run file; its other tables, the bulk, are passed over."""

    run: dict[str, RunInfo] = {}
    results: dict[str, Result] = {}


def past(runs_dir: Path) -> Iterator[Past]:
    """The folded runs of a folder that hold results, the newest first, each read when it is asked for.

    What cannot be read is left out: the log names it.
    """
    for path in sorted(runs_dir.glob("*.json"), reverse=True):
        try:
            outcome = _decoder.decode(path.read_bytes())
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            continue
        if outcome.results:
            for info in outcome.run.values():
                yield Past(info, list(outcome.results.values()))


_decoder = msgspec.json.Decoder(_Outcome)
