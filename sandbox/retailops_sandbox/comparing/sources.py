"""Where the published sources of a contract part about an answer."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from retailops_sandbox.model import SourceCheck, Violation

_FEW = 5
"""The most violations that are kept of a source."""


def parting(
    by_source: Mapping[str, Sequence[Violation]], broken: Collection[Violation]
) -> tuple[SourceCheck, ...]:
    """What each source says of an answer, where not all of them say what the contract itself does.

    `broken` are the answer's violations of the contract.
    """
    if all(bool(found) == bool(broken) for found in by_source.values()):
        return ()
    return tuple(SourceCheck(source, tuple(found[:_FEW])) for source, found in by_source.items())
