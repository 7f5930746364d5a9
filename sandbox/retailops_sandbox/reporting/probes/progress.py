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
        if latest is None or latest.left is None:
            sent = [words.counted(latest.sent, "request")] if latest is not None else []
            return self._bar(0, 1, [*sent, "looks for one that is accepted"])
        said = [f"{latest.sent:,} of {latest.total:,} requests"]
        if found := latest.report.findings:
            said.append(words.counted(len(found), "cause"))
        said.append(f"about {latest.left:.0f} s left")
        return self._bar(latest.sent, latest.total, said)
