"""What a probe finds at the receivers of tests/support/probed: wrong ones with a fault each, and right ones.

python bench/probe_receivers.py            all; exit 1 where a right one is wrong, or one of ten is not found
python bench/probe_receivers.py NAME …     some of them, with each finding
"""

from __future__ import annotations

import contextlib
import logging
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

from retailops_sandbox.probe.report import ProbeReport
from tests.support.probed.probing import probe
from tests.support.probed.receiving import serving
from tests.support.probed.right import RIGHT
from tests.support.probed.wrong import WRONG

NEEDED = 0.9
"""The least part of the wrong receivers that must be found, for the right reason."""


class Row(NamedTuple):
    name: str
    start: Callable[[], AbstractContextManager[str]]
    edition: str
    kinds: tuple[str, ...]
    also: tuple[str, ...]


def rows() -> list[Row]:
    right = [Row(name, each.start, each.edition, (), ()) for name, each in RIGHT.items()]
    wrong = [
        Row(name, lambda each=each: serving(each.receiver()), each.receiver.edition, each.kinds, each.also)
        for name, each in WRONG.items()
    ]
    return right + wrong


def probed(row: Row) -> tuple[ProbeReport, float]:
    started = time.perf_counter()
    with row.start() as url, tempfile.TemporaryDirectory() as folder:
        report = probe(url, Path(folder), edition=row.edition)
    return report, time.perf_counter() - started


def main(names: list[str]) -> int:
    logging.disable()
    missed, false = [], []
    chosen = [row for row in rows() if not names or row.name in names]
    print(f"{'receiver':26} {'found':6} {'requests':>8} {'seconds':>8}  kinds")
    for row in chosen:
        try:
            report, seconds = probed(row)
        except Exception as error:  # a probe that breaks is a row, too
            print(f"{row.name:26} BROKE  {type(error).__name__}: {error}", flush=True)
            if names:
                raise
            missed.append(row.name)
            continue
        kinds = list(dict.fromkeys(each.kind for each in report.findings))
        is_found = not row.kinds or any(each in row.kinds for each in kinds)
        others = [each for each in kinds if each not in (*row.kinds, *row.also)]
        missed += [] if is_found else [row.name]
        false += [row.name] if others else []
        word = ("clean" if not kinds else "") if not row.kinds else "yes" if is_found else "MISSED"
        told = ", ".join(f"{each} (!)" if each in others else each for each in kinds)
        told += f"  [{report.baseline}]" if report.baseline else ""
        told += f"  [{report.stopped}]" if report.stopped else ""
        told += f"  left out {report.left_out}" if report.left_out else ""
        print(f"{row.name:26} {word:6} {report.requests:8} {seconds:8.1f}  {told}", flush=True)
        for finding in report.findings if names else ():
            print(f"    {finding.kind}: {finding.title} ({finding.count}, {finding.label})")
            print(f"        {finding.evidence}\n        smallest: {finding.smallest.shown}")
        for note in report.notes if names else ():
            print(f"    note: {note}")
    wrong = [row for row in chosen if row.kinds]
    print(f"\nfound {len(wrong) - len([n for n in missed if n in WRONG])} of {len(wrong)} wrong ones")
    print(f"missed: {', '.join(missed) or 'none'}")
    print(f"more was said than is true: {', '.join(false) or 'of none'}")
    is_right = not any(name in RIGHT for name in (*missed, *false))
    return 0 if is_right and len(missed) <= (1 - NEEDED) * len(wrong) else 1


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main(sys.argv[1:]))
