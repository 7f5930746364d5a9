"""The progress of a probe in one line at the bottom of a terminal."""

from __future__ import annotations

from collections.abc import Callable

from retailops_sandbox.probe.probing import ProbeProgress
from retailops_sandbox.reporting.probes import words
from retailops_sandbox.reporting.reporters.progress import ProgressLine


class ProbeProgressLine(ProgressLine):
    """Says how many requests were sent, and how many causes were found so far."""

    def __init__(
        self, write: Callable[[str], None], *, width: Callable[[], int], seconds: Callable[[], float]
    ) -> None:
        super().__init__(write, width=width, seconds=seconds)
        self._latest: ProbeProgress | None = None

    def on_progress(self, progress: ProbeProgress) -> None:
        """Take how far the probe is, which is told a few times a second, and show it."""
        self._latest = progress
        self.tick()

    def _line(self) -> str:
        latest = self._latest
        if latest is not None and latest.is_checking:
            said = [words.counted(latest.sent, "request"), *self._causes(latest), "checks again what failed"]
            return self._bar(1, 1, said)
        if latest is None or latest.left is None:
            sent = [words.counted(latest.sent, "request")] if latest is not None else []
            return self._bar(0, 1, [*sent, "looks for one that is accepted"])
        said = [f"{latest.sent:,} of {latest.total:,} requests", *self._causes(latest)]
        said.append(f"about {latest.left:.0f} s left")
        return self._bar(latest.sent, latest.total, said)

    def _causes(self, progress: ProbeProgress) -> list[str]:
        found = progress.report.findings
        return [words.counted(len(found), "cause")] if found else []
